"""What the panel shows of a run in the slice views: layouts and back, scenes that close, four runs in a row."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import made_result

FOUR_UP, SIDE_BY_SIDE = 3, 29
RAW, DENOISED, RESIDUAL = "desc-mean_cbf", "desc-denoised_cbf", "desc-residual_cbf"


@pytest.fixture
def panel(panel):
    """The panel in a desktop of four views, which makes no reports."""
    layout().SetViewArrangement(FOUR_UP)
    panel.widget.results._keeper.make = lambda result, folder: None  # a child of its own, in test_panel_run.py
    return panel


def layout():
    import slicer

    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def view(tag):
    import slicer

    return slicer.app.layoutManager().sliceWidget(tag).mrmlSliceNode()


def shown_in(tag) -> str:
    import slicer

    composite = slicer.app.layoutManager().sliceWidget(tag).mrmlSliceCompositeNode()
    return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID() or "").GetAttribute("ASLDenoise.map")


def present(panel, **changes):
    """A run that has just ended, made by hand."""
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.present import present

    nodes = present(made_result(**changes))
    panel.widget.results.present(nodes)
    process_events()
    return nodes


def choose(panel, key):
    box = panel.ui.mapComboBox
    box.setCurrentIndex(box.findData(key))
    box.activated(box.currentIndex)


def orientations() -> list[str]:
    return [view(tag).GetOrientation() for tag in ("Red", "Green", "Yellow")]


def test_side_by_side_is_titled_by_the_maps_and_the_way_back_gives_the_views_as_they_were(panel):
    present(panel)
    panel.ui.sideBySideButton.click()
    assert layout().GetViewArrangement() == SIDE_BY_SIDE
    assert (shown_in("Red"), shown_in("Yellow")) == (RAW, DENOISED)
    choose(panel, RESIDUAL)
    assert [view(tag).GetLayoutLabel() for tag in ("Red", "Yellow")] == ["Raw CBF", "Raw minus denoised"]
    panel.ui.overlayButton.click()
    assert layout().GetViewArrangement() == FOUR_UP and orientations() == ["Axial", "Coronal", "Sagittal"]
    assert {shown_in(tag) for tag in ("Red", "Green", "Yellow")} == {RESIDUAL}


def test_a_view_in_which_the_user_chooses_another_image_is_titled_by_that(panel):
    import slicer

    nodes = present(panel)
    panel.ui.sideBySideButton.click()
    yellow = slicer.app.layoutManager().sliceWidget("Yellow").mrmlSliceCompositeNode()
    yellow.SetForegroundVolumeID(nodes.maps[RESIDUAL].GetID())  # as by the view's own bar
    assert view("Yellow").GetLayoutLabel() == "Raw minus denoised"
    yellow.SetForegroundVolumeID(None)
    assert view("Yellow").GetLayoutLabel() == nodes.t1.GetName()


def test_the_slice_stays_from_layout_to_layout_and_run_to_run(panel):
    present(panel)
    view("Red").SetSliceOffset(7.0)
    for button in (panel.ui.sideBySideButton, panel.ui.plotButton, panel.ui.overlayButton):
        button.click()
        wait(200)
        assert view("Red").GetSliceOffset() == pytest.approx(7.0)
    present(panel, model="another")
    assert view("Red").GetSliceOffset() == pytest.approx(7.0)


def test_a_closed_scene_leaves_no_layout_of_ours_behind(panel):
    from slicer_harness.panel import close_scene

    present(panel)
    panel.ui.sideBySideButton.click()
    close_scene()
    assert layout().GetViewArrangement() == FOUR_UP
    assert orientations() == ["Axial", "Coronal", "Sagittal"]
    assert [view(tag).GetLayoutLabel() for tag in ("Red", "Green", "Yellow")] == ["R", "G", "Y"]


def test_another_layout_chosen_from_slicers_list_shows_the_map_in_its_views(panel):
    present(panel)
    panel.ui.sideBySideButton.click()
    layout().SetViewArrangement(FOUR_UP)
    assert orientations() == ["Axial", "Coronal", "Sagittal"]
    assert {shown_in(tag) for tag in ("Red", "Green", "Yellow")} == {DENOISED}


@pytest.mark.parametrize("entered", [True, False])
def test_a_saved_comparison_opens_with_its_layout_whether_the_panel_is_open_or_not(panel, tmp_path, entered):
    from slicer_harness.panel import process_events, reopen_scene, save_scene

    present(panel)
    view("Red").SetSliceOffset(7.0)
    panel.ui.sideBySideButton.click()
    path = save_scene(tmp_path / "scene.mrb")
    if not entered:
        panel.frame.exit()
    reopen_scene(path)
    process_events()
    assert layout().GetViewArrangement() == SIDE_BY_SIDE
    assert (shown_in("Red"), shown_in("Yellow")) == (RAW, DENOISED)
    assert [view(tag).GetSliceOffset() for tag in ("Red", "Yellow")] == pytest.approx([7.0, 7.0])
    if not entered:
        panel.frame.enter()
        process_events()
    panel.ui.overlayButton.click()
    assert orientations() == ["Axial", "Coronal", "Sagittal"]


def test_a_comparison_saved_by_an_earlier_version_is_shown_in_the_new_layout(panel):
    present(panel)
    layout().SetViewArrangement(7301)
    panel.widget.results.clear()
    panel.widget.results.restore()
    assert layout().GetViewArrangement() == SIDE_BY_SIDE


def test_eight_runs_in_a_row_leave_the_scene_as_large_as_one_and_memory_level(panel):
    import slicer

    from ASLDenoiseLib.series import Geometry

    large = Geometry((64, 64, 24), (3.4, 3.4, 6.0), (-107.0, -107.0, -69.0))
    counts, resident = [], []
    for _ in range(8):
        present(panel, geometry=large)
        panel.ui.sideBySideButton.click()
        panel.ui.plotButton.click()
        for how in ("Swipe", "Fade"):
            by(panel, how)
            panel.ui.fadeSlider.value = 0.5
            panel.ui.overlayButton.click()
        panel.ui.fadeSlider.value = 1.0
        wait(150)
        gc.collect()
        counts.append(slicer.mrmlScene.GetNumberOfNodes())
        resident.append(megabytes())
    assert counts[1:] == [counts[1]] * 7 and counts[1] - counts[0] in (0, 1)  # the plot's view is made once
    assert resident[7] - resident[3] < 20  # a run's maps, T1 and series are some 7 MB: four of them would be seen


def megabytes() -> float:
    """Of this process, resident."""
    try:
        pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    except OSError:
        pytest.skip("the system does not tell how much memory a process has")
    return pages * 4096 / 1e6


def by(panel, how):
    """Compare raw and processed so."""
    panel.ui.compareComboBox.setCurrentText(how)


def foreground(tag="Red"):
    import slicer

    composite = slicer.app.layoutManager().sliceWidget(tag).mrmlSliceCompositeNode()
    return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID() or "")


def node_count() -> int:
    import slicer

    return slicer.mrmlScene.GetNumberOfNodes()


def test_flicker_shows_one_map_after_the_other_at_the_same_slice_until_another_way_is_chosen(panel):
    present(panel)
    view("Red").SetSliceOffset(7.0)
    before = node_count()
    by(panel, "Flicker")
    assert not panel.ui.fadeSlider.enabled
    seen, end = [], time.monotonic() + 3.2
    while time.monotonic() < end:
        wait(100)
        if not seen or seen[-1] != shown_in("Red"):
            seen.append(shown_in("Red"))
    assert seen[:4] == [DENOISED, RAW, DENOISED, RAW] and len(seen) <= 6  # never three changes a second
    assert view("Red").GetSliceOffset() == pytest.approx(7.0)
    by(panel, "Fade")
    wait(1500)
    assert shown_in("Red") == DENOISED and node_count() == before
    assert not panel.widget.results.views._compared.flickering


def test_flicker_stands_still_while_another_module_or_another_image_is_shown(panel):
    import slicer

    present(panel)
    by(panel, "Flicker")
    panel.frame.exit()
    assert not panel.widget.results.views._compared.flickering
    panel.frame.enter()
    assert panel.widget.results.views._compared.flickering
    slicer.util.setSliceViewerLayers(background=None, foreground=None)
    wait(1600)
    assert not panel.widget.results.views._compared.flickering and foreground() is None


def test_a_swipe_follows_the_slider_and_leaves_nothing_behind(panel):
    present(panel)
    before = node_count()
    by(panel, "Swipe")
    panel.ui.fadeSlider.value = 0.5
    assert foreground().GetName().startswith("Raw CBF / Denoised CBF")
    made = node_count()
    panel.ui.fadeSlider.value = 0.6
    assert node_count() == made > before
    by(panel, "Fade")
    panel.ui.fadeSlider.value = 1.0
    assert shown_in("Red") == DENOISED and node_count() == before


def test_relative_perfusion_is_a_choice_in_every_view_and_the_maps_stay_what_they_are(panel):
    import numpy as np
    import slicer

    nodes = present(panel)
    values, before = slicer.util.arrayFromVolume(nodes.maps[DENOISED]).copy(), node_count()
    box = panel.ui.scaleComboBox
    texts = [box.itemText(i) for i in range(box.count)]
    assert texts == ["ml/100g/min", "Relative to whole brain", "Relative to GM"]
    for scale in ("GM", "whole brain"):
        box.setCurrentIndex(box.findData(scale))
        box.activated(box.currentIndex)
        assert foreground().GetName() == f"Relative denoised CBF ({scale})"
    panel.ui.sideBySideButton.click()
    assert view("Red").GetLayoutLabel() == "Relative raw CBF (whole brain)"
    panel.ui.overlayButton.click()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(nodes.maps[DENOISED]), values)
    box.setCurrentIndex(0)
    box.activated(0)
    assert shown_in("Red") == DENOISED and node_count() == before


@pytest.mark.parametrize("how", ["Fade", "Swipe"])
def test_a_scene_saved_in_the_middle_of_a_comparison_opens_as_it_was_and_goes_on(panel, tmp_path, how):
    from slicer_harness.panel import process_events, reopen_scene, save_scene

    present(panel)
    by(panel, how)
    panel.ui.fadeSlider.value = 0.4
    name = foreground().GetName()
    path = save_scene(tmp_path / "scene.mrb")
    panel.frame.exit()  # as for one who has no module
    reopen_scene(path)
    process_events()
    assert foreground().GetName() == name
    panel.frame.enter()
    process_events()
    before = node_count()
    panel.ui.fadeSlider.value = 0.5
    assert foreground().GetName() == name and node_count() == before
    panel.ui.fadeSlider.value = 1.0
    assert shown_in("Red") == DENOISED and node_count() < before


def wait(milliseconds: int) -> None:
    from slicer_harness.panel import process_events

    end = time.monotonic() + milliseconds / 1000
    process_events(lambda: time.monotonic() > end)
