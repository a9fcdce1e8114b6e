"""Bringing a part of the panel into sight: the panel is longer than most screens are high."""

from __future__ import annotations

import qt

_SETTLED = 250  # ms: what was just shown gets its place from the event loop


def bringIntoSight(widget) -> None:
    """Scroll until the top of a widget, and as much of it as there is room for, can be seen."""
    qt.QTimer.singleShot(_SETTLED, lambda: _scrollTo(widget))


def _scrollTo(widget) -> None:
    area = widget.parentWidget()
    while area is not None and not area.inherits("QScrollArea"):
        area = area.parentWidget()
    if area is None:
        return
    top, contents = 0, area.widget()
    while widget is not None and widget is not contents:
        top, widget = top + widget.y, widget.parentWidget()
    area.ensureVisible(0, top, 0, 0)
    area.ensureVisible(0, top + area.viewport().height - 1, 0, 0)
