"""The blur-matched baseline: how far plain smoothing gets. What a denoiser must beat."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import Tissue, Volume
from .masks import white_matter

_SIGMA_OF_FWHM = 1.0 / np.sqrt(8.0 * np.log(2.0))
_FIRST_FWHM = 2.0  # mm
_WIDEST_FWHM = 30.0  # mm; beyond it nothing of a brain map is left
_TOLERANCE = 0.005  # of the target


def gaussian(volume: Volume, fwhm_mm: float, *, mask: Volume | np.ndarray | None = None) -> Volume:
    """Gaussian smoothing by normalised convolution: voxels that are NaN or outside `mask` neither blur in nor darken
    the edge.

    Args:
        volume: any unit (kept).
        fwhm_mm: full width at half maximum, mm, the same in all directions; 0 changes nothing inside the mask.
        mask: where to smooth (above 0.5); outside it the result is NaN. None: wherever the volume is measured.

    Returns:
        The smoothed volume; NaN stays NaN.

    Raises:
        InputError: a negative or endless width, or a mask of another shape.
    """
    from scipy.ndimage import gaussian_filter

    if not (np.isfinite(fwhm_mm) and fwhm_mm >= 0):
        raise InputError(f"The smoothing width is {fwhm_mm} mm; give zero or more.")
    array = volume.array.astype(np.float64)
    inside = np.isfinite(array)
    if mask is not None:
        wanted = mask.array if isinstance(mask, Volume) else np.asarray(mask)
        if wanted.shape != array.shape:
            raise InputError("The smoothing mask is not on the image's grid; resample it to the image first.")
        inside &= wanted > 0.5
    sigma = [fwhm_mm * _SIGMA_OF_FWHM / s for s in volume.geometry.spacing[::-1]]
    weight = gaussian_filter(inside.astype(np.float64), sigma, mode="constant")
    total = gaussian_filter(np.where(inside, array, 0.0), sigma, mode="constant")
    smooth = np.full(array.shape, np.nan)
    np.divide(total, weight, out=smooth, where=inside)
    return volume.with_array(smooth)


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
    if measured.sum() < 10 or not np.isfinite(target_wm_sd):
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
