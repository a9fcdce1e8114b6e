"""Apply, Cancel and what comes of them: real runs in child processes, on the real scene. One panel for all tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pace import pace
from panel_builders import panel_of_module, write_bids

from ASLDenoiseLib import progress

pytestmark = pytest.mark.child
SHELL_NAMES = {"raw": "desc-mean_cbf", "processed": "desc-denoised_cbf"}


@pytest.fixture(scope="module")
def panel(repo_root):
    """The panel as Slicer opens it."""
    with panel_of_module(repo_root) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(panel, tmp_path_factory):
    """The made series as a BIDS data set."""
    from ASLDenoisePanel.selftest_series import selfTestSeries

    return write_bids(tmp_path_factory.mktemp("bids"), selfTestSeries(), t1=False)


@pytest.fixture(scope="module")
def run(panel, files):
    """The series loaded by a click, Apply clicked, and everything that was seen until the end."""
    from slicer_harness import dialogs
    from slicer_harness.panel import Heartbeat, process_events

    dialogs.paths.append(str(files))
    panel.widget.inputs.actions["file"].trigger()
    until(lambda: panel.ui.applyButton.enabled and not panel.widget.preview.running, 120)
    panel.ui.deviceComboBox.setCurrentIndex(panel.ui.deviceComboBox.findData("cpu"))
    seen, ui, before_run = [], panel.ui, pace()
    ui.applyButton.click()
    began = SimpleNamespace(text=ui.applyButton.text, enabled=ui.inputsCollapsibleButton.enabled)
    shown = panel.widget.run._logic.present
    longest = []

    def present(result, asl):  # shows the result when the run is over, and is no part of it
        longest.append(beat.longest)
        return shown(result, asl)

    panel.widget.run._logic.present = present
    busiest = 0.0
    with Heartbeat() as beat, pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "_ENOUGH_SECONDS", 0.5)  # so small a series may be done before the usual five
        while panel.widget.run.running:
            before = time.thread_time()
            process_events()
            if not longest:
                busiest = max(busiest, time.thread_time() - before)
            seen.append((ui.progressBar.value, ui.statusLabel.text))
            time.sleep(0.005)
    del panel.widget.run._logic.present
    return SimpleNamespace(
        began=began,
        seen=seen,
        busiest=busiest,
        longest=longest[0] if longest else beat.longest,
        work_pace=pace(time.thread_time),
        clock_pace=max(before_run, pace()),
    )


@pytest.fixture
def ready(panel, files):
    """A new scene with the series in it, ready for Apply."""
    from ASLDenoisePanel.selftest import _sequence
    from slicer_harness.panel import close_scene

    close_scene()
    _sequence()
    until(lambda: panel.ui.applyButton.enabled and not panel.widget.preview.running, 120)
    return panel


def until(condition, seconds=30.0):
    from slicer_harness.panel import process_events

    assert process_events(condition, timeout=seconds), f"waited {seconds} s in vain"


def contents():
    import slicer

    return [slicer.mrmlScene.GetNthNode(i).GetID() for i in range(slicer.mrmlScene.GetNumberOfNodes())]


def children():
    """Processes that this one started and that live; zombies do not."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after = path.read_text("utf-8").rpartition(")")[2].split()
            if after[0] != "Z" and int(after[1]) == os.getpid():
                found.append(int(path.parent.name))
    return found


def cells(panel):
    """Of each readout the label, raw, processed and change; without the mark of what cannot be true."""
    table = panel.ui.readoutsTable
    text = [
        [table.item(r, c).text().replace("\u200b", "").removeprefix("\u26a0 ") for c in (0, 1, 2, 4)]
        for r in range(table.rowCount)
    ]
    return [tuple(row) for row in text]


def started(panel):
    panel.ui.applyButton.click()
    until(lambda: panel.widget.run.pid is not None, 60)
    return panel.widget.run.pid


# --- a run from Apply to its results ---------------------------------------------------------------------------------


def test_apply_becomes_cancel_and_the_inputs_are_closed_to_changes(run):
    assert run.began.text == "Cancel"
    assert run.began.enabled is False


def test_progress_goes_forward_and_says_what_is_done(run):
    values = [value for value, _ in run.seen if value >= 0]
    assert values == sorted(values) and len(set(values)) > 5
    said = [text for _, text in run.seen]
    assert any("motion" in text for text in said) and any("left" in text for text in said)


def test_the_window_is_never_held_up_for_a_tenth_of_a_second_while_the_child_works(run):
    """A tenth on two quiet cores, where the pace is a fiftieth; Testing/Benchmarks measures it in seconds."""
    assert run.busiest < 5 * run.work_pace  # work between two rounds of the event loop
    assert run.longest < 15 * run.clock_pace  # by the clock, on a machine whose cores the child and others use, too


def test_done_shows_raw_beside_denoised_in_one_window_and_the_panel_open_again(run, panel):
    assert panel.widget.state.value == "done"
    assert panel.ui.statusLabel.text.startswith("Done in ")
    assert panel.ui.applyButton.text == "Apply" and panel.ui.inputsCollapsibleButton.enabled
    maps = panel.widget.results.nodes.maps
    for key in SHELL_NAMES.values():
        display = maps[key].GetDisplayNode()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 90.0)
    assert len(panel.widget.results.nodes.charts) >= 3


def test_the_table_holds_the_numbers_that_the_shell_gives_for_the_same_file(run, panel, files, tmp_path, repo_root):
    from ASLDenoiseLib.result.table import format_value

    command = [sys.executable, "-m", "ASLDenoiseLib", "denoise", str(files), "--out", str(tmp_path / "out")]
    command += ["--device", "cpu", "--no-scene", "--progress", "none"]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(next((tmp_path / "out").glob("*_readouts.json")).read_text("utf-8"))
    expected = {}
    for place, key in enumerate(SHELL_NAMES.values()):
        for readout in told["readouts"][key].values():
            other = readout["unit"] not in ("", "ml/100g/min")  # which the line above the table says
            named = f"{readout['label']} ({readout['unit']})" if other else readout["label"]
            expected.setdefault(named, [None, None])[place] = readout["value"]
    shown = {label: (raw, processed) for label, raw, processed, _ in cells(panel)}
    assert len(shown) > 8 and set(shown) <= set(expected)
    for label, values in shown.items():
        assert values == tuple(format_value(np.nan if v is None else v) for v in expected[label]), label


def test_the_chosen_map_is_what_the_slice_views_show(run, panel):
    from scene_builders import shown_key

    ui, nodes = panel.ui, panel.widget.results.nodes
    labels = [ui.mapComboBox.itemText(i) for i in range(ui.mapComboBox.count)]
    assert labels[:3] == ["Raw mean", "Denoised", "Raw minus denoised"]
    for key in ("desc-mean_cbf", "desc-residual_cbf", "desc-uncertainty_cbf", "desc-denoised_cbf"):
        ui.mapComboBox.setCurrentIndex(ui.mapComboBox.findData(key))
        ui.mapComboBox.activated(ui.mapComboBox.currentIndex)
        assert shown_key(nodes) == key
        assert ui.mapComboBox.itemData(ui.mapComboBox.currentIndex) == key


def test_opacity_and_fade_reach_the_slice_views(run, panel):
    import slicer

    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    panel.ui.opacitySlider.value = 0.3
    assert red.GetForegroundOpacity() == pytest.approx(0.3)
    panel.ui.fadeSlider.value = 0.0
    assert slicer.mrmlScene.GetNodeByID(red.GetForegroundVolumeID()).GetAttribute("ASLDenoise.map") == "desc-mean_cbf"
    assert panel.ui.mapComboBox.currentText == "Raw mean"
    panel.ui.fadeSlider.value = 1.0
    panel.ui.opacitySlider.value = 0.55


def test_side_by_side_links_raw_and_denoised_and_over_the_t1_goes_back(run, panel):
    import slicer

    from ASLDenoiseLib.scene.layouts import RAW_VIEW, is_ours

    panel.ui.sideBySideButton.click()
    until(lambda: is_ours(slicer.mrmlScene))
    manager = slicer.app.layoutManager()
    keys = {}
    for view in (RAW_VIEW, "Yellow"):
        composite = manager.sliceWidget(view).mrmlSliceCompositeNode()
        assert composite.GetLinkedControl()
        keys[view] = slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetAttribute("ASLDenoise.map")
    assert keys == {RAW_VIEW: "desc-mean_cbf", "Yellow": "desc-denoised_cbf"}
    panel.ui.overlayButton.click()
    assert not is_ours(slicer.mrmlScene)


def test_a_plot_is_shown_beside_the_views(run, panel):
    import slicer

    ui = panel.ui
    assert ui.plotComboBox.count == len(panel.widget.results.nodes.charts)
    ui.plotComboBox.setCurrentIndex(ui.plotComboBox.findData("agreement"))
    ui.plotButton.click()
    view = next(
        node
        for node in slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
        if node.GetPlotChartNodeID() == panel.widget.results.nodes.charts["agreement"].GetID()
    )
    assert view is not None
    ui.overlayButton.click()


def test_the_table_can_be_copied_and_saved(run, panel, tmp_path):
    import slicer
    from slicer_harness import dialogs

    panel.ui.copyButton.click()
    copied = [line.split("\t") for line in slicer.app.clipboard().text().splitlines()]
    assert [line[:2] for line in copied[:2]] == [["Patient", "sub-01"], ["Series", "sub-01"]]
    assert copied[4][:2] == ["Readout", "Unit"] and copied[4][2].startswith("Raw mean")
    assert copied[4][3].startswith(("Prepared mean", "Denoised"))
    assert len(copied) == 5 + len(cells(panel)) and len({len(line) for line in copied[4:]}) == 1
    dialogs.paths.append(str(tmp_path / "readouts.tsv"))
    panel.ui.tableButton.click()
    lines = (tmp_path / "readouts.tsv").read_text("utf-8").splitlines()
    assert len(lines) == len(cells(panel)) + 1 and "\t" in lines[0]


def test_the_report_opens_and_prints(run, panel, tmp_path):
    from slicer_harness import dialogs

    panel.ui.reportButton.click()
    until(lambda: dialogs.opened_urls, 120)
    assert dialogs.opened_urls[-1].endswith("report.html")
    dialogs.paths.append(str(tmp_path / "report.pdf"))
    panel.ui.pdfButton.click()
    until(lambda: (tmp_path / "report.pdf").is_file())
    pdf = (tmp_path / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000


def test_a_saved_scene_opens_with_the_panel_as_it_was(run, panel, tmp_path):
    import slicer
    from slicer_harness import dialogs
    from slicer_harness.panel import close_scene, process_events, reopen_scene, save_scene

    from ASLDenoiseLib.scene.documents import report_in

    panel.ui.pairsLineEdit.text = "1-6"
    panel.ui.mapComboBox.setCurrentIndex(panel.ui.mapComboBox.findData("desc-residual_cbf"))
    panel.ui.mapComboBox.activated(panel.ui.mapComboBox.currentIndex)
    before, acquisition = cells(panel), panel.ui.acquisitionTable.rowCount
    until(lambda: not panel.widget.preview.running, 60)
    findings = panel.ui.findingsLabel.text
    until(lambda: report_in(slicer.mrmlScene, panel.widget.results.nodes.folder), 120)
    html = report_in(slicer.mrmlScene, panel.widget.results.nodes.folder)
    path = save_scene(tmp_path / "scene.mrb")
    close_scene()
    assert panel.ui.readoutsTable.rowCount == 0 or not panel.ui.readoutsTable.isVisibleTo(panel.frame)
    reopen_scene(path)
    process_events()
    assert cells(panel) == before
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-01_asl"
    assert panel.ui.acquisitionTable.rowCount == acquisition
    assert panel.ui.pairsLineEdit.text == "1-6"
    assert panel.ui.deviceComboBox.itemData(panel.ui.deviceComboBox.currentIndex) == "cpu"
    assert panel.ui.mapComboBox.currentText == "Raw minus denoised"
    assert panel.ui.applyButton.enabled
    until(lambda: not panel.widget.preview.running, 60)
    process_events()
    assert panel.ui.findingsLabel.text == findings
    assert panel.ui.reportButton.enabled and panel.ui.pdfButton.enabled
    dialogs.opened_urls.clear()
    panel.ui.reportButton.click()  # at once, from the scene: nothing is made again
    assert Path(dialogs.opened_urls[-1].removeprefix("file://")).read_text("utf-8") == html
    dialogs.paths.append(str(tmp_path / "again.pdf"))
    panel.ui.pdfButton.click()
    assert (tmp_path / "again.pdf").read_bytes().startswith(b"%PDF")


# --- runs that do not end well ----------------------------------------------------------------------------------------


def test_cancel_midway_leaves_the_scene_as_it_was_and_no_process_and_apply_works_again(ready):
    before, processes = contents(), children()
    pid = started(ready)
    assert pid in children() or Path(f"/proc/{pid}").exists()
    until(lambda: ready.ui.progressBar.value > 0, 120)
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running)
    assert ready.widget.state.value == "ready"
    assert ready.ui.statusLabel.text == "Cancelled; nothing was changed."
    assert contents() == before and set(children()) <= set(processes)  # the one that waited may be gone
    assert not Path(f"/proc/{pid}").exists()
    ready.ui.applyButton.click()
    assert ready.widget.state.value == "running"
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running)


def test_a_killed_child_is_told_in_words_and_the_scene_stays(ready):
    before = contents()
    os.kill(started(ready), signal.SIGKILL)
    until(lambda: not ready.widget.run.running)
    assert ready.widget.state.value == "error"
    assert "memory" in ready.ui.statusLabel.text or "ended" in ready.ui.statusLabel.text
    assert contents() == before
    assert ready.ui.applyButton.enabled and ready.ui.applyButton.text == "Apply"


@pytest.fixture
def tiny_disk(tmp_path):
    """A folder on a disk of a few hundred kilobytes."""
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be had by root on Linux alone")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def with_runner(panel, monkeypatch, **changes):
    """The next run in a child that is short of something."""
    from ASLDenoisePanel import running

    from ASLDenoiseLib.running.runner import Runner

    ordinary = running.makeRunner()
    given = {"command": ordinary.command, "environment": ordinary.environment, **changes}
    monkeypatch.setattr(panel.widget.run._driver, "_runner", Runner(given.pop("command"), **given))


def test_a_full_disk_is_told_in_words_and_scene_and_files_stay(ready, tiny_disk, monkeypatch):
    before, folder = contents(), tiny_disk / "job"

    def make_folder():
        folder.mkdir()
        return folder

    with_runner(ready, monkeypatch, make_folder=make_folder)
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running)
    assert ready.widget.state.value == "error"
    assert "disk" in ready.ui.statusLabel.text or "space" in ready.ui.statusLabel.text
    assert contents() == before and not folder.exists()


# A child in which denoising asks for more memory than any machine has
SHORT_OF_MEMORY = """
import runpy, sys
import numpy
from ASLDenoiseLib.pipeline import run
run.RequestTask.run = lambda task, progress: numpy.ones(10**17)
sys.argv = sys.argv[2:]
runpy.run_module("ASLDenoiseLib.running.child", run_name="__main__", alter_sys=True)
"""


def test_a_child_short_of_memory_is_told_in_words_and_the_scene_stays(ready, monkeypatch):
    before = contents()
    with_runner(ready, monkeypatch, command=[sys.executable, "-c", SHORT_OF_MEMORY])
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running, 120)
    assert ready.widget.state.value == "error"
    assert "memory" in ready.ui.statusLabel.text.lower()
    assert contents() == before


def test_closing_the_scene_ends_the_run(ready):
    from slicer_harness.panel import close_scene

    processes = children()
    pid = started(ready)
    close_scene()
    assert ready.widget.state.value == "empty" and ready.ui.applyButton.text == "Apply"
    until(lambda: not Path(f"/proc/{pid}").exists())
    until(lambda: children() == [child for child in processes if child in children()])
    assert not ready.ui.progressBar.isVisibleTo(ready.frame)


def test_what_cannot_be_used_is_refused_at_once_in_words(ready, tmp_path):
    before = contents()
    (tmp_path / "taken").write_text("")
    ready.widget._parameterNode.outputFolder = str(tmp_path / "taken")
    ready.ui.applyButton.click()
    assert ready.widget.state.value == "error" and "is a file; give a folder" in ready.ui.statusLabel.text
    ready.widget._parameterNode.outputFolder = ""
    ready.ui.outputNameLineEdit.text = "a/b"
    ready.ui.applyButton.click()
    assert "cannot begin a file name" in ready.ui.statusLabel.text
    ready.ui.outputNameLineEdit.text = ""
    ready.ui.pairsLineEdit.text = "40-50"
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running, 120)
    assert ready.widget.state.value == "error" and "pairs" in ready.ui.statusLabel.text
    ready.ui.pairsLineEdit.text = ""
    assert ready.widget.state.value == "ready" and ready.ui.statusLabel.text == ""  # it speaks of what is past
    assert contents() == before


def test_packages_are_asked_for_on_apply_and_declining_is_told(ready):
    from slicer_harness.packaging import installer

    installer.missing, installer.answer, installer.asked = {"monai"}, False, []
    try:
        ready.ui.applyButton.click()
        assert installer.asked[0][0].startswith("monai")
        assert ready.widget.state.value == "error" and "were not installed" in ready.ui.statusLabel.text
    finally:
        installer.missing, installer.answer = set(), True


def test_without_torch_there_is_a_way_on(ready, monkeypatch):
    from ASLDenoisePanel import packages
    from slicer_harness.packaging import installer

    monkeypatch.setattr(packages, "torchThere", lambda: False)
    installer.asked = []
    ready.ui.applyButton.click()
    assert ready.widget.state.value == "error" and "extension 'PyTorch'" in ready.ui.statusLabel.text
    assert "Extensions Manager" in ready.ui.statusLabel.text
    assert installer.asked == [], "pip is never asked for PyTorch"


def test_the_console_can_start_a_run_without_waiting(ready):
    from ASLDenoisePanel.selftest import _sequence

    given, told = [], []
    driver = ready.widget.logic.process(
        _sequence(),
        device="cpu",
        waitForCompletion=False,
        progress=lambda fraction, text: told.append(fraction),
        finished=given.append,
    )
    assert driver.running and not given
    until(lambda: given, 180)
    assert told == sorted(told) and given[0].maps["desc-denoised_cbf"] is not None
    assert not driver.running


def test_the_request_of_a_panel_run_gives_the_same_maps_in_the_shell(ready, tmp_path):
    """The series was changed in the scene and lies in no file: its images go along."""
    from ASLDenoiseLib.__main__ import main
    from ASLDenoiseLib.reading.images import read_image

    folder, again = tmp_path / "panel", tmp_path / "shell"
    p = ready.widget._parameterNode
    p.outputFolder, p.outputName, p.pairs, p.regressCsf = str(folder), "sub-07", "1,3-6", True
    ready.ui.applyButton.click()
    until(lambda: not ready.widget.run.running and not ready.widget.transfer.busy, 240)
    assert ready.widget.state.value == "done", ready.ui.statusLabel.text
    assert main(["run", str(folder / "sub-07_request.json"), "--out", str(again), "--progress", "none"]) == 0
    names = sorted(path.name for path in folder.glob("sub-07_*_cbf.nii.gz"))
    assert "sub-07_desc-denoised_cbf.nii.gz" in names
    assert names == sorted(path.name for path in again.glob("*_cbf.nii.gz"))
    for name in names:
        np.testing.assert_allclose(read_image(again / name).array, read_image(folder / name).array, atol=1e-4)
