"""The report of a run, which lives in the scene: made in a child process after the run, found there ever after."""

from __future__ import annotations

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from .remedies import panelFailure
from .running import Driver
from .tasks import MakeReport


class ReportKeeper:
    """Makes the reports of runs, one after the other, and puts them into the scene.

    Args:
        report: called with a sentence on what happened.
        kept: called with the folder of a run whose report is in the scene now.
        driver: does the work.
    """

    def __init__(self, report, kept, driver=None):
        self._report, self._kept = report, kept
        self._driver = Driver() if driver is None else driver
        self._waiting, self._folder, self._uses = [], None, []

    def make(self, result, folder) -> None:
        """Have the report of a run made; its folder in the subject hierarchy is where it goes."""
        self._waiting = [entry for entry in self._waiting if entry[1] != folder] + [(result, folder)]
        self._next()

    def making(self, folder) -> bool:
        """Whether the report of a run is being made or waits for it."""
        return folder == self._folder or any(folder == waiting for _result, waiting in self._waiting)

    def whenMade(self, use) -> None:
        """Call `use` once, with the folder, as soon as the next report is in the scene."""
        self._uses.append(use)

    def abandon(self) -> None:
        """Make none any more: the scene closes."""
        self._driver.abandon()
        self._waiting, self._folder, self._uses = [], None, []

    def _next(self) -> None:
        if self._folder is not None or not self._waiting:
            return
        result, self._folder = self._waiting.pop(0)
        name = result.series.name
        self._driver.start(MakeReport(result), done=lambda html: self._onMade(html, name), failed=self._onFailed)

    def _onMade(self, html, name) -> None:
        from ASLDenoiseLib.scene.documents import keep_report
        from ASLDenoiseLib.scene.hierarchy import run_folders

        folder, self._folder = self._folder, None
        if folder in run_folders(slicer.mrmlScene):  # else a later run has taken its place
            if keep_report(slicer.mrmlScene, folder, html, name=name) is None:
                self._report(_("The report is too large for the scene: choose an output folder to keep it."))
            uses, self._uses = self._uses, []
            self._kept(folder)
            for use in uses:
                use(folder)
        self._next()

    def _onFailed(self, failed) -> None:
        self._folder, self._uses = None, []
        self._report(_("The report could not be made: {why}").format(why=panelFailure(failed)))
        self._next()


def reportFile(folder) -> Path | None:
    """The report of a run as a file to open, written anew from the scene; None where the scene has none."""
    from ASLDenoiseLib.scene.documents import report_in
    from ASLDenoiseLib.scene.hierarchy import hierarchy

    html = report_in(slicer.mrmlScene, folder)
    if not html:
        return None
    name = hierarchy(slicer.mrmlScene).GetItemName(folder)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
    path = Path(slicer.util.tempDirectory()) / f"{safe}_report.html"
    path.write_text(html, encoding="utf-8", newline="\n")
    return path
