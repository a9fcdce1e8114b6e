"""A finished run of several delays made by hand: maps of CBF and arrival time, and the curves of its regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from delay_builders import scan_of_delays

from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.preparing.course import PairCourse
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.result.delay_curves import DelayCurves, RegionCurve
from ASLDenoiseLib.result.maps import (
    ATT_UNCERTAINTY,
    BOUNDS,
    DENOISED,
    DENOISED_ATT,
    RAW,
    RAW_ATT,
    RESIDUAL,
    UNCERTAINTY,
    VESSELS,
    kind_of,
    named,
)
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.regions import PlacedRegion

NOISE_CBF, NOISE_ATT = 9.0, 0.3  # ml/100g/min and s, of the raw maps


def result_of_delays(*, with_m0: bool = True, regions: tuple[str, ...] = (), **scan: object) -> Result:
    """Raw maps with noise beside the truth as denoised ones; NaN outside the brain.

    Args:
        with_m0: else the maps are relative, in scanner units.
        regions: names of regions, each a box of voxels.
        scan: as `delay_builders.scan_of_delays`.
    """
    made = scan_of_delays(with_m0=with_m0, **{"noise": 1.0, **scan})
    grid, brain = made.series.geometry, made.brain
    unit = "ml/100g/min" if with_m0 else kind_of("desc-mean_pwi", ("desc-mean_pwi",)).unit
    rng = np.random.default_rng(3)

    def volume(array: np.ndarray, unit: str) -> Volume:
        return Volume(np.where(brain, array, np.nan).astype(np.float32), grid, unit)

    def noisy(truth: Volume, sd: float) -> np.ndarray:
        return truth.array + rng.normal(0, sd, grid.shape)

    cbf, att = made.cbf.array, made.att.array
    raw = noisy(made.cbf, NOISE_CBF)
    of_cbf = {RAW: raw, DENOISED: cbf, RESIDUAL: raw - cbf, UNCERTAINTY: np.full(grid.shape, 4.0)}
    raw_key = "desc-mean_pwi" if not with_m0 else RAW
    maps = {named(key, (raw_key,)): volume(array, unit) for key, array in of_cbf.items()}
    maps[RAW_ATT] = volume(np.clip(noisy(made.att, NOISE_ATT), 0, None), "s")
    maps[DENOISED_ATT] = volume(att, "s")
    maps[ATT_UNCERTAINTY] = volume(np.full(grid.shape, 0.2), "s")
    k, j, i = np.indices(grid.shape)
    for key, inside in ((BOUNDS, (i < 4) & (j < 8) & brain), (VESSELS, (i == j) & (k == 2) & brain)):
        maps[key] = Volume(inside.astype(np.float32), grid, "")
    placed = {name: _box(n, brain, grid) for n, name in enumerate(regions)}
    readouts = {key: measure(maps[key], made.tissue, regions=placed) for key in list(maps)[:2]}
    result = Result(made.series, maps, readouts, made.tissue, regions=placed, timings={"fit": 1.5})
    return replace(result, model={"name": "test-model"}, delays=curves_of(result, unit))


def with_pairs(result: Result) -> Result:
    """The result with a perfusion for every pair, that of its delay and a little."""
    members = tuple((t, t + 1) for t in range(0, len(result.series.context), 2))
    by_delay = [10 * result.series.timing(first)[0] for first, _ in members]
    perfusion = np.array(by_delay) + 0.1 * np.arange(len(members))
    unknown = np.full(len(members), np.nan)
    course = PairCourse(tuple(range(1, len(members) + 1)), members, perfusion, "ml/100g/min", unknown, unknown)
    return replace(result, course=course)


def curves_of(result: Result, unit: str) -> DelayCurves:
    """Curves that rise to the CBF of their region; one delay has too few pairs for an error."""
    delays = tuple(sorted({result.series.timing(t)[0] for t in range(len(result.series.context))}))
    count = len(result.series.context) // 2 // len(delays)
    rng = np.random.default_rng(4)
    levels = {"GM": (60.0, 1.0), "WM": (20.0, 1.4), **dict.fromkeys(result.regions, (50.0, 1.2))}
    found = []
    for name, (cbf, att) in levels.items():
        fitted = tuple(float(cbf * np.clip((d + 1.8 - att) / 1.8, 0, 1)) for d in delays)
        measured = tuple(f + float(rng.normal(0, 1.5)) for f in fitted)
        errors = (float("nan"), *(1.5 for _ in delays[1:]))
        plain = tuple(f + float(rng.normal(0, 0.7)) for f in fitted)
        found.append(RegionCurve(name, measured, errors, fitted, plain, cbf, att))
    durations = (1.8,) * len(delays)
    return DelayCurves(delays, durations, (count,) * len(delays), unit, tuple(found), "made here")


def _box(number: int, brain: np.ndarray, grid) -> PlacedRegion:
    _k, j, i = np.indices(brain.shape)
    inside = brain & (j > 5) & (j < 11) & (i > 3 + number) & (i < 8 + number)
    return PlacedRegion.of(Volume(inside.astype(np.float32), grid))
