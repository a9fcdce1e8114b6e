"""The process of the next run starts before Apply: when it does, that it is one, and that nothing leaves it behind."""

from __future__ import annotations

import time

import pytest
from panel_builders import FakeDriver
from running_builders import alive, gone

from ASLDenoiseLib.devices import ComputeDevice
from ASLDenoiseLib.torch_state import TorchState

LOADED = ("colorsys", "wave")  # in place of torch, which takes seconds
GOOD = TorchState("2.6.0", "CPU", (ComputeDevice("cpu", "CPU (2 cores)"),))


@pytest.fixture
def ready(panel, made, monkeypatch):
    """The panel with a series; the test says when it is inspected, and when PyTorch was looked at."""
    from ASLDenoisePanel import run

    from ASLDenoiseLib.pipeline import run as pipeline
    from ASLDenoiseLib.scene.series import series_to_nodes

    monkeypatch.setattr(run, "torchThere", lambda: True)
    monkeypatch.setattr(pipeline, "LOADED", LOADED)
    del panel.widget.run.warm  # the panel's own again
    panel.widget.preview._driver = FakeDriver()
    panel.widget.computing.abandon()
    panel.widget.computing._driver = FakeDriver()
    series_to_nodes(made)
    until(lambda: panel.ui.applyButton.enabled)
    panel.widget.preview.stop()
    return panel


def until(true, patience=20.0):
    from slicer_harness.panel import process_events

    assert process_events(true, timeout=patience)


def looked(panel):
    """PyTorch was looked at, and is well."""
    panel.widget.computing._onFound(GOOD)


def waiting(panel) -> int:
    runner = panel.widget.run._driver._runner
    until(lambda: runner is not None and runner.waiting is not None)
    return runner.waiting


def test_it_starts_once_apply_is_ready_and_the_looks_at_images_and_pytorch_are_over(ready):
    driver = ready.widget.run._driver = FakeDriver()
    ready.widget.preview._driver.running = True
    looked(ready)
    assert driver.warmed == []
    ready.widget.preview._driver.running = False
    ready.widget._checkCanApply()
    assert driver.warmed == [LOADED]


def test_it_does_not_start_while_nothing_can_be_run_or_a_run_is_under_way(ready, monkeypatch):
    from ASLDenoisePanel import run

    driver = ready.widget.run._driver = FakeDriver()
    monkeypatch.setattr(run, "torchThere", lambda: False)
    looked(ready)
    monkeypatch.setattr(run, "torchThere", lambda: True)
    ready.widget.preview.unusable = "The series cannot be used."
    ready.widget._checkCanApply()
    ready.widget.preview.unusable = ""
    ready.widget.run.state = type(ready.widget.run.state).RUNNING
    ready.widget._checkCanApply()
    assert driver.warmed == []


def test_there_is_one_however_often_the_choices_change(ready):
    looked(ready)
    pid = waiting(ready)
    for name in ("splitHalf", "motion") * 3:
        p = ready.widget._parameterNode
        setattr(p, name, not getattr(p, name))
        until(lambda: True)
    assert waiting(ready) == pid and ready.widget.run._driver._timer.isActive()


def test_apply_gives_it_the_run(ready):
    looked(ready)
    pid = waiting(ready)
    until(lambda: True)
    ready.ui.applyButton.click()
    assert ready.widget.run.running and ready.widget.run.pid == pid
    assert not ready.widget.run._driver._runner.waits
    ready.widget.run.cancel()
    until(lambda: not ready.widget.run.running)
    assert gone(pid, patience=5)


@pytest.mark.parametrize("end", ["the scene is closed", "the panel is closed", "it waited too long"])
def test_it_is_gone_when(end, ready, monkeypatch):
    from ASLDenoisePanel import running

    monkeypatch.setattr(running, "WAITS", 0.7 if "long" in end else 60.0)
    looked(ready)
    pid = waiting(ready)
    driver = ready.widget.run._driver
    assert alive(pid) or "long" in end
    if "scene" in end:
        import slicer

        slicer.mrmlScene.Clear(0)
    elif "panel" in end:
        ready.widget.cleanup()
    began = time.monotonic()
    until(lambda: not driver._runner.waits)
    assert gone(pid, patience=5) and time.monotonic() - began < 30
    until(lambda: not driver._timer.isActive())


def test_without_slicers_python_apply_says_so_and_not_the_panel_as_it_opens(ready, monkeypatch):
    from ASLDenoiseLib.errors import InputError

    def absent():
        raise InputError("PythonSlicer was not found; reinstall Slicer.")

    ready.widget.run._driver._makeRunner = absent
    looked(ready)
    assert ready.widget.run._driver._runner is None
    ready.ui.applyButton.click()
    assert "PythonSlicer" in ready.ui.statusLabel.text
