"""The progress bar, the status line below it and the log."""

from __future__ import annotations

from slicer.i18n import tr as _

from .colours import AMBER, GREEN, RED

_OTHER_HEAD = "t1-other-head"  # comes first: where it is so, every other figure is another person's
_SAID = 2  # findings that the status line says


class ProgressArea:
    """Shows the progress of a run.

    Args:
        ui: the widgets of the panel by name.
    """

    def __init__(self, ui):
        self._ui = ui
        ui.progressBar.setRange(0, 1000)
        self.reset()

    def reset(self) -> None:
        """Clear the bar, the line and the log."""
        self._ui.logTextEdit.clear()
        self._ui.logGroupBox.setVisible(False)
        self._ui.progressBar.setVisible(False)
        self._setStatus("", "")

    def begin(self) -> None:
        """Show that a run begins."""
        self.reset()
        self._ui.progressBar.value = 0
        self._ui.progressBar.setFormat("%p %")
        self._ui.progressBar.setVisible(True)
        self._setStatus(_("Starting..."), "")

    def show(self, event) -> None:
        """Show how far the run is (`ASLDenoiseLib.running.events.ProgressEvent`)."""
        from ASLDenoiseLib.pipeline.estimate import said_during

        self._ui.progressBar.value = round(1000 * event.fraction)
        left = said_during(event.seconds_left)
        text = event.text[:1].upper() + event.text[1:]
        self._setStatus(f"{text}, {left}" if left else text, "")

    def log(self, line) -> None:
        """Add a line to the log."""
        self._ui.logTextEdit.appendPlainText(line)
        self._ui.logGroupBox.setVisible(True)

    def busy(self, text) -> None:
        """Show that something else than a run is under way."""
        self._ui.progressBar.setRange(0, 0)
        self._ui.progressBar.setVisible(True)
        self._setStatus(text, "")

    def done(self, text, findings=()) -> None:
        """Show that it succeeded, and what of its findings must not be missed: they may be scrolled out of sight."""
        self._end()
        told = [finding for finding in findings if finding.severity.value != "note"]
        if not told:
            self._setStatus(text, GREEN)
            return
        told = sorted(told, key=lambda finding: finding.code != _OTHER_HEAD)
        said = "; ".join(finding.what.strip().rstrip(".") for finding in told[:_SAID])
        more = _(" ({count} more under Findings)").format(count=len(told) - _SAID) if len(told) > _SAID else ""
        self._setStatus(f"{text} {_('Look at this:')} {said}{more}.", AMBER)

    def failed(self, text, details="") -> None:
        """Show that it failed; the details go to the log."""
        self._end()
        for line in details.splitlines():
            self.log(line)
        self._setStatus(text, RED)

    def _end(self) -> None:
        self._ui.progressBar.setRange(0, 1000)
        self._ui.progressBar.setVisible(False)

    def _setStatus(self, text, colour) -> None:
        self._ui.statusLabel.text = text
        self._ui.statusLabel.setStyleSheet(f"color: {colour}; font-weight: bold;" if colour else "")
        self._ui.statusLabel.setVisible(bool(text))
