"""Swipe: one map that is raw at the left of a line and processed at its right, to move the line over the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import raw_of
from ..series import Volume
from .choose import processed_of, title_of
from .derived import derived_node
from .place import place_of_node
from .volumes import volume_from_node

if TYPE_CHECKING:
    import slicer

    from .choose import RunNodes

SWIPE = "swipe"  # the beginning of the name of such a derived map


class Swipe:
    """The swiped map of a run; made anew for another run or other maps.

    Args:
        nodes: of the run; raw and processed are the maps.
    """

    def __init__(self, nodes: RunNodes) -> None:
        self._raw_key, self._key = raw_of(nodes.maps), processed_of(nodes)
        self.nodes = nodes
        raw, processed = (volume_from_node(nodes.maps[key]) for key in (self._raw_key, self._key))
        self._processed, self._raw = processed.array, _onto(raw, processed)
        across = processed.geometry.affine_ras[0]
        k, j, i = np.ogrid[tuple(slice(n) for n in processed.array.shape)]
        self._x = (across[0] * i + across[1] * j + across[2] * k + across[3]).astype(np.float32)  # RAS, mm
        self._low, self._high = place_of_node(nodes.maps[self._raw_key]).box[0]

    def line(self, fraction: float) -> float:
        """Where the line is (RAS x, mm) when processed fills that fraction of the brain's width."""
        return self._low + fraction * (self._high - self._low)

    def show(self, fraction: float) -> slicer.vtkMRMLScalarVolumeNode:
        """The node with the line there: raw towards the patient's right, which is at the left of an axial view.

        Args:
            fraction: of the brain's width that is processed, 0..1; the ends are one map alone.
        """
        line = self.line(fraction)
        raw = self._x > line if 0 < fraction < 1 else np.full(1, fraction <= 0)
        array = np.where(raw, self._raw, self._processed).astype(np.float32)
        title = " | ".join(title_of(self.nodes, key) for key in (self._raw_key, self._key))
        origin = self.nodes.maps[self._key]
        return derived_node(origin, self.nodes.folder, f"{SWIPE} {self._key}", array, title=title)


def _onto(raw: Volume, processed: Volume) -> np.ndarray:
    """Raw at the voxels of processed: the same array, or on another grid the nearest voxel, NaN outside."""
    if raw.geometry.matches(processed.geometry):
        return raw.array
    to_raw = np.linalg.inv(raw.geometry.affine_ras) @ processed.geometry.affine_ras
    k, j, i = np.ogrid[tuple(slice(n) for n in processed.array.shape)]
    places = [np.rint(row[0] * i + row[1] * j + row[2] * k + row[3]).astype(int) for row in to_raw[:3]]
    inside = np.ones(processed.array.shape, bool)
    for place, count in zip(places, raw.array.shape[::-1], strict=True):
        inside &= (place >= 0) & (place < count)
        np.clip(place, 0, count - 1, out=place)
    return np.where(inside, raw.array[tuple(places[::-1])], np.nan).astype(np.float32)
