"""Node selectors made from the plain one: colour tables, and nodes with check boxes."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from .node_combo_box import qMRMLNodeComboBox


class qMRMLColorTableComboBox(qMRMLNodeComboBox):
    """The node selector over colour tables."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.nodeTypes = ["vtkMRMLColorNode"]
        self.addEnabled = self.removeEnabled = False


class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """The node selector with a check box a node."""

    checkedNodesChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        self._checked: set[str] = set()
        super().__init__(parent)

    def checkedNodes(self) -> list[Any]:
        return [node for node in self._shown_nodes() if node.GetID() in self._checked]

    def uncheckedNodes(self) -> list[Any]:
        return [node for node in self._shown_nodes() if node.GetID() not in self._checked]

    def checkState(self, node: Any) -> Qt.CheckState:
        return Qt.CheckState.Checked if node.GetID() in self._checked else Qt.CheckState.Unchecked

    def setCheckState(self, node: Any, state: Any) -> None:
        checked = int(getattr(state, "value", state)) == Qt.CheckState.Checked.value
        if checked != (node.GetID() in self._checked):
            (self._checked.add if checked else self._checked.discard)(node.GetID())
            self.checkedNodesChanged.emit()

    def check(self, node: Any) -> None:
        self.setCheckState(node, Qt.CheckState.Checked)

    def uncheck(self, node: Any) -> None:
        self.setCheckState(node, Qt.CheckState.Unchecked)

    def allChecked(self) -> bool:
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        return not self.checkedNodes()
