"""The blur-matched baseline: how far plain smoothing gets. What a denoiser must beat."""

from __future__ import annotations

import numpy as np

from ..series import Tissue, Volume
from ..spatial.smoothing import gaussian
from .masks import FEWEST_VOXELS, white_matter

_FIRST_FWHM = 2.0  # mm
_WIDEST_FWHM = 30.0  # mm; beyond it nothing of a brain map is left
_TOLERANCE = 0.005  # of the target


def matched_in_noise(raw: Volume, denoised: Volume, tissue: Tissue) -> tuple[Volume | None, float]:
    """`noise_matched_gaussian` of a raw map for a denoised one; None where white matter is too small to match in."""
    white = white_matter(tissue) & np.isfinite(denoised.array)
    if white.sum() < FEWEST_VOXELS:
        return None, float("nan")
    return noise_matched_gaussian(raw, float(np.std(denoised.array[white])), tissue)


def noise_matched_gaussian(cbf_raw: Volume, target_wm_sd: float, tissue: Tissue) -> tuple[Volume, float]:
    """The raw map smoothed until its white matter is as quiet as the denoised map's.

    SNR and contrast alone reward blurring; this shows how much of them plain blurring gives. The width is found by
    bisection, within the brain and NaN-aware. White matter is the mask of `masks.white_matter`, the one of the
    readouts.

    Args:
        cbf_raw: raw CBF map, ml/100g/min (any unit, kept).
        target_wm_sd: SD of the denoised map in white matter, in the unit of `cbf_raw`.
        tissue: on the grid of `cbf_raw`.

    Returns:
        The smoothed map (NaN outside the brain unless no smoothing was needed) and the FWHM in mm: 0 where the raw map
        is already as quiet, NaN (and the map unchanged) where white matter cannot be measured. Grey matter bleeding
        into white makes the SD rise again with width, so the narrowest matching width is returned; where no width up to
        30 mm matches, the one that comes nearest.
    """
    white = white_matter(tissue)
    measured = white & np.isfinite(cbf_raw.array)
    if measured.sum() < FEWEST_VOXELS or not np.isfinite(target_wm_sd):
        return cbf_raw, float("nan")

    def deviation(fwhm: float) -> float:
        return float(np.std(gaussian(cbf_raw, fwhm, mask=tissue.brain).array[measured]))

    if float(np.std(cbf_raw.array[measured])) <= target_wm_sd:
        return cbf_raw, 0.0
    tried: dict[float, float] = {}
    low, high = 0.0, _FIRST_FWHM
    while (found := deviation(high)) > target_wm_sd:
        tried[high] = found
        low, high = high, high * 1.25
        if high > _WIDEST_FWHM:
            nearest = min(tried, key=tried.__getitem__)
            return gaussian(cbf_raw, nearest, mask=tissue.brain), nearest
    for _ in range(20):
        middle = 0.5 * (low + high)
        found = deviation(middle)
        low, high = (middle, high) if found > target_wm_sd else (low, middle)
        if abs(found - target_wm_sd) <= _TOLERANCE * target_wm_sd:
            return gaussian(cbf_raw, middle, mask=tissue.brain), middle
    return gaussian(cbf_raw, high, mask=tissue.brain), high
