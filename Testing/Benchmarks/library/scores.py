"""The figures of one map of a simulated scan, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np

from ASLDenoiseLib.measuring.baselines import noise_matched_gaussian
from ASLDenoiseLib.measuring.image_quality import bias, ccc, nmae, psnr, rmse, ssim
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.smoothing import gaussian

from .cases import Case
from .lesions import lesion_contrast, ring_around

SMOOTHED_FULL = 4.0  # mm FWHM of the smoothed full average that SNR and contrast are compared with
PSEUDO_GOLD = 3.0  # mm FWHM of the Gaussian over the mean of all pairs
PSNR, SSIM = "PSNR (dB)", "SSIM"
PAPERS_PSNR, PAPERS_SSIM = "PSNR, papers' (dB)", "SSIM, papers'"
Figure = Callable[[Case, np.ndarray], float]


@lru_cache(maxsize=64)
def smoothed_full(case: Case, fwhm: float) -> np.ndarray:
    """CBF (K, J, I) of the mean of every pair of the scan after a Gaussian (mm)."""
    return case.cbf(gaussian(case.full, fwhm, mask=case.brain)).array


def pseudo_gold(case: Case) -> np.ndarray:
    """The papers' reference: the mean of every pair after a 3 mm Gaussian."""
    return smoothed_full(case, PSEUDO_GOLD)


def readouts(array: np.ndarray, gm: np.ndarray, wm: np.ndarray) -> tuple[float, float]:
    """SNR (GM mean over WM SD) and GM/WM contrast, as the product's readouts."""
    return float(np.nanmean(array[gm]) / np.nanstd(array[wm])), float(np.nanmean(array[gm]) / np.nanmean(array[wm]))


def _readout(n: int) -> Figure:
    return lambda case, a: readouts(a, case.gm, case.wm)[n]


def _over_full(n: int) -> Figure:
    read = _readout(n)
    return lambda case, a: read(case, a) / read(case, smoothed_full(case, SMOOTHED_FULL))


FIGURES: dict[str, Figure] = {
    PSNR: lambda case, a: psnr(a, case.truth.array, case.inside),
    SSIM: lambda case, a: ssim(a, case.truth.array, case.inside),
    PAPERS_PSNR: lambda case, a: psnr(a, pseudo_gold(case), case.inside),
    PAPERS_SSIM: lambda case, a: ssim(a, pseudo_gold(case), case.inside),
    "RMSE": lambda case, a: rmse(a, case.truth.array, case.inside),
    "NMAE": lambda case, a: nmae(a, case.truth.array, case.inside),
    "CCC": lambda case, a: ccc(a, case.truth.array, case.inside),
    "GM bias (%)": lambda case, a: bias(a, case.truth.array, case.gm),
    "WM bias (%)": lambda case, a: bias(a, case.truth.array, case.wm),
    "SNR": _readout(0),
    "SNR x full": _over_full(0),
    "GM/WM": _readout(1),
    "GM/WM x full": _over_full(1),
    "lesions": lambda case, a: lesions_recovered(case, a),
}
EVERY = tuple(name for name in FIGURES if name not in (PAPERS_PSNR, PAPERS_SSIM))


def figures_of(case: Case, array: np.ndarray, names: Iterable[str] = EVERY) -> dict[str, float]:
    """The figures of a map (CBF; K, J, I) against the case's truth, in the brain."""
    return {name: FIGURES[name](case, array) for name in names}


def lesions_recovered(case: Case, array: np.ndarray) -> float:
    """Contrast of the implanted lesions to their rings, found over true, pooled over the case's lesions."""
    return ratio_of_contrasts([lesion_contrasts(case, lesion, array) for lesion in case.lesions])


def lesion_contrasts(case: Case, lesion: Volume, array: np.ndarray) -> tuple[float, float]:
    """A lesion's mean less that of its ring: as `array` (CBF) has it, and truly; signed so that the true one is > 0."""
    ring, inner = ring_around(lesion, case.brain) & case.inside, (lesion.array > 0.5) & case.inside
    true = lesion_contrast(case.truth.array, inner, ring)
    return float(np.sign(true)) * lesion_contrast(array, inner, ring), abs(true)


def ratio_of_contrasts(contrasts: Sequence[tuple[float, float]]) -> float:
    """Sum of those found over the sum of the true ones; NaN where there are none."""
    found, true = np.sum(contrasts, axis=0) if contrasts else (0.0, 0.0)
    return float(found / true) if true else float("nan")


def noise_matched(case: Case, cbf: Volume) -> Volume:
    """The raw CBF smoothed until its white matter is as quiet as that of `cbf`."""
    return noise_matched_gaussian(case.cbf(case.raw), float(np.nanstd(cbf.array[case.wm])), case.tissue)[0]


def soft_dice(one: np.ndarray, other: np.ndarray) -> float:
    """2 sum(min) / (sum + sum) of fractions 0..1: each voxel counts by how much of it both call this tissue."""
    return float(2 * np.minimum(one, other).sum() / (one.sum() + other.sum()))
