"""The noise of a mean, as its pairs tell it, and how uncertain an average of it is where few pairs tell little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..preparing.averaging import shrunk
from .windows import Windows

_PRIOR = 6.0  # degrees of freedom that what is expected counts for, beside those of the pairs
_WINDOW = 45.0  # mm FWHM of the averages that tell how far noise is correlated
_POOLED = 12.0  # mm FWHM over which the noise that weighs voxels is pooled
_QUIETEST = 0.05  # of the median variance: below it a voxel weighs no more


@dataclass(frozen=True, eq=False)
class Noise:
    """What the pairs' deviations from their mean tell, in the box of the brain; the same whatever goes back.

    Args:
        deviations: (G, K, J, I) of the means of groups of pairs from the mean of all, scaled so that the sum of the
            squares of any average of them estimates the variance of that average of the mean; correlated noise counts.
        inside: bool (K, J, I).
        signal: (K, J, I) what one unit of perfusion is in the difference; zero outside.
        spacing: mm along (k, j, i).
    """

    deviations: np.ndarray
    inside: np.ndarray
    signal: np.ndarray
    spacing: tuple[float, float, float]

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a variance from the deviations."""
        return len(self.deviations) - 1

    def windows(self, fwhm: float) -> Windows:
        """Gaussian windows over the grid."""
        return Windows(self.inside.shape, self.spacing, fwhm)

    @cached_property
    def variance(self) -> np.ndarray:
        """Of the mean, voxel by voxel (K, J, I)."""
        return np.square(self.deviations).sum(axis=0)

    @cached_property
    def certainty(self) -> np.ndarray:
        """One over the SD (K, J, I), pooled over neighbours, about one; zero outside."""
        inside = self.inside
        pooled = self.windows(_POOLED).means(self.variance[None], inside.astype(np.float32))[0]
        middle = float(np.median(pooled[inside]))
        if not middle > 0:  # one image, or pairs that are all alike
            return inside.astype(np.float32)
        return np.where(inside, (middle / np.maximum(pooled, _QUIETEST * middle)) ** 0.5, 0.0).astype(np.float32)

    @cached_property
    def white(self) -> np.ndarray:
        """The variance (K, J, I) of a voxel, pooled over its neighbours."""
        sure, inside = self.certainty, self.inside
        quiet = np.divide(1.0, sure**2, out=np.zeros_like(sure), where=sure > 0)
        return quiet * float(self.variance[inside].mean() / max(quiet[inside].mean(), 1e-30))

    @cached_property
    def inflation(self) -> float:
        """How much larger than of white noise the variance of an average of some centimetres is; one at least.

        Many windows tell of correlation what one average of everything cannot.
        """
        inside, weight = self.inside, self.signal * self.certainty**2
        windows, squared = self.windows(_WINDOW), self.windows(_WINDOW / 2**0.5)
        found = windows.spread(np.square(windows.sums(self.deviations * weight)).sum(axis=0)[None])[0]
        expected = squared.spread(squared.sums((weight**2 * self.white)[None]))[0]
        return max(1.0, float(found[inside].mean() / max(expected[inside].mean(), 1e-30)))

    def of_average(self, weight: np.ndarray) -> float:
        """The variance of sum(weight x mean difference); `weight` (K, J, I) is zero outside the brain."""
        own = float(np.square((self.deviations * weight).sum(axis=(1, 2, 3), dtype=np.float64)).sum())
        return float(of_whole(own, self.inflation * float((weight**2 * self.white).sum()), self.freedom))


def of_whole(own: np.ndarray | float, expected: np.ndarray | float, freedom: int) -> np.ndarray | float:
    """The variance of one average over the brain, from `freedom` degrees and from what smaller averages expect.

    Noise that the whole brain shares (an offset from pair to pair) is in no smaller average, so the larger one counts.
    """
    return np.maximum(widening(freedom) * own, drawn(own, expected, freedom))


def drawn(own: np.ndarray | float, expected: np.ndarray | float, freedom: int) -> np.ndarray | float:
    """A variance of `freedom` degrees, drawn towards what is expected, and widened where the degrees are few."""
    return widening(freedom) * shrunk(own, freedom, expected, _PRIOR)


def widening(freedom: int) -> float:
    """By what a variance of few degrees is multiplied: as Student's t is wider than the normal, at one SD.

    >>> [round(widening(n), 2) for n in (1, 2, 4, 9)]
    [3.38, 1.75, 1.3, 1.12]
    """
    from scipy.special import ndtr, stdtrit  # what scipy.stats, which takes long to load, asks as well

    return float(stdtrit(freedom, ndtr(1.0))) ** 2 if freedom else 1.0
