"""How uncertain an average of a residual is, where a few pairs alone tell little of one average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .residual import Residual

_PRIOR = 6.0  # degrees of freedom that what is expected counts for, beside those of the pairs
_WINDOW = 45.0  # mm FWHM of the averages that tell how far noise is correlated


@dataclass(frozen=True, eq=False)
class ExpectedNoise:
    """The noise of the mean as its neighbours and many averages have it.

    Args:
        white: (K, J, I) variance of a voxel, pooled over its neighbours.
        inflation: how much larger than of white noise the variance of an average of some centimetres is; one at least.
    """

    white: np.ndarray
    inflation: float


def expected_noise(residual: Residual) -> ExpectedNoise:
    """From the deviations of a residual; many windows tell of correlation what one average cannot."""
    sure, inside = residual.certainty, residual.inside
    quiet = np.divide(1.0, sure**2, out=np.zeros_like(sure), where=sure > 0)
    white = quiet * float(residual.variance[inside].mean() / max(quiet[inside].mean(), 1e-30))
    weight = residual.signal * sure**2
    windows, squared = residual.windows(_WINDOW), residual.windows(_WINDOW / 2**0.5)
    found = windows.spread(np.square(windows.sums(residual.deviations * weight)).sum(axis=0)[None])[0]
    expected = squared.spread(squared.sums((weight**2 * white)[None]))[0]
    return ExpectedNoise(white, max(1.0, float(found[inside].mean() / max(expected[inside].mean(), 1e-30))))


def of_whole(own: np.ndarray | float, expected: np.ndarray | float, freedom: int) -> np.ndarray | float:
    """The variance of one average over the brain, from `freedom` degrees and from what smaller averages expect.

    Noise that the whole brain shares (an offset from pair to pair) is in no smaller average, so the larger one counts.
    """
    return np.maximum(widening(freedom) * own, drawn(own, expected, freedom))


def widening(freedom: int) -> float:
    """By what a variance of few degrees is multiplied: as Student's t is wider than the normal, at one SD.

    >>> [round(widening(n), 2) for n in (1, 2, 4, 9)]
    [3.38, 1.75, 1.3, 1.12]
    """
    from scipy.stats import norm, t

    return float(t.ppf(norm.cdf(1.0), freedom)) ** 2 if freedom else 1.0


def variance_of_average(residual: Residual, weight: np.ndarray) -> float:
    """The variance of sum(weight x mean difference); `weight` (K, J, I) is zero outside the brain."""
    own = float(np.square((residual.deviations * weight).sum(axis=(1, 2, 3), dtype=np.float64)).sum())
    noise = expected_noise(residual)
    return float(of_whole(own, noise.inflation * float((weight**2 * noise.white).sum()), residual.freedom))


def drawn(own: np.ndarray | float, expected: np.ndarray | float, freedom: int) -> np.ndarray | float:
    """A variance of `freedom` degrees, drawn towards what is expected, and widened where the degrees are few."""
    return widening(freedom) * (freedom * own + _PRIOR * expected) / (freedom + _PRIOR)
