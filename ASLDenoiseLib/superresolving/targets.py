"""The grid a finer map is wanted on, and how it lies beside the acquired one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..preparing.tissue import tissue_on
from ..series import Geometry, Tissue, Volume
from ..spatial.resampling import with_spacing
from .grid_choice import check_grid_choice

_MARGIN = 2.0  # mm around what was measured
_MOST_VOXELS = 60_000_000  # a head at 0.5 mm


@dataclass(frozen=True, eq=False)
class TargetGrid:
    """A grid and its way to the series.

    Args:
        geometry: the grid.
        to_asl: 4x4, LPS mm, points of the grid's space to the series.
        in_t1_space: whether the grid lies where the T1 lies, not where the series does.
    """

    geometry: Geometry
    to_asl: np.ndarray
    in_t1_space: bool


def target_grid(
    low: Volume,
    t1_to_asl: np.ndarray,
    *,
    t1: Volume | None = None,
    spacing: tuple[float, float, float] | None = None,
    like: Geometry | None = None,
) -> TargetGrid:
    """The grid of a spacing, else of an image, else of the T1 cut to where the map was measured.

    Args:
        low: the acquired map; NaN where it was not measured.
        t1_to_asl: 4x4, LPS mm.
        t1: on its own grid, or None.
        spacing: mm along the acquired axes, over the acquired field of view.
        like: a grid in the space of the T1, or of the series where there is no T1; taken as it is.

    Raises:
        InputError: two of the choices were made, none can be, or the grid is larger than memory allows.
    """
    check_grid_choice(spacing, like, has_t1=t1 is not None)
    if spacing is not None:
        target = TargetGrid(with_spacing(low.geometry, tuple(float(s) for s in spacing)), np.eye(4), False)
    elif like is not None:
        target = TargetGrid(like, np.eye(4) if t1 is None else t1_to_asl, t1 is not None)
    else:
        target = TargetGrid(_cut(t1.geometry, low, t1_to_asl), t1_to_asl, True)
    if np.prod(target.geometry.size, dtype=float) > _MOST_VOXELS:
        size = " x ".join(map(str, target.geometry.size))
        raise InputError(f"The grid asked for has {size} voxels, more than memory allows; ask for larger voxels.")
    return target


def _cut(grid: Geometry, low: Volume, to_asl: np.ndarray) -> Geometry:
    """The part of a grid that holds all that was measured, and 2 mm more.

    Raises:
        InputError: nothing measured lies in it.
    """
    index = np.argwhere(np.isfinite(low.array))[:, ::-1]
    corners = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T
    places = np.concatenate([index + c for c in corners])
    into = np.linalg.inv(grid.affine_lps) @ np.linalg.inv(to_asl) @ low.geometry.affine_lps
    there = places @ into[:3, :3].T + into[:3, 3]
    margin = _MARGIN / np.array(grid.spacing)
    first = np.maximum(np.floor(there.min(axis=0) - margin), 0).astype(int)
    last = np.minimum(np.ceil(there.max(axis=0) + margin), np.array(grid.size) - 1).astype(int)
    if (last < first).any():
        raise InputError("The T1 does not show what was measured; check the T1 and its alignment.")
    origin = (grid.affine_lps @ [*first, 1.0])[:3]
    return replace(grid, size=tuple(last - first + 1), origin=tuple(origin))


def tissue_on_target(target: TargetGrid, tissue: Tissue, *, segmented: Tissue | None = None) -> Tissue:
    """Tissue on the target: from the T1's own segmentation where there is one, else interpolated from the series.

    Args:
        target: the grid.
        tissue: on the grid of the series.
        segmented: in the space of the T1, `target`'s own or, for a target in the space of the series, not used.
    """
    if segmented is not None and target.in_t1_space:
        return tissue_on(target.geometry, segmented)
    return tissue_on(target.geometry, tissue, transform=np.linalg.inv(target.to_asl))
