"""Plot views without pixels: their widgets, and the signal of points that the user selected in one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from .mrml_widgets import qMRMLWidget
from .stored import stored


class qMRMLPlotView(QWidget):
    """The view inside; `dataSelected` carries IDs of plot series and, of each, the rows of its table."""

    dataSelected = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node

    title = stored(str, "title", "")


class qMRMLPlotWidget(qMRMLWidget):
    """One plot view with its bar; the nodes are real."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = qMRMLPlotView(self)
        self._node: Any = None

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node
        self._view.setMRMLPlotViewNode(node)

    def mrmlPlotViewNode(self) -> Any:
        return self._node

    mrmlAbstractViewNode = mrmlPlotViewNode

    def plotView(self) -> qMRMLPlotView:
        return self._view

    viewLabel = stored(str, "viewLabel", "")
    viewColor = stored(QColor, "viewColor", QColor("gray"))
