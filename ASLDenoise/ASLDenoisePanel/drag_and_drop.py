"""A file or folder dropped on the panel."""

from __future__ import annotations

from pathlib import Path

import qt


class DropFilter(qt.QObject):
    """Watches a widget, and calls back with the path of a file or folder that is dropped on it.

    Args:
        widget: to watch.
        dropped: called with the path; with a list of paths where it takes several.
        several: more than one may be dropped at a time.
    """

    def __init__(self, widget, dropped, several=False):
        qt.QObject.__init__(self, widget)
        self._dropped, self._several = dropped, several
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        """Take drags and drops of local files or folders, of one alone where no more are wanted; leave all else."""
        if event.type() not in (qt.QEvent.DragEnter, qt.QEvent.DragMove, qt.QEvent.Drop):
            return False
        paths = localPaths(event.mimeData())
        if not paths or (len(paths) > 1 and not self._several):
            return False
        event.acceptProposedAction()
        if event.type() == qt.QEvent.Drop:
            given = paths if self._several else paths[0]
            # after the drop has ended: what follows may show a dialogue, and the drag would hang until it is closed
            qt.QTimer.singleShot(0, lambda: self._dropped(given))
        return True


def localPaths(data) -> list[Path]:
    """The local files and folders in what is dragged; none where any of it is something else."""
    if data is None or not data.hasUrls():
        return []
    urls = data.urls()
    return [Path(url.toLocalFile()) for url in urls] if all(url.isLocalFile() for url in urls) else []


def onePath(data) -> Path | None:
    """The one local file or folder in what is dragged; None where it is something else, or several."""
    paths = localPaths(data)
    return paths[0] if len(paths) == 1 else None
