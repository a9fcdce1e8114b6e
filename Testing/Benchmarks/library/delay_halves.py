"""The person's series of several delays, half against half: what a fit of some repeats tells of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.measuring.image_quality import ccc
from ASLDenoiseLib.pipeline.denoising_steps import gather_guides
from ASLDenoiseLib.pipeline.request import Denoising, Request
from ASLDenoiseLib.pipeline.run import prepared
from ASLDenoiseLib.preparing.averaging import mean_difference, variance_of_mean
from ASLDenoiseLib.preparing.pairs import some_pairs
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reading.images import read_array4d, read_image
from ASLDenoiseLib.series import Acquisition, ASLSeries, Labeling, M0Type

from .cases import Case, chosen_weights
from .delay_cases import DelayScan, scan_of_run
from .delay_methods import Fit

DELAYS, REPEATS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5), 8  # s; all repeats of a delay, then of the next
SLICE_TIME = 0.0452  # s
_ARTERIES = 5.0  # % of the mask that is brightest at the first delay: outliers that would be all of a squared error
DURATIONS = (1.8, 1.4)  # s, of the label: as its script has it, and as a tutorial on a like scan


def person(data: Path, duration: float) -> tuple[DelayScan, np.ndarray]:
    """The series as a run prepares it, with a label of a duration (s), and its mask (bool) without arteries."""
    folder = data / "multipld"
    array, geometry = read_array4d(folder / "asldata_diff.nii.gz")
    mask = read_image(folder / "asldata_mask.nii.gz").array > 0
    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=tuple(delay for delay in DELAYS for _ in range(REPEATS)),
        label_duration=duration,
        field_strength=3.0,
        readout="2D",
        slice_timing=tuple(SLICE_TIME * k for k in range(geometry.shape[0])),
        m0_type=M0Type.ABSENT,
    )
    series = ASLSeries(array, geometry, ("deltam",) * len(array), acquisition, name="multipld")
    run = prepared(Request(series, denoising=Denoising()))
    gather_guides(run, silent)
    scan = scan_of_run(run, f"label of {duration:g} s")
    # tissue is guessed from perfusion: that of the whole scan would tell one half of the other
    cases = tuple(replace(case, known_tissue=None) for case in scan.cases)
    scan, mask = replace(scan, cases=cases), mask & scan.brain
    first = scan.raw.images[0]
    return scan, mask & (first <= np.percentile(first[mask], 100 - _ARTERIES))


def splits(draws: int) -> list[np.ndarray]:
    """The repeats of first halves: odd, and some at random."""
    odd = np.arange(0, REPEATS, 2)
    rng = np.random.default_rng(7)
    return [odd, *(np.sort(rng.permutation(REPEATS)[: REPEATS // 2]) for _ in range(draws))]


def half(scan: DelayScan, repeats: np.ndarray) -> DelayScan:
    """The scan with some of its repeats of each delay."""

    def some(case: Case) -> Case:
        pairs, weights = some_pairs(case.every_pair, repeats), chosen_weights(case.every_weight, repeats)
        return replace(case, pairs=pairs, weights=weights, every_pair=pairs, every_weight=weights)

    return replace(scan, cases=tuple(some(case) for case in scan.cases))


def agreement(one: Fit, other: Fit, where: np.ndarray) -> dict[str, float]:
    """How far two halves' maps are apart, in the voxels that both know."""
    figures = {}
    for name in ("cbf", "att"):
        a, b = getattr(one, name), getattr(other, name)
        there = where & np.isfinite(a) & np.isfinite(b)
        a, b = a[there].astype(float), b[there].astype(float)
        level = (a.mean() + b.mean()) / 2 / 100 if name == "cbf" else 1.0
        unit = "%" if name == "cbf" else "s"
        figures[f"{name.upper()} RMSE ({unit})"] = float(np.sqrt(np.mean((a - b) ** 2)) / level)
        figures[f"{name.upper()} r"] = float(np.corrcoef(a, b)[0, 1])
        figures[f"{name.upper()} CCC"] = float(ccc(a, b, np.ones(a.shape, bool)))
    return figures


def prediction(fit: Fit, scan: DelayScan, others: DelayScan, where: np.ndarray) -> float:
    """By how much nearer than the half's own means its fitted curve is to the true means, dB.

    The other half's means are the truth with noise of their own, whose variance their spread tells and which is taken
    off both squared errors.
    """
    model, delays = scan.model, scan.delays[:, :, None, None]
    durations = np.array(scan.durations)[:, None, None, None]
    curve = fit.cbf * model.arrived(np.nan_to_num(fit.att), delays, durations)
    there = where & np.isfinite(curve).all(axis=0)
    # of every voxel by its own repeats: poorly known, but free of bias, and what counts is the mean
    cases = others.cases
    variances = [variance_of_mean(c.pairs.array, c.weights) * c.quantification.factor.array**2 for c in cases]
    noise = np.nanmean(np.stack(variances)[:, there])
    found, plain = (np.mean((i[:, there] - others.raw.images[:, there]) ** 2) - noise for i in (curve, scan.raw.images))
    return float(10 * np.log10(plain / found)) if found > 0 else float("nan")


def unexplained(scan: DelayScan, fit: Fit, where: np.ndarray) -> float:
    """The mean squared residual of a plain fit over the variance of the noise, a degree of freedom: 1 where it fits."""
    delays, durations = scan.delays[:, :, None, None], np.array(scan.durations)[:, None, None, None]
    curve = fit.cbf * scan.model.arrived(np.nan_to_num(fit.att), delays, durations)
    squares = ((scan.raw.images - curve) / scan.errors) ** 2
    return float(squares[:, where & np.isfinite(fit.cbf)].sum(0).mean() / (len(scan.cases) - 2))


def mean_curve(scan: DelayScan, where: np.ndarray) -> np.ndarray:
    """The mean of a region at every delay (D,), in the unit of the differences."""
    return np.array([np.nanmean(mean_difference(case.pairs, case.weights).array[where]) for case in scan.cases])
