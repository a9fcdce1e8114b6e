"""The panel makes maps again from what the last run prepared: real runs in child processes. One panel for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from panel_builders import panel_of_module

pytestmark = pytest.mark.child


@pytest.fixture(scope="module")
def panel(repo_root):
    """The panel after a run of the self test's series."""
    with panel_of_module(repo_root) as opened:
        from ASLDenoisePanel.selftest import _sequence

        _sequence()
        until(lambda: opened.ui.applyButton.enabled and not opened.widget.preview.running, 120)
        opened.ui.deviceComboBox.setCurrentIndex(opened.ui.deviceComboBox.findData("cpu"))
        opened.ui.applyButton.click()
        until(lambda: not opened.widget.run.running, 300)
        yield opened


def until(condition, seconds=300.0):
    from slicer_harness.panel import process_events

    assert process_events(condition, timeout=seconds), f"waited {seconds} s in vain"


def again(panel, button="againButton"):
    getattr(panel.ui, button).click()
    assert panel.widget.run.running
    until(lambda: not panel.widget.run.running)
    return panel.ui.statusLabel.text


def maps_of(panel):
    import slicer

    return {key: slicer.util.arrayFromVolume(node).copy() for key, node in panel.widget.results.nodes.maps.items()}


def test_a_pair_taken_out_changes_the_maps_from_the_pairs_as_prepared_to_those_of_the_whole_run(panel):
    from ASLDenoiseLib.pipeline.run import run

    before, p = maps_of(panel), panel.widget._parameterNode
    panel.widget.timeline.select(2)
    panel.ui.takeOutButton.click()
    assert "An update takes seconds" in panel.ui.againLabel.text
    said = again(panel)
    assert "from the pairs as the run before had prepared them" in said
    assert panel.ui.againLabel.text == "The maps are of this choice of pairs." and p.takenOut == "2"
    assert "Taken out by you: 2." in panel.ui.timelineLabel.text
    after, whole = maps_of(panel), run(panel.widget.logic.requestOf(p))
    assert not np.allclose(before["desc-denoised_cbf"], after["desc-denoised_cbf"], equal_nan=True)
    for key in ("desc-mean_cbf", "desc-cleaned_cbf", "desc-denoised_cbf"):
        np.testing.assert_allclose(after[key], whole.maps[key].array, rtol=1e-4, atol=1e-3, err_msg=key)
    assert any("user" in finding.what for finding in panel.widget.results._result.findings)


def test_the_pair_that_is_shown_is_the_one_as_prepared_in_the_unit_of_the_maps(panel):
    import slicer

    panel.widget.timeline.select(3)
    node = slicer.util.getNode("Pair 3*")
    kept = panel.widget.kept.pair(2)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), kept)
    assert node.GetVoxelValueUnits().GetCodeValue() == "ml/[100]g/min"


def test_halves_are_compared_from_the_pairs_as_prepared(panel):
    assert "from the pairs as the run before" in again(panel, "halvesButton")
    assert "Odd against even pairs" in panel.ui.halvesLabel.text and panel.ui.rawHalvesButton.isVisibleTo(panel.frame)
    assert not panel.ui.halvesButton.isVisibleTo(panel.frame)
    assert panel.widget._parameterNode.splitHalf is True


def test_runs_again_leave_as_many_nodes_as_one(panel):
    import slicer

    panel.widget._parameterNode.splitHalf = False
    counts = []
    for text in ("1", "1,3", "", "2"):
        panel.widget._parameterNode.takenOut = text
        again(panel)
        panel.widget.timeline.select(2)
        counts.append(slicer.mrmlScene.GetNumberOfNodes())
    assert max(counts[:2]) == min(counts[:2]) and counts[0] == counts[3]
    assert len(list(panel.widget.kept.folder.iterdir())) == 3


def test_other_inputs_are_run_from_the_start_and_the_last_line_says_so(panel):
    panel.widget._parameterNode.pairs = "1-5"
    panel.widget._parameterNode.takenOut = "3"
    assert "All was run" in again(panel)


def test_what_was_prepared_goes_with_the_scene_and_with_the_panel(panel):
    from slicer_harness.panel import close_scene

    folder = Path(panel.widget.kept.folder)
    assert folder.stat().st_mode & 0o077 == 0
    close_scene()
    assert not folder.exists()
    other = Path(panel.widget.kept.folder)
    assert other.exists() and other != folder
    panel.widget.kept.discard()
    assert not other.exists()
