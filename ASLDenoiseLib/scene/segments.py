"""A user's segments as drawings in the patient's space, each its own: also of a labelmap that several share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..preparing.tissue import tissue_from_masks
from ..series import LPS_FROM_RAS, Geometry, Tissue, Volume
from ..spatial.regions import Drawing, PlacedRegion, place, regions_on
from .volumes import world_of

if TYPE_CHECKING:
    import slicer

_LABELMAP, _SURFACE = "Binary labelmap", "Closed surface"
_SURFACE_STEP = 0.5  # mm, between the voxels that a surface is cut into; finer for a small one, coarser for a large
_ACROSS = 40  # voxels across a small surface
_SURFACE_VOXELS = 4e6  # at most
_TISSUE_NAMES = {
    "GM": ("gm", "grey matter", "gray matter", "grey", "gray", "cortex"),
    "WM": ("wm", "white matter", "white"),
    "CSF": ("csf", "cerebrospinal fluid"),
}


def segment_ids(node: slicer.vtkMRMLSegmentationNode) -> tuple[str, ...]:
    """The segments of a segmentation, in its order."""
    segmentation = node.GetSegmentation()
    return tuple(segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments()))


def segment_name(node: slicer.vtkMRMLSegmentationNode, segment: str) -> str:
    """A segment's name."""
    return node.GetSegmentation().GetSegment(segment).GetName() or segment


def drawing_of(node: slicer.vtkMRMLSegmentationNode, segment: str) -> Drawing:
    """One segment, LPS mm, where the scene shows it: the segmentation's parent transform is applied.

    Of a labelmap that segments share, the voxels that carry its own value; a surface is cut into voxels, 0.5 mm or
    finer.
    """
    segmentation = node.GetSegmentation()
    if segmentation.GetSourceRepresentationName() == _SURFACE:
        return _of_surface(node, segment)
    image = node.GetBinaryLabelmapInternalRepresentation(segment)
    transform = node.GetParentTransformNode()
    linear = transform is None or transform.IsTransformToWorldLinear()
    if image is None or not linear:
        return _converted(node, segment)
    value = segmentation.GetSegment(segment).GetLabelValue()
    return _of_image(image, lambda array: array == value, world_of(node))


def drawing_stamp(node: slicer.vtkMRMLSegmentationNode, segment: str) -> tuple[object, ...]:
    """What changes when a segment's voxels or place do, so that it need not be read again before."""
    segmentation = node.GetSegmentation()
    own = segmentation.GetSegment(segment)
    source = own.GetRepresentation(segmentation.GetSourceRepresentationName())
    transform = node.GetParentTransformNode()
    moved = () if transform is None else (transform.GetID(), transform.GetTransformToWorldMTime())
    return (own.GetLabelValue(), None if source is None else (source.GetMTime(), source.GetAddressAsString("")), *moved)


def drawings_of(node: slicer.vtkMRMLSegmentationNode) -> dict[str, Drawing]:
    """Each segment by its name; those in which nothing is drawn yet are left out.

    Raises:
        InputError: two segments have one name.
    """
    found: dict[str, Drawing] = {}
    for segment in segment_ids(node):
        name = segment_name(node, segment)
        if name in found:
            raise InputError(f"Two segments of '{node.GetName()}' are named '{name}'; rename one.")
        drawing = drawing_of(node, segment)
        if drawing.inside.any():
            found[name] = drawing
    return found


def regions_from_segmentation(node: slicer.vtkMRMLSegmentationNode, geometry: Geometry) -> dict[str, PlacedRegion]:
    """Each segment by its name, as fractions of the voxels of `geometry`; empty ones are left out.

    Raises:
        InputError: two segments have one name, or one lies outside the grid.
    """
    return regions_on(geometry, drawings_of(node))


def mask_of(drawing: Drawing) -> Volume:
    """A drawing as a 0/1 image on its own grid, as a request takes it."""
    geometry = Geometry.from_affine_ras(LPS_FROM_RAS @ drawing.affine, drawing.inside.shape[::-1])
    return Volume(drawing.inside, geometry)


def tissue_from_segmentation(
    node: slicer.vtkMRMLSegmentationNode, geometry: Geometry, *, transform: np.ndarray | None = None
) -> Tissue:
    """Fractions of grey and white matter (and CSF) in each voxel of `geometry`, from segments of those names.

    Names are read without regard to case: GM, grey or gray matter; WM, white matter; CSF.

    Args:
        node: the segmentation.
        geometry: the grid.
        transform: 4x4, LPS mm, from where the scene shows the segments to the space of the grid.

    Raises:
        InputError: there is no segment for grey or for white matter, or two segments have one name.
    """
    drawings = {name.strip().lower(): drawing for name, drawing in drawings_of(node).items()}
    found = {
        tissue: next((drawings[name] for name in names if name in drawings), None)
        for tissue, names in _TISSUE_NAMES.items()
    }
    if found["GM"] is None or found["WM"] is None:
        names = ", ".join(drawings) or "none with anything drawn"
        raise InputError(f"'{node.GetName()}' has no segments named GM and WM (it has {names}); rename or draw them.")
    gm, wm, csf = (
        None if drawing is None else place(drawing, geometry, transform=transform).fractions
        for drawing in (found["GM"], found["WM"], found["CSF"])
    )
    tissue = tissue_from_masks(gm, wm, geometry, csf=csf)
    return replace(tissue, source=f"segmentation '{node.GetName()}'")


def oriented_image(drawing: Drawing) -> slicer.vtkOrientedImageData:
    """A drawing as MRML holds a segment's labelmap."""
    return labelled_image(drawing.inside.astype(np.uint8), drawing.affine)


def labelled_image(labels: np.ndarray, affine: np.ndarray) -> slicer.vtkOrientedImageData:
    """Whole numbers (K, J, I) as MRML holds a labelmap; `affine` is 4x4, from (i, j, k, 1) to LPS mm."""
    import slicer
    from vtk.util.numpy_support import numpy_to_vtk

    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*labels.shape[::-1])
    scalars = numpy_to_vtk(labels.ravel(), deep=True)
    scalars.SetName("labels")
    image.GetPointData().SetScalars(scalars)
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(LPS_FROM_RAS @ affine))
    return image


def _of_image(image: slicer.vtkOrientedImageData, inside: object, to_world: np.ndarray | None = None) -> Drawing:
    """The voxels of an oriented image that `inside` says are, moved by `to_world` (4x4, LPS mm)."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    extent, scalars = image.GetExtent(), image.GetPointData().GetScalars()
    shape = tuple(max(extent[2 * axis + 1] - extent[2 * axis] + 1, 0) for axis in (2, 1, 0))
    if scalars is None or 0 in shape:
        return Drawing(np.zeros((0, 0, 0), bool), np.eye(4))
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    affine[:3, 3] = (affine @ [extent[0], extent[2], extent[4], 1.0])[:3]
    placed = LPS_FROM_RAS @ affine if to_world is None else to_world @ LPS_FROM_RAS @ affine
    return Drawing.cropped(inside(vtk_to_numpy(scalars).reshape(shape)), placed)


def _converted(node: slicer.vtkMRMLSegmentationNode, segment: str) -> Drawing:
    """A segment of another kind, or under a warp, as Slicer converts it."""
    import slicer

    image, logic = slicer.vtkOrientedImageData(), slicer.vtkSlicerSegmentationsModuleLogic
    own = node.GetBinaryLabelmapInternalRepresentation(segment)
    if own is None:
        logic.GetSegmentBinaryLabelmapRepresentation(node, segment, image)
        return _of_image(image, lambda array: array > 0)
    node.GetBinaryLabelmapRepresentation(segment, image)
    logic.ApplyParentTransformToOrientedImageData(node, image)
    return _of_image(image, lambda array: array > 0)


def _of_surface(node: slicer.vtkMRMLSegmentationNode, segment: str) -> Drawing:
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    surface = vtk.vtkPolyData()
    slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentClosedSurfaceRepresentation(node, segment, surface)
    if surface.GetNumberOfPoints() == 0:
        return Drawing(np.zeros((0, 0, 0), bool), np.eye(4))
    bounds = np.reshape(surface.GetBounds(), (3, 2))
    extent = np.maximum(bounds[:, 1] - bounds[:, 0], 1e-3)
    step = max(min(_SURFACE_STEP, float(extent.min()) / _ACROSS), float((np.prod(extent) / _SURFACE_VOXELS) ** (1 / 3)))
    size = np.ceil(extent / step).astype(int) + 2
    origin = bounds.mean(axis=1) - (size - 1) * step / 2
    stencil, image = vtk.vtkPolyDataToImageStencil(), vtk.vtkImageStencilToImage()
    stencil.SetInputData(surface)
    stencil.SetOutputOrigin(*origin)
    stencil.SetOutputSpacing(step, step, step)
    stencil.SetOutputWholeExtent(0, int(size[0]) - 1, 0, int(size[1]) - 1, 0, int(size[2]) - 1)
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    inside = vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(size[::-1]) > 0
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = origin
    return Drawing.cropped(inside, LPS_FROM_RAS @ affine)
