"""How noisy a mean difference is, from the spread of its own pairs, or from the image where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..preparing.smoothing import smooth_within
from ..series import Geometry

POOLED = 12.0  # mm FWHM over which the spread of pairs is pooled
_MOST_UNEVEN = 3.0  # times the median: beyond it, a vessel or an outlier is not the noise to be told of
_DETAIL = 8.0  # mm FWHM: what is finer, in an image without pairs, is taken for noise


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """The noise of a mean difference, in its units.

    Args:
        sigma: root mean square SD in the brain.
        local: (K, J, I) smooth map of the SD; zero outside the brain.
        source: ``pairs`` or ``image``.
    """

    sigma: float
    local: np.ndarray
    source: str


def noise_level(pairs: np.ndarray, inside: np.ndarray, geometry: Geometry) -> NoiseLevel:
    """The noise of the mean of `pairs` (N, K, J, I) within `inside` (bool).

    With two pairs or more it is their standard error, its variance pooled over 12 mm. With one, the noise is read off
    what is finer than 8 mm in the image, against its median magnitude, which anatomy's edges hardly move; neighbours
    whose noise is correlated make it come out too low, so it is only a stand-in.
    """
    n = len(pairs)
    if n >= 2:
        variance = pairs.var(axis=0, ddof=1, dtype=np.float64) / n
        source = "pairs"
    else:
        image = np.where(inside, np.nan_to_num(pairs[0]), 0.0).astype(np.float64)
        detail = image - smooth_within(image, inside, geometry.spacing, _DETAIL)
        spread = 1.4826 * np.median(np.abs(detail[inside])) if inside.any() else 0.0
        variance = np.full(image.shape, spread**2 * _lost(geometry))
        source = "image"
    good = inside & np.isfinite(variance)
    pooled = np.sqrt(np.maximum(smooth_within(variance, good, geometry.spacing, POOLED), 0))
    if not good.any() or not pooled[good].max() > 0:
        return NoiseLevel(0.0, np.zeros(inside.shape, np.float32), source)
    pooled = np.where(inside, np.minimum(pooled, _MOST_UNEVEN * np.median(pooled[good])), 0.0)
    pooled = np.where(inside & ~good, np.median(pooled[good]), pooled)
    return NoiseLevel(float(np.sqrt(np.mean(pooled[inside] ** 2))), pooled.astype(np.float32), source)


def _lost(geometry: Geometry) -> float:
    """White noise over what is left of it after the local mean is taken away (variances)."""
    sd = [_DETAIL * 0.42466 / s for s in geometry.spacing]
    axes = [np.exp(-0.5 * (np.arange(-30, 31) / s) ** 2) for s in sd]
    kernels = [a / a.sum() for a in axes]
    centre = float(np.prod([k[30] for k in kernels]))
    energy = float(np.prod([np.square(k).sum() for k in kernels]))
    return 1 / max(0.1, 1 - 2 * centre + energy)
