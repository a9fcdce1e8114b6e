"""The doctor at work: what metadata say at once, what the images say from a child process a moment later."""

from __future__ import annotations

from dataclasses import replace

import qt
from slicer.i18n import tr as _

from ASLDenoiseLib.scene.series import read_fixes, series_from_sequence, write_fix

from .packages import canLook
from .running import Driver
from .tasks import InspectSeries
from .wording import panelWords

_PAUSE = 300  # ms: a value is often corrected together with another


class PreviewSection:
    """Looks at the selected series whenever it changes, and keeps what it saw.

    Args:
        findings: the section that shows it.
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
        """Whether a look is due or under way."""
        return self._timer.isActive() or self._driver.running

    def look(self) -> None:
        """Look at the series as it is now; a look at what it was before is ended."""
        self.unusable, self._series = "", None
        p = self._parameters()
        if p is None or p.asl is None:
            self.stop()
            self._findings.say(_("Select a series: what is wrong or doubtful about it is said here."))
            return
        self._findings.say(_("Looking at the series..."))
        self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._driver.abandon()

    def apply(self, mend):
        """Mend the series; returns the node of the mended one."""
        series = self._series
        changed = {"acquisition": mend.acquisition, "context": mend.context, "fixes": (*series.fixes, mend.record)}
        voxels = {} if mend.array is None else {"array": mend.array}
        return write_fix(self._parameters().asl, replace(series, **changed, **voxels), voxels=bool(voxels))

    def _start(self) -> None:
        from ASLDenoiseLib.errors import InputError

        p = self._parameters()
        if p is None or p.asl is None:
            return
        self._driver.abandon()
        try:
            self._series = series_from_sequence(p.asl, m0=p.m0)
        except InputError as error:
            self.unusable = panelWords(str(error))
            self._findings.say(self.unusable)
            self._changed()
            return
        looks = canLook()
        self._showMetadata(more=looks)
        if looks:
            self._driver.start(InspectSeries(self._series), done=self._onSeen, failed=self._onFailed)

    def _showMetadata(self, *, more) -> None:
        from ASLDenoiseLib.inspecting.acquisition_checks import acquisition_findings

        self._show(tuple(acquisition_findings(self._series)), (), more=more)

    def _onSeen(self, seen) -> None:
        done = {record.name for record in read_fixes(self._parameters().asl)}
        self._show(seen.findings, [mend for mend in seen.mends if mend.finding not in done])

    def _onFailed(self, failed) -> None:
        self._findings.say(_("The images could not be looked at: {why}").format(why=failed.sentence))

    def _show(self, findings, mends, *, more=False) -> None:
        from ASLDenoiseLib.series import Severity

        worst = next((f for f in findings if f.severity is Severity.UNUSABLE), None)
        self.unusable = "" if worst is None else panelWords(f"{worst.what}. {worst.mend}")
        self._findings.show(findings, mends, more=more)
        self._changed()
