"""One pair of a run in the slice views: its difference image, in one node of the run's folder, whichever pair it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import MapKind, Role, raw_of
from ..series import Geometry, Volume
from .choose import series_of, show_image
from .display import OVERLAY_OPACITY, PAIR_ATTRIBUTE, apply_kind
from .hierarchy import nodes_in, put_under
from .volumes import ijk_to_ras, volume_to_node

if TYPE_CHECKING:
    import slicer

    from .choose import RunNodes

_BRIGHTEST = 99.0  # percentile of what a pair holds, at which the window ends


def show_pair(
    nodes: RunNodes,
    image: np.ndarray,
    *,
    number: int,
    unit: str,
    window: float,
    acquired: bool = False,
    opacity: float = OVERLAY_OPACITY,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Show a pair's difference image over the T1 in every slice view, but raw in its own of the side-by-side layouts.

    Args:
        nodes: the run.
        image: (K, J, I) on the grid of its raw map, in `unit`; NaN where not measured.
        number: of the pair in the series, from 1.
        unit: of the image.
        window: shown from its negative to it, the same for every pair.
        acquired: it is as the scanner gave it, before motion was corrected; the view's title says so.
        opacity: over the T1, 0..1.
    """
    import slicer

    raw = nodes.maps[raw_of(nodes.maps)]
    scene, name = raw.GetScene(), f"Pair {number} {series_of(raw, nodes.maps)}"
    node = pair_node(nodes)
    if node is None:
        node = volume_to_node(_volume(raw, image, unit), scene=scene, name=name)
        put_under(scene, nodes.folder, [node])
    else:
        slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(image, np.float32))
        node.SetName(name)
    node.SetAttribute(PAIR_ATTRIBUTE, str(number))
    how = "as acquired" if acquired else "as prepared"
    node.SetDescription(f"Pair {number}: control minus label, {how}")
    apply_kind(node, _kind(number, unit, window))
    show_image(nodes, node, f"Pair {number}, {how}", opacity=opacity)
    return node


def pair_node(nodes: RunNodes) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The node in the run's folder that shows a pair; None where none was shown yet."""
    scene = nodes.maps[raw_of(nodes.maps)].GetScene()
    return next((node for node in nodes_in(scene, nodes.folder) if node.GetAttribute(PAIR_ATTRIBUTE)), None)


def window_of(image: np.ndarray) -> float:
    """The half width of a window that shows a pair's difference image, to two digits; 1 where nothing is measured."""
    values = np.abs(image[np.isfinite(image) & (image != 0)])
    top = float(np.percentile(values, _BRIGHTEST)) if values.size else 0.0
    return float(f"{top:.2g}") or 1.0


def _kind(number: int, unit: str, window: float) -> MapKind:
    return MapKind(
        "pair",
        Role.DIFFERENCE,
        f"Pair {number}",
        f"Pair {number}.",
        unit=unit,
        quantity=f"Pair {number}",
        window=(-window, window),
        scene_colours="DivergingBlueRed",
        ticks=5,
    )


def _volume(raw: slicer.vtkMRMLScalarVolumeNode, image: np.ndarray, unit: str) -> Volume:
    return Volume(image, Geometry.from_affine_ras(ijk_to_ras(raw), image.shape[::-1]), unit)


def go_to_slice(nodes: RunNodes, k: int) -> None:
    """Have the slice views show a slice of the series, by its place along k from 0; they keep their orientation."""
    import slicer

    raw = nodes.maps[raw_of(nodes.maps)]
    middle = [(n - 1) / 2 for n in raw.GetImageData().GetDimensions()[:2]]
    point = ijk_to_ras(raw) @ np.array([*middle, k, 1.0])
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode", raw.GetScene()):
        view.JumpSliceByOffsetting(*map(float, point[:3]))
