"""The Acquisition section: how the series was acquired, as a table that can be corrected."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ASLDenoiseLib.scene.series import adopt_sidecar, read_acquisition, read_context, volume_count, write_attributes

from .acquisition_rows import ORDER, acquisitionRows, contextFrom, withEdit
from .remedies import panelError

_NAME, _VALUE, _UNIT, _FROM = range(4)


class AcquisitionSection:
    """A row a value: what it is, the value, its unit, and where it came from.

    Args:
        ui: the widgets of the panel by name.
        changed: called when the user has corrected a value.
    """

    def __init__(self, ui, changed):
        self._ui, self._changed = ui, changed
        self._node, self._rows, self._filling = None, (), False
        table = ui.acquisitionTable
        table.setHorizontalHeaderLabels([_("What"), _("Value"), _("Unit"), _("From")])
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)  # labels wrap where it is narrow
        header = table.horizontalHeader()
        header.setSectionResizeMode(_NAME, qt.QHeaderView.Stretch)
        for column in (_VALUE, _UNIT, _FROM):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        table.connect("cellChanged(int,int)", self._onEdited)

    def show(self, node) -> str:
        """Show the acquisition of a series' node, or none; returns what cannot be understood of it, or ''."""
        self._node, self._rows, problem = node, (), ""
        if node is not None and volume_count(node):
            from ASLDenoiseLib.errors import InputError

            try:
                adopt_sidecar(node)
            except InputError as error:
                problem = panelError(error)
            try:
                self._rows = acquisitionRows(read_acquisition(node), read_context(node))
            except ValueError as error:  # InputError is one, as is an unknown volume type
                problem = panelError(error)
        self._fill()
        return problem

    def _fill(self) -> None:
        table = self._ui.acquisitionTable
        self._filling = True
        table.setRowCount(len(self._rows))
        for place, row in enumerate(self._rows):
            for column, text in ((_NAME, row.label), (_VALUE, row.text), (_UNIT, row.unit), (_FROM, row.origin)):
                item = qt.QTableWidgetItem(text or (_("not stated") if column == _FROM and row.field != ORDER else ""))
                item.setToolTip(row.tip)
                if column != _VALUE:
                    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                table.setItem(place, column, item)
        self._filling = False
        table.setVisible(bool(self._rows))
        self._ui.acquisitionHintLabel.text = (
            _("Double-click a value to correct it.") if self._rows else _("Select a series to see how it was acquired.")
        )

    def _onEdited(self, place, column) -> None:
        if self._filling or column != _VALUE or self._node is None:
            return
        from ASLDenoiseLib.errors import InputError

        row, text = self._rows[place], self._ui.acquisitionTable.item(place, _VALUE).text()
        if text.strip() == row.text:
            return
        try:
            if row.field == ORDER:
                write_attributes(self._node, context=contextFrom(text, volume_count(self._node)))
            else:
                write_attributes(self._node, acquisition=withEdit(read_acquisition(self._node), row.field, text))
        except InputError as error:
            self._fill()
            slicer.util.warningDisplay(
                panelError(error), windowTitle=_("{what} stays as it was").format(what=row.label)
            )
            return
        self._changed()
