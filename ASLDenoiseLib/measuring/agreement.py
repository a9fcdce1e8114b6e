"""How two measurements of the same voxels agree: Bland and Altman's bias and limits of agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_WITHIN = 1.96  # SDs on either side of the bias; 95 % of normal differences


@dataclass(frozen=True, eq=False)
class Agreement:
    """Bland and Altman (Lancet 1986;327:307), in the unit of what was compared.

    Args:
        mean: (n,) mean of the two, a voxel.
        difference: (n,) second minus first.
        bias: mean difference; NaN without a voxel.
        spread: SD of the differences (n - 1); 0 for a single voxel.
    """

    mean: np.ndarray
    difference: np.ndarray
    bias: float
    spread: float

    @property
    def count(self) -> int:
        """How many voxels were compared."""
        return int(self.difference.size)

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit of agreement: bias -+ 1.96 SD."""
        return self.bias - _WITHIN * self.spread, self.bias + _WITHIN * self.spread


def bland_altman(first: np.ndarray, second: np.ndarray) -> Agreement:
    """Agreement of two arrays of one shape; pairs of which either is not finite are left out.

    >>> agreement = bland_altman([50.0, 60.0, 70.0], [52.0, 60.0, 74.0])
    >>> agreement.count, agreement.bias, [round(limit, 2) for limit in agreement.limits]
    (3, 2.0, [-1.92, 5.92])
    """
    before, after = (np.asarray(values, np.float64).ravel() for values in (first, second))
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    difference = after - before
    bias = float(difference.mean()) if difference.size else float("nan")
    spread = float(difference.std(ddof=1)) if difference.size > 1 else 0.0
    return Agreement((before + after) / 2, difference, bias, spread)
