"""What shows whether a T1 lies on a series: outline, checkerboard, and layers that come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import made_result

from ASLDenoiseLib.preparing.series_fit import SeriesFit
from ASLDenoiseLib.scene.choose import nodes_of, runs_in
from ASLDenoiseLib.scene.display import legends_of
from ASLDenoiseLib.scene.fit_nodes import add_checkerboard, nodes_of_check, nodes_of_run, remove_check
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.layers import layers_of, put_back, show_alone, show_half
from ASLDenoiseLib.scene.legends import only_legends_of
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.readouts import fit_in
from ASLDenoiseLib.scene.sampling import sampled, with_spacing_of
from ASLDenoiseLib.scene.volumes import volume_from_node, volume_to_node
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.resampling import resample

FIT = SeriesFit(0.84, 9.5, 210)


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def fitted_result():
    result = made_result()
    return replace(result, fit=FIT, brain=result.tissue.brain)


def ras_bounds(model) -> np.ndarray:
    bounds = [0.0] * 6
    model.GetRASBounds(bounds)
    return np.reshape(bounds, (3, 2))


def brain_bounds(brain: Volume) -> np.ndarray:
    """RAS mm of the outermost edges of the voxels of a mask."""
    where = np.argwhere(brain.array > 0.5)[:, ::-1].astype(float)
    places = np.c_[where, np.ones(len(where))] @ brain.geometry.affine_ras.T
    return np.stack([places[:, :3].min(axis=0), places[:, :3].max(axis=0)], axis=1)


def test_a_run_brings_the_outline_of_the_series_own_brain_and_its_verdict_into_the_scene(scene):
    result = fitted_result()
    shown = present(result, scene=scene)
    run = nodes_of(scene, runs_in(scene)[0])
    nodes = nodes_of_run(run.folder, run.t1, run.m0)
    voxel = max(result.brain.geometry.spacing)
    assert np.abs(ras_bounds(nodes.outline) - brain_bounds(result.brain)).max() <= voxel
    display = nodes.outline.GetDisplayNode()
    assert display.GetVisibility2D() and not display.GetVisibility() and not display.GetVisibility3D()
    assert fit_in(shown.readouts) == FIT
    assert nodes.t1 is shown.t1 and nodes.added == ()
    assert run.segmentation is shown.segmentation


def test_a_run_without_a_t1_has_nothing_to_compare(scene):
    result = replace(made_result(), t1=None)
    shown = present(result, scene=scene)
    assert nodes_of_run(shown.folder, shown.t1, shown.m0) is None and fit_in(shown.readouts) is None


def test_a_check_lays_the_series_on_the_t1_which_stays_where_it_is(scene):
    result = fitted_result()
    t1 = volume_to_node(result.t1, scene=scene)
    nodes = nodes_of_check(t1, result.series.m0, result.brain, result.t1_to_asl)
    assert t1.GetParentTransformNode() is None
    back = np.linalg.inv(result.t1_to_asl)
    there = volume_from_node(nodes.reference).geometry
    np.testing.assert_allclose(there.affine_lps, back @ result.series.m0.geometry.affine_lps, atol=1e-4)
    assert all(node.GetHideFromEditors() and not node.GetSaveWithScene() for node in nodes.added)
    again = nodes_of_check(t1, result.series.m0, result.brain, np.eye(4))
    assert nodes.reference.GetScene() is None and again.there
    before = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    remove_check(scene)
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == before - 1 and t1.GetScene() is scene


def test_the_checkerboard_shows_each_image_in_its_own_fields(scene):
    grid = Geometry((40, 40, 20), (3.0, 3.0, 5.0), (-60.0, -60.0, -50.0))
    one, other = (Volume(np.full(grid.shape, value), grid) for value in (100.0, 3.0))
    half = other.array.copy()
    half[:, :, :20] = 1.5
    t1, reference = volume_to_node(other.with_array(half), scene=scene), volume_to_node(one, scene=scene)
    nodes = nodes_of_run(0, t1, reference)
    board = volume_from_node(add_checkerboard(nodes))
    values = np.unique(np.round(board.array, 2))
    assert {0.5, 1.0} <= set(values.tolist())
    assert max(board.geometry.spacing) <= 3.0
    share = float(np.mean(np.isclose(board.array[:, :, : board.array.shape[2] // 2], 0.5, atol=0.02)))
    assert 0.4 < share < 0.6  # half of the fields are the T1's


def test_sampling_with_numpy_is_that_of_the_library():
    rng = np.random.default_rng(0)
    turn = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])
    volume = Volume(rng.normal(size=(9, 10, 11)), Geometry((11, 10, 9), (2.0, 2.5, 3.0), (-11.0, 7.0, 3.0)))
    onto = Geometry((8, 7, 6), (2.1, 1.9, 2.7), (-6.0, 9.0, 6.0), tuple(turn.ravel()))
    ours, theirs = sampled(volume, onto), resample(volume, onto).array
    inside = np.isfinite(theirs)
    assert inside.sum() > 100
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-4)
    finer = with_spacing_of(Geometry((4, 4, 3), (4.0, 4.0, 6.0)), 2.0)
    assert finer.size == (8, 8, 9) and finer.spacing == (2.0, 2.0, 2.0) and finer.origin == (-1.0, -1.0, -2.0)


def test_no_legend_of_a_map_stays_while_an_image_is_shown_alone_and_it_comes_back_with_the_layers(scene):
    """Flicker and checkerboard of the T1 stood under the colours of a map that no view showed."""
    nodes = present(fitted_result(), scene=scene)
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    (shown,) = legends_of(nodes.maps["desc-denoised_cbf"])
    only_legends_of(scene, [nodes.maps["desc-denoised_cbf"]])
    composite.SetForegroundVolumeID(nodes.maps["desc-denoised_cbf"].GetID())
    kept, others = layers_of(scene), [n for n in nodes.maps.values() if shown not in legends_of(n)]
    show_alone(nodes.t1)
    assert not shown.GetVisibility()
    show_half(nodes.t1, nodes.t1)
    assert not shown.GetVisibility()
    put_back(scene, kept)
    assert shown.GetVisibility() and not any(legend.GetVisibility() for n in others for legend in legends_of(n))


def test_layers_that_were_put_aside_come_back_without_what_is_gone(scene):
    first, second = (
        volume_to_node(Volume(np.ones((3, 3, 3)), Geometry((3, 3, 3), (1.0,) * 3)), scene=scene) for _ in range(2)
    )
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetBackgroundVolumeID(first.GetID())
    composite.SetForegroundVolumeID(second.GetID())
    composite.SetForegroundOpacity(0.4)
    kept = layers_of(scene)
    show_alone(second)
    assert composite.GetBackgroundVolumeID() == second.GetID() and composite.GetForegroundVolumeID() is None
    put_back(scene, kept)
    assert composite.GetBackgroundVolumeID() == first.GetID()
    assert composite.GetForegroundVolumeID() == second.GetID() and composite.GetForegroundOpacity() == 0.4
    scene.RemoveNode(second)
    put_back(scene, kept)
    assert composite.GetForegroundVolumeID() is None
