"""The segmentations round a run: whose they are, which image they follow, and what the next run leaves of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from region_builders import add_drawn, add_labelled, box, rigid
from scene_builders import load_mrb, made_result

from ASLDenoiseLib.scene.following import choose_followed, followed, set_reference, to_series, to_t1_space
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.region_nodes import PART_ATTRIBUTE, user_segmentations
from ASLDenoiseLib.scene.segments import drawings_of, segment_ids, segment_name
from ASLDenoiseLib.scene.store import save_mrb
from ASLDenoiseLib.scene.volumes import matrix_node, volume_to_node
from ASLDenoiseLib.spatial.regions import Drawing, drawings_of_labels


@pytest.fixture
def scene() -> Iterator:
    with headless_scene() as scene:
        yield scene


def names(node) -> list[str]:
    return [segment_name(node, segment) for segment in segment_ids(node)]


def without_regions():
    return replace(made_result(), regions={}, drawings={})


def segmentations(scene) -> list:
    import slicer

    return list(slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene))


def test_tissue_is_in_a_node_of_its_own_that_no_selector_offers(scene):
    nodes = present(made_result())
    assert names(nodes.segmentation) == ["GM", "WM"] and nodes.segmentation.GetHideFromEditors()
    assert names(nodes.regions) == ["thalamus"] and not nodes.regions.GetHideFromEditors()


def test_the_segment_editor_s_first_choice_is_the_user_s_segmentation_not_the_tissue(scene):
    """`SegmentEditor.enter` takes the first segmentation of the scene, whatever it is."""
    for _ in range(3):
        nodes = present(without_regions())
        assert scene.GetFirstNode(None, "vtkMRMLSegmentationNode") is nodes.regions
    assert nodes.regions.GetName() == "sub-77 regions" and names(nodes.regions) == []


def test_what_is_drawn_in_the_runs_regions_survives_the_next_runs(scene):
    nodes = present(without_regions())
    drawn = box(nodes.result.t1.geometry, (10, 12, 8), (16, 20, 11)).moved(nodes.result.t1_to_asl)
    add_drawn(nodes.regions, drawn, "lesion")
    for _ in range(3):
        again = present(without_regions())
        assert again.regions is nodes.regions and names(again.regions) == ["lesion"]
        assert len(segmentations(scene)) == 2
    np.testing.assert_array_equal(drawings_of(again.regions)["lesion"].inside, drawn.inside)


def test_what_was_drawn_among_the_tissue_is_taken_up_as_a_region(scene):
    nodes = present(without_regions())
    labels = np.zeros(nodes.result.series.geometry.shape)
    labels[3:5, 4:8, 4:8] = 1
    add_labelled(nodes.segmentation, labels, nodes.result.series.geometry, {1: "penumbra"})
    again = present(without_regions())
    assert names(again.regions) == ["penumbra"] and names(again.segmentation) == ["GM", "WM"]
    assert drawings_of(again.regions)["penumbra"].inside.sum() == 32


def test_a_user_s_own_segmentation_is_enough_and_is_never_touched(scene):
    own = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    add_drawn(own, made_result().drawings["thalamus"], "thalamus")
    nodes = present(made_result())
    assert nodes.regions is None and names(own) == ["thalamus"]
    assert user_segmentations(scene) == [own]


def test_regions_of_a_run_that_the_scene_does_not_hold_are_drawn_once(scene):
    first = present(made_result())
    second = present(made_result())
    assert second.regions is first.regions and names(second.regions) == ["thalamus"]


def test_regions_of_an_atlas_are_the_run_s_own(scene):
    nodes = present(replace(made_result(), atlas={"thalamus": "nuclei"}))
    assert names(nodes.atlas) == ["thalamus"] and nodes.atlas.GetHideFromEditors() and names(nodes.regions) == []


def drawn_on(scene, volume):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    set_reference(node, volume)
    return node


def test_a_region_follows_the_image_it_was_drawn_on(scene):
    nodes = present(without_regions())
    given = volume_to_node(nodes.result.t1, scene=scene, name="T1w")
    other = volume_to_node(nodes.result.t1, scene=scene, name="FLAIR, resampled to the T1")
    raw = nodes.maps["desc-mean_cbf"]
    assert followed(drawn_on(scene, given), given) == "t1"
    assert followed(drawn_on(scene, other), given) == "t1"  # its grid is the T1's
    assert followed(drawn_on(scene, nodes.t1), given) == "t1"
    assert followed(drawn_on(scene, raw), given) == "asl"
    assert followed(scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "blank"), given) == "asl"
    chosen = drawn_on(scene, raw)
    choose_followed(chosen, "t1")
    assert followed(chosen, given) == "t1"
    choose_followed(chosen, "")
    assert followed(chosen, given) == "asl"


def test_a_grid_read_from_a_file_is_recognised_as_the_t1_s(scene):
    given = volume_to_node(made_result().t1, scene=scene, name="T1w")
    node = drawn_on(scene, given)
    node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
    assert followed(node, given) == "t1"


def test_what_was_drawn_on_the_t1_goes_to_the_series_with_it(scene):
    nodes = present(without_regions())
    to_asl = nodes.result.t1_to_asl
    given = volume_to_node(nodes.result.t1, scene=scene, name="T1w")
    np.testing.assert_allclose(to_series(drawn_on(scene, given), nodes.t1), to_asl, atol=1e-9)
    shown = drawn_on(scene, nodes.t1)  # over the maps, where the T1 lies on the series already
    np.testing.assert_allclose(to_series(shown, nodes.t1), np.eye(4), atol=1e-9)
    np.testing.assert_allclose(to_t1_space(shown), np.linalg.inv(to_asl), atol=1e-9)
    np.testing.assert_allclose(to_series(drawn_on(scene, nodes.maps["desc-mean_cbf"]), nodes.t1), np.eye(4), atol=0)


def test_a_region_on_the_run_s_t1_moves_with_it_when_the_next_run_lays_it_elsewhere(scene):
    first = present(without_regions())
    node = first.regions
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is first.t1
    on_t1 = box(first.result.t1.geometry, (10, 12, 8), (16, 20, 11))
    add_drawn(node, on_t1.moved(first.result.t1_to_asl), "lesion")
    elsewhere = rigid(degrees=9.0, shift=(25.0, -4.0, 6.0))
    second = present(replace(without_regions(), t1_to_asl=elsewhere))
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is second.t1
    found = drawings_of(node)["lesion"]
    np.testing.assert_allclose(found.affine, elsewhere @ on_t1.affine, atol=1e-3)
    np.testing.assert_array_equal(found.inside, on_t1.inside)
    on_map = drawn_on(scene, second.maps["desc-mean_cbf"])
    add_drawn(on_map, on_t1, "there")
    third = present(replace(without_regions(), t1_to_asl=np.eye(4)))
    np.testing.assert_allclose(drawings_of(on_map)["there"].affine, on_t1.affine, atol=1e-6)
    assert followed(on_map, third.t1) == "asl"


def test_a_segmentation_under_a_transform_of_its_own_moves_as_far(scene):
    first = present(without_regions())
    on_t1 = box(first.result.t1.geometry, (10, 12, 8), (16, 20, 11)).moved(first.result.t1_to_asl)
    own = rigid(degrees=-20.0, shift=(3.0, 2.0, 1.0))
    add_drawn(first.regions, on_t1.moved(np.linalg.inv(own)), "lesion")
    first.regions.SetAndObserveTransformNodeID(matrix_node(own, scene=scene, name="mine").GetID())
    elsewhere = rigid(degrees=9.0, shift=(25.0, -4.0, 6.0))
    present(replace(without_regions(), t1_to_asl=elsewhere))
    moved = elsewhere @ np.linalg.inv(first.result.t1_to_asl) @ on_t1.affine
    np.testing.assert_allclose(drawings_of(first.regions)["lesion"].affine, moved, atol=1e-3)


def test_a_saved_scene_keeps_whose_segments_are_whose(scene, tmp_path):
    nodes = present(without_regions())
    add_drawn(nodes.regions, made_result().drawings["thalamus"], "lesion")
    loaded = load_mrb(save_mrb(scene, tmp_path / "run.mrb"), tmp_path / "opened")
    try:
        (kept,) = user_segmentations(loaded)
        again = present(without_regions(), scene=loaded)
        assert again.regions is kept and names(kept) == ["lesion"]
        assert names(again.segmentation) == ["GM", "WM"] and again.segmentation.GetHideFromEditors()
    finally:
        close_scene(loaded)


def test_what_was_drawn_on_a_map_of_the_t1_s_voxels_follows_the_t1_and_is_moved_once(scene):
    """A super-resolved map lies on the T1's grid, under the transform that lays it on the series."""
    made, elsewhere = without_regions(), rigid(degrees=9.0, shift=(25.0, -4.0, 6.0))
    key = "desc-superres_cbf"
    fine = made.t1.with_array(made.t1.array, unit="ml/100g/min")
    made = replace(made, maps={**made.maps, key: fine}, in_t1_space=frozenset({key}))
    first = present(made)
    node, on_t1 = drawn_on(scene, first.maps[key]), box(made.t1.geometry, (10, 12, 8), (16, 20, 11))
    add_drawn(node, on_t1.moved(made.t1_to_asl), "lesion")
    assert followed(node, first.t1) == "t1"
    np.testing.assert_allclose(to_series(node, first.t1), np.eye(4), atol=1e-9)
    present(replace(made, t1_to_asl=elsewhere))
    np.testing.assert_allclose(drawings_of(node)["lesion"].affine, elsewhere @ on_t1.affine, atol=1e-3)


def test_a_grid_that_refers_to_no_image_any_more_is_known_by_where_the_run_shows_its_t1(scene):
    nodes = present(without_regions())
    node = drawn_on(scene, nodes.t1)
    node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
    assert followed(node, nodes.t1) == "t1"
    np.testing.assert_allclose(to_series(node, nodes.t1), np.eye(4), atol=1e-9)


def test_what_was_drawn_on_a_map_stays_there_when_it_is_told_to_follow_the_t1_and_moves_with_it_later(scene):
    first = present(without_regions())
    node, drawn = drawn_on(scene, first.maps["desc-mean_cbf"]), made_result().drawings["thalamus"]
    add_drawn(node, drawn, "lesion")
    choose_followed(node, "t1")
    np.testing.assert_allclose(to_series(node, first.t1), np.eye(4), atol=1e-9)
    elsewhere = rigid(degrees=9.0, shift=(25.0, -4.0, 6.0))
    present(replace(without_regions(), t1_to_asl=elsewhere))
    moved = elsewhere @ np.linalg.inv(first.result.t1_to_asl) @ drawn.affine
    np.testing.assert_allclose(drawings_of(node)["lesion"].affine, moved, atol=1e-3)


def parts(result, count: int = 120) -> dict[str, Drawing]:
    """A label image of many small parts on the T1 of a result, moved with it, by their names."""
    numbers = np.zeros(result.t1.geometry.shape, np.int32)
    places = np.arange(numbers.size) % (count + 1)
    numbers.ravel()[:] = np.where(np.arange(numbers.size) < numbers.size // 2, places, 0)
    drawings = drawings_of_labels(result.t1.with_array(numbers.astype(np.float32)))
    return {name: drawing.moved(result.t1_to_asl) for name, drawing in drawings.items()}


def test_the_regions_of_an_atlas_share_one_labelmap_and_are_the_very_ones_that_were_laid(scene, tmp_path):
    drawings = parts(made_result())
    nodes = present(replace(made_result(), drawings=drawings, atlas=dict.fromkeys(drawings, "many")))
    assert nodes.atlas.GetSegmentation().GetNumberOfLayers() == 1
    found = drawings_of(nodes.atlas)
    assert list(found) == list(drawings)
    for name, drawing in drawings.items():
        np.testing.assert_array_equal(found[name].inside, drawing.inside)
        np.testing.assert_allclose(found[name].affine, drawing.affine, atol=1e-6)
    loaded = load_mrb(save_mrb(scene, tmp_path / "many.mrb"), tmp_path / "opened")
    try:
        (atlas,) = (node for node in segmentations(loaded) if node.GetAttribute(PART_ATTRIBUTE) == "atlas")
        again = drawings_of(atlas)
    finally:
        close_scene(loaded)
    assert {name: each.inside.sum() for name, each in again.items()} == {n: d.inside.sum() for n, d in drawings.items()}


def test_atlases_that_overlap_keep_all_of_theirs(scene):
    one, other = (box(made_result().t1.geometry, (4, 4, 4), (9, 9, end)) for end in (7, 9))
    both = {"one": one, "other": other}
    for atlas in ({"one": "a", "other": "b"}, {"one": "a", "other": "a"}):
        found = drawings_of(present(replace(made_result(), drawings=both, atlas=atlas)).atlas)
        assert {name: each.inside.sum() for name, each in found.items()} == {"one": 75, "other": 125}
