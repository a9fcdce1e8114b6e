"""A panel whose height follows what is in it, also after the module was left and entered again."""

from __future__ import annotations

import qt


class AutoHeight(qt.QObject):
    """A widget without a layout round another, as high as that one needs to be at the width that it has.

    Wrapped text makes a panel higher as it gets narrower. Slicer's module panel asks for that height through a layout
    item, and Qt remembers the answers until the contents change. On leaving a module Slicer takes the item out and
    does not delete it, so Qt goes on telling the old item of changes, and the new one answers from memory for good:
    parts lie over one another, or blank space stays. A widget without a layout is never asked; it states its least
    size, which is not remembered.

    Attributes:
        widget: goes into a layout in the place of the contents.
    """

    def __init__(self, contents):
        qt.QObject.__init__(self)
        self.widget = qt.QWidget()
        self._contents = contents
        contents.setParent(self.widget)
        self.widget.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched, event):
        """Fit when the width, or anything inside, has changed; what changed out of sight is met when it is shown."""
        if event.type() in (qt.QEvent.Resize, qt.QEvent.LayoutRequest, qt.QEvent.Show):
            self._fit()
        return False

    def _fit(self):
        width, layout = self.widget.width, self._contents.layout()
        height = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        self.widget.setMinimumSize(layout.totalMinimumSize().width(), height)
        self._contents.setGeometry(0, 0, width, max(height, self.widget.height))
