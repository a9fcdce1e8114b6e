"""Binary masks (K, J, I): their box, depth in them, their largest piece, their holes."""

from __future__ import annotations

import numpy as np

from ..series import Geometry


def bounding_box(mask: np.ndarray, margin: tuple[int, int, int] = (0, 0, 0)) -> tuple[slice, slice, slice]:
    """The smallest box that holds a mask, which must not be empty, and `margin` voxels round it, within the grid.

    >>> mask = np.zeros((4, 5, 6), bool)
    >>> mask[1, 2, 3] = True
    >>> bounding_box(mask, (0, 1, 9))
    (slice(1, 2, None), slice(1, 4, None), slice(0, 6, None))
    """
    where = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    ends = zip(where, margin, mask.shape, strict=True)
    return tuple(slice(max(int(w[0]) - m, 0), min(int(w[-1]) + 1 + m, n)) for w, m, n in ends)


def depth(mask: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Distance (K, J, I), mm, from each voxel of a mask to the nearest outside it; 0 outside, infinite without any.

    The mask is taken to go on beyond the edge of the grid, as the head does where a scan ends.
    """
    from scipy.ndimage import distance_transform_edt

    if mask.all():
        return np.full(mask.shape, np.inf)
    found = np.zeros(mask.shape)
    if mask.any():
        box = bounding_box(mask, (1, 1, 1))  # the nearest outside of a voxel is never further
        found[box] = distance_transform_edt(mask[box], sampling=geometry.spacing[::-1])
    return found


def widened(mask: np.ndarray, geometry: Geometry, reach: float) -> np.ndarray:
    """The voxels of a mask (bool) and those within `reach` mm of one."""
    from scipy.ndimage import distance_transform_edt

    near = np.zeros(mask.shape, bool)
    if mask.any():
        box = bounding_box(mask, tuple(int(reach / s) + 1 for s in reversed(geometry.spacing)))
        near[box] = distance_transform_edt(~mask[box], sampling=geometry.spacing[::-1]) <= reach
    return near


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask whose voxels share faces."""
    from scipy.ndimage import label

    pieces, count = label(mask)
    return pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if count > 1 else mask


def without_holes(mask: np.ndarray) -> np.ndarray:
    """The mask with the holes of each slice filled."""
    from scipy.ndimage import binary_fill_holes

    return np.stack([binary_fill_holes(each) for each in mask])
