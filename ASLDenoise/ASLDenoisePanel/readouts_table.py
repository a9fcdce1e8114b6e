"""The table of readouts: the few that are asked for first, the rest behind a button, what cannot be true marked."""

from __future__ import annotations

import math
import re
from collections import Counter

import qt
from slicer.i18n import tr as _

from ASLDenoiseLib.result.plausible import implausible
from ASLDenoiseLib.result.table import format_change, format_value, is_short

from .colours import RED
from .whole_table import showWhole

_NAME, _RAW, _PROCESSED, _BLURRED, _CHANGE = range(5)
_BREAK = "\u200b"  # where a name may wrap: Qt cuts off a word that is wider than its cell
_WORD = 6  # letters of a joined word without a place to wrap: the column of names has some 60 px at least
_MARK = "\u26a0 "
_ROOM = 400  # px of a table with room for the change, too, beside names that can be told apart


class ReadoutsTable(qt.QObject):
    """A row a readout; raw, processed and blurred beside each other.

    Args:
        table: the table widget.
        more: the button that shows and hides the rows of less importance.
    """

    def __init__(self, table, more):
        qt.QObject.__init__(self)
        self._table, self._more, self._rows, self._blurred, self._unit = table, more, (), False, ""
        showWhole(table)
        table.setHorizontalHeaderLabels([_("Readout"), _("Raw"), _("Processed"), _("Gaussian"), _("Change")])
        table.horizontalHeaderItem(_BLURRED).setToolTip(
            _(
                "The raw map blurred by a Gaussian until its white matter is as quiet as the processed map's. SNR and "
                "contrast reward blurring alone: a denoiser is worth its name where it does better than this."
            )
        )
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        header = table.horizontalHeader()
        header.setSectionResizeMode(_NAME, qt.QHeaderView.Stretch)
        for column in (_RAW, _PROCESSED, _BLURRED, _CHANGE):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        more.connect("toggled(bool)", self._onMore)
        table.installEventFilter(self)
        self._onMore(False)

    @property
    def caption(self) -> str:
        """The unit that most rows are in, which is not said in every one; empty where there is none."""
        return _("In {unit} where no other unit is named.").format(unit=self._unit) if self._unit else ""

    def eventFilter(self, watched, event):
        """Leave out the change, which the tool tips have as well, where the table is narrow."""
        if event.type() == qt.QEvent.Resize:
            self._fit()
        return False

    def show(self, rows, pairs=("", "")) -> None:
        """Show rows with a raw, a processed and a blurred value (`ASLDenoiseLib.scene.readouts.readout_rows`).

        Args:
            rows: of the table.
            pairs: in words, what raw and processed are the mean of, where that differs.
        """
        for column, name, words in zip((_RAW, _PROCESSED), (_("Raw"), _("Processed")), pairs, strict=True):
            item, lines = self._table.horizontalHeaderItem(column), words.replace(" pairs", "\npairs")
            item.setText("\n".join([name, *lines.replace(", ", ",\n").split("\n")]) if words else name)
            item.setToolTip(_("The mean of {pairs}.").format(pairs=words) if words else "")
        self._rows = rows
        units = Counter(row.unit for row in rows if row.unit)
        self._unit = next((unit for unit, _count in units.most_common(1)), "")
        self._table.horizontalHeaderItem(_NAME).setToolTip(self.caption)
        self._table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            self._fill(place, row)
        self._blurred = any(math.isfinite(row.values[_BLURRED - 1]) for row in rows)
        self._onMore(self._more.checked)

    def _fill(self, place, row) -> None:
        named = f"{row.label} ({row.unit})" if row.unit else row.label
        shown = row.label if row.unit == self._unit else named
        percent = format_change(row.change)
        changed = percent if percent == "n/a" else f"{percent} %"
        for column, text in enumerate((_wrapping(shown), *map(format_value, row.values), changed)):
            why = "" if column in (_NAME, _CHANGE) else implausible(row.name, row.values[column - 1], row.unit)
            item = qt.QTableWidgetItem(f"{_MARK}{text}" if why else text)
            tip = _("Change from raw to processed: {percent}.").format(percent=changed)
            if why:
                tip = f"{why[:1].upper()}{why[1:]}."
                item.setForeground(qt.QBrush(qt.QColor(RED)))
            item.setToolTip(f"{named}. {tip}")
            if column:
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            self._table.setItem(place, column, item)

    def _onMore(self, more) -> None:
        rest = [place for place, row in enumerate(self._rows) if not is_short(row.name)]
        for place in range(len(self._rows)):
            self._table.setRowHidden(place, place in rest and not more)
        self._more.text = _("Less") if more else _("More ({count} readouts)").format(count=len(rest))
        self._fit()

    def _fit(self) -> None:
        self._table.setColumnHidden(_BLURRED, not self._blurred)
        self._table.setColumnHidden(_CHANGE, self._blurred and self._table.width < _ROOM)


def _wrapping(name) -> str:
    """A name with places to wrap within words that are joined of parts, as those of regions are, or very long."""
    return " ".join(map(_wrappingWord, name.split(" ")))


def _wrappingWord(word) -> str:
    parts = re.sub(r"([_/-]|(?<=[a-z])(?=[A-Z]))", rf"\1{_BREAK}", word)
    if (parts == word and len(word) <= 2 * _WORD) or "(" in word:
        return word
    return re.sub(rf"([^{_BREAK}]{{{_WORD}}})(?=[^{_BREAK}]{{2}})", rf"\1{_BREAK}", parts)
