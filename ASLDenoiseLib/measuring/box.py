"""What a box plot draws of a region: quartiles, median and Tukey's whiskers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .masks import FEWEST_VOXELS

_REACH = 1.5  # interquartile ranges beyond the box that a whisker may reach (Tukey 1977)


@dataclass(frozen=True)
class Box:
    """Five numbers of a region, in the unit of its values.

    Args:
        count: voxels that are measured.
        low, high: the ends of the whiskers: the outermost values within 1.5 interquartile ranges of the box.
        lower, median, upper: the quartiles.
        beyond: voxels outside the whiskers.
    """

    count: int
    low: float
    lower: float
    median: float
    upper: float
    high: float
    beyond: int


def box_of(values: np.ndarray) -> Box | None:
    """The box of the finite `values`; None where there are fewer than `FEWEST_VOXELS`.

    >>> box_of([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])
    Box(count=10, low=1.0, lower=3.25, median=5.5, upper=7.75, high=9.0, beyond=1)
    """
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size < FEWEST_VOXELS:
        return None
    lower, median, upper = (float(v) for v in np.percentile(values, (25, 50, 75)))
    reach = _REACH * (upper - lower)
    within = values[(values >= lower - reach) & (values <= upper + reach)]
    return Box(
        values.size, float(within.min()), lower, median, upper, float(within.max()), int(values.size - within.size)
    )
