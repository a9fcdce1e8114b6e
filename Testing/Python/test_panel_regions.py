"""The Regions section of the panel: drawn, and the row is there; raw beside processed, with what each follows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from region_builders import add_drawn, add_labelled, box, directly, rigid
from region_results import DENOISED, RAW, a_result, on_series

from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.spatial.regions import place


@pytest.fixture
def panel(panel):
    """The panel with its section of regions open."""
    panel.ui.regionsCollapsibleButton.collapsed = False
    return panel


def present(panel, result=None):
    """A run that has just ended, made by hand."""
    from ASLDenoiseLib.scene.present import present

    nodes = present(a_result() if result is None else result)
    panel.widget._onPresented(nodes)
    settle()
    return nodes


def settle():
    from slicer_harness.panel import process_events

    process_events(timeout=0.4, until=lambda: False)


def rows(panel) -> dict:
    return {row.name: row for row in panel.widget.regions.rows}


def cell(panel, row, column) -> list[str]:
    return panel.ui.regionsTable.item(row, column).text().split("\n")


def test_a_stroke_is_a_row_with_raw_and_processed_their_error_volume_voxels_and_coverage(panel):
    nodes = present(panel)
    parameters = panel.widget._parameterNode
    assert parameters.segmentation is nodes.regions and panel.ui.regionsTable.rowCount == 0
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    region = place(on_series(), nodes.result.series.geometry)
    by_run = {
        key: {r.name: r.value for r in measure(nodes.result.maps[key], nodes.result.tissue, regions={"lesion": region})}
        for key in (RAW, DENOISED)
    }
    found = rows(panel)["lesion"]
    for of, key in ((found.raw, RAW), (found.processed, DENOISED)):
        told = by_run[key]
        assert of.figures.mean == pytest.approx(told["roi_lesion_mean"], rel=1e-6)
        assert of.figures.sd == pytest.approx(told["roi_lesion_sd"], rel=1e-6)
        assert of.snr == pytest.approx(told["roi_lesion_snr"], rel=1e-6, nan_ok=True)
        assert of.figures.millilitres == pytest.approx(told["roi_lesion_volume"])
        assert (of.figures.voxels, of.figures.coverage) == (pytest.approx(32), 1.0)
    assert cell(panel, 0, 0) == ["lesion: 29.4 ml, 32.0 voxels, 100 % measured, goes with the T1"]
    assert cell(panel, 1, 0) == ["Mean", "SD", "SNR"]
    assert " ± " in cell(panel, 1, 1)[0] and 0.3 < found.raw.figures.error < 3
    assert "ml/100g/min" in panel.ui.regionsLabel.text


def test_the_error_of_the_raw_mean_is_not_said_of_the_denoised_one(panel):
    import slicer

    nodes = present(panel)
    add_drawn(nodes.regions, on_series(), "lesion")
    panel.ui.mirrorCheckBox.click()
    settle()
    found = rows(panel)["lesion"]
    assert np.isfinite(found.raw.figures.error) and np.isnan(found.processed.figures.error)
    assert "±" not in panel.ui.regionsTable.item(1, 2).text() and "±" in panel.ui.regionsTable.item(1, 1).text()
    assert "of the raw mean" in panel.ui.regionsLabel.text
    panel.ui.copyRegionsButton.click()
    head, raw, processed = (line.split("\t") for line in slicer.app.clipboard().text().splitlines())
    for name in ("mean_error", "asymmetry_error"):
        at = head.index(name)
        assert float(raw[at]) > 0 and processed[at] == "n/a"


def test_the_section_opens_with_its_first_row_and_stays_as_the_user_leaves_it(panel):
    section = panel.ui.regionsCollapsibleButton
    section.collapsed = True
    nodes = present(panel)
    assert section.collapsed
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    assert not section.collapsed
    section.collapsed = True
    add_drawn(nodes.regions, on_series((4, 5, 3), (8, 9, 5)), "other")
    settle()
    present(panel)
    assert section.collapsed and len(rows(panel)) == 2


@pytest.mark.parametrize("width", [317, 400, 600])
def test_the_table_is_as_high_as_its_rows_and_a_region_s_name_takes_no_more_lines_than_it_fills(panel, width):
    import qt

    nodes = present(panel)
    for number in range(3):
        add_drawn(nodes.regions, on_series((3, 4 + number, 3), (7, 8 + number, 5)), f"Segment_{number}")
    settle()
    table = panel.ui.regionsTable
    panel.frame.resize(width, 700)
    panel.frame.show()
    settle()
    line = qt.QFontMetrics(table.font).lineSpacing()
    across = qt.QFontMetrics(table.font).horizontalAdvance(table.item(0, 0).text())
    lines = across // (table.horizontalHeader().length() - 20) + 1
    assert line <= table.rowHeight(0) <= (lines + 1) * line
    assert 3 * line <= table.rowHeight(1) <= 5 * line
    assert table.viewport().height >= sum(table.rowHeight(row) for row in range(table.rowCount))
    panel.ui.mirrorCheckBox.click()
    settle()
    assert table.rowHeight(1) >= 5 * line  # the lines that have come are seen


def test_what_changes_is_read_again_and_what_does_not_is_not(panel, monkeypatch):
    import slicer

    from ASLDenoiseLib.scene import live_regions

    nodes = present(panel)
    add_drawn(nodes.regions, on_series(), "one")
    add_drawn(nodes.regions, on_series((4, 5, 3), (8, 9, 5)), "other")  # overlaps: a layer of its own
    settle()
    placed = []
    monkeypatch.setattr(live_regions, "place", lambda *a, **k: placed.append(a) or place(*a, **k))
    before = rows(panel)["other"].raw.figures.mean
    segment = nodes.regions.GetSegmentation().GetNthSegmentID(0)
    modifier = slicer.vtkOrientedImageData()
    modifier.DeepCopy(nodes.regions.GetBinaryLabelmapInternalRepresentation(segment))
    from vtk.util.numpy_support import vtk_to_numpy

    vtk_to_numpy(modifier.GetPointData().GetScalars())[:8] = 0
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(modifier, nodes.regions, segment)
    settle()
    assert len(placed) == 1 and rows(panel)["one"].raw.figures.voxels == pytest.approx(24)
    assert rows(panel)["other"].raw.figures.mean == before
    nodes.regions.GetSegmentation().RemoveSegment(segment)
    settle()
    assert list(rows(panel)) == ["other"]


def test_segments_of_one_layer_have_rows_of_their_own_and_an_empty_one_says_so(panel):
    nodes = present(panel)
    labels = np.zeros(nodes.result.series.geometry.shape)
    labels[3:5, 4:8, 3:7], labels[3:5, 8:12, 3:7] = 1, 2
    add_labelled(nodes.regions, labels, nodes.result.series.geometry, {1: "left", 2: "right"})
    nodes.regions.GetSegmentation().AddEmptySegment("", "later")
    far = on_series().moved(rigid(degrees=0, shift=(900.0, 0, 0)))
    add_drawn(nodes.regions, far, "far")
    settle()
    found = rows(panel)
    assert [found[name].raw.figures.voxels for name in ("left", "right")] == [pytest.approx(32), pytest.approx(32)]
    raw = nodes.result.maps[RAW].array
    assert found["left"].raw.figures.mean == pytest.approx(raw[3:5, 4:8, 3:7].mean(), rel=1e-5)
    assert found["right"].raw.figures.mean == pytest.approx(raw[3:5, 8:12, 3:7].mean(), rel=1e-5)
    text = [cell(panel, row, 0)[0] for row in range(panel.ui.regionsTable.rowCount)]
    assert "later: nothing drawn yet" in text and "far: outside the images" in text


def test_a_region_on_the_users_t1_is_read_where_the_run_has_laid_that_t1(panel):
    import slicer

    from ASLDenoiseLib.scene.following import set_reference
    from ASLDenoiseLib.scene.volumes import volume_to_node

    result = a_result(t1_to_asl=rigid(degrees=6.0, shift=(25.0, -8.0, 4.0)))
    given = volume_to_node(result.t1, name="T1w")
    drawn = box(result.t1.geometry, (12, 18, 17), (17, 23, 18))
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    set_reference(own, given)
    add_drawn(own, drawn, "thin")
    parameters = panel.widget._parameterNode
    parameters.t1, parameters.segmentation = given, own
    nodes = present(panel, result)
    found = rows(panel)["thin"]
    expected = directly(drawn, result.maps[RAW], transform=result.t1_to_asl)
    assert found.follows == "t1" and found.raw.figures.mean == pytest.approx(expected, rel=0.01)
    assert panel.ui.followsComboBox.currentText == "As drawn: The T1"
    assert cell(panel, 0, 0)[0].endswith("goes with the T1")
    choose(panel.ui.followsComboBox, "asl")
    there = directly(drawn, result.maps[RAW])
    assert rows(panel)["thin"].raw.figures.mean == pytest.approx(there, rel=0.01) and there != expected
    assert own.GetAttribute("ASLDenoise.follows") == "asl" and nodes.regions is None
    choose(panel.ui.followsComboBox, "")
    assert rows(panel)["thin"].follows == "t1"


def test_what_is_drawn_on_the_view_of_a_run_is_measured_where_it_is_seen(panel, monkeypatch):
    import slicer

    from ASLDenoiseLib.scene.following import set_reference
    from ASLDenoiseLib.scene.segments import drawings_of
    from ASLDenoiseLib.scene.volumes import volume_to_node, world_of

    result = a_result(t1_to_asl=rigid(degrees=6.0, shift=(25.0, -8.0, 4.0)))
    given = volume_to_node(result.t1, name="T1w")
    before = box(result.t1.geometry, (12, 18, 17), (17, 23, 18))
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    set_reference(own, given)
    add_drawn(own, before, "before the run")
    editor = slicer.vtkMRMLSegmentEditorNode()
    editor.SetSingletonTag("SegmentEditor")
    editor = slicer.mrmlScene.AddNode(editor)
    editor.SetAndObserveSegmentationNode(own)
    editor.SetAndObserveSourceVolumeNode(given)
    parameters = panel.widget._parameterNode
    parameters.t1, parameters.segmentation = given, own
    nodes = present(panel, result)
    outline = drawings_of(own)["before the run"]
    np.testing.assert_allclose(outline.affine, result.t1_to_asl @ before.affine, atol=1e-3)
    seen = on_series()  # under the brush; the Segment Editor paints through the segmentation's transform
    add_drawn(own, seen.moved(np.linalg.inv(world_of(own))), "after it")
    settle()
    found = rows(panel)
    for name, drawing in (("before the run", outline), ("after it", seen)):
        expected = directly(drawing, result.maps[RAW])
        assert found[name].raw.figures.mean == pytest.approx(expected, rel=0.01)
    monkeypatch.setattr(slicer.util, "selectModule", lambda name: None)
    panel.ui.drawRegionsButton.click()
    assert editor.GetSourceVolumeNode() is nodes.t1 and editor.GetSegmentationNode() is own


def test_outlines_that_are_not_where_they_are_measured_are_told_of(panel):
    import slicer

    from ASLDenoiseLib.scene.following import set_reference
    from ASLDenoiseLib.scene.volumes import matrix_node, volume_to_node

    result = a_result()
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    set_reference(own, volume_to_node(result.t1, name="T1w"))
    add_drawn(own, box(result.t1.geometry, (12, 18, 17), (17, 23, 18)), "thin")
    moved = matrix_node(rigid(degrees=1.0, shift=(1.0, 0, 0)), scene=slicer.mrmlScene, name="mine")
    own.SetAndObserveTransformNodeID(moved.GetID())
    panel.widget._parameterNode.segmentation = own
    present(panel, result)
    assert "under a transform of yours" in panel.ui.regionsLabel.text
    own.SetAndObserveTransformNodeID(None)
    settle()
    assert "under a transform of yours" not in panel.ui.regionsLabel.text


def choose(combo, value):
    combo.setCurrentIndex(combo.findData(value))
    combo.activated(combo.currentIndex)
    settle()


def test_apply_hands_a_region_of_the_t1_over_in_the_t1_s_space(panel):
    import slicer

    from ASLDenoiseLib.scene.following import set_reference
    from ASLDenoiseLib.scene.series import series_to_nodes
    from ASLDenoiseLib.scene.volumes import volume_to_node

    result = a_result()
    given = volume_to_node(result.t1, name="T1w")
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    set_reference(own, given)
    drawn = box(result.t1.geometry, (12, 18, 17), (17, 23, 18))
    add_drawn(own, drawn, "thin")
    own.GetSegmentation().AddEmptySegment("", "empty")
    sequence = series_to_nodes(result.series).sequence
    _, _, regions = panel.widget.logic.inputs(sequence, given, segmentation=own)
    (region,) = regions
    assert (region.name, region.space) == ("thin", "t1")
    np.testing.assert_allclose(region.mask.geometry.affine_lps, drawn.affine, atol=1e-6)
    _, _, (alone,) = panel.widget.logic.inputs(sequence, segmentation=own)
    assert alone.space == "asl"
    nodes = present(panel, result)  # drawn over the maps, on the T1 as the run shows it
    shown = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "over the maps")
    set_reference(shown, nodes.t1)
    add_drawn(shown, drawn.moved(result.t1_to_asl), "thin")
    _, _, (back,) = panel.widget.logic.inputs(sequence, given, segmentation=shown)
    assert back.space == "t1"
    np.testing.assert_allclose(back.mask.geometry.affine_lps, drawn.affine, atol=1e-3)


def test_tissue_that_was_segmented_on_the_t1_goes_with_it(panel):
    import slicer

    from ASLDenoiseLib.scene.following import set_reference
    from ASLDenoiseLib.scene.series import series_to_nodes
    from ASLDenoiseLib.scene.volumes import volume_to_node

    result = a_result()
    given = volume_to_node(result.t1, name="T1w")
    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "SynthSeg")
    set_reference(own, given)
    labels = np.zeros(result.t1.geometry.shape)
    labels[10:25, 12:30, 12:30], labels[14:20, 16:26, 16:26] = 1, 2
    add_labelled(own, labels, result.t1.geometry, {1: "GM", 2: "WM"})
    sequence = series_to_nodes(result.series).sequence
    _, head, regions = panel.widget.logic.inputs(sequence, given, segmentation=own, tissue=own)
    assert head.tissue_space == "t1" and regions == ()
    assert head.tissue.wm.geometry.matches(result.t1.geometry)
    np.testing.assert_allclose(head.tissue.wm.array, labels == 2, atol=1e-6)


def test_the_mirrored_region_stands_beside_its_own_with_the_asymmetry(panel):
    result = a_result()
    grid = result.series.geometry
    mirror = np.eye(4)
    mirror[0] = [-1.0, 0.0, 0.0, 2 * (grid.affine_lps @ [6.5, 7.5, 3.5, 1.0])[0]]
    nodes = present(panel, replace(result, mirror=mirror))
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    assert rows(panel)["lesion"].raw.asymmetry is None
    panel.ui.mirrorCheckBox.click()
    settle()
    found = rows(panel)["lesion"]
    for of, key in ((found.raw, RAW), (found.processed, DENOISED)):
        other = directly(on_series().moved(mirror), nodes.result.maps[key])
        assert of.asymmetry.mirrored == pytest.approx(other, rel=0.01)
        index = 100 * (of.figures.mean - other) / ((of.figures.mean + other) / 2)
        assert of.asymmetry.index == pytest.approx(index, abs=2.0)
    assert cell(panel, 1, 0)[3:5] == ["Mirrored", "Asymmetry"] and " ± " in cell(panel, 1, 1)[4]


def test_the_labels_of_an_atlas_are_rows_by_their_names(panel):
    import slicer

    nodes = present(panel)
    grid = nodes.result.series.geometry
    labels = np.zeros(grid.shape)
    labels[3:6, 4:8, 2:6], labels[3:6, 4:8, 8:12] = 1, 2
    atlas = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "territories")
    slicer.util.updateVolumeFromArray(atlas, labels.astype(np.int16))
    atlas.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(grid.affine_ras))
    colours = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", "names")
    colours.SetTypeToUser()
    colours.SetNumberOfColors(3)
    for number, name in enumerate(("background", "left MCA", "right MCA")):
        colours.SetColor(number, name, 0.2, 0.4, 0.6, 1.0)
    atlas.CreateDefaultDisplayNodes()
    atlas.GetDisplayNode().SetAndObserveColorNodeID(colours.GetID())
    panel.widget._parameterNode.atlas = atlas
    settle()
    found = rows(panel)
    assert list(found) == ["left MCA", "right MCA"]
    raw = nodes.result.maps[RAW].array
    assert found["right MCA"].raw.figures.mean == pytest.approx(raw[3:6, 4:8, 8:12].mean(), rel=1e-5)
    from ASLDenoisePanel.region_inputs import atlasOf

    asked = atlasOf(atlas, None)
    assert (asked.space, dict(asked.names)) == ("asl", {"1": "left MCA", "2": "right MCA"})
    choose(panel.ui.atlasFollowsComboBox, "mni")
    assert rows(panel) == {} and atlasOf(atlas, None).space == "mni"


def test_the_atlas_that_a_run_has_warped_is_read_from_that_run(panel):
    result = a_result(drawings={"left MCA": on_series()}, atlas={"left MCA": "territories"})
    present(panel, result)
    assert rows(panel)["left MCA"].raw.figures.voxels == pytest.approx(32)


def test_figures_copied_are_tab_separated_to_the_last_digit(panel):
    import slicer

    nodes = present(panel)
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    panel.ui.copyRegionsButton.click()
    lines = [line.split("\t") for line in slicer.app.clipboard().text().splitlines()]
    assert len({len(line) for line in lines}) == 1 and [line[:2] for line in lines[1:]] == [
        ["lesion", "raw"],
        ["lesion", "processed"],
    ]
    assert float(lines[1][lines[0].index("mean")]) == rows(panel)["lesion"].raw.figures.mean


def test_drawing_opens_the_segment_editor_on_a_segmentation_of_the_users(panel, monkeypatch):
    import slicer

    chosen = []
    panel.ui.regionsCollapsibleButton.collapsed = True
    monkeypatch.setattr(slicer.util, "selectModule", chosen.append)
    panel.ui.drawRegionsButton.click()
    node = panel.widget._parameterNode.segmentation
    assert not panel.ui.regionsCollapsibleButton.collapsed
    assert chosen == ["SegmentEditor"] and node is slicer.mrmlScene.GetFirstNode(None, "vtkMRMLSegmentationNode")


def test_tissue_outlines_are_shown_by_a_box_since_no_selector_offers_them(panel):
    nodes = present(panel)
    assert not nodes.segmentation.GetDisplayNode().GetVisibility()
    panel.ui.tissueOutlinesCheckBox.click()
    assert nodes.segmentation.GetDisplayNode().GetVisibility()


def test_a_run_without_a_series_of_pairs_tells_no_error(panel):
    nodes = present(panel, a_result(pair_errors={}))
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    assert "±" not in cell(panel, 1, 1)[0] and np.isnan(rows(panel)["lesion"].raw.figures.error)


def test_a_closed_scene_leaves_no_row_and_no_observer(panel):
    import slicer

    nodes = present(panel)
    add_drawn(nodes.regions, on_series(), "lesion")
    settle()
    slicer.mrmlScene.Clear(0)
    settle()
    assert panel.ui.regionsTable.rowCount == 0 and panel.widget.regions.rows == ()
    assert "No result yet" in panel.ui.regionsLabel.text


def test_runs_in_a_row_keep_the_regions_and_their_rows(panel):
    nodes = present(panel)
    add_drawn(nodes.regions, on_series(), "lesion")
    for _ in range(3):
        again = present(panel)
        assert again.regions is nodes.regions
        assert rows(panel)["lesion"].raw.figures.mean > 0


def test_a_saved_scene_reads_regions_with_their_errors_again(panel, tmp_path):
    import slicer
    from scene_builders import load_mrb

    from ASLDenoiseLib.scene.store import save_mrb

    nodes = present(panel)  # Slicer saves segments on the grid they are drawn on: that of the T1
    drawn = box(nodes.result.t1.geometry, (14, 16, 15), (19, 22, 18))
    add_drawn(nodes.regions, drawn.moved(nodes.result.t1_to_asl), "lesion")
    panel.ui.mirrorCheckBox.click()
    settle()
    before = rows(panel)["lesion"].raw
    saved = save_mrb(slicer.mrmlScene, tmp_path / "run.mrb")
    slicer.mrmlScene.Clear(0)
    settle()
    assert rows(panel) == {}
    load_mrb(saved, tmp_path / "opened")
    settle()
    after = rows(panel)["lesion"].raw
    assert after.figures.mean == pytest.approx(before.figures.mean, rel=1e-6)
    assert after.figures.error == pytest.approx(before.figures.error, rel=1e-6)
    assert after.asymmetry.index == pytest.approx(before.asymmetry.index, rel=1e-6)
