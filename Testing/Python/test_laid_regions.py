"""What was drawn on the T1 is shown where a run measures it: outline, brush and figures agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from region_builders import add_drawn, box, rigid
from scene_builders import load_mrb, made_result

from ASLDenoiseLib.scene.choose import nodes_of, runs_in
from ASLDenoiseLib.scene.following import choose_followed, followed, reference_of, set_reference, to_series, to_t1_space
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.hierarchy import remove_run
from ASLDenoiseLib.scene.laid_regions import lay_on_run
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.region_nodes import user_segmentations
from ASLDenoiseLib.scene.segments import drawings_of
from ASLDenoiseLib.scene.store import save_mrb
from ASLDenoiseLib.scene.volumes import matrix_node, volume_to_node

AWAY = rigid(degrees=6.0, shift=(25.0, -8.0, 4.0))
FURTHER = rigid(degrees=9.0, shift=(-12.0, -4.0, 6.0))


@pytest.fixture
def scene() -> Iterator:
    with headless_scene() as scene:
        yield scene


def a_result(to_asl: np.ndarray = AWAY):
    return replace(made_result(), regions={}, drawings={}, t1_to_asl=to_asl)


@pytest.fixture
def drawn(scene):
    """A segmentation that was drawn on the user's T1 before a run; it, that T1, and what was drawn."""
    given = volume_to_node(a_result().t1, scene=scene, name="T1w")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    node.CreateDefaultDisplayNodes()
    set_reference(node, given)
    thin = box(a_result().t1.geometry, (12, 18, 17), (17, 23, 18))
    add_drawn(node, thin, "thin")
    return node, given, thin


def lies_at(node, affine: np.ndarray) -> None:
    np.testing.assert_allclose(drawings_of(node)["thin"].affine, affine, atol=1e-3)


def test_what_was_drawn_on_the_t1_lies_over_a_run_s_images_where_it_is_measured(drawn):
    node, given, thin = drawn
    nodes = present(a_result())
    np.testing.assert_allclose(to_series(node, nodes.t1), AWAY, atol=1e-6)  # not where it is shown
    assert lay_on_run(node, nodes.t1)
    lies_at(node, AWAY @ thin.affine)
    np.testing.assert_allclose(to_series(node, nodes.t1), np.eye(4), atol=1e-6)
    np.testing.assert_allclose(to_t1_space(node) @ AWAY, np.eye(4), atol=1e-6)
    assert reference_of(node) is nodes.t1  # what the Segment Editor takes intensities from
    assert followed(node, nodes.t1) == followed(node, given) == "t1"


def test_a_run_that_lays_the_t1_elsewhere_takes_it_along_and_moves_no_voxel(drawn, scene):
    node, _given, thin = drawn
    lay_on_run(node, present(a_result()).t1)
    again = present(a_result(FURTHER))
    lies_at(node, FURTHER @ thin.affine)
    assert node.GetParentTransformNode() is again.t1.GetParentTransformNode() and reference_of(node) is again.t1
    remove_run(scene, again.folder)
    assert node.GetParentTransformNode() is None
    lies_at(node, thin.affine)


def test_it_goes_from_run_to_run_and_back_to_its_t1_where_it_is_said_to_lie_on_the_series(drawn):
    node, given, thin = drawn
    first = present(a_result())
    other = present(replace(a_result(FURTHER), model={"name": "another"}))
    lay_on_run(node, first.t1)
    lay_on_run(node, other.t1)
    lies_at(node, FURTHER @ thin.affine)
    choose_followed(node, "asl")
    lay_on_run(node, other.t1)
    lies_at(node, thin.affine)
    assert reference_of(node) is given
    choose_followed(node, "")
    lay_on_run(node, first.t1)
    lies_at(node, AWAY @ thin.affine)


def test_what_the_user_has_put_under_a_transform_stays_there_and_is_told_of(drawn, scene):
    node, _given, thin = drawn
    own = matrix_node(rigid(degrees=2.0, shift=(1.0, 0, 0)), scene=scene, name="by hand")
    node.SetAndObserveTransformNodeID(own.GetID())
    nodes = present(a_result())
    assert not lay_on_run(node, nodes.t1) and node.GetParentTransformNode() is own
    lies_at(node, rigid(degrees=2.0, shift=(1.0, 0, 0)) @ thin.affine)


def test_what_is_drawn_over_a_run_s_images_is_left_where_it_is(scene):
    nodes = present(a_result())
    on_t1 = box(a_result().t1.geometry, (12, 18, 17), (17, 23, 18)).moved(AWAY)
    add_drawn(nodes.regions, on_t1, "thin")
    assert lay_on_run(nodes.regions, nodes.t1) and nodes.regions.GetParentTransformNode() is None
    lies_at(nodes.regions, on_t1.affine)


def test_a_saved_scene_shows_it_where_it_is_measured(drawn, scene, tmp_path):
    node, _given, thin = drawn
    lay_on_run(node, present(a_result()).t1)
    loaded = load_mrb(save_mrb(scene, tmp_path / "run.mrb"), tmp_path / "opened")
    try:
        (again,) = (each for each in user_segmentations(loaded) if each.GetName() == "mine")
        run = nodes_of(loaded, runs_in(loaded)[0])
        lies_at(again, AWAY @ thin.affine)
        np.testing.assert_allclose(to_series(again, run.t1), np.eye(4), atol=1e-6)
        assert lay_on_run(again, run.t1) and reference_of(again) is run.t1
    finally:
        close_scene(loaded)
