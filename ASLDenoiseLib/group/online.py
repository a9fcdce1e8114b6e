"""Means, SDs and correlations over maps that come one after the other, voxel by voxel: never all in memory at once.

Welford's recurrences (Technometrics 1962;4:419), which lose no digits to large means. NaN is left out where it is.
"""

from __future__ import annotations

import numpy as np

_FEWEST_CORRELATED = 3


class Moments:
    """Mean and SD of maps; every map is of one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = np.zeros(shape, np.int32)
        self._mean, self._squares = np.zeros(shape), np.zeros(shape)

    def add(self, array: np.ndarray) -> None:
        """One more map."""
        there = np.isfinite(array)
        values = np.where(there, array, 0.0).astype(np.float64)
        self.count += there
        off = np.where(there, values - self._mean, 0.0)
        self._mean += off / np.maximum(self.count, 1)
        self._squares += off * np.where(there, values - self._mean, 0.0)

    @property
    def mean(self) -> np.ndarray:
        """NaN where no map has a value."""
        return np.where(self.count > 0, self._mean, np.nan)

    @property
    def sd(self) -> np.ndarray:
        """Of a sample (n - 1); NaN where fewer than two maps have a value."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.count > 1, np.sqrt(self._squares / (self.count - 1)), np.nan)


class Correlation:
    """Pearson's r between two sets of maps, over those where both have a value."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = np.zeros(shape, np.int32)
        self._means = np.zeros((2, *shape))
        self._products = np.zeros((3, *shape))  # of x with x, y with y, x with y

    def add(self, one: np.ndarray, other: np.ndarray) -> None:
        """One more pair of maps."""
        there = np.isfinite(one) & np.isfinite(other)
        values = np.stack([np.where(there, each, 0.0) for each in (one, other)]).astype(np.float64)
        self.count += there
        before = np.where(there, values - self._means, 0.0)
        self._means += before / np.maximum(self.count, 1)
        after = np.where(there, values - self._means, 0.0)
        self._products[:2] += before * after
        self._products[2] += before[0] * after[1]

    @property
    def r(self) -> np.ndarray:
        """-1..1; NaN where fewer than three pairs are known, or either is the same in all."""
        scale = np.sqrt(self._products[0] * self._products[1])
        known = (self.count >= _FEWEST_CORRELATED) & (scale > 0)
        return np.where(known, np.clip(self._products[2] / np.where(known, scale, 1.0), -1, 1), np.nan)
