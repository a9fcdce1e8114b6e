"""Segments as the Segment Editor leaves them: shared layers, overlaps, surfaces, empty ones; and tissue from them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from region_builders import ASL_GRID, T1_GRID, add_drawn, add_labelled, box, rigid, turned

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.headless import headless_scene, module_logic
from ASLDenoiseLib.scene.segments import (
    drawing_of,
    drawing_stamp,
    drawings_of,
    regions_from_segmentation,
    segment_ids,
    tissue_from_segmentation,
)
from ASLDenoiseLib.scene.volumes import matrix_node, volume_to_node
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.regions import Drawing


@pytest.fixture
def scene() -> Iterator:
    with headless_scene() as scene:
        yield scene


@pytest.fixture
def t1(scene):
    return volume_to_node(Volume(np.ones(T1_GRID.shape), T1_GRID, name="T1"))


@pytest.fixture
def node(scene, t1):
    """An empty segmentation on the T1."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(t1)
    return node


def counted(node, scene, monkeypatch) -> list[int]:
    """Voxels of each segment, as Slicer's own function counts them on the grid it was drawn on."""
    import slicer

    logic = module_logic(scene, "Segmentations")
    modules = SimpleNamespace(segmentations=SimpleNamespace(logic=lambda: logic))
    monkeypatch.setattr(slicer, "modules", modules, raising=False)
    return [int(slicer.util.arrayFromSegmentBinaryLabelmap(node, segment).sum()) for segment in segment_ids(node)]


def shared_layer(node) -> None:
    labels = np.zeros(T1_GRID.shape)
    labels[60:75, 70:90, 50:60], labels[80:90, 70:90, 90:100] = 1, 2
    add_labelled(node, labels, T1_GRID, {1: "lesion", 2: "reference"})


def test_segments_that_share_a_layer_are_each_their_own(node, scene, monkeypatch):
    shared_layer(node)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    found = drawings_of(node)
    assert {name: int(each.inside.sum()) for name, each in found.items()} == {"lesion": 3000, "reference": 2000}
    assert [int(each.inside.sum()) for each in found.values()] == counted(node, scene, monkeypatch)
    placed = regions_from_segmentation(node, ASL_GRID)
    assert placed["lesion"].voxels * ASL_GRID.voxel_volume == pytest.approx(3000 * 1.2)
    assert placed["reference"].millilitres == pytest.approx(2.4)
    assert not set(placed["lesion"].index) & set(placed["reference"].index)


def test_segments_that_overlap_keep_all_their_voxels(node, scene, monkeypatch):
    add_drawn(node, box(T1_GRID, (50, 70, 60), (70, 90, 70)), "one")
    add_drawn(node, box(T1_GRID, (60, 80, 65), (80, 100, 75)), "other")
    assert node.GetSegmentation().GetNumberOfLayers() == 2
    assert [int(each.inside.sum()) for each in drawings_of(node).values()] == [4000, 4000]
    assert counted(node, scene, monkeypatch) == [4000, 4000]


def test_an_empty_segment_is_left_out_wherever_its_layer_lies(node):
    shared_layer(node)
    segment = node.GetSegmentation().AddEmptySegment("", "to be drawn")
    assert list(drawings_of(node)) == ["lesion", "reference"]
    assert not drawing_of(node, segment).inside.any()
    empty = node.GetScene().AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")
    assert drawings_of(empty) == {}


def ball(radius: float, middle: tuple[float, float, float]):
    import vtk

    source = vtk.vtkSphereSource()
    source.SetRadius(radius)
    source.SetCenter(*middle)
    source.SetThetaResolution(80)
    source.SetPhiResolution(80)
    source.Update()
    return source.GetOutput()


@pytest.mark.parametrize("radius", [2.0, 14.0])
def test_a_closed_surface_has_its_volume_where_it_lies(node, radius):
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.AddSegmentFromClosedSurfaceRepresentation(ball(radius, (10.0, -20.0, 5.0)), "ball", [1.0, 0.0, 0.0])
    node.SetAndObserveTransformNodeID(
        matrix_node(rigid(degrees=0, shift=(4, 0, 0)), scene=node.GetScene(), name="t").GetID()
    )
    drawing = drawings_of(node)["ball"]
    assert drawing.millilitres == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.03)
    middle = np.argwhere(drawing.inside).mean(axis=0)[::-1]
    np.testing.assert_allclose((drawing.affine @ [*middle, 1])[:3], (-10 + 4, 20, 5), atol=0.1)


def test_a_parent_transform_moves_a_segment_without_changing_its_voxels(node):
    shared_layer(node)
    before = drawings_of(node)["lesion"]
    stamp = drawing_stamp(node, segment_ids(node)[0])
    move = rigid(degrees=12.0, shift=(5.0, 6.0, -7.0))
    node.SetAndObserveTransformNodeID(matrix_node(move, scene=node.GetScene(), name="moved").GetID())
    after = drawings_of(node)["lesion"]
    np.testing.assert_allclose(after.affine, move @ before.affine, atol=1e-9)
    np.testing.assert_array_equal(after.inside, before.inside)
    assert drawing_stamp(node, segment_ids(node)[0]) != stamp


def test_a_drawn_stroke_changes_the_stamp_and_nothing_else_does(node):
    import slicer

    shared_layer(node)
    first = segment_ids(node)[0]
    stamp = drawing_stamp(node, first)
    assert drawing_stamp(node, first) == stamp
    image = node.GetBinaryLabelmapInternalRepresentation(first)
    from vtk.util.numpy_support import vtk_to_numpy

    vtk_to_numpy(image.GetPointData().GetScalars())[0] = 1
    image.Modified()
    assert drawing_stamp(node, first) != stamp
    assert slicer.vtkSegmentation.SourceRepresentationModified


def test_a_lesion_on_one_thin_slice_is_a_region(node):
    add_drawn(node, box(T1_GRID, (60, 80, 71), (70, 88, 72)), "thin")
    placed = regions_from_segmentation(node, ASL_GRID)["thin"]
    assert placed.millilitres == pytest.approx(80 * 1.2 / 1000) and placed.fraction.max() < 0.5
    assert placed.voxels == pytest.approx(80 * 1.2 / ASL_GRID.voxel_volume)


def test_a_segment_outside_the_images_and_two_of_one_name_are_refused(node):
    shared_layer(node)
    with pytest.raises(InputError, match="outside the ASL images"):
        regions_from_segmentation(node, Geometry((4, 4, 4), (2, 2, 2), (900.0, 0.0, 0.0)))
    node.GetSegmentation().GetNthSegment(1).SetName("lesion")
    with pytest.raises(InputError, match="named 'lesion'"):
        drawings_of(node)


def halves(shared: bool, node) -> tuple[np.ndarray, np.ndarray]:
    """A head of grey over white matter as segments GM and WM; their masks."""
    k, j, i = np.indices(T1_GRID.shape)
    radius = np.sqrt(((i - 75) / 55) ** 2 + ((j - 90) / 70) ** 2 + ((k - 75) / 50) ** 2)
    gm, wm = (radius < 1) & (radius >= 0.7), radius < 0.7
    if shared:
        add_labelled(node, gm + 2.0 * wm, T1_GRID, {1: "Grey Matter", 2: "wm"})
    else:
        for name, mask in (("Grey Matter", gm), ("wm", wm)):
            add_drawn(node, Drawing.cropped(mask, T1_GRID.affine_lps), name)
    return gm, wm


@pytest.mark.parametrize("shared", [True, False], ids=["one layer", "two layers"])
def test_tissue_from_segments_is_the_fraction_of_each_voxel_also_of_a_shared_layer(node, shared):
    from ASLDenoiseLib.spatial.resampling import average_onto

    gm, wm = halves(shared, node)
    grid = turned(ASL_GRID, 10.0, 5.0)
    tissue = tissue_from_segmentation(node, grid)
    for found, mask in ((tissue.gm, gm), (tissue.wm, wm)):
        expected = average_onto(Volume(mask, T1_GRID), grid, outside=0.0).array
        assert np.abs(found.array - expected).max() < 0.15 and np.abs(found.array - expected).mean() < 0.002
        assert found.array.sum() == pytest.approx(mask.sum() * 1.2 / grid.voxel_volume, rel=0.01)
    assert tissue.source == "segmentation 'drawn'"


def test_a_segmentation_without_white_matter_is_no_tissue(node):
    shared_layer(node)
    node.GetSegmentation().GetNthSegment(0).SetName("GM")
    with pytest.raises(InputError, match="no segments named GM and WM"):
        tissue_from_segmentation(node, ASL_GRID)


def by_segment_statistics(node, segment: str, volume) -> float:
    """The mean that Slicer's Segment Statistics gives (ScalarVolumeSegmentStatisticsPlugin), which has no wheel."""
    import slicer
    import vtk

    image, matrix = slicer.vtkOrientedImageData(), vtk.vtkMatrix4x4()
    image.SetExtent(volume.GetImageData().GetExtent())
    volume.GetIJKToRASMatrix(matrix)
    image.SetGeometryFromImageToWorldMatrix(matrix)
    way = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        node.GetParentTransformNode(), volume.GetParentTransformNode(), way
    )
    labelmap, there = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segment, labelmap)
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    assert resample(labelmap, image, there, False, False, way)
    stencil, statistics = vtk.vtkImageToImageStencil(), vtk.vtkImageAccumulate()
    stencil.SetInputData(there)
    stencil.ThresholdByUpper(1)
    stencil.Update()
    statistics.SetInputData(volume.GetImageData())
    statistics.SetStencilData(stencil.GetOutput())
    statistics.Update()
    return statistics.GetMean()[0]


def test_segment_statistics_agrees_where_a_region_is_of_whole_voxels_and_knows_the_unit(scene):
    from region_builders import perfusion

    from ASLDenoiseLib.measuring.regions import region_figures
    from ASLDenoiseLib.spatial.regions import place

    cbf = perfusion(turned(ASL_GRID, 11.0, -6.0))
    volume = volume_to_node(cbf, scene=scene, name="Raw CBF")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    drawn = box(cbf.geometry, (10, 12, 5), (18, 20, 8))
    segment = add_drawn(node, drawn, "region")
    assert volume.GetVoxelValueUnits().GetCodeMeaning() == "milliliter per 100 gram per minute"
    ours = region_figures(place(drawn, cbf.geometry), cbf.array).mean
    assert by_segment_statistics(node, segment, volume) == pytest.approx(ours, rel=1e-5)
