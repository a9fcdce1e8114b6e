"""Maps made of a run's maps only to look at: relative perfusion, and the swipe between raw and processed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from drawn_views import drawn, slice_views
from scene_builders import contents, load_mrb, made_result, oblique_geometry

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.result import Readout
from ASLDenoiseLib.scene.blend import Blend, show_blend
from ASLDenoiseLib.scene.choose import compare, nodes_of, runs_in, show_map
from ASLDenoiseLib.scene.derived import derived_in, remove_derived
from ASLDenoiseLib.scene.display import legends_of
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.hierarchy import hierarchy
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.relative import BRAIN, references_in, relative_nodes
from ASLDenoiseLib.scene.store import save_mrb
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume

RAW, DENOISED, RESIDUAL, UNCERTAINTY = (f"desc-{k}_cbf" for k in ("mean", "denoised", "residual", "uncertainty"))


def array(node) -> np.ndarray:
    import slicer

    return np.array(slicer.util.arrayFromVolume(node))


def run_of(scene):
    return nodes_of(scene, runs_in(scene)[0])


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def test_each_map_is_divided_by_its_own_mean_and_stays_what_it_was(scene):
    made = made_result()
    present(made)
    nodes = run_of(scene)
    before = {key: array(node) for key, node in nodes.maps.items()}
    relative = relative_nodes(nodes, "GM")
    for key, mean in ((RAW, 50.0), (DENOISED, 51.0)):
        np.testing.assert_allclose(array(relative.maps[key]), before[key] / mean, rtol=1e-5)
        assert relative.maps[key].GetVoxelValueUnits().GetCodeMeaning() == "ratio to the mean of a reference"
        assert legends_of(relative.maps[key])[0].GetTitleText().startswith("Relative (1 = mean of GM")
    whole = relative_nodes(nodes, BRAIN)
    assert np.nanmean(array(whole.maps[RAW])) == pytest.approx(1.0, abs=1e-4)
    for key, values in before.items():
        np.testing.assert_array_equal(array(nodes.maps[key]), values)
    assert relative.maps[RESIDUAL] is nodes.maps[RESIDUAL]  # a difference stays in ml/100g/min


def test_whole_brain_gm_wm_and_regions_are_offered_where_both_maps_have_them(scene):
    made = made_result()
    more = (
        Readout("roi_thalamus_mean", "thalamus mean", 44.0, CBF_UNIT),
        Readout("wm_mean", "WM mean", -1.0, CBF_UNIT),
    )
    present(replace(made, readouts={key: (*each, *more) for key, each in made.readouts.items()}))
    nodes = run_of(scene)
    assert references_in(nodes, (RAW, DENOISED)) == (BRAIN, "GM", "thalamus")  # not WM: its mean is not above 0
    with pytest.raises(InputError, match="no mean of 'pons' above 0; choose another reference"):
        relative_nodes(nodes, "pons")


def test_relative_maps_are_nodes_of_the_runs_folder_and_gone_when_they_are_not_shown(scene):
    nodes = present(made_result())
    run, before = run_of(scene), contents(scene)
    relative = relative_nodes(run, "GM")
    tree = hierarchy(scene)
    assert tree.GetItemParent(tree.GetItemByDataNode(relative.maps[RAW])) == nodes.folder
    again = relative_nodes(run, "GM")
    assert again.maps[RAW] is relative.maps[RAW]
    assert run_of(scene).maps.keys() == run.maps.keys()  # they are no further maps of the run
    assert relative_nodes(run, "") is run and contents(scene) == before


def test_relative_maps_stand_side_by_side_under_their_titles(scene):
    present(made_result())
    with slice_views(scene, (300, 400)) as logics:
        compare(relative_nodes(run_of(scene), "GM"))
        labels = [logics[tag].GetSliceNode().GetLayoutLabel() for tag in ("Red", "Yellow")]
        assert labels == ["Relative raw CBF (GM)", "Relative denoised CBF (GM)"]
        legend = np.any(drawn(logics["Red"]) != drawn(logics["Red"], legends=False), axis=2)
        assert legend.sum() > 300


def test_a_run_read_from_a_saved_scene_knows_its_references(scene, tmp_path):
    present(made_result())
    loaded = load_mrb(save_mrb(scene, tmp_path / "run.mrb"), tmp_path / "opened")
    try:
        assert references_in(run_of(loaded), (RAW, DENOISED)) == (BRAIN, "GM")
    finally:
        close_scene(loaded)


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.8])
def test_a_swipe_is_raw_at_the_patients_right_of_the_line_and_processed_at_the_left(scene, fraction):
    present(made_result())
    run = run_of(scene)
    swiped = Blend(run)
    node = swiped.swipe(fraction)
    geometry = oblique_geometry()
    k, j, i = np.indices(geometry.shape)
    x = np.tensordot(geometry.affine_ras[0], np.stack([i, j, k, np.ones_like(i)]), 1)
    raw = x > swiped.line(fraction) + 1e-3
    processed = x < swiped.line(fraction) - 1e-3
    values = array(node)
    np.testing.assert_array_equal(values[raw], array(run.maps[RAW])[raw])
    np.testing.assert_array_equal(values[processed], array(run.maps[DENOISED])[processed])
    assert raw.mean() == pytest.approx(1 - fraction, abs=0.2)


def test_the_ends_of_a_swipe_are_one_map_alone_and_moving_it_adds_nothing(scene):
    present(made_result())
    run = run_of(scene)
    swiped = Blend(run)
    np.testing.assert_array_equal(array(swiped.swipe(0.0)), array(run.maps[RAW]))
    before = contents(scene)
    for fraction in np.linspace(0, 1, 11):
        node = swiped.swipe(fraction)
    np.testing.assert_array_equal(array(node), array(run.maps[DENOISED]))
    assert contents(scene) == before and len(derived_in(scene, run.folder)) == 1
    remove_derived(scene, run.folder)
    assert not derived_in(scene, run.folder)


def test_a_swipe_of_a_finer_map_takes_the_nearest_raw_voxel():
    made = made_result(Geometry((14, 16, 8), (8.0, 8.0, 12.0), (-52.0, -60.0, -42.0)))
    fine = Geometry((28, 32, 8), (4.0, 4.0, 12.0), (-54.0, -62.0, -42.0))
    superres = Volume(np.full(fine.shape, 40.0), fine, CBF_UNIT)
    with headless_scene() as scene:
        present(replace(made, maps={RAW: made.maps[RAW], "desc-superres_cbf": superres}))
        run = run_of(scene)
        values = array(Blend(run).swipe(0.0))
        assert values.shape == fine.shape
        np.testing.assert_array_equal(values[:, ::2, ::2], array(run.maps[RAW]))


def test_a_swipe_is_seen_in_a_view_as_half_of_each(scene):
    present(made_result())
    run = run_of(scene)
    with slice_views(scene, (300, 300)) as logics:
        show_map(run, RAW, opacity=1.0)
        raw = drawn(logics["Red"], legends=False).astype(int)
        show_map(run, DENOISED, opacity=1.0)
        processed = drawn(logics["Red"], legends=False).astype(int)
        show_blend(run, Blend(run).swipe(0.5), opacity=1.0)
        half = drawn(logics["Red"], legends=False).astype(int)
        legend = np.any(drawn(logics["Red"]) != half, axis=2)
    left, right = np.s_[60:-20, :110], np.s_[60:-20, 190:]
    assert np.abs(half - raw)[left].max() < 3 and np.abs(half - processed)[left].mean() > 1
    assert np.abs(half - processed)[right].max() < 3 and np.abs(half - raw)[right].mean() > 1
    assert legend.sum() > 300
