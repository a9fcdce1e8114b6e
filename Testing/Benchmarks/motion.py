"""Motion correction on simulated scans whose motion is known, and on real ones; writes motion.md.

    python Testing/Benchmarks/motion.py [--anatomy DIR] [--data DIR] [--threads N] [--quick]

Motion is added to a scan of a head that keeps still, so that every condition has the same noise. Slices that are
corrupted on purpose are left out of the mean: what is judged here is motion correction, not outlier cleaning.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from cases import HELD_OUT, REAL, anatomy_path
from command import begin, is_missing, options
from tables import table

from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import Phantom, PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.scan_noise import Mover, spikes
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedScan, make_protocol, simulate_scan
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.motion import Motion, correct_motion, estimate_motion
from ASLDenoiseLib.preparing.nuisance import nuisance_courses, regress_nuisance
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import ASLSeries, Labeling, VolumeType
from ASLDenoiseLib.spatial.resampling import resample
from ASLDenoiseLib.spatial.rigid import parameters_of

SIZE, SPACING = (64, 64, 24), (3.4, 3.4, 5.0)
SCAN = ScanSettings(pairs=40, gm_snr=1.0, physiological=0.003, pulsation=0.015, memory=0.5, common=0.3, unevenness=0.6)
SPOILT_VOLUMES, SPOILT_SLICES = 0.1, 0.02
TO_DEGREES = np.array([1.0] * 3 + [180 / np.pi] * 3)


@dataclass(frozen=True, eq=False)
class Still:
    """A scan of a head at rest, and its noise-free control and difference (K, J, I)."""

    scan: SimulatedScan
    control: np.ndarray
    difference: np.ndarray
    seed: int

    @classmethod
    def of(cls, phantom: Phantom, settings: ScanSettings, *, seed: int) -> Still:
        """Scan a phantom."""
        quiet = replace(settings, pairs=1, gm_snr=1e6, physiological=0.0, pulsation=0.0)
        label, control = simulate_scan(phantom, quiet, seed=seed).series.array
        return cls(simulate_scan(phantom, settings, seed=seed), control, control - label, seed)


@dataclass(frozen=True, eq=False)
class Moved:
    """The same scan with motion: poses (T, 6; mm and radians along k, j, i) and slices (T, K) corrupted on purpose."""

    still: Still
    series: ASLSeries
    poses: np.ndarray
    corrupted: np.ndarray


def drift(volumes: int, size: float, rng: np.random.Generator) -> np.ndarray:
    """`size` mm and degrees from the first volume to the last, about the pose at rest."""
    ways = rng.normal(size=(2, 3))
    ways *= size / np.linalg.norm(ways, axis=1, keepdims=True)
    return np.linspace(-0.5, 0.5, volumes)[:, None] * np.concatenate([ways[0], np.deg2rad(ways[1])])


def jumps(volumes: int, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the volumes 1 to 3 mm and as many degrees away, the others at rest."""
    poses = np.zeros((volumes, 6))
    for t in rng.choice(volumes, volumes // 10, replace=False):
        poses[t] = drift(2, 2 * rng.uniform(1, 3), rng)[1]
    return poses


def restless(volumes: int, rng: np.random.Generator) -> np.ndarray:
    """Every volume elsewhere: SD 0.3 mm and degrees along each axis, no memory."""
    return rng.normal(0, 0.3, (volumes, 6)) / TO_DEGREES


CONDITIONS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "still": lambda n, rng: np.zeros((n, 6)),
    "drift of 0.5": lambda n, rng: drift(n, 0.5, rng),
    "drift of 2": lambda n, rng: drift(n, 2.0, rng),
    "jumps of 1 to 3": jumps,
    "restless, 0.3": restless,
}


def move(still: Still, condition: str, *, corrupt: bool = True) -> Moved:
    """Add to a scan at rest what the motion of a condition changes, and corrupt slices where the head moves."""
    series, seed = still.scan.series, still.seed
    images = torch.tensor(np.stack([still.control, still.difference]))
    mover, rng = Mover(images, series.geometry.spacing[::-1]), np.random.default_rng([seed, 2])
    poses = CONDITIONS[condition](len(series.context), rng)
    array, corrupted = series.array.copy(), np.zeros(series.array.shape[:2], bool)
    for t in poses.any(axis=1).nonzero()[0]:
        static, perfused = (mover.at(torch.tensor(poses[t]).float()) - images).numpy()
        array[t] += static - perfused if series.context[t] is VolumeType.LABEL else static
    if corrupt and poses.any():
        grey = grey_matter(still.scan.tissue)
        corrupted = _spoil(array, difference_volumes(series).array[:, grey].std(), rng, seed)
    return Moved(still, replace(series, array=array), poses, corrupted)


def _spoil(array: np.ndarray, noise: float, rng: np.random.Generator, seed: int) -> np.ndarray:
    """Stripes all through a tenth of the volumes, and 2 % of the other slices darker by 40 %; which, (T, K)."""
    corrupted, g = np.zeros(array.shape[:2], bool), torch.Generator().manual_seed(seed)
    for t in rng.choice(len(array), round(SPOILT_VOLUMES * len(array)), replace=False):
        array[t] += noise / np.sqrt(2) * spikes(array.shape[1:], 1.0, g).numpy()
        corrupted[t] = True
    single = ~corrupted & (rng.random(corrupted.shape) < SPOILT_SLICES)
    array[single] *= 0.6
    return corrupted | single


def matrix_of_pose(pose: np.ndarray) -> np.ndarray:
    """The 4x4 matrix, LPS mm, from the head at rest to the head in a pose, about the centre of an unrotated grid."""
    a, b, c = (float(v) for v in pose[3:])
    turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]], dtype=torch.float64))
    matrix = np.eye(4)
    matrix[:3, :3] = turn.numpy()[::-1, ::-1]
    matrix[:3, 3] = pose[:3][::-1]
    return matrix


def parameter_errors(motion: Motion, poses: np.ndarray) -> tuple[float, float]:
    """RMS errors, mm and degrees, of the found parameters against the true ones, both from their median."""
    true = np.stack([parameters_of(matrix_of_pose(pose), motion.centre) for pose in poses])
    wrong = (motion.parameters - np.median(motion.parameters, axis=0)) - (true - np.median(true, axis=0))
    return float(np.sqrt(np.mean(wrong[:, :3] ** 2))), float(np.sqrt(np.mean(wrong[:, 3:] ** 2)))


def quality(series: ASLSeries, still: Still, left_out: np.ndarray | None = None) -> float:
    """PSNR (dB) of the mean difference against the truth in the brain, without the slices (T, K) left out."""
    array = series.array.copy()
    if left_out is not None:
        array[left_out] = np.nan
    mean = np.nanmean(difference_volumes(replace(series, array=array)).array, axis=0)
    return psnr(mean, still.difference, still.scan.tissue.brain.array)


def figures(case: Moved) -> dict[str, float]:
    """How well motion is found and undone."""
    started, busy = time.perf_counter(), time.process_time()
    motion = estimate_motion(case.series, brain=brain_mask(case.series.m0))
    corrected = correct_motion(case.series, motion)
    seconds, processor = time.perf_counter() - started, time.process_time() - busy
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
    busy = time.process_time()
    motion = estimate_motion(series, brain=brain)
    corrected = correct_motion(series, motion)
    processor = time.process_time() - busy
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
    settings, sized = replace(SCAN, pairs=pairs), PhantomSettings(size=SIZE, lesions=0)
    anatomy, rows = read_anatomy(anatomy_path(HELD_OUT[0], folder)), {}

    def drawn(scan: ScanSettings) -> Phantom:
        return draw_phantom(anatomy, sized, seed=11, spacing=SPACING, acquisition=scan.acquisition)

    phantom = drawn(settings)
    suppressed = Still.of(phantom, settings, seed=11)
    for condition in CONDITIONS:
        rows[condition] = figures(move(suppressed, condition))
        print(f"{condition}: {rows[condition]}", file=sys.stderr, flush=True)
    flat = replace(settings, acquisition=make_protocol(Labeling.PCASL, readout="2D", slices=SIZE[2]))
    rows["drift of 0.5, 2D unsuppressed"] = figures(move(Still.of(drawn(flat), flat, seed=11), "drift of 0.5"))
    unspoilt = move(Still.of(phantom, replace(settings, pairs=10), seed=12), "restless, 0.3", corrupt=False)
    return [
        *table(rows, first="condition"),
        "",
        "Restless, nothing corrupted, the true poses undone: what interpolation does by itself.",
        "",
        *table(interpolations(unspoilt), first="interpolation"),
    ]


def real_section(data: Path) -> list[str]:
    """The real series, where nobody knows the truth."""
    folder = data / "real" / "sub-01" / "perf"
    rows = {name: real_figures(read_series(folder / f"sub-01_{name}_asl.nii.gz")) for name in REAL}
    lines = [
        "Pair SD: median over the brain of the SD of the pairs, after resampling and after regression of the six "
        "motion parameters, beside the series as it was. Chance alone takes what random courses would. A series of too "
        "few volumes for six courses is not regressed.",
        "",
    ]
    return ["", "## Real series", "", *lines, *table(rows, first="series")]


def main() -> int:
    parser = options(__doc__, "anatomy", "data", "threads", quick="six pairs a scan, no real series")
    command = begin(__file__, parser)
    args = command.args
    if is_missing(args.anatomy, "--anatomy"):
        return 0
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(args.threads)
    pairs = 6 if args.quick else SCAN.pairs
    lines = [
        "# Head motion",
        "",
        f"Made by {command.made_by}. A phantom of a kept-out anatomy ({HELD_OUT[0]}), {' x '.join(map(str, SIZE))} "
        f"voxels of {' x '.join(f'{s:g}' for s in SPACING)} mm, {pairs} pairs of GM SNR {SCAN.gm_snr:g}; the static "
        "signal is suppressed to 15 % but in the last row. Where the head moves, a tenth of the volumes carry stripes "
        "in every slice and 2 % of the other slices are darker by 40 %: motion is estimated with them in place, the "
        "mean leaves them out, so that what is judged is the motion. PSNR of the mean difference is beside that of the "
        "same noise without motion and with all slices; 'fewer slices' is what the missing slices cost a head at rest. "
        "Drifts are in mm and degrees over the series.",
        "",
        *simulated_section(args.anatomy, pairs=pairs),
    ]
    if not args.quick and not is_missing(args.data / "real", "--data"):
        lines += real_section(args.data)
    return command.publish(lines, kept=not args.quick)


if __name__ == "__main__":
    sys.exit(main())
