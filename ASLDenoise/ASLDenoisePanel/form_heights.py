"""Rows of a form where they belong, also after the width has changed."""

from __future__ import annotations

import qt


class FormHeights(qt.QObject):
    """Lays the forms of a panel out once more after each change of their size.

    A QFormLayout in which text wraps keeps, for one pass, the heights that the text had at the width before. A row
    that cannot be pressed, a table as high as its rows, then lies over the next one, and stays so until something else
    changes (seen in Qt 5.15 and 6.10). A second pass knows better; where nothing was wrong it changes nothing.

    Args:
        contents: the widget whose sections hold forms.
    """

    def __init__(self, contents):
        qt.QObject.__init__(self)
        self._sections = contents.findChildren("ctkCollapsibleButton")
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.connect("timeout()", self._again)
        for section in self._sections:
            section.installEventFilter(self)

    def eventFilter(self, watched, event):
        """Look again once all has its size."""
        if event.type() == qt.QEvent.Resize:
            self._later.start()
        return False

    def _again(self):
        for section in self._sections:
            if section.isVisible():
                section.layout().invalidate()
                section.layout().activate()
