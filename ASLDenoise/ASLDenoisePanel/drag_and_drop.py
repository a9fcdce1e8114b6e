"""A file or folder dropped on the panel."""

from __future__ import annotations

from pathlib import Path

import qt


class DropFilter(qt.QObject):
    """Watches a widget, and calls back with the path of a file or folder that is dropped on it."""

    def __init__(self, widget, dropped):
        qt.QObject.__init__(self, widget)
        self._dropped = dropped
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        """Take drags and drops of exactly one local file or folder; leave all else to others."""
        if event.type() not in (qt.QEvent.DragEnter, qt.QEvent.DragMove, qt.QEvent.Drop):
            return False
        path = onePath(event.mimeData())
        if path is None:
            return False
        event.acceptProposedAction()
        if event.type() == qt.QEvent.Drop:
            # after the drop has ended: what follows may show a dialogue, and the drag would hang until it is closed
            qt.QTimer.singleShot(0, lambda: self._dropped(path))
        return True


def onePath(data) -> Path | None:
    """The one local file or folder in what is dragged; None where it is something else, or several."""
    if data is None or not data.hasUrls():
        return None
    urls = data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())
