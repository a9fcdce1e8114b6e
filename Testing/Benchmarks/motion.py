"""Motion correction on simulated scans whose motion is known, and on real ones; writes motion.md.

Motion is added to a scan of a head that keeps still, so that every condition has the same noise. Slices that are
corrupted on purpose are left out of the mean: what is judged here is motion correction, not outlier cleaning.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.learning.simulate import ScanSettings
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.motion import Motion, correct_motion, estimate_motion
from ASLDenoiseLib.preparing.nuisance import nuisance_courses, regress_nuisance
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.series import ASLSeries, Volume
from ASLDenoiseLib.spatial.resampling import resample

from .library.cases import HELD_OUT, SIZE, SPACING, anatomy_path, draw_still
from .library.command import begin, options, say, timed
from .library.known_motion import CONDITIONS, FLAT, SCAN, Moved, Still, matrix_of_pose, move, parameter_errors
from .library.real_scans import NAMES, real_series
from .library.tables import by, table


def quality(series: ASLSeries, still: Still, left_out: np.ndarray | None = None) -> float:
    """PSNR (dB) of the mean difference against the truth in the brain, without the slices (T, K) left out."""
    array = series.array.copy()
    if left_out is not None:
        array[left_out] = np.nan
    mean = np.nanmean(difference_volumes(replace(series, array=array)).array, axis=0)
    return psnr(mean, still.difference, still.scan.tissue.brain.array)


def corrected_for_motion(series: ASLSeries, brain: Volume) -> tuple[ASLSeries, Motion, float]:
    """As a run does it: the series, what was found, and seconds of all processors."""
    busy = time.process_time()
    motion = estimate_motion(series, brain=brain)
    corrected = correct_motion(series, motion)
    return corrected, motion, time.process_time() - busy


def figures(case: Moved) -> dict[str, float]:
    """How well motion is found and undone."""
    (corrected, motion, processor), seconds = timed(corrected_for_motion, case.series, brain_mask(case.series.m0))
    shift, turn = parameter_errors(motion, case.poses)
    at_rest = quality(case.still.scan.series, case.still)
    return {
        "RMS mm": shift,
        "RMS degrees": turn,
        "motion-free (dB)": at_rest,
        "fewer slices": quality(case.still.scan.series, case.still, case.corrupted) - at_rest,
        "uncorrected": quality(case.series, case.still, case.corrupted) - at_rest,
        "corrected": quality(corrected, case.still, case.corrupted) - at_rest,
        "zig-zag (mm)": float(np.linalg.norm(motion.alternation[:3])),
        "s": seconds,
        "processor s": processor,
    }


def interpolations(case: Moved) -> dict[str, dict[str, float]]:
    """What resampling costs by itself: the true poses undone by each interpolation, nothing corrupted."""
    rest, grey = case.still.scan.series, grey_matter(case.still.scan.tissue)
    noise = np.std(difference_volumes(rest).array, axis=0)[grey].mean()
    at_rest, rows = quality(rest, case.still), {}
    for name in ("linear", "bspline"):
        volumes = [
            resample(case.series.volume(t), case.series.geometry, transform=np.linalg.inv(matrix_of_pose(pose)),
                     interpolation=name).array
            for t, pose in enumerate(case.poses)
        ]  # fmt: skip
        corrected = replace(case.series, array=np.stack(volumes))
        spread = np.nanstd(difference_volumes(corrected).array, axis=0)[grey].mean()
        rows[name] = {
            "PSNR beside motion-free (dB)": quality(corrected, case.still) - at_rest,
            "noise SD x": spread / noise,
        }
    return rows


def real_figures(series: ASLSeries) -> dict[str, float]:
    """What is found in a real series, and how much less its pairs differ once corrected and regressed."""
    brain = brain_mask(series.m0)
    corrected, motion, processor = corrected_for_motion(series, brain)
    cleaned = regress_nuisance(corrected, nuisance_courses(corrected, "motion", motion=motion))
    inside = brain.array > 0.5

    def spread(of: ASLSeries) -> float:
        return float(np.nanmedian(np.nanstd(difference_volumes(of).array, axis=0)[inside]))

    before = spread(series)
    return {
        "farthest (mm)": float(np.nanmax(motion.displacement)),
        "mean FD": float(np.nanmean(motion.framewise)),
        "largest FD": float(np.nanmax(motion.framewise)),
        "zig-zag (mm)": float(np.linalg.norm(motion.alternation[:3])),
        "M0 away (mm)": motion.m0_moved,
        "pair SD, corrected (%)": 100 * (spread(corrected) / before - 1),
        "and regressed (%)": 100 * (spread(cleaned.series) / before - 1),
        "taken by regression (%)": 100 * cleaned.explained,
        "by chance": 100 * cleaned.chance,
        "processor s": processor,
    }


def simulated_section(folder: Path, *, pairs: int) -> list[str]:
    """Every condition on a suppressed 3D scan, the first drift on an unsuppressed 2D one, and the interpolations."""
    settings, rows = replace(SCAN, pairs=pairs), {}

    def still(scan: ScanSettings, seed: int = 11) -> Still:
        path = anatomy_path(HELD_OUT[0], folder)
        return Still.of(draw_still(path, seed=11, acquisition=scan.acquisition), scan, seed=seed)

    suppressed = still(settings)
    for condition in CONDITIONS:
        rows[condition] = figures(move(suppressed, condition))
        say(f"{condition}: {rows[condition]}")
    unsuppressed = still(replace(settings, acquisition=FLAT))
    rows["drift of 0.5, 2D unsuppressed"] = figures(move(unsuppressed, "drift of 0.5"))
    restless = move(still(replace(settings, pairs=10), seed=12), "restless, 0.3", corrupt=False)
    return [
        table(rows, first="condition"),
        "Restless, nothing corrupted, the true poses undone: what interpolation does by itself.",
        table(interpolations(restless), first="interpolation"),
    ]


def real_section(data: Path) -> list[str]:
    """The real series, where nobody knows the truth."""
    return [
        "## Real series",
        "Pair SD: median over the brain of the SD of the pairs, after resampling and after regression of the six "
        "motion parameters, beside the series as it was. Chance alone takes what random courses would. A series of too "
        "few volumes for six courses is not regressed.",
        table({name: real_figures(real_series(data, name)) for name in NAMES}, first="series"),
    ]


def main() -> None:
    command = begin(__file__, options(__doc__, "anatomy", "data", "threads", quick="six pairs a scan, no real series"))
    pairs = 6 if command.quick else SCAN.pairs
    blocks = simulated_section(command.args.anatomy, pairs=pairs)
    if command.real:
        blocks += real_section(command.real)
    command.publish(
        "Head motion",
        f"A phantom of a kept-out anatomy ({HELD_OUT[0]}), {by(SIZE, ' x ')} "
        f"voxels of {by(SPACING, ' x ')} mm, {pairs} pairs of GM SNR {SCAN.gm_snr:g}; the static "
        "signal is suppressed to 15 % but in the last row. Where the head moves, a tenth of the volumes carry stripes "
        "in every slice and 2 % of the other slices are darker by 40 %: motion is estimated with them in place, the "
        "mean leaves them out, so that what is judged is the motion. PSNR of the mean difference is beside that of the "
        "same noise without motion and with all slices; 'fewer slices' is what the missing slices cost a head at rest. "
        "Drifts are in mm and degrees over the series.",
        *blocks,
    )


if __name__ == "__main__":
    main()
