"""The image pyramid: one map and its T1 on ever coarser grids over the same box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...series import Geometry, Volume
from ...spatial.resampling import average_onto, with_spacing


@dataclass(frozen=True)
class Levels:
    """What the map and the T1 are divided by, to be about 1."""

    map: float
    t1: float


@dataclass(frozen=True, eq=False)
class Scale:
    """One level: the map (0 where not measured) and the T1, divided by `levels`, and where the map is measured."""

    map: np.ndarray
    t1: np.ndarray
    measured: np.ndarray
    geometry: Geometry
    levels: Levels


def levels_of(low: Volume, t1: Volume) -> Levels:
    """The 98th percentiles of the map's size and of the T1 in the measured region of a map on its own grid."""
    inside = np.isfinite(low.array)
    size = float(np.percentile(np.abs(low.array[inside]), 98))
    bright = float(np.percentile(np.nan_to_num(t1.array)[inside], 98))
    return Levels(size if size > 0 else 1.0, bright if bright > 0 else 1.0)


def pyramid(low: Volume, t1: Volume, transform: np.ndarray, *, factor: float, coarsest: int) -> list[Scale]:
    """The scales from the coarsest to the map's own.

    Args:
        low: the map; NaN is not measured.
        t1: on its own grid.
        transform: 4x4, LPS mm, points of the T1 to the map.
        factor: size of a scale over the next finer one's.
        coarsest: voxels along the longest axis that no scale goes below.
    """
    grids = [low.geometry]
    while max(grids[-1].size) * factor >= coarsest:
        grids.append(_coarser(low.geometry, factor ** len(grids)))
    on_finest = average_onto(t1, low.geometry, transform=transform, outside=0.0)
    levels = levels_of(low, on_finest)
    return [scale_on(low, t1, transform, grid, levels) for grid in reversed(grids)]


def scale_on(low: Volume, t1: Volume, transform: np.ndarray, grid: Geometry, levels: Levels) -> Scale:
    """Both images on a grid; finer than the map, it is interpolated linearly."""
    averaged = average_onto(low, grid).array
    measured = np.isfinite(averaged)
    anatomy = np.nan_to_num(average_onto(t1, grid, transform=transform, outside=0.0).array)
    return Scale(
        np.where(measured, averaged, 0.0).astype(np.float32) / levels.map,
        np.where(measured, np.clip(anatomy / levels.t1, 0.0, 1.5), 0.0).astype(np.float32),
        measured,
        grid,
        levels,
    )


def _coarser(geometry: Geometry, share: float) -> Geometry:
    """A grid of `share` of the voxels along each axis over exactly the same box; no axis below four voxels."""
    old = np.array(geometry.size)
    size = np.minimum(old, np.maximum(4, np.round(old * share).astype(int)))
    return with_spacing(geometry, tuple(old * np.array(geometry.spacing) / size))
