"""The panel's choice 'Adapt to this scan', and what it shows of a run that made it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adaptation_builders import EARNED, REFUSED
from delay_builders import scan_of_delays
from timeline_builders import with_halves, with_timeline


def show(panel, result):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.series import series_to_nodes

    if panel.widget._parameterNode.asl is None:
        series_to_nodes(result.series)
        process_events()
    panel.widget.results.present(present(result, source=panel.widget._parameterNode.asl))
    process_events()


@pytest.fixture
def adapted():
    """A run of the adapted model, named as such."""
    made = with_timeline()
    return replace(made, adaptation=EARNED, model={**made.model, "name": "guided-unet, adapted to this scan"})


def test_the_box_goes_into_the_request_and_stays_with_the_scene(panel, made, tmp_path):
    from slicer_harness.panel import process_events, reopen_scene, save_scene

    from ASLDenoiseLib.scene.series import series_to_nodes

    series_to_nodes(made)
    process_events()
    widget, box = panel.widget, panel.ui.adaptCheckBox
    assert box.enabled and not box.checked
    assert widget.logic.requestOf(widget._parameterNode).denoising.adapt is False
    box.click()
    assert widget._parameterNode.adapt is True
    assert widget.logic.requestOf(widget._parameterNode).denoising.adapt is True
    reopen_scene(save_scene(tmp_path / "a.mrb"))
    process_events()
    assert panel.ui.adaptCheckBox.checked
    assert widget.logic.requestOf(widget._parameterNode).denoising.adapt is True


def test_it_is_not_asked_of_several_delays_or_of_a_model_that_cannot_learn_so(panel, made, monkeypatch):
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.denoising.families.guided import GuidedFamily
    from ASLDenoiseLib.scene.series import series_to_nodes

    p = panel.widget._parameterNode
    series_to_nodes(made)
    process_events()
    p.adapt = True  # as chosen for another series
    monkeypatch.setattr(GuidedFamily, "adapts", False)
    p.smoothing = 1.0
    assert not panel.ui.adaptCheckBox.enabled and not panel.widget.logic.requestOf(p).denoising.adapt
    monkeypatch.setattr(GuidedFamily, "adapts", True)
    p.smoothing = 0.0
    assert panel.ui.adaptCheckBox.enabled and panel.widget.logic.requestOf(p).denoising.adapt
    p.asl, p.m0 = series_to_nodes(scan_of_delays(repeats=1).series).sequence, None
    process_events()
    assert not panel.ui.adaptCheckBox.enabled and not panel.widget.logic.requestOf(p).denoising.adapt


def test_a_run_of_the_adapted_model_shows_what_was_gained_beside_what_was_asked(panel, adapted, tmp_path):
    from slicer_harness.panel import process_events, reopen_scene, save_scene

    panel.ui.agreementCollapsibleButton.collapsed = False
    show(panel, adapted)
    text = panel.ui.adaptationLabel.text
    assert panel.ui.adaptationLabel.isVisibleTo(panel.frame) and EARNED.sentence in text
    assert "10.3 dB" in text and "within 2 %" in text and "not met" not in text
    reopen_scene(save_scene(tmp_path / "a.mrb"))
    process_events()
    assert panel.ui.adaptationLabel.text == text


def test_a_run_whose_gains_did_not_earn_their_place_shows_why(panel, adapted):
    panel.ui.agreementCollapsibleButton.collapsed = False
    show(panel, replace(adapted, adaptation=REFUSED))
    assert "used as it is" in panel.ui.adaptationLabel.text
    assert "by more than 2 standard errors: not met" in panel.ui.adaptationLabel.text


def test_without_it_nothing_is_said(panel):
    panel.ui.agreementCollapsibleButton.collapsed = False
    show(panel, with_timeline())
    assert panel.ui.adaptationLabel.text == "" and not panel.ui.adaptationLabel.isVisibleTo(panel.frame)


def test_adapted_and_plain_runs_stand_beside_each_other_in_the_scene(panel, adapted):
    import slicer

    show(panel, with_timeline())
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    show(panel, adapted)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") > count
    box = panel.ui.runComboBox
    assert any("adapted to this scan" in box.itemText(n) for n in range(box.count))


def test_halves_of_an_adapted_network_say_that_they_share_its_gains(panel, adapted):
    halves = with_halves(adapted)
    panel.ui.agreementCollapsibleButton.collapsed = False
    show(panel, replace(halves, split_half=replace(halves.split_half, adapted=True)))
    assert "adapted to this scan beforehand" in panel.ui.halvesLabel.text
