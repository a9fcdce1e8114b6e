"""A run of several delays in the scene: arrival time in seconds beside CBF, marks, curves; saved and opened again."""

from __future__ import annotations

import matplotlib.image as mpimg
import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from delay_results import result_of_delays, with_pairs
from scene_builders import load_mrb, made_result

from ASLDenoiseLib.reporting.delay_charts import CURVES, RESIDUALS
from ASLDenoiseLib.result.maps import BOUNDS, DENOISED, DENOISED_ATT, RAW, RAW_ATT, VESSELS
from ASLDenoiseLib.scene.choose import arrival_beside, choices, compare, nodes_of, runs_in
from ASLDenoiseLib.scene.course import course_node, read_course
from ASLDenoiseLib.scene.display import legends_of
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.region_nodes import part_of
from ASLDenoiseLib.scene.render import render_overlay
from ASLDenoiseLib.scene.segments import segment_ids, segment_name
from ASLDenoiseLib.scene.store import save_mrb


@pytest.fixture
def shown():
    with headless_scene() as scene:
        yield present(result_of_delays(regions=("thalamus",)), scene=scene)


def views(scene):
    import slicer

    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    ids = {each.GetLayoutName(): each.GetForegroundVolumeID() for each in composites}
    return {tag: scene.GetNodeByID(name).GetAttribute("ASLDenoise.map") for tag, name in ids.items() if name}


def test_an_arrival_time_is_in_seconds_on_a_scale_of_its_own(shown):
    import slicer

    node, cbf = shown.maps[DENOISED_ATT], shown.maps[DENOISED]
    entry = node.GetVoxelValueUnits()
    assert (entry.GetCodeValue(), entry.GetCodingSchemeDesignator()) == ("s", "UCUM")
    display, (legend,) = node.GetDisplayNode(), legends_of(node)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 3.0)
    assert legend.GetTitleText().replace("\n", " ") == "Arrival time (s)"
    assert "Viridis" in display.GetColorNode().GetName() != cbf.GetDisplayNode().GetColorNode().GetName()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), shown.result.maps[DENOISED_ATT].array)


def test_an_arrival_time_of_zero_is_drawn_and_what_was_not_measured_is_not(shown):
    display = shown.maps[RAW_ATT].GetDisplayNode()
    assert display.GetApplyThreshold() and display.GetLowerThreshold() < 0


def test_a_mask_has_no_legend_and_its_voxels_are_not_mixed(shown):
    for key in (BOUNDS, VESSELS):
        assert not legends_of(shown.maps[key])
        assert not shown.maps[key].GetDisplayNode().GetInterpolate()


def test_marks_are_segments_that_can_be_laid_over_any_map(shown):
    node = part_of(shown.all_nodes, "marks")
    assert [segment_name(node, s) for s in segment_ids(node)] == ["ATT at its bounds", "Vessels"]
    assert not node.GetDisplayNode().GetVisibility() and not node.GetDisplayNode().GetVisibility2DFill()


def test_a_run_of_one_delay_has_no_marks():
    with headless_scene() as scene:
        nodes = present(made_result(), scene=scene)
        assert part_of(nodes.all_nodes, "marks") is None and arrival_beside(nodes) is None


def test_arrival_time_stands_beside_the_perfusion_it_was_fitted_with(shown):
    scene = shown.readouts.GetScene()
    compare(shown, arrival_beside(shown))
    assert (views(scene)["Red"], views(scene)["Yellow"]) == (DENOISED, DENOISED_ATT)
    compare(shown, RAW_ATT)
    assert (views(scene)["Red"], views(scene)["Yellow"]) == (RAW, RAW_ATT)
    compare(shown, DENOISED)
    assert (views(scene)["Red"], views(scene)["Yellow"]) == (RAW, DENOISED)
    visible = [key for key, node in shown.maps.items() for legend in legends_of(node) if legend.GetVisibility()]
    assert visible == [RAW, DENOISED]


def test_arrival_time_is_offered_next_to_the_perfusion_and_named_for_people(shown):
    assert [(c.key, c.label) for c in choices(shown)][:3] == [
        (RAW, "Raw fit"),
        (DENOISED, "Denoised fit"),
        (DENOISED_ATT, "Arrival time, denoised fit"),
    ]


def test_curves_of_regions_are_charts_with_their_tables(shown):
    keys = [key for key in shown.charts if key.startswith(CURVES)]
    assert keys == [f"{CURVES}GM", f"{CURVES}WM", f"{CURVES}thalamus"] and RESIDUALS in shown.charts
    chart = shown.charts[keys[0]]
    table = chart.GetNthPlotSeriesNode(0).GetTableNode()
    assert table.GetColumnUnitLabel("Measured, x") == "s" and table.GetColumnUnitLabel("Measured, y") == "ml/100g/min"
    assert chart.GetXAxisTitle() == "Post-labelling delay (s)"


def test_a_saved_scene_shows_the_same(shown, tmp_path):
    compare(shown, DENOISED_ATT)
    save_mrb(shown.readouts.GetScene(), tmp_path / "run.mrb")
    scene = load_mrb(tmp_path / "run.mrb", tmp_path / "opened")
    nodes = nodes_of(scene, runs_in(scene)[0])
    assert set(nodes.maps) == set(shown.maps) and set(nodes.charts) == set(shown.charts)
    assert arrival_beside(nodes) == DENOISED_ATT
    node = nodes.maps[DENOISED_ATT]
    assert node.GetVoxelValueUnits().GetCodeValue() == "s"
    assert node.GetDisplayNode().GetWindowLevelMax() == 3.0 and node.GetDisplayNode().GetLowerThreshold() < 0
    assert (views(scene)["Red"], views(scene)["Yellow"]) == (DENOISED, DENOISED_ATT)


def test_the_time_line_keeps_the_delay_of_every_pair():
    with headless_scene() as scene:
        several = present(with_pairs(result_of_delays()), scene=scene)
        one = present(with_pairs(result_of_delays(delays=(2,), name="sub-02")), scene=scene)
        delays = [row.delay for row in read_course(course_node(scene, several.folder)).rows]
        assert delays == [row for d in (0.5, 1.0, 1.5, 2.0, 2.5, 3.0) for row in [d] * 4]
        assert np.isnan([row.delay for row in read_course(course_node(scene, one.folder)).rows]).all()


def test_the_picture_has_a_row_for_each_arrival_time_with_its_own_scale(shown, tmp_path):
    both = mpimg.imread(render_overlay(shown, tmp_path / "overlay.png", views=("axial",), size=120))
    cbf = mpimg.imread(render_overlay(shown, tmp_path / "cbf.png", maps=(RAW, DENOISED), views=("axial",), size=120))
    assert both.shape[0] > 1.7 * cbf.shape[0] and both.shape[1] == cbf.shape[1]
    green = (both[..., 1] > both[..., 0] + 0.1) & (both[..., 2] > both[..., 0])  # of Viridis, and not of Inferno
    assert green[cbf.shape[0] :].sum() > 500 > green[: cbf.shape[0]].sum()
