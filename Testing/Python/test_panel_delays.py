"""The panel with a series of several delays: what it says of it, and what it asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from delay_builders import SIX_DELAYS, scan_of_delays

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
    put(scan_of_delays(order="shuffled").series)
    panel.ui.advancedCollapsibleButton.collapsed = False
    assert panel.ui.delaysLabel.text == "6 delays (0.5 to 3 s), fitted together: CBF and arrival time."
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
