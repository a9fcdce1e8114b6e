"""The Acquisition section: how the series was acquired, as a table that can be corrected."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from ASLDenoiseLib.scene.series import adopt_sidecar, read_acquisition, read_context, volume_count, write_attributes

from .acquisition_rows import ORDER, acquisitionRows, contextFrom, parsed, rowsBefore, typedOrder, withEdit
from .remedies import panelError
from .whole_table import showWhole

_NAME, _VALUE, _FROM = range(3)
_WIDEST = "label, control  "  # of what is a value as a rule; what is longer wraps
_JOINER = "\u2060"  # a unit is not broken at its slash


class AcquisitionSection:
    """A row a value: what it is with its unit, the value, and where it came from.

    Args:
        ui: the widgets of the panel by name.
        changed: called when the user has corrected a value.
    """

    def __init__(self, ui, changed):
        self._ui, self._changed = ui, changed
        self._node, self._rows, self._filling = None, (), False
        self._typed = {}  # texts by field, for the series that is loaded next
        table = ui.acquisitionTable
        table.setHorizontalHeaderLabels([_("What"), _("Value"), _("From")])
        showWhole(table)
        header = table.horizontalHeader()
        header.setSectionResizeMode(_NAME, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(_VALUE, qt.QHeaderView.Interactive)
        header.setSectionResizeMode(_FROM, qt.QHeaderView.ResizeToContents)
        header.resizeSection(_VALUE, qt.QFontMetrics(table.font).horizontalAdvance(_WIDEST))
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
        elif node is None:
            self._rows = rowsBefore(self._typed)
        self._fill()
        return problem

    def typed(self) -> dict:
        """What was typed for the series that is loaded next: `context` and `values`, as `tasks.LoadSeries` has them."""
        values = {field: parsed(field, text) for field, text in self._typed.items() if field != ORDER}
        order = {"context": self._typed[ORDER]} if ORDER in self._typed else {}
        return {**order, **({"values": values} if values else {})}

    def forgetTyped(self) -> None:
        """Forget it: a series was loaded, or the scene closed."""
        self._typed = {}

    def _fill(self) -> None:
        table = self._ui.acquisitionTable
        self._filling = True
        table.setRowCount(len(self._rows))
        for place, row in enumerate(self._rows):
            named = f"{row.label} ({row.unit.replace('/', '/' + _JOINER)})" if row.unit else row.label
            came = row.origin or ("" if row.field == ORDER else _("not stated"))
            for column, text in ((_NAME, named), (_VALUE, row.text), (_FROM, came)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(row.tip)
                if column != _VALUE:
                    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
                table.setItem(place, column, item)
        self._filling = False
        table.setVisible(bool(self._rows))
        self._ui.acquisitionHintLabel.text = self._hint()

    def _hint(self) -> str:
        if self._node is None:
            return _("What is typed here is taken for the series that is loaded next, where its files do not state it.")
        return _("Double-click a value to correct it.") if self._rows else _("Nothing is known of this series.")

    def _onEdited(self, place, column) -> None:
        if self._filling or column != _VALUE:
            return
        from ASLDenoiseLib.errors import InputError

        row, text = self._rows[place], self._ui.acquisitionTable.item(place, _VALUE).text()
        if text.strip() == row.text:
            return
        try:
            if self._node is None:
                self._keep(row.field, text)
            elif row.field == ORDER:
                write_attributes(self._node, context=contextFrom(text, volume_count(self._node)))
                self._write(read_acquisition(self._node))
            else:
                self._write(withEdit(read_acquisition(self._node), row.field, text))
        except InputError as error:
            self._fill()
            slicer.util.warningDisplay(
                panelError(error), windowTitle=_("{what} stays as it was").format(what=row.label)
            )
            return
        self._changed()

    def _write(self, acquisition) -> None:
        """Write it; delays that are typed once each are brought to one a volume where the order says how."""
        from ASLDenoiseLib.reading.delay_lists import spread_where_clear

        write_attributes(self._node, acquisition=spread_where_clear(acquisition, read_context(self._node)))

    def _keep(self, field, text) -> None:
        """Keep a text for the series that is loaded next; emptied, it is no longer one."""
        text = typedOrder(text) if field == ORDER else text.strip()
        typed = {name: each for name, each in {**self._typed, field: text}.items() if each}
        rowsBefore(typed)  # raises where it makes no sense
        self._typed = typed
