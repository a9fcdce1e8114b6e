"""The panel's check whether T1 and series belong together: its light, its views, a T1 placed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from panel_builders import FakeDriver
from scene_builders import made_result

from ASLDenoiseLib.preparing.series_fit import SeriesFit, fit_findings
from ASLDenoiseLib.series import Volume

OWN, DOUBTED, OTHER = SeriesFit(0.84, 9.5, 210), SeriesFit(0.61, 5.1, 210), SeriesFit(0.52, 0.8, 210)


@pytest.fixture
def loaded(panel):
    """A series and a T1 in the scene, selected by the panel."""
    import slicer
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.series import series_to_nodes
    from ASLDenoiseLib.scene.volumes import volume_to_node

    result = made_result()
    nodes = series_to_nodes(result.series)
    t1 = volume_to_node(result.t1, scene=slicer.mrmlScene, name="T1w")
    process_events()
    process_events()
    panel.widget.inputs.select(t1=t1)
    assert panel.widget.logic.getParameterNode().asl is nodes.sequence
    return result, nodes, t1


def found_of(result, fit):
    from ASLDenoiseLib.pipeline.found_head import FoundHead

    return FoundHead(fit, tuple(fit_findings(fit)), result.t1_to_asl, result.series.m0, result.tissue.brain)


def checked(panel, loaded, fit=OWN):
    """The check clicked and done."""
    driver = panel.widget.fit._driver = FakeDriver()
    panel.ui.fitCheckButton.click()
    driver.finish(found_of(loaded[0], fit))
    return driver


def layers():
    import slicer

    return [
        (each.GetBackgroundVolumeID(), each.GetForegroundVolumeID(), each.GetForegroundOpacity())
        for each in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    ]


@pytest.mark.parametrize(
    ("fit", "word"),
    [(OWN, "Green"), (DOUBTED, "Amber"), (OTHER, "Red"), (SeriesFit(), "Grey")],
    ids=lambda x: str(x)[:6],
)
def test_the_light_says_its_word_and_the_figure_stands_below(panel, loaded, fit, word):
    assert "Not checked yet" in panel.ui.fitLabel.text
    checked(panel, loaded, fit)
    assert f"<b>{word}:" in panel.ui.fitLightLabel.text
    assert fit.sentence in panel.ui.fitLabel.text
    if word in ("Amber", "Red"):
        assert "'Place by hand'" in panel.ui.fitLabel.text and "'T1'" in panel.ui.fitLabel.text


def test_a_check_sends_the_request_that_apply_would_send(panel, loaded):
    driver = panel.widget.fit._driver = FakeDriver()
    panel.ui.fitCheckButton.click()
    asked = panel.widget.logic.requestOf(panel.widget.logic.getParameterNode())
    np.testing.assert_array_equal(driver.task.request.head.t1.array, asked.head.t1.array)
    np.testing.assert_array_equal(driver.task.request.series.array, asked.series.array)
    assert panel.ui.fitCheckButton.text == "Cancel"
    panel.ui.fitCheckButton.click()
    assert not driver.running and panel.ui.fitCheckButton.text == "Check now"


def test_a_check_is_forgotten_with_its_nodes_once_another_t1_is_selected(panel, loaded):
    import slicer
    from slicer_harness.panel import process_events

    checked(panel, loaded)
    reference = panel.widget.fit.views.nodes.reference
    other = slicer.util.addVolumeFromArray(np.ones((20, 20, 20), np.float32), name="another T1")
    panel.widget.inputs.select(t1=other)
    process_events()
    assert reference.GetScene() is None and "Not checked yet" in panel.ui.fitLabel.text
    assert not panel.ui.outlineButton.enabled


def test_outline_flicker_and_checkerboard_exclude_each_other_and_leave_the_views_as_they_were(panel, loaded):
    import slicer
    from slicer_harness.panel import process_events

    checked(panel, loaded)
    ui, nodes, before = panel.ui, panel.widget.fit.views.nodes, layers()
    assert before
    ui.outlineButton.click()
    assert nodes.outline.GetDisplayNode().GetVisibility() and {each[:2] for each in layers()} == {
        (nodes.t1.GetID(), None)
    }
    ui.flickerButton.click()
    assert not ui.outlineButton.checked and not nodes.outline.GetDisplayNode().GetVisibility()
    both = {nodes.t1.GetID(), nodes.reference.GetID()}
    seen = set()
    process_events(lambda: seen.update(each[0] for each in layers()) or seen == both, timeout=20)
    assert seen == both
    ui.checkerboardButton.click()
    board = slicer.mrmlScene.GetNodeByID(layers()[0][0])
    assert "Checkerboard" in board.GetName() and not ui.flickerButton.checked
    ui.checkerboardButton.click()
    assert layers() == before and board.GetScene() is None


def test_the_flicker_stops_when_the_module_is_left(panel, loaded):
    checked(panel, loaded)
    before = layers()
    panel.ui.flickerButton.click()
    assert panel.widget.fit.views._timer.isActive()
    panel.widget.exit()
    assert not panel.widget.fit.views._timer.isActive() and layers() == before
    panel.widget.enter()


def test_two_clicks_place_the_t1_by_hand_and_run_from_there(panel, loaded, monkeypatch):
    from ASLDenoisePanel.parameters import Alignment

    t1 = loaded[2]
    ui, started = panel.ui, []
    monkeypatch.setattr(panel.widget.run, "start", lambda parameters, **how: started.append(parameters.alignment))
    assert not ui.fromThereButton.enabled
    ui.placeButton.click()
    transform = t1.GetParentTransformNode()
    display = transform.GetDisplayNode()
    assert display.GetEditorVisibility() and display.GetEditorSliceIntersectionVisibility()
    bounds = [0.0] * 6
    t1.GetRASBounds(bounds)
    assert transform.GetCenterOfTransformation() == pytest.approx([(bounds[n] + bounds[n + 1]) / 2 for n in (0, 2, 4)])
    assert all(each[1] == t1.GetID() and each[2] == 0.5 for each in layers())
    moved = np.eye(4)
    moved[:3, 3] = (3.0, -4.0, 5.0)
    import slicer

    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(moved))
    before = t1.GetImageData()
    ui.fromThereButton.click()
    assert started == [Alignment.START] and not display.GetEditorVisibility()
    request = panel.widget.logic.requestOf(panel.widget.logic.getParameterNode())
    np.testing.assert_array_equal(request.head.t1_start, np.eye(4))
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    np.testing.assert_allclose(
        request.head.t1.geometry.affine_lps, lps @ moved @ lps @ loaded[0].t1.geometry.affine_lps, atol=1e-4
    )
    assert t1.GetImageData() is before and t1.GetParentTransformNode() is transform


def test_a_t1_under_a_warp_is_not_placed_by_hand_but_refused_in_a_sentence(panel, loaded):
    import slicer

    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    loaded[2].SetAndObserveTransformNodeID(warp.GetID())
    panel.ui.placeButton.click()
    assert "under a warp" in panel.ui.fitLabel.text and not panel.ui.fromThereButton.enabled


def test_a_run_shows_its_own_figure_also_when_the_scene_is_opened_again(panel, loaded):
    from slicer_harness.panel import process_events

    result, nodes, _ = loaded
    shown = replace(result, fit=OTHER, brain=Volume(result.tissue.brain.array, result.series.geometry))
    panel.widget.logic.present(shown, nodes.sequence)
    process_events()
    process_events()
    assert "<b>Red:" in panel.ui.fitLightLabel.text and OTHER.sentence in panel.ui.fitLabel.text
    assert panel.ui.outlineButton.enabled
    panel.ui.outlineButton.click()
    assert panel.widget.fit.views.nodes.outline.GetDisplayNode().GetVisibility()
    panel.ui.outlineButton.click()


def test_what_the_check_prepared_is_taken_over_by_a_run_of_the_same_inputs_alone(panel, loaded, tmp_path):
    from ASLDenoiseLib.pipeline.again import DIGEST, PAIRS, STATE, digest_of

    fit, parameters = panel.widget.fit, panel.widget.logic.getParameterNode()
    request = panel.widget.logic.requestOf(parameters)
    for name, text in ((STATE, "state"), (PAIRS, "pairs"), (DIGEST, digest_of(request))):
        (fit.kept.folder / name).write_text(text)
    parameters.motion = False
    assert not fit.takeOver(panel.widget.logic.requestOf(parameters), tmp_path)
    parameters.motion = True
    assert fit.takeOver(panel.widget.logic.requestOf(parameters), tmp_path)
    assert (tmp_path / STATE).read_text("utf-8") == "state" and not fit.kept.there
    assert not fit.takeOver(request, tmp_path)


def test_closing_the_scene_ends_check_and_views(panel, loaded):
    import slicer

    checked(panel, loaded)
    panel.ui.flickerButton.click()
    slicer.mrmlScene.Clear(0)
    assert not panel.widget.fit.views._timer.isActive() and panel.widget.fit.views.nodes is None
    assert "Select a T1" in panel.ui.fitLabel.text and not panel.ui.fitCheckButton.enabled
