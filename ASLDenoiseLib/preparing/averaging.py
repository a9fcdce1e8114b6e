"""Averaging differences: before denoising (in groups), after it, and the standard error of the mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Volume


@dataclass(frozen=True, eq=False)
class Averages:
    """Group means (G, K, J, I) of differences and how many differences are in each (G,)."""

    array: np.ndarray
    counts: np.ndarray


def pre_average(pairs: ASLSeries, *, size: int | None = None, interleaved: bool = False) -> Averages:
    """Average groups of `size` differences; None averages all into one group.

    Args:
        size: differences a group; a last, smaller group keeps what is left over.
        interleaved: take every G-th difference into a group instead of consecutive ones (windowed).

    Raises:
        InputError: `size` is not between 1 and the number of differences.
    """
    n = len(pairs.context)
    size = n if size is None else size
    if not 1 <= size <= n:
        raise InputError(f"Pre-averaging {size} of {n} pairs is not possible; choose a number from 1 to {n}.")
    groups = -(-n // size)
    member = np.arange(n) % groups if interleaved else np.arange(n) // size
    counts = np.bincount(member, minlength=groups)
    return Averages(np.stack([pairs.array[member == g].mean(axis=0) for g in range(groups)]), counts)


def post_average(averages: Averages) -> np.ndarray:
    """The mean over groups (K, J, I), each weighted by the differences in it."""
    return np.average(averages.array, axis=0, weights=averages.counts).astype(np.float32)


def mean_difference(pairs: ASLSeries) -> Volume:
    """The plain mean of all differences; this is the raw map everything is judged against."""
    return Volume(pairs.array.mean(axis=0), pairs.geometry, name="mean difference")


def standard_error(pairs: ASLSeries) -> Volume | None:
    """Standard error of the mean difference, from the spread over pairs; None for fewer than three."""
    n = len(pairs.context)
    if n < 3:
        return None
    return Volume(pairs.array.std(axis=0, ddof=1) / np.sqrt(n), pairs.geometry, name="standard error")
