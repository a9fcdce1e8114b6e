"""Maps that are only for looking: made of a run's maps, in its folder, and removed when they are looked at no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import MapKind
from ..series import Geometry, Volume
from .display import DERIVED_ATTRIBUTE, SHORT_ATTRIBUTE, apply_kind, copy_look, legends_of
from .hierarchy import nodes_in, put_under, remove_nodes
from .volumes import Code, ijk_to_ras, volume_to_node

if TYPE_CHECKING:
    import slicer

SWIPE, FADE = "swipe", "fade"  # the beginnings of the names of blends


def derived_node(
    origin: slicer.vtkMRMLScalarVolumeNode,
    folder: int,
    what: str,
    array: np.ndarray,
    *,
    title: str,
    kind: MapKind | None = None,
    unit: Code | None = None,
) -> slicer.vtkMRMLScalarVolumeNode:
    """The node of a derived map, made where there is none yet, with these voxels.

    Args:
        origin: the map on whose grid it is; its transform is the derived map's as well.
        folder: of the run.
        what: which derived map of the run.
        array: float32 (K, J, I).
        title: of its views.
        kind: what it looks like; None for as its origin.
        unit: of its numbers, where it is not the origin's.
    """
    import slicer

    scene = origin.GetScene()
    node = next((node for node in derived_in(scene, folder) if node.GetAttribute(DERIVED_ATTRIBUTE) == what), None)
    if node is not None:
        slicer.util.updateVolumeFromArray(node, array)
        return node
    geometry = Geometry.from_affine_ras(ijk_to_ras(origin), array.shape[::-1])
    node = volume_to_node(Volume(array, geometry), scene=scene, name=title)
    node.SetAndObserveTransformNodeID(origin.GetTransformNodeID())
    node.SetVoxelValueUnits(origin.GetVoxelValueUnits() if unit is None else unit.entry())
    node.SetDescription(title)
    node.SetAttribute(DERIVED_ATTRIBUTE, what)
    node.SetAttribute(SHORT_ATTRIBUTE, title)
    if kind is None:
        copy_look(origin, node)
    else:
        apply_kind(node, kind)
    for legend in legends_of(node):
        legend.SetVisibility(False)
    put_under(scene, folder, [node])
    return node


def derived_in(scene: slicer.vtkMRMLScene, folder: int) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The derived maps of a run."""
    return [node for node in nodes_in(scene, folder) if node.GetAttribute(DERIVED_ATTRIBUTE)]


def remove_derived(scene: slicer.vtkMRMLScene, folder: int, *, but: str | tuple[str, ...] = ()) -> None:
    """Remove the derived maps of a run, but those whose name begins so."""
    found = derived_in(scene, folder)
    remove_nodes(scene, [node for node in found if not node.GetAttribute(DERIVED_ATTRIBUTE).startswith(but)])
