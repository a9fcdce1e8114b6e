"""How noisy a mean difference is, from the spread of its own pairs, or from the image where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..preparing.averaging import Figure, effective_number, shrunk, variance_of_mean, weighted_mean
from ..preparing.image_noise import image_noise
from ..series import Geometry
from ..spatial.smoothing import SD_OF_FWHM, smooth_within

POOLED = 12.0  # mm FWHM over which the spread of pairs is pooled
FINE = 6.0  # mm FWHM of the finer map
BROAD = 8.0  # mm FWHM of the mean whose noise tells how far neighbours are correlated
MOST_UNEVEN = 5.0  # times the median: beyond it, a vessel or an outlier is not the noise to be told of
MOST_OWN = 10.0  # times the median pooled SD, of a single voxel: one in a thousand reaches it in real series
PRIOR = 12.0  # degrees of freedom of the neighbourhood's variance as that of a voxel, see `own_variance`
_CORRELATED = 1.5  # what is left of real noise after a mean of 8 mm, over what would be left of white noise
_GROUPS = 8  # of pairs, at most, whose means' spread is looked at


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """The noise of a mean difference, in its units.

    Args:
        sigma: root mean square SD in the brain.
        local: (K, J, I) smooth map of the SD, pooled over 12 mm; zero outside the brain.
        fine: the same pooled over 6 mm.
        own: the voxel's own, shrunk towards `fine`.
        blurred: what an 8 mm Gaussian mean leaves of the SD, 0 to 1: more where neighbours are correlated.
        source: ``pairs`` or ``image``.
    """

    sigma: float
    local: np.ndarray
    fine: np.ndarray
    own: np.ndarray
    blurred: float
    source: str


def noise_level(
    pairs: np.ndarray, inside: np.ndarray, geometry: Geometry, weights: np.ndarray | None = None
) -> NoiseLevel:
    """The noise of the mean of `pairs` (N, K, J, I), weighted as in `preparing.averaging`, within `inside` (bool).

    With two pairs or more it is their standard error, its variance pooled over neighbours. With one, the noise and the
    correlation of neighbours are read off the image (`preparing.image_noise`), where the voxels allow it: a stand-in,
    the same everywhere.
    """
    n, spacing = len(pairs), geometry.spacing
    usual = usually_left(spacing)
    if n >= 2:
        variance = variance_of_mean(pairs, weights)
        source, blurred = "pairs", _blurred(pairs, inside, spacing, usual, weights)
    else:
        found = image_noise(pairs[0], inside, spacing)
        variance = np.full(inside.shape, 0.0 if found is None else found.sigma**2)
        blurred = usual if found is None else correlated_left(spacing, BROAD, found.correlation)
        source = "image"
    good = inside & np.isfinite(variance)
    if not good.any() or not variance[good].max() > 0:
        nothing = np.zeros(inside.shape, np.float32)
        return NoiseLevel(0.0, nothing, nothing, nothing, usual, source)
    local, fine = (_pooled(variance, good, inside, spacing, fwhm) for fwhm in (POOLED, FINE))
    own = _own(variance, _freedom(pairs, weights), fine, good)
    return NoiseLevel(float(np.sqrt(np.mean(local[inside] ** 2))), local, fine, own, blurred, source)


def own_variance(own: Figure, freedom: Figure, pooled: Figure) -> Figure:
    """A voxel's own variance, of `freedom` degrees of freedom, shrunk towards the `pooled` one of its neighbours.

    Own over pooled varies, beyond what so few pairs explain, as with 8 degrees at the rim of three real series and with
    17 to 29 inside; `PRIOR` lies between.
    """
    return shrunk(own, freedom, pooled, PRIOR)


def white_left(spacing: Sequence[float], fwhm: float) -> float:
    """The SD that a Gaussian mean of `fwhm` mm leaves of white noise of unit SD, in voxels of `spacing` mm."""
    return float(np.sqrt(np.prod([np.square(_kernel(s, fwhm)).sum() for s in spacing])))


def correlated_left(spacing: Sequence[float], fwhm: float, correlation: Sequence[float]) -> float:
    """The same of noise whose neighbours along (i, j, k) are correlated as after a Gaussian filter.

    >>> round(correlated_left((3.0, 3.0, 3.0), 8.0, (0.0, 0.0, 0.0)) / white_left((3.0, 3.0, 3.0), 8.0), 6)
    1.0
    """
    apart = np.subtract.outer(np.arange(61), np.arange(61)).astype(float)
    variances = [
        _kernel(s, fwhm) @ np.power(r, apart**2) @ _kernel(s, fwhm) for s, r in zip(spacing, correlation, strict=True)
    ]
    return min(1.0, float(np.sqrt(np.prod(variances))))


def usually_left(spacing: Sequence[float]) -> float:
    """What an 8 mm mean usually leaves of the SD of real noise, whose neighbours are correlated; at most one."""
    return min(1.0, _CORRELATED * white_left(spacing, BROAD))


def _kernel(spacing: float, fwhm: float) -> np.ndarray:
    weights = np.exp(-0.5 * (np.arange(-30, 31) * spacing / (fwhm * SD_OF_FWHM)) ** 2)
    return weights / weights.sum()


def _pooled(
    variance: np.ndarray, good: np.ndarray, inside: np.ndarray, spacing: Sequence[float], fwhm: float
) -> np.ndarray:
    """The root of the neighbours' mean variance; what was not measured gets the median."""
    sd = np.sqrt(np.maximum(smooth_within(variance, good, spacing, fwhm), 0))
    middle = float(np.median(sd[good]))
    sd = np.where(good, np.minimum(sd, MOST_UNEVEN * middle), middle)
    return np.where(inside, sd, 0.0).astype(np.float32)


def _freedom(pairs: np.ndarray, weights: np.ndarray | None) -> np.ndarray | float:
    """Degrees of freedom of the spread: pairs, or with weights their effective number, less one."""
    if weights is None:
        return float(len(pairs) - 1)
    return np.maximum(effective_number(weights) - 1, 0.0)


def _own(variance: np.ndarray, freedom: np.ndarray | float, fine: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Each voxel's own SD, shrunk towards `fine` and no more than `MOST_OWN` times its median; `fine` if unmeasured."""
    pooled = np.square(fine, dtype=np.float64)
    own = np.sqrt(own_variance(np.where(good, variance, pooled), freedom, pooled))
    return np.minimum(own, MOST_OWN * np.median(fine[good])).astype(np.float32)


def _blurred(
    pairs: np.ndarray, inside: np.ndarray, spacing: Sequence[float], usual: float, weights: np.ndarray | None
) -> float:
    """What an 8 mm mean leaves of the spread of pairs, from the means of up to eight groups of them."""
    count = min(_GROUPS, len(pairs))
    weights = np.ones((len(pairs), 1, 1, 1)) if weights is None else weights
    groups = [(weighted_mean(pairs[g::count], weights[g::count]), weights[g::count].sum(axis=0)) for g in range(count)]
    middle = weighted_mean(pairs, weights)
    before = after = 0.0
    for mean, weight in groups:
        apart = np.where(inside, np.nan_to_num(mean - middle) * np.sqrt(weight), 0.0)
        before += float(np.square(apart[inside]).mean())
        after += float(np.square(smooth_within(apart, inside, spacing, BROAD)[inside]).mean())
    return min(1.0, float(np.sqrt(after / before))) if before > 0 else usual
