"""The section 'Adapt to my scanner': scans in, a model of the user's own out, or why it was refused."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .adapt_names import beginnings, nameTrouble
from .adapt_scans import lookAt, onceEach, requestBeside, scansIn
from .adapt_words import AdaptChoices, obstacleToAdapting, scanCells, scansText, scanTip
from .colours import RED
from .combo_boxes import chosen, fill, select
from .computing import deviceOf
from .drag_and_drop import DropFilter
from .own_models import OwnModels
from .packages import PackagesMissing, ensurePackages, ensureTorch
from .plain_names import modelName, recommended
from .progress import ProgressArea
from .remedies import panelError, panelFailure
from .running import Driver
from .scrolling import bringIntoSight
from .verdict_table import VerdictTable

_NAME, _PAIRS, _T1, _AGAINST = range(4)
_ROOM = 420  # px of a table with room for what is against a scan: it stands below the table, too
_LAST_FOLDER = "ASLDenoise/AdaptFolder"
_Area = namedtuple("_Area", "progressBar statusLabel logTextEdit logGroupBox")


class AdaptSection(qt.QObject):
    """Scans to learn from, a name, the run, its verdict, and the user's own models.

    Args:
        ui: the widgets of the panel by name.
        busy: what else is under way that would want the same processors, in words; empty where nothing is.
        changed: called when a run has begun or ended.
        method: offers the models, and chooses one (`method.MethodSection`).
        task: makes the task of paths, name, beginning, minutes and device.
        driver: does the work.
    """

    def __init__(self, ui, busy, changed, method, task=None, driver=None):
        qt.QObject.__init__(self)
        self._ui, self._busy, self._changed, self._method = ui, busy, changed, method
        self._task = adaptTask if task is None else task
        self._driver = Driver() if driver is None else driver
        self._parameters, self._paths, self._known, self._scans = None, [], {}, ()
        self._trouble = ""  # what is wrong with the name
        self._tip = ui.adaptButton.toolTip
        area = _Area(ui.adaptProgressBar, ui.adaptStatusLabel, ui.adaptLogTextEdit, ui.adaptLogGroupBox)
        self.progress = ProgressArea(area)
        self.verdict = VerdictTable(ui, self.progress.done)
        self.own = OwnModels(ui, method.choose, self.progress.done, self._onRemoved)
        self._menu, self.actions = qt.QMenu(ui.addScansButton), {}
        for name, text, add in (
            ("files", _("Series (NIfTI) or requests of results..."), self._onFiles),
            ("folder", _("All scans of a folder..."), self._onFolder),
        ):
            self.actions[name] = self._menu.addAction(text)
            self.actions[name].connect("triggered()", add)
        ui.addScansButton.setMenu(self._menu)
        table = ui.adaptTable
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header = table.horizontalHeader()
        for column in (_PAIRS, _T1):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        for column in (_NAME, _AGAINST):
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        table.installEventFilter(self)
        table.connect("itemSelectionChanged()", self._showChosen)
        ui.adaptCollapsibleButton.connect("contentsCollapsed(bool)", self._onCollapsed)
        ui.addShownButton.connect("clicked()", self._onShown)
        ui.removeScansButton.connect("clicked()", self._onRemove)
        ui.adaptNameLineEdit.connect("textChanged(QString)", self._onName)
        ui.adaptFromComboBox.connect("currentIndexChanged(int)", self._onFrom)
        ui.adaptButton.connect("clicked()", self._onAdapt)
        ui.toAdaptButton.connect("clicked()", self.open)
        self._drop = DropFilter(ui.adaptCollapsibleButton, self.add, several=True)
        self._show()

    def eventFilter(self, watched, event):
        """Leave out what stands below the table as well, where it is narrow."""
        if event.type() == qt.QEvent.Resize:
            self._ui.adaptTable.setColumnHidden(_AGAINST, self._ui.adaptTable.width < _ROOM)
        return False

    @property
    def running(self) -> bool:
        """Whether a model is being adapted."""
        return self._driver.running

    @property
    def busy(self) -> str:
        """What nothing else can be run beside, in words; empty where nothing is under way."""
        text = _("A model is being adapted under 'Adapt to my scanner': wait for it, or cancel it there.")
        return text if self.running else ""

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none: what is under way goes on without it."""
        self._parameters = parameters

    def cleanup(self) -> None:
        """End what is under way: the module ends."""
        self._driver.abandon()
        self.own.cleanup()

    def open(self) -> None:
        """Open the section and bring it into sight."""
        self._ui.adaptCollapsibleButton.collapsed = False
        bringIntoSight(self._ui.adaptCollapsibleButton)

    def refresh(self) -> None:
        """Show what the parameter node holds; scans are looked at once the section is open."""
        p = self._parameters
        if p is None or self._ui.adaptCollapsibleButton.collapsed:
            return
        if self._paths != list(p.adaptScans):
            self._look()
        select(self._ui.adaptFromComboBox, p.adaptFrom or self._ui.adaptFromComboBox.itemData(0))
        self._enable()

    def add(self, paths) -> None:
        """Add scans: files, and what lies in folders; what is there already stays where it is."""
        from ASLDenoiseLib.errors import InputError

        p = self._parameters
        if p is None or self.running:
            return
        found, trouble, there = [], [], list(p.adaptScans)
        with slicer.util.WaitCursor():
            for path in paths:
                try:
                    found += map(str, scansIn(path))
                except InputError as error:
                    trouble.append(str(error))
        new = [scan for scan in dict.fromkeys(found) if scan not in there]
        self._ui.adaptCollapsibleButton.collapsed = False
        if new:
            p.adaptScans = [*there, *new]
        if trouble:
            self.progress.failed(" ".join(trouble))
        elif not new and found:
            self.progress.done(_("They are on the list already."))

    # What the user does

    def _onFiles(self) -> None:
        title = _("Add scans to learn from")
        kinds = f"{_('ASL series and requests')} (*.nii *.nii.gz *_request.json)"
        self._picked(qt.QFileDialog.getOpenFileNames(slicer.util.mainWindow(), title, _lastFolder(), kinds))

    def _onFolder(self) -> None:
        title = _("Add all scans of a folder")
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, _lastFolder())
        self._picked([path] if path else [])

    def _picked(self, paths) -> None:
        if paths:
            slicer.app.userSettings().setValue(_LAST_FOLDER, str(Path(paths[0]).parent))
            self.add([Path(path) for path in paths])

    def _onShown(self) -> None:
        self.add([self._shown()])

    def _onRemove(self) -> None:
        rows = self._selectedRows()
        kept = [path for row, path in enumerate(self._parameters.adaptScans) if row not in rows]
        self._parameters.adaptScans = kept

    def _onName(self, text) -> None:
        self._trouble = nameTrouble(text.strip())
        self._enable()

    def _onFrom(self, index) -> None:
        if self._parameters is not None:
            combo = self._ui.adaptFromComboBox
            self._parameters.adaptFrom = chosen(combo) if index > 0 else ""  # the default may become a better one

    def _onCollapsed(self, collapsed) -> None:
        if not collapsed:
            self._known = {}  # files may have come and gone
            self._list()
            self._look()
            self._trouble = nameTrouble(self._ui.adaptNameLineEdit.text.strip())
            self.refresh()
            self._show()

    def _onRemoved(self, name) -> None:
        if self._parameters is not None:
            for field in ("model", "adaptFrom"):
                if getattr(self._parameters, field) == name:
                    self._parameters.setValue(field, "")  # the default
        self._relist()

    def _relist(self, new=None) -> None:
        """There is one model less, or a new one."""
        self._list(new)
        self._trouble = nameTrouble(self._ui.adaptNameLineEdit.text.strip())
        self._method.listModels()

    def _onAdapt(self) -> None:
        if self.running:
            self._ui.adaptButton.enabled = False
            self.progress.busy(_("Cancelling..."))
            self._driver.cancel()
        elif not self._obstacle():
            self._start()
        else:
            self._enable()  # says why

    # The run

    def _start(self) -> None:
        from ASLDenoiseLib.errors import InputError

        p = self._parameters
        try:
            ensureTorch()
            ensurePackages()
            self.progress.begin()
            begin = chosen(self._ui.adaptFromComboBox)
            choices = p.adaptName.strip(), begin, float(p.adaptMinutes), deviceOf(p)
            task = self._task(tuple(p.adaptScans), *choices)
            self._driver.start(
                task,
                progress=self.progress.show,
                log=self.progress.log,
                done=self._onDone,
                failed=lambda failed: self._onFailed(panelFailure(failed), failed.details),
                cancelled=lambda event: self._ended(lambda: self.progress.done(_("Cancelled; no model was made."))),
            )
        except (InputError, PackagesMissing) as error:
            self._onFailed(panelError(error))
            return
        self._ended(lambda: None)

    def _onDone(self, done) -> None:
        self.progress.reset()
        self.verdict.show(done)
        if done.card_folder is not None:
            self._relist(done.name)
        self._ended(lambda: bringIntoSight(self._ui.verdictLabel))

    def _onFailed(self, sentence, details="") -> None:
        self._ended(lambda: self.progress.failed(sentence, details))

    def _ended(self, show) -> None:
        """It has begun, or ended."""
        show()
        self._changed()
        self._enable()

    # What is shown

    def _list(self, new=None) -> None:
        """The models to begin with, and the user's own."""
        cards = beginnings()
        items = [(recommended(modelName(c), n == 0), c.name, f"{c.name}: {c.summary}") for n, c in enumerate(cards)]
        fill(self._ui.adaptFromComboBox, items, None if self._parameters is None else self._parameters.adaptFrom)
        self.own.refresh(new)

    def _look(self) -> None:
        """Look at the scans of the parameter node, without opening an image."""
        self._paths = [] if self._parameters is None else list(self._parameters.adaptScans)
        with slicer.util.WaitCursor():
            self._known = {path: self._known.get(path) or lookAt(path) for path in self._paths}
        self._scans = onceEach(self._known[path] for path in self._paths)
        table = self._ui.adaptTable
        blocked = table.blockSignals(True)
        table.setRowCount(len(self._scans))
        for row, scan in enumerate(self._scans):
            self._fillRow(row, scan)
        table.clearSelection()
        table.blockSignals(blocked)
        self._showChosen()

    def _fillRow(self, row, scan) -> None:
        tip = scanTip(scan)
        for column, text in enumerate(scanCells(scan)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip)
            if column == _PAIRS:
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            if scan.against:
                item.setForeground(qt.QBrush(qt.QColor(RED)))
            self._ui.adaptTable.setItem(row, column, item)

    def _selectedRows(self) -> set:
        return {item.row() for item in self._ui.adaptTable.selectedItems()}

    def _showChosen(self) -> None:
        rows = self._selectedRows()
        unusable = [scan for scan in self._scans if scan.against]
        selected = self._scans[min(rows)] if len(rows) == 1 else next(iter(unusable), None)
        self._ui.adaptScansLabel.text = scansText(self._scans, selected)
        self._enable()

    def _show(self) -> None:
        """Hide what CTK has shown with the section."""
        ui = self._ui
        self.verdict.setVisible()
        self.own.setVisible()
        ui.adaptProgressBar.setVisible(self.running)
        ui.adaptStatusLabel.setVisible(bool(ui.adaptStatusLabel.text))
        ui.adaptLogGroupBox.setVisible(bool(ui.adaptLogTextEdit.toPlainText()))

    def _shown(self) -> str:
        """The file behind the scan that is selected above: the request of the shown run, else the series."""
        from ASLDenoiseLib.scene.series import series_file

        p = self._parameters
        if p is None:
            return ""
        request = requestBeside(p.report) if p.report else None
        return str(request or series_file(p.asl) or "")

    def _obstacle(self) -> str:
        name = "" if self._parameters is None else self._ui.adaptNameLineEdit.text.strip()
        return obstacleToAdapting(AdaptChoices(self._scans, name, self._trouble, self._busy()))

    def _enable(self) -> None:
        ui, running = self._ui, self.running
        reason = "" if running else self._obstacle()
        ui.adaptButton.text = _("Cancel") if running else _("Adapt")
        ui.adaptButton.enabled = running or not reason
        ui.adaptButton.toolTip = _("End it; no model is made.") if running else reason or self._tip
        ui.adaptReasonLabel.text = reason
        ui.adaptReasonLabel.setVisible(bool(reason))
        inputs = (ui.addScansButton, ui.adaptNameLineEdit, ui.adaptFromComboBox, ui.adaptMinutesSpinBox)
        for widget in inputs:
            widget.enabled = not running
        ui.removeScansButton.enabled = bool(self._selectedRows()) and not running
        shown = self._shown()
        ui.addShownButton.enabled = bool(shown) and not running
        tip = _("The scan that is selected above has no file behind it: load it from one, or write its results.")
        ui.addShownButton.toolTip = shown or tip
        ui.removeModelButton.enabled = not running


def adaptTask(paths, name, begin, minutes, device):
    """The task that adapts a model to scans in a child process (`ASLDenoiseLib.sites.task.AdaptTask`)."""
    from ASLDenoiseLib.sites.adapt import AdaptRequest
    from ASLDenoiseLib.sites.task import AdaptTask

    return AdaptTask(AdaptRequest(tuple(map(Path, paths)), name, begin, max_minutes=minutes, device=device))


def _lastFolder() -> str:
    return str(slicer.util.settingsValue(_LAST_FOLDER, ""))
