"""The panel's line about PyTorch, the box that forces the CPU, and installations that leave Slicer's own alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from panel_builders import FakeDriver

from ASLDenoiseLib.devices import ComputeDevice
from ASLDenoiseLib.torch_state import TorchState

CPU = ComputeDevice("cpu", "CPU (8 cores, 32 GB)")
CARD = ComputeDevice("cuda", "NVIDIA RTX A5000 (24 GB)")
UNUSED = ComputeDevice("cuda", "NVIDIA GeForce RTX 4090", usable=False, note="this PyTorch has no CUDA build; install")
GOOD = TorchState("2.6.0+cu124", "CUDA 12.4", (CARD, CPU))
SLOW = TorchState("2.6.0", "CPU", (CPU, UNUSED), "this PyTorch has no CUDA build (a card is there)", "install another")
BROKEN = TorchState("2.6.0", "", (), "does not load (OSError: c10.dll)", "reinstall PyTorch", True)


@pytest.fixture
def computing(panel, monkeypatch):
    """The section, whose check the test answers."""
    section = panel.widget.computing
    section.abandon()
    section._driver = FakeDriver()
    section._parameters = panel.widget._parameterNode
    return section


def shown(panel, widget) -> bool:
    return widget.isVisibleTo(panel.frame)


def open_advanced(panel):
    panel.ui.advancedCollapsibleButton.collapsed = False


def test_one_line_beside_the_device_says_what_a_child_found(panel, computing):
    open_advanced(panel)
    assert panel.ui.torchLabel.text == "Looking at PyTorch..." and computing._driver.task.device == "auto"
    computing._driver.finish(GOOD)
    assert panel.ui.torchLabel.text == "PyTorch 2.6.0 (CUDA 12.4) runs on NVIDIA RTX A5000 (24 GB)."
    assert shown(panel, panel.ui.torchLabel) and not shown(panel, panel.ui.torchButton)
    assert panel.ui.deviceComboBox.itemText(0) == "Fastest: NVIDIA RTX A5000 (24 GB)"


def test_a_card_that_is_not_used_is_said_with_a_button_and_apply_stays_as_it_is(panel, computing):
    open_advanced(panel)
    computing._driver.finish(SLOW)
    assert "has no CUDA build (a card is there); install another." in panel.ui.torchLabel.text
    assert shown(panel, panel.ui.torchButton)
    assert panel.ui.reasonLabel.text.endswith(
        "A graphics card is there and not used: see 'Computes on' under Advanced."
    )


def test_a_torch_that_does_not_load_is_said_beside_apply_before_it_is_pressed(panel, computing):
    open_advanced(panel)
    computing._driver.finish(BROKEN)
    assert "PyTorch 2.6.0 does not load (OSError: c10.dll): reinstall PyTorch." in panel.ui.reasonLabel.text
    panel.ui.wayComboBox.setCurrentIndex(2)  # the mean alone needs no network
    assert "PyTorch" not in panel.ui.reasonLabel.text


def test_a_torch_that_takes_its_process_along_is_said(panel, computing):
    open_advanced(panel)
    computing._driver.fail(SimpleNamespace(sentence="The process ended unexpectedly.", error=None, details=""))
    assert "ends the process that loads it (The process ended unexpectedly): reinstall" in panel.ui.torchLabel.text


def test_a_series_that_is_chosen_has_pytorch_looked_at_once_nothing_else_is_at_work(panel, computing):
    from ASLDenoisePanel.selftest_series import selfTestSeries
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.series import series_to_nodes

    busy = [True]
    computing._busy = lambda: busy[0]
    computing._later.setInterval(1)
    series_to_nodes(selfTestSeries())
    process_events(lambda: computing._later.isActive(), timeout=10)
    process_events(timeout=0.2)
    assert computing._driver.task is None, "the inspection is not held up"
    busy[0] = False
    assert process_events(lambda: computing._driver.task is not None, timeout=10)
    computing._driver.finish(GOOD)
    computing.soon()
    assert not computing._later.isActive(), "what is known is not asked again"


def test_the_cpu_is_forced_by_one_box_for_every_run_and_remembered(panel, computing):
    import slicer
    from ASLDenoisePanel.computing import cpuForced, deviceOf
    from ASLDenoisePanel.parameters import Device

    p = panel.widget._parameterNode
    p.device = Device.CUDA
    assert not cpuForced() and deviceOf(p) == "cuda"
    try:
        panel.ui.cpuOnlyCheckBox.checked = True
        assert deviceOf(p) == "cpu" and not panel.ui.deviceComboBox.enabled
        assert p.device is Device.CUDA, "what the scene says is kept for when the box is unticked"
        assert computing._driver.task.device == "cpu", "the check itself asks no driver anything"
        assert slicer.util.settingsValue("ASLDenoise/CpuOnly", False, converter=slicer.util.toBool)
    finally:
        panel.ui.cpuOnlyCheckBox.checked = False
    assert deviceOf(p) == "cuda" and panel.ui.deviceComboBox.enabled


def test_the_request_of_a_run_is_for_the_cpu_where_it_is_forced(panel, computing, monkeypatch):
    from ASLDenoisePanel import choices

    from ASLDenoiseLib.pipeline.request import Head, Outputs, SeriesFile

    monkeypatch.setattr(choices, "deviceOf", lambda p: "cpu")
    request = choices.requestFrom(panel.widget._parameterNode, SeriesFile(Path("a")), Head(), Outputs(), None)
    assert request.device == "cpu"


# --- installing -----------------------------------------------------------------------------------------------------


@pytest.fixture
def packages(panel, monkeypatch):
    """The module, with pip's dry run answered by nothing."""
    from ASLDenoisePanel import packages

    from ASLDenoiseLib import installing

    monkeypatch.setattr(installing, "why_refused", lambda *asked, **options: "")
    return packages


def test_monai_waits_for_pytorch_so_that_pip_does_not_choose_the_build(packages, monkeypatch):
    from slicer_harness.packaging import installer

    installer.missing = {"monai", "tqdm"}
    monkeypatch.setattr(packages, "torchThere", lambda: False)
    packages.ensurePackages()
    assert [text.startswith("tqdm") for text in installer.asked[-1]] == [True]
    monkeypatch.setattr(packages, "torchThere", lambda: True)
    packages.ensurePackages()
    assert sorted(text[:5] for text in installer.asked[-1]) == ["monai", "tqdm<"]


def test_apply_asks_for_pytorch_before_the_packages_that_need_it(panel, packages, monkeypatch):
    from ASLDenoisePanel import run

    asked = []

    def stop():
        asked.append("packages")
        raise packages.PackagesMissing("enough")

    monkeypatch.setattr(run, "ensureTorch", lambda: asked.append("torch"))
    monkeypatch.setattr(run, "ensurePackages", stop)
    panel.widget.run.start(panel.widget._parameterNode)
    assert asked == ["torch", "packages"]


def test_pip_is_held_to_slicer_s_numpy_simpleitk_and_torch(packages, monkeypatch):
    import numpy as np
    from slicer import packaging
    from slicer_harness.packaging import installer

    given = []

    def pip_ensure(requirements, constraints=None, **options):
        given.append(Path(constraints).read_text("utf-8"))

    installer.missing = {"monai"}
    monkeypatch.setattr(packaging, "pip_ensure", pip_ensure)
    packages.ensurePackages()
    assert f"numpy=={np.__version__}\n" in given[0]
    assert "SimpleITK==" in given[0] and "torch==" in given[0]


def test_what_does_not_fit_is_refused_in_one_sentence_before_anything_is_installed(packages, monkeypatch):
    from slicer_harness.packaging import installer

    from ASLDenoiseLib import installing

    installer.missing, why = {"monai"}, "monai 9.0 demands numpy>=2, and numpy 1.26.4 must stay"
    monkeypatch.setattr(installing, "why_refused", lambda *asked, **options: why)
    with pytest.raises(packages.PackagesMissing, match=f"^Nothing was installed: {why}. "):
        packages.ensurePackages()
    assert installer.asked == []


class Extension:
    """Stands in for `PyTorchUtils.PyTorchUtilsLogic`, by its source: what it was asked, and pip's constraints."""

    def __init__(self):
        self.asked, self.held = [], ""

    def uninstallTorch(self, askConfirmation=False, forceComputationBackend=None):
        self.asked.append("uninstall")

    def installTorch(self, askConfirmation=False, forceComputationBackend=None, torchVersionRequirement=None):
        self.asked.append(("install", askConfirmation, torchVersionRequirement))
        self.held = Path(os.environ["PIP_CONSTRAINT"]).read_text("utf-8")
        return object()


@pytest.fixture
def extension(monkeypatch):
    """The PyTorch extension is installed, and PyTorch is not loaded in this process."""
    logic, module = Extension(), ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = lambda: logic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    for name in [name for name in sys.modules if name == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    return logic


def test_the_pytorch_extension_installs_beside_slicer_s_numpy(packages, extension, monkeypatch):
    monkeypatch.setattr(packages, "torchThere", lambda: False)
    packages.ensureTorch()
    assert extension.asked == [("install", True, ">=2.4")]
    assert "numpy==" in extension.held and "torch==" not in extension.held
    assert "PIP_CONSTRAINT" not in os.environ


def test_pytorch_is_reinstalled_by_its_extension_after_a_question(panel, computing, packages, extension):
    import qt
    from slicer_harness import dialogs

    open_advanced(panel)
    computing._driver.finish(BROKEN)
    dialogs.answers(qt.QMessageBox.No)
    panel.ui.torchButton.click()
    assert extension.asked == [], "declined"
    released = []
    computing._release = lambda: released.append(extension.asked[:])
    dialogs.answers(qt.QMessageBox.Yes)
    panel.ui.torchButton.click()
    assert extension.asked == ["uninstall", ("install", False, ">=2.4")]
    assert released == [[]], "the process that waits with PyTorch loaded was ended first"
    assert computing._driver.running, "and looked at anew"


def test_a_pytorch_that_slicer_has_loaded_is_not_touched_and_the_steps_are_shown(panel, computing, packages, extension):
    from slicer_harness import dialogs

    open_advanced(panel)
    computing._driver.finish(BROKEN)
    sys.modules["torch"] = ModuleType("torch")
    try:
        panel.ui.torchButton.click()
    finally:
        del sys.modules["torch"]
    assert extension.asked == []
    said = dialogs.shown[-1].text
    assert "its files are in use. Restart Slicer" in said and "Uninstall PyTorch" in said and "'>=2.4'" in said


def test_pytorch_is_not_taken_from_under_a_run(panel, computing, packages, extension):
    from slicer_harness import dialogs

    open_advanced(panel)
    computing._driver.finish(BROKEN)
    computing._busy = lambda: True
    panel.ui.torchButton.click()
    assert extension.asked == [] and "A run is under way" in dialogs.shown[-1].text


def test_without_the_extension_the_steps_are_shown(panel, computing, packages, monkeypatch):
    from slicer_harness import dialogs

    open_advanced(panel)
    computing._driver.finish(BROKEN)
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    panel.ui.torchButton.click()
    assert "The extension 'PyTorch' is not installed" in dialogs.shown[-1].text
