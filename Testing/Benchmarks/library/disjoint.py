"""How near an estimate is to a truth that was never measured: against pairs it has not seen, or half against half.

A mean of other pairs is a noisy truth. Its noise is independent of the estimate's, so the squared error against it is,
on average, that against the truth plus the reference's own variance, which its standard error tells and which is taken
off here. A reference that shares pairs with the estimate would reward noise that was left in.
"""

from __future__ import annotations

import numpy as np

from ASLDenoiseLib.measuring.masks import measured

_FEWEST = 2


def noise_corrected_mse(
    estimate: np.ndarray, reference: np.ndarray, reference_error: np.ndarray, mask: np.ndarray
) -> float:
    """Mean squared error of `estimate` against what `reference` measures: MSE - mean(s^2 / n).

    It is itself an estimate: below zero where the two agree better than the reference's noise allows.

    Args:
        estimate: made without the reference's pairs; any shape, any unit.
        reference: mean of those pairs, in the same unit.
        reference_error: its standard error s / sqrt(n), likewise (`preparing.averaging.standard_error`).
        mask: where to look; voxels that are NaN in one of the three are left out.

    Returns:
        In the unit squared; NaN with fewer than two voxels.
    """
    e, r, s = measured(mask, estimate, reference, reference_error)
    return float(np.mean((e - r) ** 2) - np.mean(s**2)) if e.size >= _FEWEST else float("nan")
