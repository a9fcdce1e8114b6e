"""The panel with a series of several delays: what it says of it, and what it asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from delay_builders import SIX_DELAYS, scan_of_delays
from delay_results import result_of_delays, with_pairs
from scene_builders import made_result

from ASLDenoiseLib.result.audit import AuditVerdict
from ASLDenoiseLib.result.maps import DENOISED, DENOISED_ATT, RAW_ATT
from ASLDenoiseLib.result.table import is_short
from ASLDenoiseLib.series import VolumeType

_CHOICES = ("kineticsLabel", "kineticsComboBox", "macrovascularCheckBox", "spatialPriorCheckBox")


def put(series):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.series import series_to_nodes

    nodes = series_to_nodes(series)
    process_events()
    process_events()
    return nodes


def rows(panel):
    table = panel.ui.acquisitionTable
    items = [[table.item(row, column) for column in (0, 1)] for row in range(table.rowCount)]
    return {name.text().partition(" (")[0]: value for name, value in items}


def shown(panel, name):
    return not getattr(panel.ui, name).isHidden()


def test_a_series_of_several_delays_is_said_to_be_fitted_together(panel):
    from ASLDenoisePanel.parameters import Way

    put(scan_of_delays(order="shuffled").series)
    panel.ui.advancedCollapsibleButton.collapsed = False
    said = "6 delays (0.5 to 3 s), fitted together: CBF and arrival time."
    assert panel.ui.delaysLabel.text.startswith(said) and "not the model" in panel.ui.delaysLabel.text
    panel.widget._parameterNode.spatialPrior = False
    assert panel.ui.delaysLabel.text == said
    panel.widget._parameterNode.spatialPrior, panel.widget._parameterNode.way = True, Way.QUANTIFY
    assert panel.ui.delaysLabel.text == said
    assert shown(panel, "delaysLabel") and all(shown(panel, name) for name in _CHOICES)


def test_a_series_of_one_delay_has_nothing_to_choose_about_several(panel, made):
    put(made)
    panel.ui.advancedCollapsibleButton.collapsed = False
    assert not any(shown(panel, name) for name in ("delaysLabel", *_CHOICES))


def test_pairs_of_one_delay_and_other_label_durations_are_counted_apart(panel):
    put(scan_of_delays(delays=(1.0, 1.0, 2.0), durations=(1.0, 1.8, 1.8), repeats=2).series)
    assert panel.ui.delaysLabel.text.startswith("3 delays (1 to 2 s)")


def test_a_list_that_does_not_match_the_volumes_is_no_list_of_delays(panel):
    made = scan_of_delays(repeats=1).series
    put(replace(made, acquisition=replace(made.acquisition, post_labeling_delay=(0.5, 1.0, 1.5))))
    assert not shown(panel, "delaysLabel")


def test_maps_of_cbf_have_no_delays(panel):
    made = scan_of_delays(kind="deltam", repeats=1).series
    put(replace(made, context=(VolumeType.CBF,) * len(made.context)))
    assert not shown(panel, "delaysLabel")


def test_the_acquisition_lists_every_delay_once_and_counts_its_volumes(panel):
    durations = (1.2, 1.2, 1.8, 1.8, 1.8, 1.8)
    put(scan_of_delays(durations=durations, repeats=3, order="repeat by repeat").series)
    delay, duration = rows(panel)["Post-labelling delay"], rows(panel)["Label duration"]
    assert delay.text() == "0.5, 1, 1.5, 2, 2.5, 3" and duration.text() == "1.2, 1.8"
    assert "0.5 (6 volumes), 1 (6 volumes)" in delay.toolTip() and "1.2 (12 volumes)" in duration.toolTip()


def test_many_delays_are_listed_by_their_ends(panel):
    put(scan_of_delays(delays=[0.2 * n for n in range(1, 13)], repeats=1).series)
    assert rows(panel)["Post-labelling delay"].text() == "0.2, 0.4 ... 2.4"


def test_the_choices_of_the_fit_are_kept_in_the_scene_and_asked_for(panel):
    from ASLDenoisePanel.parameters import Kinetics

    put(scan_of_delays(repeats=1).series)
    p = panel.widget._parameterNode
    assert (p.kinetics, p.macrovascular, p.spatialPrior) == (Kinetics.WHITE_PAPER, False, True)
    panel.ui.kineticsComboBox.setCurrentIndex(1)
    panel.ui.macrovascularCheckBox.click()
    panel.ui.spatialPriorCheckBox.click()
    assert (p.kinetics, p.macrovascular, p.spatialPrior) == (Kinetics.GENERAL, True, False)
    fit = panel.widget.logic.requestOf(p).fit
    assert (fit.kinetics, fit.macrovascular, fit.spatial) == ("general", True, False)


@pytest.mark.parametrize("index", range(2))
def test_a_kinetic_model_is_explained(panel, index):
    import qt

    put(scan_of_delays(repeats=1).series)
    assert "label" in panel.ui.kineticsComboBox.itemData(index, qt.Qt.ToolTipRole)


def test_the_console_of_the_module_passes_the_fit_on(panel, monkeypatch):
    import ASLDenoiseLib as ad
    from ASLDenoiseLib.pipeline import run

    nodes = put(scan_of_delays(delays=SIX_DELAYS[:3], repeats=1).series)
    asked = []
    monkeypatch.setattr(run, "run", lambda request, **_: asked.append(request))
    monkeypatch.setattr(panel.widget.logic, "present", lambda result, asl: None)
    monkeypatch.setattr("ASLDenoisePanel.logic._keepReport", lambda nodes: None)
    panel.widget.logic.process(nodes.sequence, fit=ad.DelayFit("general"))
    panel.widget.logic.process(nodes.sequence)
    assert [request.fit.kinetics for request in asked] == ["general", "white-paper"]


def present(panel, result):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.present import present

    panel.widget.results._keeper.make = lambda result, folder: None  # a child of its own, in test_panel_run.py
    nodes = present(result)
    panel.widget.results.present(nodes)
    panel.ui.resultsCollapsibleButton.collapsed = False
    process_events()
    return nodes


def shown_in(tag):
    import slicer

    composite = slicer.app.layoutManager().sliceWidget(tag).mrmlSliceCompositeNode()
    return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID() or "").GetAttribute("ASLDenoise.map")


def test_results_offer_arrival_time_and_show_it_beside_cbf_at_one_click(panel):
    present(panel, result_of_delays(regions=("thalamus",)))
    box = panel.ui.mapComboBox
    texts = [box.itemText(n) for n in range(box.count)]
    assert texts[:3] == ["Raw fit", "Denoised fit", "Arrival time, denoised fit"]
    assert shown(panel, "arrivalButton")
    panel.ui.arrivalButton.click()
    assert (shown_in("Red"), shown_in("Yellow")) == (DENOISED, DENOISED_ATT)


def test_an_arrival_time_that_is_chosen_is_shown_and_nothing_is_faded_into_it(panel):
    present(panel, result_of_delays())
    box = panel.ui.mapComboBox
    box.setCurrentIndex(box.findData(RAW_ATT))
    box.activated(box.currentIndex)
    assert shown_in("Red") == RAW_ATT and not panel.ui.fadeSlider.enabled


def test_a_run_of_one_delay_has_no_arrival_time_to_show(panel):
    present(panel, result_of_delays())
    present(panel, made_result())
    assert not shown(panel, "arrivalButton")
    panel.ui.resultsCollapsibleButton.collapsed = True
    panel.ui.resultsCollapsibleButton.collapsed = False
    assert not shown(panel, "arrivalButton")


def test_curves_of_the_fit_are_among_the_plots_and_are_said_in_words(panel):
    present(panel, result_of_delays(regions=("thalamus",)))
    box = panel.ui.plotComboBox
    names = [box.itemText(n) for n in range(box.count)]
    assert {"Delays: GM", "Delays: WM", "Delays: thalamus", "Delays: what the fit leaves over"} <= set(names)
    box.setCurrentIndex(names.index("Delays: GM"))
    panel.ui.plotButton.click()
    assert "arrival after 1.00 s" in panel.ui.plotCaptionLabel.text


def test_what_is_told_of_one_delay_is_not_asked_of_several(panel, made):
    p = panel.widget._parameterNode
    put(made)
    p.pairsNeeded, p.splitHalf = True, True  # as chosen for another series
    assert panel.widget.logic.requestOf(p).denoising.split_half
    sequence = put(scan_of_delays(repeats=1).series).sequence
    p.asl = sequence
    assert not (panel.ui.splitHalfCheckBox.enabled or panel.ui.pairsNeededCheckBox.enabled)
    denoising = panel.widget.logic.requestOf(p).denoising
    assert not denoising.split_half and not denoising.pairs_needed
    result = result_of_delays()
    present(panel, replace(result, audit=AuditVerdict((), "ml/100g/min", 4)))
    assert not shown(panel, "halvesButton")


def test_the_time_line_says_at_which_delay_each_pair_was_acquired(panel):
    present(panel, with_pairs(result_of_delays()))
    table = panel.ui.timelineTable
    assert table.item(0, 0).text() == "1 (0.5 s)" and "delay of 0.5 s" in table.item(0, 0).toolTip()


def test_the_time_a_run_takes_counts_every_delay(panel, made):
    from ASLDenoisePanel.choices import _workload

    put(made)
    assert _workload(panel.widget._parameterNode.asl).delays == 1
    assert _workload(put(scan_of_delays(repeats=1).series).sequence).delays == 6


def test_a_series_of_many_delays_and_its_results_fit_the_narrowest_module_panel(panel):
    from slicer_harness.panel import process_events
    from slicer_harness.proxy import cpp_of

    put(scan_of_delays(repeats=1).series)
    assert process_events(lambda: not panel.widget.preview.running, timeout=60)
    panel.ui.advancedCollapsibleButton.collapsed = False
    present(panel, with_pairs(result_of_delays(regions=("thalamus",))))
    panel.ui.timelineCollapsibleButton.collapsed = False
    process_events()
    assert cpp_of(panel.widget.uiWidget).minimumSizeHint().width() <= 300  # 317 pixels, less a scroll bar


def test_the_short_table_of_readouts_has_arrival_times():
    assert all(is_short(name) for name in ("gm_att", "wm_att", "roi_thalamus_att")) and not is_short("gm_att_bounds")


@pytest.mark.child
def test_one_click_fits_all_delays_and_shows_cbf_and_arrival_time(panel):
    from ASLDenoisePanel.parameters import Way
    from slicer_harness.panel import process_events

    panel.widget.results._keeper.make = lambda result, folder: None
    put(scan_of_delays(repeats=2).series)
    panel.widget._parameterNode.way = Way.QUANTIFY
    panel.widget._parameterNode.motion = False
    assert process_events(lambda: panel.ui.applyButton.enabled and not panel.widget.preview.running, timeout=60)
    panel.ui.applyButton.click()
    assert process_events(lambda: not panel.widget.run.running, timeout=300)
    assert panel.widget.state.value == "done", panel.ui.statusLabel.text
    assert RAW_ATT in panel.widget.results.nodes.maps and shown(panel, "arrivalButton")
    panel.ui.arrivalButton.click()
    assert shown_in("Yellow").endswith("_att")
    table = panel.ui.readoutsTable
    assert "GM arrival time (s)" in [table.item(row, 0).text() for row in range(table.rowCount)]


def edit(panel, label, text):
    rows(panel)[label].setText(text)


def test_delays_that_are_typed_once_each_are_spread_by_the_order_that_is_typed_next(panel):
    from ASLDenoiseLib.scene.series import read_acquisition

    made = scan_of_delays(delays=(0.5, 1.0, 1.5), repeats=2, order="repeat by repeat").series
    bare = replace(made.acquisition, post_labeling_delay=None, label_duration=None)
    nodes = put(replace(made, acquisition=bare))
    assert "Order of delays" not in rows(panel)
    edit(panel, "Post-labelling delay", "0.5, 1, 1.5")
    assert read_acquisition(nodes.sequence).post_labeling_delay == (0.5, 1.0, 1.5), "nothing says in which order"
    edit(panel, "Order of delays", "turns")
    edit(panel, "Label duration", "1, 1.4, 1.8")
    stated = read_acquisition(nodes.sequence)
    assert stated.post_labeling_delay == made.acquisition.post_labeling_delay
    assert stated.label_duration == (1.0, 1.0, 1.4, 1.4, 1.8, 1.8) * 2
    assert panel.ui.delaysLabel.text.startswith("3 delays (0.5 to 1.5 s), fitted together: CBF and arrival time.")


def test_a_list_without_an_order_is_said_to_lack_it(panel):
    from ASLDenoiseLib.inspecting.acquisition_checks import acquisition_findings

    made = scan_of_delays(delays=(0.5, 1.0, 1.5), repeats=2).series
    short = replace(made, acquisition=replace(made.acquisition, post_labeling_delay=(0.5, 1.0, 1.5)))
    (said,) = [f for f in acquisition_findings(short) if f.code == "times-mismatch"]
    from ASLDenoisePanel.remedies import panelRemedy

    assert "'Order of delays'" in panelRemedy(said.remedies) and "3 values" in said.why


def test_the_flip_angle_of_a_look_locker_readout_has_a_row(panel):
    made = scan_of_delays(repeats=1).series
    locked = replace(made, acquisition=replace(made.acquisition, look_locker=True))
    put(locked)
    assert rows(panel)["Flip angle"].text() == ""
