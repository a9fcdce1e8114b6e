"""Arrival times that another scan measured: whether an image can be such a map, and the map on the series' grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..remedies import GiveImage
from ..series import Geometry, Volume
from ..spatial.resampling import average_onto

_MILLISECONDS = 20.0  # half of the map above it cannot be s: no blood takes so long
_FEW_VALUES = 20  # whole numbers; a map of arrival times in s has fractions
_NEGATIVE = 0.01  # of the map; fewer are what interpolation leaves at edges
_GIVE = (GiveImage("att", "give one in seconds"),)


@dataclass(frozen=True, eq=False)
class LaidArrival:
    """Arrival times on the grid of a series.

    Args:
        att: s; NaN where they are not known.
        error: the SD of their error, s, NaN where it is not known; None where that is nowhere.
        continued: bool (K, J, I), voxels of the brain that the map reaches only by going on from its nearest voxel.
    """

    att: Volume
    error: Volume | None
    continued: np.ndarray


def require_arrival_times(att: Volume) -> Volume:
    """The map with NaN where it holds no arrival time, unless its values cannot be arrival times in s.

    Zero is outside in a map that has no NaN (other tools mask so), and a time in one that has; single negative values
    hold none.

    Args:
        att: (K, J, I), s.

    Raises:
        InputError: it is constant, a mask or a label map, in ms, or negative.
    """
    array = att.array
    known = np.isfinite(array) & ((array != 0) | np.isnan(array).any())
    values = array[known]
    if not values.size or values.min() == values.max():
        raise InputError("The arrival time map holds one value throughout, as a mask does", _GIVE)
    distinct = np.unique(values)
    if len(distinct) <= _FEW_VALUES and np.all(distinct == np.round(distinct)):
        raise InputError(f"The arrival time map holds {len(distinct)} whole numbers alone, as a label map does", _GIVE)
    if (values < 0).mean() > _NEGATIVE:
        share = 100 * float((values < 0).mean())
        raise InputError(f"{share:.0f} % of the arrival time map are negative, as no arrival time is", _GIVE)
    middle = float(np.median(values))
    if middle > _MILLISECONDS:
        raise InputError(f"The arrival time map seems to be in ms: half of it is above {middle:.0f}", _GIVE)
    return att.with_array(np.where(known & (array >= 0), array, np.nan), unit="s")


def laid_arrival(
    att: Volume, error: Volume | None, brain: Volume, *, transform: np.ndarray | None = None
) -> LaidArrival:
    """Arrival times on the grid of a brain.

    The map goes on from its nearest voxel as far as one of its own voxels, so that the brain's rim, which the masks of
    two scans share only in part, keeps a time; beyond, nothing is known.

    Args:
        att: s, as `require_arrival_times` gives it.
        error: the SD of its error, s, on any grid in the same space.
        brain: 0/1.
        transform: 4x4, LPS mm, from points of the map to points of the brain; None where they lie together.

    Raises:
        InputError: the map does not reach the brain.
    """
    onto, inside = brain.geometry, brain.array > 0
    laid, continued = _laid(att, onto, transform)
    if not (np.isfinite(laid.array) & inside).any():
        where = "even after registration" if transform is not None else "as it lies"
        what = f"The arrival time map does not reach the brain of the series, {where}"
        raise InputError(what, [GiveImage("att", "give one of the same head"), GiveImage("att-reference", "give one")])
    sd = None if error is None else _laid(error, onto, transform)[0]
    if sd is not None:
        sd = sd.with_array(np.where(np.isfinite(laid.array) & (sd.array >= 0), sd.array, np.nan), unit="s")
    return LaidArrival(laid, sd, continued & inside)


def _laid(volume: Volume, onto: Geometry, transform: np.ndarray | None) -> tuple[Volume, np.ndarray]:
    """A map averaged over the voxels of a grid, gone on as far as one of its own; and where it did."""
    from scipy.ndimage import distance_transform_edt

    laid = average_onto(volume, onto, transform=transform)
    missing = np.isnan(laid.array)
    if missing.all() or not missing.any():
        return laid, np.zeros(missing.shape, bool)
    away, nearest = distance_transform_edt(missing, sampling=onto.spacing[::-1], return_indices=True)
    reached = missing & (away <= max(*volume.geometry.spacing, *onto.spacing) * (1 + 1e-4))  # headers are rounded
    return laid.with_array(np.where(reached, laid.array[tuple(nearest)], laid.array)), reached
