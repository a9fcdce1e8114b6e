"""The last step of every method: the fine map, averaged back, equals the acquired one within its noise."""

from __future__ import annotations

import numpy as np

from ..preparing.resampling import resample
from ..running.progress import Progress, silent
from ..series import Volume
from .forward import AcquisitionModel

WITHIN = 2.0  # SDs of the noise
ROUNDS = 60
_SMOOTH_ROUNDS = 6  # of them
_NEAR = 0.05  # SDs beyond the bound that are let be


def consistent(
    fine: Volume,
    low: Volume,
    sd: np.ndarray,
    model: AcquisitionModel,
    *,
    within: float = WITHIN,
    rounds: int = ROUNDS,
    progress: Progress = silent,
) -> Volume:
    """The map nearest in spirit to `fine` whose average over every acquired voxel is within `within` SDs of `low`.

    What exceeds the noise, and only that, is put back: first interpolated, so that a correction is no coarser than it
    must be, and at last spread by the transpose of the acquisition, which meets the bound. Noise alone exceeds two SDs
    in one voxel of twenty, so a map that explains its data hardly changes.

    Args:
        fine: the estimate on the grid of `model.fine`; NaN stays NaN.
        low: the acquired map; NaN is not enforced.
        sd: noise SD (K, J, I) of `low`.
        model: the acquisition, its measured voxels those of `fine`.
        within: SDs.
        rounds: most of them; fewer end early, with some voxels still beyond the bound.
    """
    array = fine.array.copy()
    gain = _gain(model)
    back = np.linalg.inv(model.transform)
    for n in range(rounds):
        progress(n / rounds, "agreeing with the acquired map")
        over = excess(low.array, model.forward(np.nan_to_num(array)), sd, model.seen, within)
        if not np.any(np.abs(over) > _NEAR * sd):
            break
        if n < _SMOOTH_ROUNDS:
            array = array + resample(low.with_array(over), model.fine, transform=back, outside=0.0).array
        else:
            array = array + np.where(np.isfinite(array), model.adjoint(over / gain), np.nan)
    return fine.with_array(array)


def excess(low: np.ndarray, averaged: np.ndarray, sd: np.ndarray, seen: np.ndarray, within: float) -> np.ndarray:
    """What of `low` - `averaged` lies beyond `within` SDs, 0 where nothing is known; arrays (K, J, I)."""
    apart = np.where(np.isfinite(low) & seen, low - averaged, 0.0)
    return (apart - np.clip(apart, -within * sd, within * sd)).astype(np.float32)


def _gain(model: AcquisitionModel) -> np.ndarray:
    """What a transpose and a forward pass make of a map of ones: so much a correction must be divided by."""
    ones = model.forward(model.adjoint(np.ones(model.acquired.shape, np.float32)))
    return np.maximum(ones, 1e-12)
