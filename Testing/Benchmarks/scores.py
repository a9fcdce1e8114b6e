"""The figures of one map of a simulated scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from cases import Case

from ASLDenoiseLib.measuring.baselines import noise_matched_gaussian
from ASLDenoiseLib.measuring.image_quality import bias, ccc, nmae, psnr, rmse, ssim
from ASLDenoiseLib.measuring.lesions import lesion_contrast, ring_around
from ASLDenoiseLib.measuring.masks import grey_matter, white_matter
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.smoothing import gaussian

SMOOTHED_FULL = 4.0  # mm FWHM of the smoothed full average that SNR and contrast are compared with


def score(case: Case, cbf: Volume, seconds: float) -> dict[str, float]:
    """The figures of `cbf` against the case's truth, in the brain; seconds are passed through."""
    array, truth, inside = cbf.array, case.truth.array, case.inside
    gm, wm = grey_matter(case.tissue) & inside, white_matter(case.tissue) & inside
    full = case.cbf(gaussian(mean_difference(case.every_pair), SMOOTHED_FULL, mask=case.brain)).array
    snr, contrast = readouts(array, gm, wm)
    snr_full, contrast_full = readouts(full, gm, wm)
    return {
        "PSNR (dB)": psnr(array, truth, inside),
        "SSIM": ssim(array, truth, inside),
        "RMSE": rmse(array, truth, inside),
        "NMAE": nmae(array, truth, inside),
        "CCC": ccc(array, truth, inside),
        "GM bias (%)": bias(array, truth, gm),
        "WM bias (%)": bias(array, truth, wm),
        "SNR": snr,
        "SNR x full": snr / snr_full,
        "GM/WM": contrast,
        "GM/WM x full": contrast / contrast_full,
        "lesions": lesions_recovered(case, array),
        "s": seconds,
    }


def readouts(array: np.ndarray, gm: np.ndarray, wm: np.ndarray) -> tuple[float, float]:
    """SNR (GM mean over WM SD) and GM/WM contrast, as the product's readouts."""
    return float(np.nanmean(array[gm]) / np.nanstd(array[wm])), float(np.nanmean(array[gm]) / np.nanmean(array[wm]))


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


def noise_matched(case: Case, cbf: Volume) -> tuple[Volume, float]:
    """The raw CBF smoothed until its white matter is as quiet as that of `cbf`, and the FWHM in mm."""
    wm = white_matter(case.tissue) & case.inside
    return noise_matched_gaussian(case.cbf(case.raw), float(np.nanstd(cbf.array[wm])), case.tissue)
