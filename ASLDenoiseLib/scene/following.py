"""Which image a region belongs to: the one it was drawn on, with which it goes to the series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..series import LPS_FROM_RAS
from .display import MAP_ATTRIBUTE
from .hierarchy import ROLE_ATTRIBUTE, hierarchy, nodes_in
from .volumes import ijk_to_ras, world_of

if TYPE_CHECKING:
    import slicer

TO_SERIES = "t1_to_asl"  # the role of the transform by which a run lays its T1 on the series
FOLLOWS_ATTRIBUTE = "ASLDenoise.follows"  # of a segmentation or label map: the user's choice, t1, asl or mni
_SAME_GRID = 1e-2  # mm, at the far corner


def followed(node: slicer.vtkMRMLDisplayableNode, t1: slicer.vtkMRMLScalarVolumeNode | None = None) -> str:
    """``t1`` where a segmentation or label map was drawn on a T1, ``asl`` where on anything else; or what was chosen.

    Drawn on a T1 is what refers to it or to the copy of it that a run shows, or lies on its grid.

    Args:
        node: a segmentation or a label map.
        t1: the T1 of the run, or the one that is selected.
    """
    chosen = node.GetAttribute(FOLLOWS_ATTRIBUTE)
    if chosen:
        return chosen
    reference = reference_of(node)
    if reference is not None and (reference is t1 or reference.GetAttribute(ROLE_ATTRIBUTE) == "t1"):
        return "t1"
    own = _grid(node if reference is None else reference)
    if t1 is None or own is None:
        return "asl"
    return "t1" if any(_alike(own, (size, matrix)) for size, matrix in _grids(t1)) else "asl"


def choose_followed(node: slicer.vtkMRMLDisplayableNode, space: str) -> None:
    """Keep the user's choice of the image that a segmentation or label map follows; empty: found from what it is."""
    if space:
        node.SetAttribute(FOLLOWS_ATTRIBUTE, space)
    else:
        node.RemoveAttribute(FOLLOWS_ATTRIBUTE)


def to_t1_space(node: slicer.vtkMRMLDisplayableNode, t1: slicer.vtkMRMLScalarVolumeNode | None = None) -> np.ndarray:
    """4x4, LPS mm: from where the scene shows a node that follows a T1 to that T1 as a run is given it.

    A run lays its copy of the T1 on the series by a transform; what is drawn on that or on the run's maps lies in the
    series' space, and goes back through it. What is drawn on the T1 itself lies where that does.

    Args:
        node: a segmentation or label map; or an image of a run.
        t1: a run's own copy of the T1, by whose place a grid is recognised that refers to no image any more.
    """
    if is_laid(node):
        return np.linalg.inv(world_of(node))
    carrier = node if of_run(node) else reference_of(node)
    if carrier is None and t1 is not None and of_run(t1):
        own, grids = _grid(node), _grids(t1)
        laid = own is not None and bool(grids) and not _alike(own, grids[0]) and _alike(own, grids[1])
        return np.linalg.inv(world_of(t1)) if laid else np.eye(4)
    laid = None if carrier is None else _t1_of_run(carrier)
    return np.eye(4) if laid is None else np.linalg.inv(world_of(laid))


def to_series(node: slicer.vtkMRMLDisplayableNode, t1: slicer.vtkMRMLScalarVolumeNode | None) -> np.ndarray:
    """4x4, LPS mm: from where the scene shows a node to the series of a run, whose own copy of the T1 is `t1`."""
    if t1 is None or followed(node, t1) != "t1":
        return np.eye(4)
    return world_of(t1) @ to_t1_space(node, t1)


def reference_of(node: slicer.vtkMRMLDisplayableNode) -> slicer.vtkMRMLVolumeNode | None:
    """The volume that a segmentation was drawn on, as the Segment Editor keeps it; None where that is not known."""
    import slicer

    if not node.IsA("vtkMRMLSegmentationNode"):
        return None
    return node.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())


def set_reference(node: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Let a segmentation be drawn on the grid of a volume."""
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)


def is_laid(node: slicer.vtkMRMLDisplayableNode) -> bool:
    """Whether a node that a run did not make lies, in the T1's own space, under a run's transform of T1 to series."""
    above = node.GetParentTransformNode()
    return above is not None and above.GetAttribute(ROLE_ATTRIBUTE) == TO_SERIES and not of_run(node)


def of_run(node: slicer.vtkMRMLNode) -> bool:
    """Whether a node is an image that a run has put into the scene."""
    return node.GetAttribute(ROLE_ATTRIBUTE) == "t1" or bool(node.GetAttribute(MAP_ATTRIBUTE))


def _t1_of_run(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The copy of the T1 of the run that an image belongs to; None of an image of the user's."""
    if node.GetAttribute(ROLE_ATTRIBUTE) == "t1":
        return node
    if not of_run(node):
        return None
    tree = hierarchy(node.GetScene())
    beside = nodes_in(node.GetScene(), tree.GetItemParent(tree.GetItemByDataNode(node)))
    return next((each for each in beside if each.GetAttribute(ROLE_ATTRIBUTE) == "t1"), None)


def _grid(node: slicer.vtkMRMLDisplayableNode) -> tuple[tuple[int, ...], np.ndarray] | None:
    """Voxels (i, j, k) and their matrix to RAS of a volume, or of the grid a segmentation keeps from its file."""
    import slicer
    import vtk

    if node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        return None if image is None else (image.GetDimensions(), ijk_to_ras(node))
    converter = slicer.vtkSegmentationConverter
    text = node.GetSegmentation().GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    image = slicer.vtkOrientedImageData()
    if not text or not converter.DeserializeImageGeometry(text, image, False):
        return None
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    extent = image.GetExtent()
    size = tuple(extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in range(3))
    return size, slicer.util.arrayFromVTKMatrix(matrix)


def _grids(t1: slicer.vtkMRMLScalarVolumeNode) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """The T1's grid in its own space, and where the scene shows it."""
    own = _grid(t1)
    if own is None:
        return []
    world = LPS_FROM_RAS @ world_of(t1) @ LPS_FROM_RAS
    return [own, (own[0], world @ own[1])]


def _alike(one: tuple[tuple[int, ...], np.ndarray], other: tuple[tuple[int, ...], np.ndarray]) -> bool:
    if tuple(one[0]) != tuple(other[0]):
        return False
    corners = np.array([[0, 0, 0, 1], [*one[0], 1]], float).T
    return bool(np.allclose(one[1] @ corners, other[1] @ corners, atol=_SAME_GRID))
