"""Combo boxes whose items are data: a text to show, a value to keep."""

from __future__ import annotations

import qt


def fill(combo, items, current) -> None:
    """Put (text, value, tool tip) items into a combo box and select the one of a value, else the first; silently."""
    blocked = combo.blockSignals(True)
    combo.clear()
    for place, (text, value, tip) in enumerate(items):
        combo.addItem(text, value)
        combo.setItemData(place, tip, qt.Qt.ToolTipRole)
    select(combo, current)
    combo.blockSignals(blocked)


def select(combo, value) -> None:
    """Select the item of a value, else the first; silently."""
    blocked = combo.blockSignals(True)
    combo.setCurrentIndex(max(0, next((i for i in range(combo.count) if combo.itemData(i) == value), 0)))
    combo.blockSignals(blocked)


def chosen(combo):
    """The value of the selected item; None where there is none."""
    return combo.itemData(combo.currentIndex) if combo.count else None
