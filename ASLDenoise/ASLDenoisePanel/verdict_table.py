"""The verdict on an adapted model, below 'Adapt to my scanner': a sentence, and a row a figure."""

from __future__ import annotations

import re

import qt
import slicer
from slicer.i18n import tr as _

from .adapt_words import figureCells, figureTip, verdictSheet, verdictText, warningsText
from .colours import GREEN, RED
from .whole_table import showWhole

_LABEL, _BEFORE, _AFTER, _ERROR, _ASKED, _MET = range(6)
_ROOM = 420  # px of a table with room for the error and what was asked, which the tool tips say as well


class VerdictTable(qt.QObject):
    """What an adapted model was judged by; kept until the next one is.

    Args:
        ui: the widgets of the panel by name.
        report: called with a sentence on what was done.
    """

    def __init__(self, ui, report):
        qt.QObject.__init__(self)
        self._ui, self._report, self._figures, self._warnings = ui, report, (), ()
        table = ui.verdictTable
        showWhole(table)
        header = table.horizontalHeader()
        header.setSectionResizeMode(_LABEL, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(_ASKED, qt.QHeaderView.Stretch)
        for column in (_BEFORE, _AFTER, _ERROR, _MET):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        table.horizontalHeaderItem(_ERROR).setToolTip(_("Standard error of the difference of before and after."))
        table.installEventFilter(self)
        ui.copyVerdictButton.connect("clicked()", self.copy)
        self.setVisible()

    def eventFilter(self, watched, event):
        """Leave out the error and what was asked, which the tool tips have as well, where the table is narrow."""
        if event.type() == qt.QEvent.Resize:
            for column in (_ERROR, _ASKED):
                self._ui.verdictTable.setColumnHidden(column, self._ui.verdictTable.width < _ROOM)
        return False

    def show(self, done) -> None:
        """Show what became of a model (`ASLDenoiseLib.sites.adapt.SiteAdaptation`)."""
        ui, self._figures, self._warnings = self._ui, done.adaptation.verdict.figures, done.warnings
        ui.verdictLabel.text = verdictText(done)
        ui.verdictWarningsLabel.text = warningsText(done.warnings)
        ui.verdictTable.setRowCount(len(self._figures))
        for row, figure in enumerate(self._figures):
            self._fillRow(row, figure)
        self.setVisible()

    def setVisible(self) -> None:
        """Show it where there is one; CTK shows all that is in a section when that is opened."""
        ui, there = self._ui, bool(self._ui.verdictLabel.text)
        ui.verdictLabel.setVisible(there)
        ui.verdictWarningsLabel.setVisible(bool(self._warnings))
        for widget in (ui.verdictTable, ui.copyVerdictButton):
            widget.setVisible(there and bool(self._figures))

    def copy(self) -> None:
        """Copy the sentence, the figures and all warnings to the clipboard as tab-separated text."""
        said = re.sub("<[^>]*>", "", self._ui.verdictLabel.text.replace("<br>", "\n"))
        slicer.app.clipboard().setText(verdictSheet(said, self._figures, self._warnings))
        self._report(_("The verdict is on the clipboard."))

    def _fillRow(self, row, figure) -> None:
        tip, colour = figureTip(figure), GREEN if figure.met else RED
        for column, text in enumerate(figureCells(figure)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip)
            if column in (_BEFORE, _AFTER, _ERROR):
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            if column == _MET or (column in (_LABEL, _AFTER) and not figure.met):
                item.setForeground(qt.QBrush(qt.QColor(colour)))
            self._ui.verdictTable.setItem(row, column, item)
