"""Gaussian smoothing, by itself and within a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..series import Volume
from .masks import bounding_box

SD_OF_FWHM = float(1.0 / np.sqrt(8.0 * np.log(2.0)))


def blur(array: np.ndarray, spacing: Sequence[float], fwhm: float, *, truncate: float = 4.0) -> np.ndarray:
    """Gaussian blur of an array (K, J, I) without NaN, zero beyond its edges.

    `spacing` is mm along (i, j, k), `fwhm` mm, `truncate` the SDs at which the kernel ends.
    """
    from scipy.ndimage import gaussian_filter

    sigma = [fwhm * SD_OF_FWHM / s for s in reversed(spacing)]
    return gaussian_filter(array, sigma, mode="constant", truncate=truncate)


def smooth_within(
    array: np.ndarray, inside: np.ndarray, spacing: Sequence[float], fwhm: float, *, truncate: float = 4.0
) -> np.ndarray:
    """Gaussian mean over the neighbours that are `inside` (normalised convolution), float64; zero outside."""
    smooth = np.zeros(array.shape)
    if not inside.any():
        return smooth
    box = bounding_box(inside)
    within = inside[box]  # all beyond it is zero, which adds nothing
    weight = blur(within.astype(np.float64), spacing, fwhm, truncate=truncate)
    total = blur(np.where(within, array[box], 0.0).astype(np.float64), spacing, fwhm, truncate=truncate)
    smooth[box] = np.divide(total, weight, out=np.zeros(within.shape), where=within)
    return smooth


def gaussian(volume: Volume, fwhm_mm: float, *, mask: Volume | np.ndarray | None = None) -> Volume:
    """Smooth by normalised convolution: voxels that are NaN or outside `mask` neither blur in nor darken the edge.

    Args:
        volume: any unit (kept); NaN stays NaN.
        fwhm_mm: full width at half maximum, mm, the same in all directions; 0 changes nothing inside the mask.
        mask: where to smooth (above 0.5); outside it the result is NaN. None: wherever the volume is measured.

    Raises:
        InputError: a negative or endless width, or a mask of another shape.
    """
    if not (np.isfinite(fwhm_mm) and fwhm_mm >= 0):
        raise InputError(f"The smoothing width is {fwhm_mm} mm; give zero or more.")
    inside = np.isfinite(volume.array)
    if mask is not None:
        wanted = mask.array if isinstance(mask, Volume) else np.asarray(mask)
        if wanted.shape != inside.shape:
            raise InputError("The smoothing mask is not on the image's grid; resample it to the image first.")
        inside = inside & (wanted > 0.5)
    smooth = smooth_within(volume.array, inside, volume.geometry.spacing, fwhm_mm)
    return volume.with_array(np.where(inside, smooth, np.nan))
