"""A series, its M0 and its T1 lie where the scene shows them: transforms over their nodes are honoured or refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import made_result, made_series

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.series import series_from_sequence, series_to_nodes
from ASLDenoiseLib.scene.volumes import matrix_node, volume_from_node, volume_to_node

TURN = np.array([[0.0, -1.0, 0.0, 12.0], [1.0, 0.0, 0.0, -7.0], [0.0, 0.0, 1.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def under(node, scene, matrix=TURN):
    """Put a node under a transform, LPS."""
    transform = matrix_node(matrix, scene=scene, name="by hand")
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def multivolume(scene, series):
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "multi")
    first = volume_to_node(series.volume(0), scene=scene)
    ijk = slicer.vtkMatrix4x4() if hasattr(slicer, "vtkMatrix4x4") else __import__("vtk").vtkMatrix4x4()
    first.GetIJKToRASMatrix(ijk)
    node.SetIJKToRASMatrix(ijk)
    slicer.util.updateVolumeFromArray(node, np.moveaxis(series.array, 0, -1))
    return node


def test_a_series_whose_shown_volume_is_under_a_transform_lies_where_it_is_shown(scene):
    series = made_series()
    nodes = series_to_nodes(series, scene=scene)
    under(nodes.proxy, scene)
    for node in (nodes.sequence, nodes.browser, nodes.proxy):
        read = series_from_sequence(node)
        np.testing.assert_allclose(read.geometry.affine_lps, TURN @ series.geometry.affine_lps, atol=1e-4)
        np.testing.assert_array_equal(read.array, series.array)
        # the M0 that came with it goes with it
        assert read.m0.geometry.matches(read.geometry)
    assert nodes.proxy.GetParentTransformNode() is not None
    np.testing.assert_allclose(
        volume_from_node(nodes.sequence.GetNthDataNode(0)).geometry.affine_lps, series.geometry.affine_lps, atol=1e-5
    )


def test_a_multivolume_under_a_transform_lies_where_it_is_shown(scene):
    series = made_series()
    node = multivolume(scene, series)
    before = series_from_sequence(node).geometry.affine_lps
    under(node, scene)
    np.testing.assert_allclose(series_from_sequence(node).geometry.affine_lps, TURN @ before, atol=1e-4)


def test_an_m0_under_the_same_transform_is_not_moved_twice(scene):
    nodes = series_to_nodes(made_series(), scene=scene)
    transform = under(nodes.proxy, scene)
    nodes.m0.SetAndObserveTransformNodeID(transform.GetID())
    read = series_from_sequence(nodes.sequence)
    assert read.m0.geometry.matches(read.geometry)


@pytest.mark.parametrize("which", ["proxy", "m0"])
def test_a_warp_over_the_series_or_its_m0_is_refused_in_one_sentence(scene, which):
    nodes = series_to_nodes(made_series(), scene=scene)
    warp = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    _bend(warp)
    getattr(nodes, which).SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(InputError, match=r"is under a warp; harden") as raised:
        series_from_sequence(nodes.sequence)
    assert str(raised.value).count(".") == 1


def test_two_places_of_one_series_are_refused(scene):
    nodes = series_to_nodes(made_series(), scene=scene)
    under(nodes.proxy, scene)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "second")
    browser.SetAndObserveMasterSequenceNodeID(nodes.sequence.GetID())
    other = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "second")
    other.Copy(nodes.proxy)
    browser.AddProxyNode(other, nodes.sequence, False)
    under(other, scene, np.diag([1.0, 1.0, 1.0, 1.0]) + np.array([[0, 0, 0, 5.0]] + [[0.0] * 4] * 3))
    with pytest.raises(InputError, match="under different transforms"):
        series_from_sequence(nodes.sequence)


def test_a_result_of_a_moved_series_shows_its_m0_where_the_maps_are(scene):
    nodes = series_to_nodes(made_series(), scene=scene)
    under(nodes.proxy, scene)
    series = series_from_sequence(nodes.sequence)
    result = made_result(series.geometry)
    shown = present(result, scene=scene, source=nodes.sequence)
    assert volume_from_node(shown.m0).geometry.matches(shown.result.series.geometry)
    assert nodes.m0.GetParentTransformNode() is None  # the user's own stays where it was


def _bend(node) -> None:
    import vtk

    warp = vtk.vtkThinPlateSplineTransform()
    points, moved = vtk.vtkPoints(), vtk.vtkPoints()
    for place in ((0, 0, 0), (50, 0, 0), (0, 50, 0), (0, 0, 50), (30, 30, 30)):
        points.InsertNextPoint(*place)
        moved.InsertNextPoint(place[0] + 5 * (place[0] == 30), *place[1:])
    warp.SetSourceLandmarks(points)
    warp.SetTargetLandmarks(moved)
    warp.SetBasisToR()
    node.SetAndObserveTransformToParent(warp)
