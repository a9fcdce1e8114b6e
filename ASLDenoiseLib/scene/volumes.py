"""Volume <-> scalar volume node: voxels, place in the patient, unit and quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import CBF_UNIT, LPS_FROM_RAS, Geometry, Volume
from .headless import current_scene

if TYPE_CHECKING:
    import slicer


@dataclass(frozen=True)
class Code:
    """A coded term: value, coding scheme and meaning (DICOM PS3.3, 8.8)."""

    value: str
    scheme: str
    meaning: str

    def entry(self) -> slicer.vtkCodedEntry:
        """The same as MRML holds it."""
        import slicer

        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(self.value, self.scheme, self.meaning)
        return entry


CBF_UNITS = Code("ml/[100]g/min", "UCUM", "milliliter per 100 gram per minute")
SECONDS = Code("s", "UCUM", "second")
CBF_QUANTITY = Code("113055", "DCM", "Regional Cerebral Blood Flow")
PWI_QUANTITY = Code("110800", "DCM", "Spin Tagging Perfusion MR Signal Intensity")


def is_cbf(node: slicer.vtkMRMLNode) -> bool:
    """Whether a volume node states that its values are in ml/100g/min."""
    units = node.GetVoxelValueUnits() if node.IsA("vtkMRMLScalarVolumeNode") else None
    return units is not None and units.GetCodeValue() == CBF_UNITS.value


def volume_to_node(
    volume: Volume, *, scene: slicer.vtkMRMLScene | None = None, name: str | None = None, quantity: Code | None = None
) -> slicer.vtkMRMLScalarVolumeNode:
    """A new float32 scalar volume node with display node in `scene` (default: the current one).

    A volume in ml/100g/min gets its UCUM unit and, unless `quantity` says otherwise, the quantity
    'Regional Cerebral Blood Flow' (DCM 113055). NaN stays NaN.
    """
    scene = current_scene() if scene is None else scene
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name or volume.name or "volume")
    fill_node(node, volume, quantity=quantity)
    node.CreateDefaultDisplayNodes()
    return node


def fill_node(node: slicer.vtkMRMLScalarVolumeNode, volume: Volume, *, quantity: Code | None = None) -> None:
    """Give `node` (in a scene or not) the voxels, geometry, unit and quantity of `volume`."""
    import slicer

    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(volume.geometry.affine_ras))
    slicer.util.updateVolumeFromArray(node, volume.array)
    if volume.unit == CBF_UNIT:
        node.SetVoxelValueUnits(CBF_UNITS.entry())
        quantity = quantity or CBF_QUANTITY
    elif volume.unit == SECONDS.value:
        node.SetVoxelValueUnits(SECONDS.entry())
    if quantity is not None:
        node.SetVoxelValueQuantity(quantity.entry())


def volume_from_node(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """The volume (K, J, I) of a scalar volume node, where the scene shows it: a linear parent transform is applied.

    Raises:
        InputError: the node holds no image, or its transform is not rigid up to the tolerance of an image header.
    """
    import slicer

    if node.GetImageData() is None or node.GetImageData().GetNumberOfPoints() == 0:
        raise InputError(f"The volume node '{node.GetName()}' holds no image; load one or select another.")
    array = np.array(slicer.util.arrayFromVolume(node), dtype=np.float32)
    if array.ndim != 3:
        raise InputError(f"The volume node '{node.GetName()}' is not a 3D scalar image; select a single image.")
    geometry = Geometry.from_affine_ras(to_world(node) @ ijk_to_ras(node), array.shape[::-1])
    return Volume(array, geometry, unit=voxel_unit(node), name=node.GetName() or "")


def matrix_node(matrix_lps: np.ndarray, *, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLLinearTransformNode:
    """A linear transform node whose children are moved by `matrix_lps` (4x4, LPS mm, from a point to where it goes)."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    matrix = LPS_FROM_RAS @ np.asarray(matrix_lps, float) @ LPS_FROM_RAS
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The 4x4 matrix from voxel indices to the node's own RAS, mm."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def to_world(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The 4x4 matrix from a volume node's own RAS to where the scene shows it, by the transform it is under.

    Raises:
        InputError: the transform is a warp, or shears the volume.
    """
    import slicer

    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise InputError(f"The volume '{node.GetName()}' is under a warp; harden the transform on it first.")
    world = slicer.util.arrayFromTransformMatrix(transform, toWorld=True)
    axes = (world @ ijk_to_ras(node))[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise InputError(f"The transform of the volume '{node.GetName()}' shears it; resample the volume first.")
    return world


def world_of(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """4x4, LPS mm, of the linear transform above a node."""
    import slicer

    transform = node.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    return LPS_FROM_RAS @ slicer.util.arrayFromTransformMatrix(transform, toWorld=True) @ LPS_FROM_RAS


def voxel_unit(node: slicer.vtkMRMLVolumeNode) -> str:
    """The unit of a volume's voxels, empty where it has none."""
    entry = node.GetVoxelValueUnits()
    if entry is None or not entry.GetCodeValue():
        return ""
    return CBF_UNIT if entry.GetCodeValue() == CBF_UNITS.value else entry.GetCodeValue()
