"""Averages of differences: before denoising (in groups), after it, and the standard error of the mean.

`weights` of differences are (N, K, 1, 1) or (N, K, J, I), as of `preparing.outliers`; None weights all equally. A voxel
is NaN where all its weights are zero, or where a difference of positive weight is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Volume

if TYPE_CHECKING:
    import torch

Figure = TypeVar("Figure", float, np.ndarray, "torch.Tensor")


@dataclass(frozen=True, eq=False)
class Averages:
    """Group means (G, K, J, I) of differences."""

    array: np.ndarray
    counts: np.ndarray  # (G,), of differences, whatever their weight
    weights: np.ndarray  # (G, K, 1, 1) or (G, K, J, I), sums over each group


def pre_average(
    pairs: ASLSeries, *, size: int | None = None, interleaved: bool = False, weights: np.ndarray | None = None
) -> Averages:
    """Average groups of `size` differences; None averages all into one group.

    Args:
        size: differences a group; the last group may be smaller. `InputError` unless from 1 to their number.
        interleaved: every G-th difference forms a group, instead of consecutive ones (windowed).
    """
    n = len(pairs.context)
    size = n if size is None else size
    if not 1 <= size <= n:
        raise InputError(f"Pre-averaging {size} of {n} pairs is not possible; choose a number from 1 to {n}.")
    groups = -(-n // size)
    member = np.arange(n) % groups if interleaved else np.arange(n) // size
    weights = np.ones((n, 1, 1, 1), np.float32) if weights is None else weights
    each = [(pairs.array[member == g], weights[member == g]) for g in range(groups)]
    means = np.stack([weighted_mean(array, weight) for array, weight in each])
    sums = np.stack([weight.sum(axis=0, dtype=np.float64) for _, weight in each])
    return Averages(means, np.bincount(member, minlength=groups), sums)


def post_average(averages: Averages) -> np.ndarray:
    """The mean over groups (K, J, I), each weighted by the differences in it."""
    return weighted_mean(averages.array, averages.weights)


def weighted_mean(array: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum(w x) / sum(w) over the first axis, float32; NaN where all weights are zero or a weighted value is NaN."""
    if weights.min() == weights.max() > 0:
        return array.mean(axis=0, dtype=np.float64).astype(np.float32)
    total = np.sum(np.where(weights > 0, array, 0.0) * weights, axis=0, dtype=np.float64)
    weight = np.broadcast_to(weights.sum(axis=0, dtype=np.float64), total.shape)
    return np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0).astype(np.float32)


def variance_of_mean(array: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The variance (K, J, I), float64, of the weighted mean of (N, K, J, I), from the spread; NaN for fewer than two.

    With weights w it is the weighted variance over the effective number, (sum w)^2 / sum w^2, less one (Kish 1965).
    """
    if weights is None:
        n = len(array)
        return array.var(axis=0, ddof=1, dtype=np.float64) / n if n > 1 else np.full(array.shape[1:], np.nan)
    weight = np.broadcast_to(weights.sum(axis=0, dtype=np.float64), array.shape[1:])
    effective = np.broadcast_to(effective_number(weights), array.shape[1:])
    apart = np.square(np.where(weights > 0, array - weighted_mean(array, weights), 0.0)) * weights
    spread = np.divide(apart.sum(axis=0, dtype=np.float64), weight, out=np.zeros(weight.shape), where=weight > 0)
    return np.divide(spread, effective - 1, out=np.full(weight.shape, np.nan), where=effective > 1.5)


def effective_number(weights: np.ndarray) -> np.ndarray:
    """Of differences of weights (N, ...): (sum w)^2 / sum w^2 over the first axis (Kish 1965); zero where none counts.

    >>> effective_number(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]))
    array([2., 1.])
    """
    total = weights.sum(axis=0, dtype=np.float64)
    squares = np.square(weights).sum(axis=0, dtype=np.float64)
    return np.divide(total**2, squares, out=np.zeros(total.shape), where=squares > 0)


def counted_pairs(count: int, weights: np.ndarray | None) -> np.ndarray:
    """The positions of those of `count` pairs that are not left out whole: whose weight is above zero anywhere."""
    if weights is None:
        return np.arange(count)
    return np.flatnonzero(weights.reshape(count, -1).max(axis=1) > 0)


def shrunk(own: Figure, freedom: Figure, expected: Figure, prior: float) -> Figure:
    """A variance of `freedom` degrees of freedom, shrunk towards an expected one that counts for `prior` of them.

    The weighted mean of both: the posterior of a variance whose prior is scaled inverse chi-squared (Smyth 2004).

    >>> shrunk(4.0, 12.0, 2.0, 12.0)
    3.0
    """
    return (prior * expected + freedom * own) / (prior + freedom)


def mean_difference(pairs: ASLSeries, weights: np.ndarray | None = None) -> Volume:
    """The mean of all differences; without weights this is the raw map."""
    array = pairs.array.mean(axis=0) if weights is None else weighted_mean(pairs.array, weights)
    return Volume(array, pairs.geometry, name="mean difference")


def standard_error(pairs: ASLSeries, weights: np.ndarray | None = None) -> Volume | None:
    """Standard error of the mean difference, from the spread over pairs; None for fewer than three."""
    if len(pairs.context) < 3:
        return None
    error = np.sqrt(variance_of_mean(pairs.array, weights)).astype(np.float32)
    return Volume(error, pairs.geometry, name="standard error")
