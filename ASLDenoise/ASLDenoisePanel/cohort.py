"""The Cohort section: the scans of a study, what to look at first in front, each brought up by a double click."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .cohort_rows import (
    detailsOf,
    figuresOf,
    obstacleTo,
    shownName,
    statusOf,
    summaryOf,
    tipOf,
    usualUnit,
    whyOf,
)
from .colours import AMBER, RED
from .saved_scenes import mayClose, openInPlace, problemOf, stampsOf
from .scrolling import bringIntoSight

_NAME, _GM, _SNR, _CONTRAST, _PARTICIPANT, _SESSION, _STATUS, _WHY = range(8)
_ROOM, _WIDE = 480, 680  # px of a table with room for why to look at a scan, and whose it is: both stand below it, too
_TYPED = 400  # ms after the last letter of a folder that is typed
_SETTLED = 500  # ms
_MOST = 500  # rows: more take long to make, and are found by a part of their name
_PAGE = "group/report.html"


class CohortSection(qt.QObject):
    """The scans of a cohort, or of any folder of results.

    Args:
        ui: the widgets of the panel by name.
        report: called with a sentence on what was done.
        busy: whether a run or something else is under way, which a scene that closes would end.
    """

    def __init__(self, ui, report, busy):
        qt.QObject.__init__(self)
        self._ui, self._report, self._busy = ui, report, busy
        self._parameters = self._listing = self._opened = None
        self._folder, self._shown, self._opening = "", [], False
        self._openTip = ui.openScanButton.toolTip
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_TYPED)
        self._later.connect("timeout()", self.read)
        table = ui.cohortTable
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header = table.horizontalHeader()
        for column in (_GM, _SNR, _CONTRAST, _PARTICIPANT, _SESSION, _STATUS):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        for column in (_NAME, _WHY):
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        table.installEventFilter(self)
        table.connect("cellActivated(int,int)", self._onActivated)  # a double click, or Return
        table.connect("currentCellChanged(int,int,int,int)", lambda *_cells: self._showChosen())
        ui.cohortFolderEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.cohortFolderEdit.connect("validInputChanged(bool)", self._onFolderValid)
        ui.cohortFindLineEdit.connect("textChanged(QString)", lambda _text: self._fill())
        ui.cohortCollapsibleButton.connect("contentsCollapsed(bool)", self._onCollapsed)
        ui.openScanButton.connect("clicked()", self.open)
        ui.scanReportButton.connect("clicked()", self._onReport)
        ui.groupPageButton.connect("clicked()", self._onPage)
        ui.refreshCohortButton.connect("clicked()", self.read)
        self._show(None, _nothing())

    def eventFilter(self, watched, event):
        """Leave out what the lines below the table say as well, where it is narrow."""
        if event.type() == qt.QEvent.Resize:
            self._fit()
        return False

    def cleanup(self) -> None:
        """Read nothing any more."""
        self._later.stop()

    @property
    def chosen(self):
        """The scan of the chosen row (`ASLDenoiseLib.group.listing.ListedScan`), or None."""
        row = self._ui.cohortTable.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def setParameters(self, parameters) -> None:
        """Keep the folder in this parameter node from now on; None for none: the scene closes."""
        self._parameters = parameters
        if parameters is None and not self._opening:
            self._opened = None

    def onSceneSaved(self, caller=None, event=None) -> None:
        """What was changed in the scan that is open is in a file now."""
        if self._opened is not None:
            self._opened = stampsOf(slicer.mrmlScene)

    def refresh(self) -> None:
        """Show what the parameter node holds; the folder is read once the section is open."""
        p, edit = self._parameters, self._ui.cohortFolderEdit
        if p is None or self._opening:
            return
        if edit.currentPath != p.cohortFolder:
            edit.currentPath = p.cohortFolder
        if p.cohortFolder != self._folder:
            self._folder = p.cohortFolder
            self._show(None, _("Reading...") if self._folder else _nothing())
            self._later.start()
        elif self._listing is not None and not self._ui.cohortCollapsibleButton.collapsed:
            self._showChosen()

    def read(self) -> None:
        """Read the folder, as it is now."""
        self._later.stop()
        if self._ui.cohortCollapsibleButton.collapsed:
            return  # when it is opened
        if not self._folder:
            self._show(None, _nothing())
            return
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.group.listing import list_scans

        try:
            with slicer.util.WaitCursor():
                listing = list_scans(Path(self._folder))
        except (InputError, OSError) as error:
            self._show(None, str(error))
        else:
            self._show(listing, "")

    def open(self) -> None:
        """Bring up the chosen scan in the place of the scene that is open."""
        scan = self.chosen
        if self._opening or obstacleTo(scan, self._busy()):
            return
        self._opening = True
        try:
            self._open(scan)
        finally:
            self._opening = False
        self.refresh()
        self._showChosen()

    def _open(self, scan) -> None:
        problem = problemOf(scan.scene)
        if problem:
            slicer.util.errorDisplay(problem)
            return
        if not mayClose(slicer.mrmlScene, self._opened, scan.name):
            return
        self._opened = None
        try:
            openInPlace(scan.scene)
        except RuntimeError as error:
            text = _("{name} could not be opened whole: run it again, or open its maps.")
            slicer.util.errorDisplay(text.format(name=scan.name), detailedText=str(error))
        else:
            self._opened = stampsOf(slicer.mrmlScene)
            self._report(_("Opened {name}.").format(name=scan.name))
        if self._parameters is not None:
            self._parameters.cohortFolder = self._folder  # the scene that came has a parameter node of its own
        # what came above it has pushed it away; regions are read and shown a moment after the scene
        qt.QTimer.singleShot(_SETTLED, lambda: bringIntoSight(self._ui.cohortCollapsibleButton))

    # What the user does

    def _onFolder(self, path) -> None:
        if self._parameters is not None and not self._opening:
            self._parameters.cohortFolder = path

    def _onFolderValid(self, valid) -> None:
        if not valid:  # emptied, of which CTK tells no other way
            self._onFolder("")

    def _onCollapsed(self, collapsed) -> None:
        if not collapsed:
            self._setVisible()  # CTK has shown what was hidden while the section was closed
            if self._listing is None:
                self.read()

    def _onActivated(self, row, column) -> None:
        qt.QTimer.singleShot(0, self.open)  # once the table has done with the click

    def _onReport(self) -> None:
        _browse(self.chosen.report)

    def _onPage(self) -> None:
        _browse(Path(self._folder) / _PAGE)

    # What is shown

    def _show(self, listing, text) -> None:
        """A list of scans, or a sentence in its place."""
        self._listing = listing
        self._ui.cohortLabel.text = text
        self._setVisible()
        self._fill()

    def _setVisible(self) -> None:
        ui, listing = self._ui, self._listing
        for widget in (ui.cohortTable, ui.cohortScanLabel, ui.openScanButton, ui.scanReportButton):
            widget.setVisible(listing is not None)
        for widget in (ui.cohortFindLabel, ui.cohortFindLineEdit):
            widget.setVisible(listing is not None and len(listing.scans) > 1)

    def _fill(self) -> None:
        ui, table, before = self._ui, self._ui.cohortTable, self.chosen
        scans = () if self._listing is None else self._listing.scans
        wanted = ui.cohortFindLineEdit.text.strip().lower()
        found = [scan for scan in scans if wanted in scan.name.lower()][:_MOST]
        unit = usualUnit(scans)
        blocked = table.blockSignals(True)
        self._shown = found
        table.setRowCount(len(found))
        for row, scan in enumerate(found):
            self._fillRow(row, scan, unit)
        names = [scan.name for scan in found]
        row = names.index(before.name) if before is not None and before.name in names else 0
        table.setCurrentCell(row if found else -1, _NAME)
        table.blockSignals(blocked)
        if self._listing is not None:
            ui.cohortLabel.text = summaryOf(self._listing, unit, len(found))
        self._fit()
        self._showChosen()

    def _fillRow(self, row, scan, unit) -> None:
        tip = tipOf(scan)
        whose = (scan.participant, scan.session, statusOf(scan), whyOf(scan, 1))
        for column, text in enumerate((shownName(scan), *figuresOf(scan, unit), *whose)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip)
            if column in (_GM, _SNR, _CONTRAST):
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            if scan.failed and column in (_NAME, _GM, _STATUS):
                item.setForeground(qt.QBrush(qt.QColor(RED)))
            elif scan.apart and column == _NAME:
                item.setForeground(qt.QBrush(qt.QColor(AMBER)))
            self._ui.cohortTable.setItem(row, column, item)

    def _fit(self) -> None:
        table = self._ui.cohortTable
        table.setColumnHidden(_WHY, table.width < _ROOM)
        for column in (_PARTICIPANT, _SESSION, _STATUS):
            table.setColumnHidden(column, table.width < _WIDE)

    def _showChosen(self) -> None:
        scan = self.chosen
        obstacle = "" if scan is None else obstacleTo(scan, self._busy())
        self._ui.cohortScanLabel.text = "" if scan is None else "<br>".join(filter(None, (detailsOf(scan), obstacle)))
        self._showButtons()

    def _showButtons(self) -> None:
        scan, ui = self.chosen, self._ui
        obstacle = obstacleTo(scan, self._busy())
        ui.openScanButton.enabled = not obstacle
        ui.openScanButton.toolTip = obstacle or self._openTip
        ui.scanReportButton.enabled = scan is not None and scan.report.is_file()
        ui.groupPageButton.enabled = bool(self._folder) and (Path(self._folder) / _PAGE).is_file()
        ui.refreshCohortButton.enabled = bool(self._folder)


def _nothing() -> str:
    return _("Choose the folder that a cohort was written to: its scans will stand here.")


def _browse(path) -> None:
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))
