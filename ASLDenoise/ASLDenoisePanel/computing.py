"""Where networks run: the device, the CPU forced by one box, and what PyTorch is like, in one line before Apply."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from .combo_boxes import chosen, fill, select
from .packages import PackagesMissing, reinstallSteps, reinstallTorch
from .parameters import Device
from .running import Driver

_CPU_ONLY = "ASLDenoise/CpuOnly"
_PAUSE = 1500  # ms after a series was chosen, which is inspected first


class ComputingSection:
    """The device, the box that forces the CPU, and the line about PyTorch, which a child process finds out.

    Args:
        ui: the widgets of the panel by name.
        changed: called when what is known of PyTorch has changed.
        busy: whether something is under way that a check is to wait for.
        release: ends the processes of the module that have PyTorch loaded, whose files are then free.
        driver: does the work.
    """

    def __init__(self, ui, changed, busy, release, driver=None):
        self._ui, self._changed, self._busy, self._release = ui, changed, busy, release
        self._parameters, self._state = None, None
        self._driver = Driver() if driver is None else driver
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_PAUSE)
        self._later.connect("timeout()", self._onDue)
        fill(ui.deviceComboBox, [(text, device.value, "") for device, text in _deviceWords().items()], None)
        ui.cpuOnlyCheckBox.checked = cpuForced()
        ui.deviceComboBox.connect("currentIndexChanged(int)", self._onDevice)
        ui.cpuOnlyCheckBox.connect("toggled(bool)", self._onForced)
        ui.torchButton.connect("clicked(bool)", self._onReinstall)
        self._show()

    def setParameters(self, parameters) -> None:
        """Keep the device in this parameter node from now on; None for none."""
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what the parameter node holds."""
        if self._parameters is not None:
            select(self._ui.deviceComboBox, self._parameters.device.value)
        self._ui.deviceComboBox.enabled = not cpuForced()

    @property
    def listed(self) -> bool:
        """Whether the names of the devices are known."""
        return self._state is not None

    @property
    def trouble(self) -> str:
        """Why networks cannot run, in one sentence; empty where they can, or where Apply mends it."""
        state = self._state
        return "" if state is None or not state.stops or not state.version else state.sentence

    @property
    def note(self) -> str:
        """What to know before Apply: why networks cannot run, or that a graphics card is there and not used."""
        state = self._state
        if (
            self.trouble
            or state is None
            or cpuForced()
            or not any(d.name != "cpu" and not d.usable for d in state.devices)
        ):
            return self.trouble
        return _("A graphics card is there and not used: see 'Computes on' under Advanced.")

    def soon(self) -> None:
        """Find out what PyTorch is like, once the series that was chosen is inspected."""
        if self._state is None and not self._driver.running:
            self._later.start()

    def check(self) -> None:
        """Find out what PyTorch is like, where that is not known yet; returns at once."""
        from ASLDenoiseLib.torch_state import TorchCheck, TorchState, installed

        self._later.stop()
        if self._state is not None or self._driver.running:
            return
        if not installed("torch"):
            self._onFound(TorchState(devices=_cpuAlone(), stops=True))
            return
        self._ui.torchLabel.text = _("Looking at PyTorch...")
        self._ui.torchLabel.setVisible(True)
        self._driver.start(TorchCheck(deviceOf(self._parameters)), done=self._onFound, failed=self._onCrash)

    def update(self) -> None:
        """Forget that PyTorch was missing, where it has been installed since."""
        from ASLDenoiseLib.torch_state import installed

        if self._state is not None and self._state.version != installed("torch"):
            self.forget()

    def forget(self) -> None:
        """Find it out anew when it is asked for: PyTorch may be another by now."""
        self.abandon()
        self._state = None
        self._show()

    def abandon(self) -> None:
        """End the check."""
        self._later.stop()
        self._driver.abandon()

    def listDevices(self, devices) -> None:
        """Offer the devices of this machine by their names (`ASLDenoiseLib.devices.ComputeDevice`)."""
        best = next((device.label for device in devices if device.usable), "")
        auto = _("Fastest: {device}").format(device=best) if best else _deviceWords()[Device.AUTO]
        items = [(auto, Device.AUTO.value, _("Whatever is fastest on the computer that runs it."))]
        for device in devices:
            text = device.label if device.usable else _("{device} (not usable)").format(device=device.label)
            items.append((text, device.name, device.note))
        wanted = Device.AUTO if self._parameters is None else self._parameters.device
        if wanted.value not in [value for _text, value, _note in items]:
            items.append((_deviceWords()[wanted], wanted.value, _("Not found on this computer.")))
        fill(self._ui.deviceComboBox, items, wanted.value)

    def _onDue(self) -> None:
        if self._busy():
            self._later.start()
        else:
            self.check()

    def _onFound(self, state) -> None:
        self._state = state
        if not cpuForced():
            self.listDevices(state.devices)
        self._show()
        self._changed()

    def _onCrash(self, failed) -> None:
        """PyTorch took the process along that looked at it."""
        from ASLDenoiseLib.torch_state import REINSTALL, TorchState, installed

        why = _("ends the process that loads it ({why})").format(why=failed.sentence.rstrip("."))
        self._onFound(TorchState(installed("torch"), "", _cpuAlone(), why, REINSTALL, True))

    def _show(self) -> None:
        label, state = self._ui.torchLabel, self._state
        label.text = "" if state is None else state.sentence
        label.setVisible(state is not None)
        self._ui.torchButton.setVisible(state is not None and bool(state.version) and bool(state.remedy))
        self._ui.deviceComboBox.enabled = not cpuForced()

    def _onDevice(self, index) -> None:
        if self._parameters is not None:
            self._parameters.device = Device(chosen(self._ui.deviceComboBox))

    def _onForced(self, forced) -> None:
        slicer.app.userSettings().setValue(_CPU_ONLY, bool(forced))
        self.forget()
        self.check()
        self._changed()

    def _onReinstall(self, clicked=False) -> None:
        if self._busy():
            slicer.util.infoDisplay(_("A run is under way, which uses PyTorch: wait for it, or cancel it."))
            return
        self.abandon()
        self._release()
        try:
            done = reinstallTorch()
        except PackagesMissing as error:
            slicer.util.infoDisplay(f"{error}\n\n{reinstallSteps()}", windowTitle=_("ASL Denoise: reinstall PyTorch"))
            return
        if done:
            self.forget()
            self.check()


def cpuForced() -> bool:
    """Whether the user has forced the CPU, on this computer and for every scene."""
    return bool(slicer.util.settingsValue(_CPU_ONLY, False, converter=slicer.util.toBool))


def deviceOf(parameters) -> str:
    """The device that a run is sent to: that of the parameter node, or the CPU where it is forced."""
    if cpuForced():
        return Device.CPU.value
    return Device.AUTO.value if parameters is None else parameters.device.value


def _cpuAlone():
    from ASLDenoiseLib.devices import cpu_without_torch

    return (cpu_without_torch(),)


def _deviceWords() -> dict:
    return {
        Device.AUTO: _("The fastest there is"),
        Device.CPU: _("Processor (CPU)"),
        Device.CUDA: _("NVIDIA graphics card (CUDA)"),
        Device.MPS: _("Apple graphics (MPS)"),
    }
