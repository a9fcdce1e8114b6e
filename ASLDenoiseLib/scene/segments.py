"""Masks <-> segments: tissue and ROIs of a result into a segmentation, and a user's segments onto a series' grid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..preparing.tissue import tissue_from_masks
from ..result import Result
from ..series import Geometry, Tissue, Volume
from ..spatial.resampling import with_spacing

if TYPE_CHECKING:
    import slicer

# A voxel is shown as a tissue where that tissue is at least half of it; readouts have thresholds of their own.
TISSUE_SHOWN_FROM = 0.5
_FINE = 1.2  # mm, about the grid that segments are averaged from into fractions of ASL voxels
_TISSUE_NAMES = {
    "GM": ("gm", "grey matter", "gray matter", "grey", "gray", "cortex"),
    "WM": ("wm", "white matter", "white"),
    "CSF": ("csf", "cerebrospinal fluid"),
}
_TISSUE_COLOURS = {"GM": (0.35, 0.75, 0.45), "WM": (0.95, 0.85, 0.55)}
_REGION_COLOURS = ((0.40, 0.65, 1.0), (1.0, 0.55, 0.75), (0.70, 0.50, 0.95), (0.30, 0.85, 0.85), (1.0, 0.70, 0.30))


def add_segmentation(
    result: Result, *, scene: slicer.vtkMRMLScene, name: str, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation with GM and WM (probability at least 0.5) and each region; empty ones are left out.

    It is hidden at first and shows outlines only, so that the CBF overlay is in sight.
    """
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    parts = [("GM", result.tissue.gm, _TISSUE_COLOURS["GM"]), ("WM", result.tissue.wm, _TISSUE_COLOURS["WM"])]
    for index, (region, mask) in enumerate(result.regions.items()):
        parts.append((region, mask, _REGION_COLOURS[index % len(_REGION_COLOURS)]))
    for label, volume, colour in parts:
        mask = np.nan_to_num(volume.array) >= TISSUE_SHOWN_FROM
        if mask.any():
            node.AddSegmentFromBinaryLabelmapRepresentation(_oriented(mask, volume.geometry), label, list(colour))
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility3D(False)
    display.SetVisibility(False)
    return node


def regions_from_segmentation(node: slicer.vtkMRMLSegmentationNode, geometry: Geometry) -> dict[str, Volume]:
    """Each segment by its name as a mask (0/1) on `geometry`, nearest neighbour, parent transform applied.

    Raises:
        InputError: there is no segment, two have one name, or a segment lies outside the grid.
    """
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    segmentation = node.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        raise InputError(f"The segmentation '{node.GetName()}' has no segments; draw one or leave it out.")
    reference = _oriented(np.zeros(geometry.shape, dtype=np.uint8), geometry)
    regions: dict[str, Volume] = {}
    for index in range(segmentation.GetNumberOfSegments()):
        label = segmentation.GetNthSegment(index).GetName()
        if label in regions:
            raise InputError(f"Two segments of '{node.GetName()}' are named '{label}'; rename one.")
        own, mapped = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
        slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentBinaryLabelmapRepresentation(
            node, segmentation.GetNthSegmentID(index), own
        )
        slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(own, reference, mapped)
        mask = vtk_to_numpy(mapped.GetPointData().GetScalars()).reshape(geometry.shape) > 0
        if not mask.any():
            raise InputError(f"The segment '{label}' lies outside the ASL images; move it or leave it out.")
        regions[label] = Volume(mask, geometry, name=label)
    return regions


def tissue_from_segmentation(node: slicer.vtkMRMLSegmentationNode, geometry: Geometry) -> Tissue:
    """Fractions of grey and white matter (and CSF) in each voxel of `geometry`, from segments of those names.

    Segments are drawn on a grid of about 1.2 mm and averaged, so that an ASL voxel which a segment half fills is half
    of it. Names are read without regard to case: GM, grey or gray matter; WM, white matter; CSF.

    Raises:
        InputError: there is no segment for grey or for white matter, or what `regions_from_segmentation` refuses.
    """
    fine = with_spacing(geometry, tuple(min(s, s / round(s / _FINE)) if s > _FINE else s for s in geometry.spacing))
    masks = {name.strip().lower(): mask for name, mask in regions_from_segmentation(node, fine).items()}
    found = {
        tissue: next((masks[name] for name in names if name in masks), None) for tissue, names in _TISSUE_NAMES.items()
    }
    if found["GM"] is None or found["WM"] is None:
        names = ", ".join(masks)
        raise InputError(f"'{node.GetName()}' has no segments named GM and WM (it has {names}); rename or draw them.")
    tissue = tissue_from_masks(found["GM"], found["WM"], geometry, csf=found["CSF"])
    return replace(tissue, source=f"segmentation '{node.GetName()}'")


def _oriented(mask: np.ndarray, geometry: Geometry) -> slicer.vtkOrientedImageData:
    import slicer
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*geometry.size)
    scalars = numpy_to_vtk(mask.astype(np.uint8).ravel(), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    scalars.SetName("labels")
    image.GetPointData().SetScalars(scalars)
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(geometry.affine_ras))
    return image
