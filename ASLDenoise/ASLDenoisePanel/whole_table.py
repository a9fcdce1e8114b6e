"""Tables that are as high as their rows: the panel scrolls, not a table within it, and nothing is hidden in one."""

from __future__ import annotations

import qt

_ASIDE, _ABOVE = 10, 6  # px, of a cell's width and height that its text does not get
_TALL = 10000  # px


def showWhole(table, *, headings=False):
    """Keep a table as high as its rows need at its width.

    Args:
        table: the table.
        headings: it has rows whose first cell spans the others. Qt 5.15 measures such a cell by the width of its first
            column alone and makes the row several times too high, so that heights are set here.

    Returns:
        What fits it again, soon, when texts alone have changed; a table without headings does so itself.
    """
    rows, frame = table.verticalHeader(), 2 * table.frameWidth
    later = qt.QTimer(table)  # once for many, and after the last row has its height
    later.setSingleShot(True)
    later.setInterval(0)

    def fit() -> None:
        for row in range(table.rowCount if headings else 0):
            _fitRow(table, row)
        table.setFixedHeight(table.horizontalHeader().sizeHint.height() + rows.length() + frame)

    later.connect("timeout()", fit)
    rows.hide()
    if headings:
        rows.setSectionResizeMode(qt.QHeaderView.Fixed)
        table.horizontalHeader().sectionResized.connect(lambda *_sizes: later.start())
    else:
        rows.setSectionResizeMode(qt.QHeaderView.ResizeToContents)  # labels wrap where it is narrow
    rows.sectionResized.connect(lambda *_sizes: later.start())
    rows.sectionCountChanged.connect(lambda *_counts: later.start())
    table.verticalScrollBarPolicy = table.horizontalScrollBarPolicy = qt.Qt.ScrollBarAlwaysOff
    fit()
    return later.start


def _fitRow(table, row) -> None:
    """As high as its cells, a heading by the width of all columns."""
    item = table.item(row, 0)
    if item is None or table.columnSpan(row, 0) == 1:
        table.resizeRowToContents(row)
        return
    width = table.horizontalHeader().length() - _ASIDE
    text = qt.QFontMetrics(table.font).boundingRect(0, 0, width, _TALL, qt.Qt.TextWordWrap, item.text())
    table.setRowHeight(row, text.height() + _ABOVE)
