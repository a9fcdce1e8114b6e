"""The panel's sections 'Time line' and 'What is lost, what is kept', clicked; runs are in test_panel_again.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from timeline_builders import HALVES, PAIRS, with_halves, with_timeline


@pytest.fixture
def shown(panel):
    """The panel with a run of ten pairs and its series in the scene."""
    show(panel, with_timeline())
    return panel


def show(panel, result):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.series import series_to_nodes

    if panel.widget._parameterNode.asl is None:
        series_to_nodes(result.series)
        process_events()
    panel.widget.results.present(present(result, source=panel.widget._parameterNode.asl))
    panel.ui.timelineCollapsibleButton.collapsed = False
    process_events()


def states(panel):
    table = panel.ui.timelineTable
    return [table.item(row, 3).text() for row in range(table.rowCount)]


def choose(panel, pair, slice_number=None):
    from slicer_harness.panel import process_events

    panel.widget.timeline.select(pair)
    if slice_number is not None:
        box = panel.ui.pairSliceComboBox
        index = box.findData(str(slice_number))
        box.setCurrentIndex(index)
        box.activated.emit(index)
    process_events()


def foreground():
    import slicer

    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    ids = {composite.GetForegroundVolumeID() for composite in composites} - {None}
    return {slicer.mrmlScene.GetNodeByID(identifier).GetName() for identifier in ids}


def test_without_a_run_the_sections_say_so_and_offer_nothing(panel):
    assert "No result yet" in panel.ui.timelineLabel.text and "No result yet" in panel.ui.agreementLabel.text
    for name in ("timelineTable", "againButton", "halvesButton", "rawHalvesButton", "auditLabel"):
        assert not getattr(panel.ui, name).isVisibleTo(panel.frame), name


def test_every_pair_stands_there_with_motion_perfusion_and_its_place_in_the_mean(shown):
    table = shown.ui.timelineTable
    shown.widget._parameterNode.takenOut, shown.widget._parameterNode.putBack = "7", "5/3"
    assert table.rowCount == PAIRS
    assert [table.item(0, column).text() for column in range(3)] == ["1", "0.05 mm", "40.0"]
    said = states(shown)
    assert said[0] == "yes" and said[6] == "no: left out by you" and said[1] == "no: left out by the method"
    assert said[4] == "without 1 of 8 slices, by the method"
    said = shown.ui.timelineLabel.text
    assert said == (
        "10 pairs in this run. Left out by the method (zscore): 2, 5/4. Taken out by you: 7. Put back by you: 5/3."
    )


def test_a_click_on_a_pair_shows_its_difference_image_and_the_arrow_keys_go_on(shown):
    import slicer
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    choose(shown, 3)
    assert foreground() == {"Pair 3 sub-77"}
    node = slicer.util.getNode("Pair 3 sub-77")
    series = with_timeline().series
    np.testing.assert_allclose(slicer.util.arrayFromVolume(node), series.array[4] - series.array[5], atol=1e-3)

    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    QTest.keyClick(cpp_of(shown.ui.timelineTable), Qt.Key.Key_Down)
    process_events()
    assert foreground() == {"Pair 4 sub-77"} and node.GetName() == "Pair 4 sub-77"
    QTest.keyClick(cpp_of(shown.ui.timelineTable), Qt.Key.Key_Tab)
    assert shown.ui.timelineTable.currentRow() == 3  # the Tab key leaves the table


def test_what_a_run_that_was_cancelled_has_kept_is_not_shown_as_the_pairs_of_the_one_before(shown):
    import slicer

    from ASLDenoiseLib.pipeline import again

    timeline, kept = shown.widget.timeline, shown.widget.kept
    series = with_timeline().series

    def keep(value, digest):
        np.save(kept.folder / again.PAIRS, np.full((PAIRS, *series.geometry.shape), value, np.float32))
        (kept.folder / again.DIGEST).write_text(digest)

    def middle():
        return slicer.util.arrayFromVolume(slicer.util.getNode("Pair*"))[4, 8, 7]

    keep(42.0, "this run")
    spoilt = np.load(kept.folder / again.PAIRS)
    spoilt[0] = 5000.0
    np.save(kept.folder / again.PAIRS, spoilt)
    timeline.keptFor(shown.widget.results.nodes.folder)
    choose(shown, 3)
    assert middle() == 42.0 and "as prepared" in slicer.util.getNode("Pair*").GetDescription()
    choose(shown, 1)
    assert middle() == 5000.0  # shown as it is, in the window of the others
    assert slicer.util.getNode("Pair*").GetDisplayNode().GetWindowLevelMax() == 42.0
    choose(shown, 3)
    keep(-7.0, "another run")
    choose(shown, 4)
    assert middle() == pytest.approx(series.array[6, 4, 8, 7] - series.array[7, 4, 8, 7], abs=1e-3)
    assert "as acquired" in slicer.util.getNode("Pair*").GetDescription()


def test_where_no_image_is_at_hand_the_section_says_so(shown):
    shown.widget.inputs.select(asl=None)
    choose(shown, 3)
    assert "not at hand: select the series" in shown.ui.timelineLabel.text
    assert not any(name.startswith("Pair") for name in foreground())


def test_no_update_is_offered_while_a_run_is_under_way(shown):
    shown.widget._parameterNode.takenOut = "1"
    assert shown.ui.againButton.enabled
    shown.widget.transfer.busy = "Loading x..."
    shown.widget._onState()
    assert not shown.ui.againButton.enabled and not shown.ui.halvesButton.enabled
    shown.widget.transfer.busy = ""
    shown.widget._onState()
    assert shown.ui.againButton.enabled


def test_the_map_is_back_when_it_is_asked_for_or_the_box_is_unticked(shown):
    choose(shown, 3)
    shown.ui.showPairCheckBox.click()
    assert foreground() == {"Denoised CBF sub-77"}
    choose(shown, 5)
    assert foreground() == {"Denoised CBF sub-77"}
    shown.ui.showPairCheckBox.click()
    assert foreground() == {"Pair 5 sub-77"}
    shown.widget.results.views._onMap(shown.ui.mapComboBox.currentIndex)
    assert foreground() == {"Denoised CBF sub-77"}


def test_a_pair_and_a_slice_are_taken_out_and_put_back_and_stay_in_the_scene(shown):
    p = shown.widget._parameterNode
    p.takenOut, p.putBack = "7", "5/3"  # as the run has it
    assert shown.ui.againLabel.text == "The maps are of this choice of pairs." and not shown.ui.againButton.enabled
    choose(shown, 1)
    shown.ui.takeOutButton.click()
    choose(shown, 3, 6)
    shown.ui.takeOutButton.click()
    assert (p.takenOut, p.putBack) == ("1,7,3/6", "5/3")
    assert states(shown)[0] == "no: left out by you" and states(shown)[2] == "without 1 of 8 slices, by you"
    assert shown.ui.takenOutLineEdit.text == "1,7,3/6" and shown.ui.againButton.enabled
    assert "another choice of pairs" in shown.ui.againLabel.text
    choose(shown, 1)
    shown.ui.putBackButton.click()
    choose(shown, 2)
    shown.ui.putBackButton.click()  # against the method
    assert (p.takenOut, p.putBack) == ("7,3/6", "2,5/3")
    assert states(shown)[1] == "yes, put back by you" and states(shown)[0] == "yes"


def test_what_is_typed_counts_and_what_cannot_be_read_is_said_where_it_is_typed(shown):
    p = shown.widget._parameterNode
    p.takenOut = "8-9"
    assert states(shown)[7:9] == ["no: left out by you"] * 2
    p.takenOut = "8;9"
    assert "not understood" in shown.ui.againLabel.text and not shown.ui.againButton.enabled
    assert "'Taken out' under Time line is not understood" in shown.widget._obstacle()
    p.takenOut = "99"
    assert "not understood" in shown.ui.againLabel.text
    p.takenOut = ""
    assert shown.widget._obstacle() == "" or "under Time line" not in shown.widget._obstacle()


def test_the_choice_goes_into_the_request_and_back_from_its_json(shown, tmp_path):
    from ASLDenoisePanel.choices import requestFrom

    from ASLDenoiseLib.pipeline.request import Head, Outputs
    from ASLDenoiseLib.pipeline.request_json import plain_request

    p = shown.widget._parameterNode
    p.takenOut, p.putBack, p.splitHalf = " 1,3/6 ", "2", True
    request = requestFrom(p, with_timeline().series, Head(), Outputs(), None)
    plain = plain_request(request)
    assert (plain["preparation"]["taken_out"], plain["preparation"]["put_back"]) == ("1,3/6", "2")
    assert plain["denoising"]["split_half"] is True


def test_a_plot_of_the_pairs_lets_its_points_choose(shown):
    import slicer
    import vtk
    from slicer_harness.panel import process_events

    shown.ui.pairPlotButton.click()
    process_events()
    layouts = slicer.app.layoutManager()
    view = layouts.plotWidget(0).plotView()
    node = layouts.plotWidget(0).mrmlPlotViewNode()
    chart = slicer.mrmlScene.GetNodeByID(node.GetPlotChartNodeID())
    assert "in each pair" in chart.GetTitle()
    series, picked, collection = vtk.vtkStringArray(), vtk.vtkIdTypeArray(), vtk.vtkCollection()
    series.InsertNextValue(chart.GetNthPlotSeriesNodeID(3))
    picked.InsertNextValue(0)
    collection.AddItem(picked)
    view.dataSelected.emit(series, collection)
    assert shown.ui.timelineTable.currentRow() == 6
    assert "Pair 7 sub-77" in foreground() and "Raw CBF sub-77" in foreground()  # raw stays beside it


def test_another_run_or_a_closed_scene_leaves_nothing_of_the_pairs(shown):
    import slicer
    from slicer_harness.panel import close_scene

    choose(shown, 3)
    before = slicer.mrmlScene.GetNumberOfNodes()
    show(shown, with_timeline())
    assert slicer.mrmlScene.GetNumberOfNodes() == before - 3  # the pair's node with its display and legend
    close_scene()
    assert "No result yet" in shown.ui.timelineLabel.text and not shown.ui.timelineTable.isVisibleTo(shown.frame)


def test_the_agreement_of_halves_stands_beside_what_it_does_not_show(shown):
    show(shown, with_halves(with_timeline()))
    text = shown.ui.halvesLabel.text
    assert "0.42" in text and "0.93" in text and "6.5" in text and "1234 voxels" in text
    assert "smoothing alone is rewarded" in text and "Spearman" in text
    shown.ui.denoisedHalvesButton.click()
    assert foreground() >= {"Denoised odd pairs, CBF sub-77", "Denoised even pairs, CBF sub-77"}
    shown.ui.rawHalvesButton.click()
    assert foreground() >= {"Raw odd pairs, CBF sub-77", "Raw even pairs, CBF sub-77"}
    shown.ui.halvesPlotButton.click()
    from ASLDenoiseLib.scene.plots import caption_of

    assert HALVES.headline in caption_of(shown.widget.results.nodes.charts["halves"])
    assert shown.ui.plotCaptionLabel.isVisibleTo(shown.frame) and HALVES.headline in shown.ui.plotCaptionLabel.text
    shown.ui.overlayButton.click()
    assert not shown.ui.plotCaptionLabel.isVisibleTo(shown.frame)


def test_a_saved_scene_keeps_time_line_and_agreement(shown, tmp_path):
    from slicer_harness.panel import process_events, reopen_scene, save_scene

    from ASLDenoiseLib.result.audit import AuditVerdict, TissueMean

    verdict = AuditVerdict((TissueMean("GM", 50.0, 41.0, 49.6, 0.8),), "ml/100g/min", 10)
    show(shown, replace(with_halves(with_timeline()), audit=verdict))
    shown.widget._parameterNode.takenOut = "1"
    reopen_scene(save_scene(tmp_path / "a.mrb"))
    process_events()
    assert states(shown)[0] == "no: left out by you" and "0.93" in shown.ui.halvesLabel.text
    assert shown.ui.auditLabel.text == verdict.sentence
    assert "was not kept" in shown.ui.againLabel.text


def test_what_is_to_be_seen_is_scrolled_to_the_top_of_the_sections(shown):
    from ASLDenoisePanel.scrolling import _scrollTo
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    frame = cpp_of(shown.frame)
    frame.resize(400, 500)
    frame.show()
    for _ in range(5):
        process_events()
    for name in ("resultsCollapsibleButton", "methodCollapsibleButton"):
        _scrollTo(getattr(shown.ui, name))
        process_events()
        button = cpp_of(getattr(shown.ui, name))
        assert 0 <= button.mapTo(frame, button.rect().topLeft()).y() <= 12, name
    frame.hide()
