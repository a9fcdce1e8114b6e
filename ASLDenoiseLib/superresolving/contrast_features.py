"""What a T1 tells of each fine voxel: how much of it is of which brightness, and nothing of perfusion."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..progress import Progress, silent
from ..series import Geometry, Volume
from ..spatial.resampling import average_onto, resample

BETWEEN = 3  # steps from one tissue's brightness to the next: levels between catch mixtures and deep grey matter


def contrast_features(
    even: Volume, fine: Geometry, brain: Volume, *, transform: np.ndarray, progress: Progress = silent
) -> np.ndarray:
    """Shares (C, K, J, I) of each fine voxel at `C` levels of T1 brightness; they sum to one inside the T1.

    Levels are the medians of the three classes of Otsu's thresholds in the brain (Liao et al. 2001) and two levels
    between each and the next. A T1 voxel is shared between the two levels its brightness lies between (linear B-splines
    of intensity), so that a sum over shares is any piecewise linear function of T1 brightness. Levels are told apart on
    the T1's own grid before the average over the fine voxel: half CSF and half white matter is not grey matter.

    Args:
        even: the T1 without its bias field (`brain_mask.correct_bias`), any grid and unit.
        fine: the grid to describe.
        brain: 0/1 on any grid in the space of `fine`, where brightness is looked at.
        transform: 4x4, LPS mm, points of the T1 to the space of `fine`.

    Raises:
        InputError: the brain and the T1 do not overlap, or the T1 is of one brightness.
    """
    from skimage.filters import threshold_multiotsu

    back = np.linalg.inv(transform)
    inside = resample(brain, even.geometry, transform=back, interpolation="nearest", outside=0.0).array > 0.5
    values = even.array[inside]
    if values.size < 100 or not values.std() > 1e-6 * max(1.0, float(values.max())):
        raise InputError("The T1 shows no contrast where the map was measured; check the T1 and its alignment.")
    values = np.clip(values, *np.percentile(values, (0.5, 99.5)))
    number = np.digitize(values, threshold_multiotsu(values, 3))
    levels = _with_levels_between([float(np.median(values[number == n])) for n in range(3)])
    features = np.empty((len(levels), *fine.shape), np.float32)
    for n, share in enumerate(np.eye(len(levels))):
        progress((n + 0.5) / len(levels), "averaging the T1 over fine voxels")
        part = even.with_array(np.interp(even.array, levels, share).astype(np.float32))
        features[n] = np.nan_to_num(average_onto(part, fine, transform=transform).array)
    return features


def _with_levels_between(medians: list[float]) -> np.ndarray:
    steps = np.arange(len(medians) - 1 + 1e-9, step=1 / BETWEEN)
    return np.interp(steps, np.arange(len(medians)), medians)
