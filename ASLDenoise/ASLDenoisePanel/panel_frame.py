"""The frame of the panel: sections that scroll, and below them the button that runs, always in sight."""

from __future__ import annotations

import qt

from .form_heights import FormHeights

_LINE = 2  # px
_LEAST = 220  # px of the sections, below which Slicer's own module panel scrolls the whole


class PanelFrame(qt.QObject):
    """A widget without a layout that holds a scroll area, and below it a bar as high as its text needs.

    Slicer's module panel is a scroll area itself and gives a module all its height, or more where the module asks for
    it: this one asks for little, so that it is as high as the panel, and scrolls its sections on its own.

    It has no layout, since Slicer's panel would ask a layout for its height at a width, and Qt remembers the answers
    until the contents change. On leaving a module Slicer takes the layout's item out and does not delete it, so Qt goes
    on telling the old item of changes, and the new one answers from memory for good: parts lie over one another, or
    blank space stays. A widget without a layout is never asked; it states its least size, which is not remembered.

    Args:
        contents: the sections.
        bar: what stays in sight; taken out of the layout of the contents where it is in it.

    Attributes:
        widget: goes into a layout in the place of the contents.
    """

    def __init__(self, contents, bar):
        qt.QObject.__init__(self)
        self.widget = qt.QWidget()
        contents.layout().removeWidget(bar)
        self._area, self._contents, self._bar = qt.QScrollArea(self.widget), contents, bar
        self._area.frameShape = qt.QFrame.NoFrame
        self._area.widgetResizable = True
        self._area.horizontalScrollBarPolicy = qt.Qt.ScrollBarAlwaysOff
        self._area.focusPolicy = qt.Qt.NoFocus  # it follows the keyboard, and is no stop of its own
        self._area.setWidget(contents)
        self._heights = FormHeights(contents)
        self._line = qt.QFrame(self.widget)  # what scrolls ends there
        self._line.frameShape, self._line.frameShadow = qt.QFrame.HLine, qt.QFrame.Sunken
        bar.setParent(self.widget)
        bar.show()
        self.widget.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched, event):
        """Fit when the width, or anything inside, has changed; what changed out of sight is met when it is shown."""
        if event.type() in (qt.QEvent.Resize, qt.QEvent.LayoutRequest, qt.QEvent.Show):
            self._fit()
        return False

    def _fit(self):
        width, height, layout = self.widget.width, self.widget.height, self._bar.layout()
        wanted = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        least = max(self._contents.layout().totalMinimumSize().width(), layout.totalMinimumSize().width())
        self.widget.setMinimumSize(least + self._area.verticalScrollBar().sizeHint.width(), wanted + _LINE + _LEAST)
        self._area.setGeometry(0, 0, width, max(0, height - wanted - _LINE))
        self._line.setGeometry(0, max(0, height - wanted - _LINE), width, _LINE)
        self._bar.setGeometry(0, max(0, height - wanted), width, wanted)
