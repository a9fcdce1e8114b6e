"""What shows whether a T1 lies on a series: the outline of the series' brain, both images in turn, a checkerboard.

Before a run the images of a check stand in for those of a run: they are put under the inverse of the transform that
was found, so that the T1 of the user is not moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..series import Geometry, Volume
from .display import show_grey
from .hierarchy import ROLE_ATTRIBUTE, nodes_in, remove_nodes
from .sampling import sampled, with_spacing_of
from .volumes import matrix_node, volume_from_node, volume_to_node

if TYPE_CHECKING:
    import slicer
    import vtk

OUTLINE, CHECK = "outline", "fit check"  # values of `ROLE_ATTRIBUTE`
_COLOUR = (1.0, 0.85, 0.1)
_FIELD = 25.0  # mm, the edge of a field of the checkerboard
_SPACING = 2.0  # mm of its voxels, at the most


@dataclass(frozen=True)
class FitNodes:
    """What is compared: a T1, an image of the series at the same place, and the outline of the series' brain (or None).

    `added` are the nodes of a check, which go with it; none of a run's.
    """

    t1: slicer.vtkMRMLScalarVolumeNode
    reference: slicer.vtkMRMLScalarVolumeNode
    outline: slicer.vtkMRMLModelNode | None
    added: tuple[slicer.vtkMRMLNode, ...] = ()

    @property
    def there(self) -> bool:
        """Whether both images are still in a scene."""
        return self.t1.GetScene() is not None and self.reference.GetScene() is not None


def add_outline(brain: Volume, *, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLModelNode:
    """The surface of the brain of a series (0/1), which slice views show as an outline; hidden at first."""
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.SetAndObservePolyData(_surface(brain))
    node.CreateDefaultDisplayNodes()
    node.SetAttribute(ROLE_ATTRIBUTE, OUTLINE)
    display = node.GetDisplayNode()
    display.SetColor(*_COLOUR)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    display.SetVisibility3D(False)
    display.SetVisibility(False)
    return node


def nodes_of_check(
    t1: slicer.vtkMRMLScalarVolumeNode, reference: Volume, brain: Volume, t1_to_asl: np.ndarray
) -> FitNodes:
    """New nodes of an image of the series and of its brain, where the T1 lies; in place of those of an earlier check.

    Args:
        t1: the user's node, which is not moved.
        reference, brain: on the grid of the series.
        t1_to_asl: 4x4, LPS mm: takes a point of the T1, as the scene shows it, to the series.
    """
    scene = t1.GetScene()
    remove_check(scene)
    place = matrix_node(np.linalg.inv(t1_to_asl), scene=scene, name="Series to T1 (check)")
    shown = volume_to_node(reference, scene=scene, name="Series on T1 (check)")
    show_grey(shown)
    outline = add_outline(brain, scene=scene, name="Outline of the series on T1 (check)")
    added = (shown, outline, place)
    for node in (shown, outline):
        node.SetAndObserveTransformNodeID(place.GetID())
    _mark(added)
    return FitNodes(t1, shown, outline, added)


def nodes_of_run(
    folder: int, t1: slicer.vtkMRMLScalarVolumeNode | None, reference: slicer.vtkMRMLScalarVolumeNode
) -> FitNodes | None:
    """What a run's folder in the subject hierarchy holds; None of a run without a T1."""
    if t1 is None:
        return None
    nodes = nodes_in(t1.GetScene(), folder)
    outline = next((node for node in nodes if node.GetAttribute(ROLE_ATTRIBUTE) == OUTLINE), None)
    return FitNodes(t1, reference, outline)


def remove_check(scene: slicer.vtkMRMLScene) -> None:
    """Remove the nodes of checks from a scene."""
    found = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    remove_nodes(scene, [node for node in found if node.GetAttribute("ASLDenoise.check")])


def add_checkerboard(nodes: FitNodes) -> slicer.vtkMRMLScalarVolumeNode:
    """A new volume of alternating fields of 25 mm of the T1 and of the image of the series, each on its own window.

    On the grid of the image of the series, made finer to about 2 mm; both images are sampled by linear interpolation.
    """
    t1, reference = (volume_from_node(node) for node in (nodes.t1, nodes.reference))
    grid = with_spacing_of(reference.geometry, _SPACING)
    pictures = [_bright(sampled(each, grid)) for each in (reference, t1)]
    board = np.where(_fields(grid), *pictures)
    name = "Checkerboard of T1 and series"
    node = volume_to_node(Volume(board, grid), scene=nodes.t1.GetScene(), name=name)
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(0.0, 1.0)
    _mark([node])
    return node


def _mark(nodes: Iterable[slicer.vtkMRMLNode]) -> None:
    """As of a check: out of selectors, out of saved scenes."""
    for node in nodes:
        node.SetAttribute("ASLDenoise.check", CHECK)
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)


def _fields(grid: Geometry) -> np.ndarray:
    """Bool (K, J, I), the white fields of a board."""
    numbers = [
        np.floor(np.arange(n) * s / _FIELD).astype(int) for n, s in zip(grid.shape, grid.spacing[::-1], strict=True)
    ]
    k, j, i = np.ix_(*numbers)
    return (k + j + i) % 2 == 0


def _bright(array: np.ndarray) -> np.ndarray:
    """An image over its 99th percentile, for one window; not measured is dark."""
    values = array[np.isfinite(array) & (array > 0)]
    top = float(np.percentile(values, 99.0)) if values.size else 1.0
    return np.nan_to_num(array / max(top, 1e-12))


def _surface(mask: Volume) -> vtk.vtkPolyData:
    """The surface of a mask, RAS mm, closed where the grid ends too."""
    import slicer
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    inside = np.pad((np.nan_to_num(mask.array) > 0.5).astype(np.uint8), 1)
    image = vtk.vtkImageData()
    image.SetDimensions(*inside.shape[::-1])
    image.SetOrigin(-1.0, -1.0, -1.0)  # of the padding, in voxels
    image.GetPointData().SetScalars(numpy_to_vtk(inside.ravel(), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR))
    surface = vtk.vtkFlyingEdges3D()
    surface.SetInputData(image)
    surface.SetValue(0, 0.5)
    surface.ComputeScalarsOff()
    surface.ComputeNormalsOff()
    placed = vtk.vtkTransform()
    placed.SetMatrix(slicer.util.vtkMatrixFromArray(mask.geometry.affine_ras))
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputConnection(surface.GetOutputPort())
    moved.SetTransform(placed)
    moved.Update()
    return moved.GetOutput()
