"""Raw and processed in one map: mixed, or raw at the left of a line and processed at its right.

A map of its own, not a layer above another: a saved scene keeps that as it is, and would forget a layer's opacity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import raw_of
from ..series import Volume
from .choose import processed_of, show_beside, show_map, title_of
from .derived import FADE, SWIPE, derived_node
from .display import OVERLAY_OPACITY
from .place import place_of_node
from .volumes import volume_from_node

if TYPE_CHECKING:
    import slicer

    from .choose import RunNodes


class Blend:
    """Raw and the processed map of a run, to be seen in one; made anew for another run or other maps.

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

    def swipe(self, fraction: float) -> slicer.vtkMRMLScalarVolumeNode:
        """The node with a line: raw towards the patient's right of it, which is at the left of an axial view.

        Args:
            fraction: of the brain's width that is processed, 0..1; the ends are one map alone.
        """
        raw = self._x > self.line(fraction) if 0 < fraction < 1 else np.full(1, fraction <= 0)
        return self._node(SWIPE, np.where(raw, self._raw, self._processed), " / ")

    def mix(self, fraction: float) -> slicer.vtkMRMLScalarVolumeNode:
        """The node with the voxels ``(1 - fraction) raw + fraction processed``."""
        return self._node(FADE, (1 - fraction) * self._raw + fraction * self._processed, " mixed with ")

    def _node(self, kind: str, array: np.ndarray, joined_by: str) -> slicer.vtkMRMLScalarVolumeNode:
        title = joined_by.join(title_of(self.nodes, key) for key in (self._raw_key, self._key))
        origin = self.nodes.maps[self._key]
        return derived_node(origin, self.nodes.folder, f"{kind} {title}", array.astype(np.float32), title=title)


def fade(nodes: RunNodes, fraction: float, *, opacity: float = OVERLAY_OPACITY, blend: Blend | None = None) -> None:
    """Fade from the raw map (0) to the processed one (1) over the T1, which shows through as much as before.

    The views of a side-by-side layout show their maps unmixed.

    Args:
        nodes: the run.
        fraction: 0..1.
        opacity: of the map over the T1, 0..1.
        blend: of the run, where there is one already.
    """
    fraction, opacity = (min(max(value, 0.0), 1.0) for value in (fraction, opacity))
    raw, processed = raw_of(nodes.maps), processed_of(nodes)
    if processed == raw or fraction in (0.0, 1.0):
        show_map(nodes, processed if fraction == 1.0 else raw, opacity=opacity)
        return
    show_blend(nodes, (blend or Blend(nodes)).mix(fraction), opacity=opacity)


def show_blend(nodes: RunNodes, node: slicer.vtkMRMLScalarVolumeNode, *, opacity: float = OVERLAY_OPACITY) -> None:
    """Show a node of a `Blend` over the T1 in every slice view but those of our layouts, which show both maps."""
    show_beside(nodes, node, processed_of(nodes), opacity=opacity)


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
