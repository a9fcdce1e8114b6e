"""Choosing what to look at: which map is in front, fading, and all of it again in a scene that was saved."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from course_builders import with_course
from scene_builders import load_mrb, made_result, pixels, shown_key

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.result.table import columns, format_change, format_value, readouts_table, rows, rows_tsv
from ASLDenoiseLib.scene.blend import fade
from ASLDenoiseLib.scene.choose import (
    choices,
    compare,
    nodes_of,
    processed_of,
    runs_in,
    show_map,
)
from ASLDenoiseLib.scene.display import OVERLAY_OPACITY, legends_of
from ASLDenoiseLib.scene.headless import application_logic, close_scene, headless_scene
from ASLDenoiseLib.scene.layouts import RAW_VIEW
from ASLDenoiseLib.scene.plots import caption_of
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.readouts import readout_rows, readouts_text, readouts_tsv
from ASLDenoiseLib.scene.series import series_to_nodes
from ASLDenoiseLib.scene.store import save_mrb
from ASLDenoiseLib.series import Geometry, Volume

RAW, DENOISED, RESIDUAL = "desc-mean_cbf", "desc-denoised_cbf", "desc-residual_cbf"


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


@pytest.fixture
def red(scene):
    """A slice logic with its views, as a desktop has."""
    import slicer

    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application_logic(scene))
    logic.SetMRMLScene(scene)
    logic.AddSliceNode("Red")
    logic.GetSliceNode().SetDimensions(64, 64, 1)
    yield logic
    logic.SetMRMLScene(None)


def legends_on(nodes) -> list[str]:
    return [key for key, node in nodes.maps.items() if any(legend.GetVisibility() for legend in legends_of(node))]


def test_the_choices_are_raw_processed_difference_and_uncertainty_first(scene):
    made = made_result()
    maps = dict(made.maps)
    maps["desc-smoothed_cbf"] = maps["desc-uncertainty_cbf"] = maps[RAW]
    nodes = present(replace(made, maps={**{k: maps[k] for k in (RAW, "desc-smoothed_cbf")}, **maps}))
    assert [(choice.key, choice.label) for choice in choices(nodes)] == [
        (RAW, "Raw mean"),
        (DENOISED, "Denoised"),
        (RESIDUAL, "Raw minus denoised"),
        ("desc-uncertainty_cbf", "Uncertainty of the denoised map (SD)"),
        ("desc-smoothed_cbf", "Gaussian, noise-matched"),
    ]


@pytest.mark.parametrize("key", [RAW, DENOISED, RESIDUAL])
def test_the_chosen_map_is_in_front_with_its_legend_alone(red, key):
    nodes = present(made_result())
    show_map(nodes, key, opacity=0.3)
    view = red.GetSliceCompositeNode()
    assert view.GetBackgroundVolumeID() == nodes.t1.GetID()
    assert view.GetForegroundVolumeID() == nodes.maps[key].GetID()
    assert view.GetForegroundOpacity() == pytest.approx(0.3)
    assert legends_on(nodes) == [key]
    assert shown_key(nodes) == key


def test_a_map_that_the_run_has_not_is_refused_and_nothing_changes(red):
    nodes = present(made_result())
    before = red.GetSliceCompositeNode().GetForegroundVolumeID()
    with pytest.raises(InputError, match=r"no map 'desc-uncertainty_cbf' .*choose one of these"):
        show_map(nodes, "desc-uncertainty_cbf")
    assert red.GetSliceCompositeNode().GetForegroundVolumeID() == before and legends_on(nodes) == [DENOISED]


def smooth_run():
    """Maps that are positive everywhere, so that every pixel of them is drawn."""
    made = made_result(Geometry((24, 24, 8), (6.0, 6.0, 9.0), (-69.0, -69.0, -31.0)))
    _, j, i = np.indices(made.series.geometry.shape)
    raw, processed = made.maps[RAW].with_array(20.0 + 2 * i), made.maps[DENOISED].with_array(70.0 - 2 * j)
    grid = Geometry((60, 60, 40), (4.0, 4.0, 4.0), (-118.0, -118.0, -78.0))
    t1 = Volume(np.random.default_rng(0).uniform(100, 900, grid.shape), grid, name="T1w")
    return replace(made, maps={RAW: raw, DENOISED: processed}, t1=t1, t1_to_asl=np.eye(4))


def foreground(view):
    return view.GetScene().GetNodeByID(view.GetForegroundVolumeID())


@pytest.mark.parametrize("opacity", [0.55, 1.0])
def test_fading_mixes_the_voxels_of_both_maps_and_leaves_the_t1_as_visible(red, opacity):
    import slicer

    nodes = present(smooth_run())
    arrays = [slicer.util.arrayFromVolume(nodes.maps[key]).astype(float) for key in (RAW, DENOISED)]
    view = red.GetSliceCompositeNode()
    for fraction in (0.25, 0.5, 0.9):
        fade(nodes, fraction, opacity=opacity)
        mixed = slicer.util.arrayFromVolume(foreground(view))
        np.testing.assert_allclose(mixed, (1 - fraction) * arrays[0] + fraction * arrays[1], rtol=1e-5)
        assert view.GetForegroundOpacity() == pytest.approx(opacity)
        assert not view.GetNumberOfAdditionalLayers()  # whose opacity no saved scene keeps
        window = foreground(view).GetDisplayNode()
        assert (window.GetWindowLevelMin(), window.GetWindowLevelMax()) == (0.0, 90.0)
    assert view.GetBackgroundVolumeID() == nodes.t1.GetID()
    red.FitSliceToVolume(nodes.maps[RAW], 64, 64)
    assert np.ptp(pixels(red), axis=2).max() > 40


def test_the_ends_of_the_fade_are_the_maps_themselves(red):
    nodes = present(smooth_run())
    fade(nodes, 0.5)
    assert foreground(red.GetSliceCompositeNode()).GetName() == "Raw CBF mixed with Denoised CBF"
    for fraction, key in ((1.0, DENOISED), (0.0, RAW)):
        fade(nodes, fraction)
        assert (shown_key(nodes), legends_on(nodes)) == (key, [key])
        assert red.GetSliceCompositeNode().GetForegroundOpacity() == pytest.approx(0.55)


def test_a_layer_that_an_earlier_version_mixed_in_goes_and_one_of_the_users_own_stays(red):
    nodes = present(smooth_run())
    view = red.GetSliceCompositeNode()
    view.SetNthLayerVolumeID(view.Layer_Last, nodes.maps[RAW].GetID())
    show_map(nodes, DENOISED)
    assert view.GetNumberOfAdditionalLayers() == 0
    view.SetNthLayerVolumeID(view.Layer_Last, nodes.t1.GetID())
    show_map(nodes, RAW)
    assert view.GetNthLayerVolumeID(view.Layer_Last) == nodes.t1.GetID()


def test_a_run_without_a_processed_map_stays_raw_wherever_the_fade_is(red):
    made = made_result()
    nodes = present(replace(made, maps={RAW: made.maps[RAW]}))
    assert processed_of(nodes) == RAW
    for fraction in (0.0, 0.4, 1.0):
        fade(nodes, fraction)
        assert shown_key(nodes) == RAW


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_side_by_side_shows_raw_and_processed_unmixed_wherever_the_fade_is(scene, fraction):
    import slicer

    nodes = present(made_result())
    compare(nodes)
    fade(nodes, fraction)
    views = {c.GetLayoutName(): c for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)}
    for view, key in ((RAW_VIEW, RAW), ("Yellow", DENOISED)):
        assert views[view].GetForegroundVolumeID() == nodes.maps[key].GetID()
        assert views[view].GetForegroundOpacity() == pytest.approx(OVERLAY_OPACITY)
        assert not views[view].GetNumberOfAdditionalLayers() or views[view].GetNthLayerVolume(3) is None


@pytest.mark.parametrize("act", [lambda n: show_map(n, RESIDUAL), lambda n: fade(n, 0.5), compare])
def test_every_view_is_asked_for_its_legends_once_layers_and_legends_are_set(red, act):
    """Slicer looks for legends only where a composite node says that interaction changed its foreground."""
    nodes, told = present(made_result()), []
    view = red.GetSliceCompositeNode()

    def changed(*_):
        if view.GetInteractionFlags() == view.ForegroundVolumeFlag:
            told.append((view.GetForegroundVolumeID(), tuple(legends_on(nodes))))

    before = view.GetInteractionFlags()
    tag = view.AddObserver("ModifiedEvent", changed)
    act(nodes)
    view.RemoveObserver(tag)
    assert told and told[-1] == (view.GetForegroundVolumeID(), tuple(legends_on(nodes)))
    assert view.GetInteractionFlags() == before


@pytest.mark.parametrize("act", [lambda n: show_map(n, RESIDUAL), lambda n: fade(n, 0.5), lambda n: fade(n, 0.0)])
def test_the_raw_view_goes_on_showing_raw(scene, act):
    import slicer

    nodes = present(made_result())
    compare(nodes)
    act(nodes)
    shown = {
        c.GetLayoutName(): c.GetForegroundVolumeID()
        for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    }
    assert shown[RAW_VIEW] == nodes.maps[RAW].GetID()
    assert shown["Yellow"] == nodes.maps[shown_key(nodes)].GetID()


def test_the_rows_of_the_panel_read_as_the_table_of_the_shell(scene):
    result = made_result()
    found = readout_rows(present(result).readouts)
    assert [(row.name, row.label, row.unit) for row in found] == [
        ("gm_mean", "GM mean", "ml/100g/min"),
        ("snr", "SNR", ""),
        ("tsnr", "tSNR", ""),
    ]
    assert found[0].cells == (
        "GM mean",
        format_value(50.0),
        format_value(51.0),
        "n/a",
        format_change(2.0),
        "ml/100g/min",
    )
    assert found[2].cells == ("tSNR", "1.50", "n/a", "n/a", "n/a", "")


def test_the_text_and_the_tsv_of_the_table_are_those_of_the_shell(scene):
    result = made_result()
    table = present(result).readouts
    assert readouts_text(table) == readouts_table(result)
    assert readouts_tsv(table) == rows_tsv(columns(result), rows(result))


def test_a_run_that_only_averaged_has_no_change(scene):
    made = made_result()
    result = replace(made, maps={RAW: made.maps[RAW]}, readouts={RAW: made.readouts[RAW]})
    table = present(result).readouts
    assert readout_rows(table)[0].cells == ("GM mean", "50.0", "n/a", "n/a", "n/a", "ml/100g/min")
    assert readouts_text(table) == readouts_table(result) and "Change" not in readouts_text(table)


def test_a_table_that_is_none_of_ours_is_refused(scene):
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", "mine")
    with pytest.raises(InputError, match="'mine' is not a table of readouts"):
        readout_rows(table)
    own = present(made_result()).readouts
    own.RemoveRow(0)
    with pytest.raises(InputError, match="was changed"):
        readouts_text(own)


def test_runs_are_listed_the_newest_first_and_gone_ones_not(scene):
    assert runs_in(scene) == ()
    present(made_result())
    second = present(made_result(model="other"))
    assert [run.name for run in runs_in(scene)] == ["sub-77 other ASL", "sub-77 test-model ASL"]
    newest = runs_in(scene)[0]
    scene.RemoveNode(second.maps[RAW])
    assert [run.name for run in runs_in(scene)] == ["sub-77 test-model ASL"]
    with pytest.raises(InputError, match="raw map of 'sub-77 other ASL' is no longer"):
        nodes_of(scene, newest)


def test_a_run_is_found_again_node_by_node(scene):
    nodes = present(with_course(made_result()))
    (run,) = runs_in(scene)
    found = nodes_of(scene, run)
    for name in ("folder", "maps", "readouts", "segmentation", "t1", "m0", "charts"):
        mine, theirs = getattr(found, name), getattr(nodes, name)
        assert (dict(mine) == dict(theirs)) if name in ("maps", "charts") else (mine is theirs or mine == theirs)


def test_the_m0_of_a_series_that_was_there_before_is_found_too(scene):
    result = replace(made_result(), t1=None)
    source = series_to_nodes(result.series).sequence
    nodes = present(result, source=source)
    assert nodes_of(scene, runs_in(scene)[0]).m0 is nodes.m0 is not None


def test_everything_works_on_a_scene_that_was_saved_and_opened_again(scene, tmp_path):
    values = np.random.default_rng(5).normal(50, 10, 3)
    made = made_result()
    readouts = tuple(replace(r, value=float(v)) for r, v in zip(made.readouts[RAW], values, strict=True))
    result = with_course(replace(made, readouts={**made.readouts, RAW: readouts}))
    present(result)
    loaded = load_mrb(save_mrb(scene, tmp_path / "run.mrb"), tmp_path / "opened")
    try:
        (run,) = runs_in(loaded)
        found = nodes_of(loaded, run)
        assert list(found.maps) == list(result.maps)
        assert list(found.charts) == ["boxes", "scatter", "agreement", "pairs_needed", "shift", "turn", "left_out"]
        table, answer = readouts_table(result).split("\n\n")
        assert readouts_text(found.readouts) == table
        assert caption_of(found.charts["pairs_needed"]) + ":" in answer  # which the panel says again
        # to the last digit, which a saved column has not
        assert readouts_tsv(found.readouts) == rows_tsv(columns(result), rows(result))
        assert [choice.label for choice in choices(found)] == [result.kind(key).label for key in result.maps]
        view = loaded.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
        show_map(found, RESIDUAL)
        assert view.GetForegroundVolumeID() == found.maps[RESIDUAL].GetID()
        assert view.GetBackgroundVolumeID() == found.t1.GetID()
        compare(found)
        assert legends_on(found) == [RAW, DENOISED]
    finally:
        close_scene(loaded)


def test_no_label_a_person_reads_holds_a_key_or_a_bids_name(scene):
    nodes = present(with_course(made_result()))
    texts = [choice.label for choice in choices(nodes)] + [chart.GetDescription() for chart in nodes.charts.values()]
    assert not [text for text in texts if re.search(r"desc-|_cbf|_", text)]
