"""Tables that are as high as their rows: the panel scrolls, not a table within it, and nothing is hidden in one."""

from __future__ import annotations

import qt


def showWhole(table) -> None:
    """Keep a table as high as its rows need at its width."""
    rows, frame = table.verticalHeader(), 2 * table.frameWidth
    later = qt.QTimer(table)  # once for many, and after the last row has its height
    later.setSingleShot(True)
    later.setInterval(0)

    def fit() -> None:
        table.setFixedHeight(table.horizontalHeader().sizeHint.height() + rows.length() + frame)

    later.connect("timeout()", fit)
    rows.hide()
    rows.setSectionResizeMode(qt.QHeaderView.ResizeToContents)  # labels wrap where it is narrow
    rows.sectionResized.connect(lambda *_sizes: later.start())
    rows.sectionCountChanged.connect(lambda *_counts: later.start())
    table.verticalScrollBarPolicy = table.horizontalScrollBarPolicy = qt.Qt.ScrollBarAlwaysOff
    fit()
