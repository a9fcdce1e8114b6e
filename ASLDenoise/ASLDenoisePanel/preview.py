"""Inspection in the panel: the findings of the metadata at once, those of the images from a child process."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from ASLDenoiseLib.scene.series import series_from_sequence, write_fix

from .packages import canInspect
from .remedies import panelError, panelFailure, panelRemedy
from .running import Driver
from .tasks import InspectSeries

_PAUSE = 300  # ms: a value is often corrected together with another


class PreviewSection:
    """Inspects the selected series whenever it changes.

    Args:
        findings: the section that shows the findings.
        parameters: gives the parameter node, or None.
        changed: called when what forbids a run may have changed.
    """

    def __init__(self, findings, parameters, changed):
        self._findings, self._parameters, self._changed = findings, parameters, changed
        self._driver, self._series = Driver(), None
        self.unusable = ""
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.connect("timeout()", self._start)

    @property
    def running(self) -> bool:
        """Whether an inspection is due or under way."""
        return self._timer.isActive() or self._driver.running

    def inspect(self) -> None:
        """Inspect the series as it is now; an inspection of what it was before is ended."""
        self.unusable, self._series = "", None
        p = self._parameters()
        if p is None or p.asl is None:
            self.stop()
            self._findings.say(_("Select a series: what is wrong or doubtful about it is said here."))
            return
        self._findings.say(_("Inspecting the series..."))
        self._timer.start()

    def stop(self) -> None:
        """End the inspection."""
        self._timer.stop()
        self._driver.abandon()

    def apply(self, fix):
        """Fix the series; returns the node of the fixed one."""
        voxels = fix.fixed.array is not self._series.array
        return write_fix(self._parameters().asl, fix.fixed, voxels=voxels)

    def _start(self) -> None:
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.inspecting.acquisition_checks import acquisition_findings

        p = self._parameters()
        if p is None or p.asl is None:
            return
        self._driver.abandon()
        try:
            self._series = series_from_sequence(p.asl, m0=p.m0)
        except InputError as error:
            self.unusable = panelError(error)
            self._findings.say(self.unusable)
            self._changed()
            return
        images = canInspect()
        self._show(tuple(acquisition_findings(self._series)), (), more=images)
        if images:
            self._driver.start(InspectSeries(self._series), done=self._onInspected, failed=self._onFailed)

    def _onInspected(self, inspected) -> None:
        self._show(inspected.findings, inspected.fixes)

    def _onFailed(self, failed) -> None:
        self._findings.say(_("The images could not be inspected: {why}").format(why=panelFailure(failed)))

    def _show(self, findings, fixes, *, more=False) -> None:
        from ASLDenoiseLib.findings import Severity

        worst = next((f for f in findings if f.severity is Severity.UNUSABLE), None)
        self.unusable = "" if worst is None else f"{worst.what}; {panelRemedy(worst.remedies)}."
        self._findings.show(findings, fixes, more=more)
        self._changed()
