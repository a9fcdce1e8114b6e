"""The node selector over the real scene: rows for none, the nodes in scene order and actions, as in Slicer."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6.QtCore import Property, QObject, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QWidget

from .scene_observation import Observations
from .special_members import NotStoodIn
from .stored import stored

NODE_ID, ACTION = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


class qMRMLSortFilterProxyModel(QObject):
    """Of the model behind a selector the one property by which nodes are left out, by their IDs."""

    def __init__(self, box: qMRMLNodeComboBox) -> None:
        super().__init__(box)
        self._box, self._hidden = box, []

    def _set_hidden(self, ids: list[str]) -> None:
        if list(ids) != self._hidden:
            self._hidden = list(ids)
            self._box._rebuild()

    hiddenNodeIDs = Property("QStringList", lambda self: self._hidden, _set_hidden)


class qMRMLNodeComboBox(QWidget):
    """Chooses one node of some classes."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._requested = ""
        self._switching = False
        self._filter = qMRMLSortFilterProxyModel(self)
        self._attributes: dict[tuple[str, str], str | None] = {}
        self._observed = Observations(self)
        self._observed_nodes: dict[str, Any] = {}
        self._model = QStandardItemModel(0, 1, self)
        self._box = QComboBox(self)
        self._box.setModel(self._model)
        self._box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._box.setMinimumContentsLength(8)
        self._box.setFocusProxy(self)  # the Tab key passes a selector by (qMRMLNodeComboBox.cxx)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._box.currentIndexChanged.connect(self._index_changed)
        self._box.activated.connect(self._activated)
        self.setEnabled(False)
        self._rebuild()

    # --- rows ---------------------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """All rows anew; the current node stays current where it is still there."""
        wanted = self.currentNodeID
        before = self.currentNode()
        self._switching = True
        self._model.clear()
        self._update_extra_rows()
        for node in self._shown_nodes():
            self._insert(node)
        self._switching = False
        if wanted or self.noneEnabled:
            self._select(wanted)
        if self.currentNode() is not before:
            self._index_changed(self._box.currentIndex())
        self._box.setPlaceholderText(f"Select a {self.nodeTypeLabel((self.nodeTypes or [''])[0])}")

    def _update_extra_rows(self) -> None:
        index = self._box.currentIndex()
        current = self._row_id(index)
        for row in reversed(range(self._model.rowCount())):
            if not self._row_id(row):
                self._model.removeRow(row)
        if self.noneEnabled:
            self._model.insertRow(0, QStandardItem(self.noneDisplay))
        for text, action in self._actions():
            item = QStandardItem(text)
            item.setData(action, ACTION)
            self._model.appendRow(item)
        self._select(current, keep_none=index < 0)

    def _actions(self) -> list[tuple[str, str]]:
        if self._scene is None:
            return []
        types = self.nodeTypes
        label = self.nodeTypeLabel(types[0] if len(types) == 1 else "")
        found = []
        for kind in types if self.addEnabled else ():
            found.append((f"Create new {self.nodeTypeLabel(kind)}", f"CREATE/{kind}"))
        if self.removeEnabled:
            found.append((f"Delete current {label}", "DELETE"))
        return found

    def _row_id(self, row: int) -> str:
        item = self._model.item(row) if row >= 0 else None
        return "" if item is None else item.data(NODE_ID) or ""

    def _row_of(self, node_id: str) -> int:
        if not node_id:
            return -1
        return next((row for row in range(self._model.rowCount()) if self._row_id(row) == node_id), -1)

    def _select(self, node_id: str, *, keep_none: bool = False) -> None:
        row = self._row_of(node_id)
        if row < 0:
            row = 0 if self.noneEnabled and not keep_none else -1
        self._box.setCurrentIndex(row)

    def _insert(self, node: Any) -> None:
        order = [n.GetID() for n in self._shown_nodes()]
        row = (1 if self.noneEnabled else 0) + sum(
            self._row_of(i) >= 0 for i in order[: order.index(node.GetID())] if node.GetID() in order
        )
        item = QStandardItem(node.GetName() or "")
        item.setData(node.GetID(), NODE_ID)
        self._model.insertRow(row, item)
        if self._model.rowCount() == 1:  # as in an empty QComboBox; one with action rows stays without a choice
            self._box.setCurrentIndex(0)

    def _shown_nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = self._scene.GetNodes()
        return [n for n in (nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())) if self._accepts(n)]

    def _accepts(self, node: Any) -> bool:
        kinds = [k for k in self.nodeTypes if (node.IsA(k) if self.showChildNodeTypes else node.GetClassName() == k)]
        if not kinds or (node.GetHideFromEditors() and not self.showHidden):
            return False
        if node.GetID() in self._filter.hiddenNodeIDs:
            return False
        if any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
            return False
        wanted = [(name, value) for (kind, name), value in self._attributes.items() if node.IsA(kind)]
        return all(
            node.GetAttribute(name) is not None and (value is None or node.GetAttribute(name) == value)
            for name, value in wanted
        )

    # --- the scene ----------------------------------------------------------------------------------------------

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        had_nodes, old = self.nodeCount() > 0, self.currentNodeID
        self._observed.clear()
        self._observed_nodes.clear()
        self._scene = scene
        if scene is not None:
            for event, function in (
                (slicer.vtkMRMLScene.NodeAddedEvent, self._node_added),
                (slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, self._node_leaving),
                (slicer.vtkMRMLScene.NodeRemovedEvent, self._node_removed),
            ):
                self._observed.add(scene, event, function, data=vtk.VTK_OBJECT)
            self._observed.add(scene, slicer.vtkMRMLScene.EndBatchProcessEvent, lambda *_: self._rebuild())
            for node in self._all_nodes():
                self._observe(node)
        requested, self._requested = self._requested, ""
        self._rebuild()
        chosen = old if had_nodes else requested or self.currentNodeID
        if chosen or self.noneEnabled or had_nodes:
            self._select(chosen)
        self.setEnabled(scene is not None)

    def mrmlScene(self) -> Any:
        return self._scene

    def _all_nodes(self) -> list[Any]:
        nodes = self._scene.GetNodes()
        return [nodes.GetItemAsObject(i) for i in range(nodes.GetNumberOfItems())]

    def _observe(self, node: Any) -> None:
        if any(node.IsA(kind) for kind in self.nodeTypes) and node.GetID() not in self._observed_nodes:
            self._observed_nodes[node.GetID()] = node
            self._observed.add(node, vtk.vtkCommand.ModifiedEvent, lambda *_: self._node_modified(node))

    def _node_added(self, _scene: Any, _event: str, node: Any) -> None:
        self._observe(node)
        if self._accepts(node) and self._row_of(node.GetID()) < 0:
            self._insert(node)
            self.nodeAdded.emit(node)

    def _node_modified(self, node: Any) -> None:
        row = self._row_of(node.GetID() or "")
        if self._scene is None or not self._scene.IsNodePresent(node):
            return
        if (row >= 0) != self._accepts(node):
            self._rebuild()
        elif row >= 0 and self._model.item(row).text() != node.GetName():
            self._model.item(row).setText(node.GetName())

    def _node_leaving(self, _scene: Any, _event: str, node: Any) -> None:
        if self._row_of(node.GetID()) >= 0:
            self.nodeAboutToBeRemoved.emit(node)

    def _node_removed(self, _scene: Any, _event: str, node: Any) -> None:
        known = self._observed_nodes.pop(node.GetID() or "", None)
        if known is not None:
            self._observed.remove(known)
        row = self._row_of(node.GetID())
        if row >= 0:
            self._model.removeRow(row)

    # --- the current node ---------------------------------------------------------------------------------------

    def _index_changed(self, index: int) -> None:
        if self._switching:
            return
        node = self._node_at(index)
        if node is None and index != (0 if self.noneEnabled else -1):
            last = self.nodeFromIndex(self.nodeCount() - 1)
            if last is not None:
                self.setCurrentNode(last)
            return
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit("" if node is None else node.GetID())

    def _activated(self, index: int) -> None:
        action = self._model.item(index).data(ACTION) if self._model.item(index) is not None else None
        if action:
            self._run_action(action)
        elif self._node_at(index) is not None or (self.noneEnabled and index == 0):
            self.nodeActivated.emit(self._node_at(index))

    def _run_action(self, action: str) -> None:
        name, _, kind = action.partition("/")
        if name == "CREATE":
            self.nodeAddedByUserAction.emit(self.addNode(kind))
        else:
            self.removeCurrentNode()

    def _node_at(self, index: int) -> Any:
        node_id = self._row_id(index)
        return self._scene.GetNodeByID(node_id) if node_id and self._scene is not None else None

    def currentNode(self) -> Any:
        return self._node_at(self._box.currentIndex())

    def _current_id(self) -> str:
        node = self.currentNode()
        return "" if node is None else node.GetID()

    def setCurrentNodeID(self, node_id: str) -> None:
        if self._scene is None:
            self._requested = node_id
        self._select(node_id)

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else "" if node is None else node.GetID() or "")

    def nodeCount(self) -> int:
        return sum(bool(self._row_id(row)) for row in range(self._model.rowCount()))

    def nodeFromIndex(self, index: int) -> Any:
        return self._node_at(index + 1 if self.noneEnabled else index)

    def addNode(self, kind: str | None = None) -> Any:
        kind = kind or next(iter(self.nodeTypes), None)
        if self._scene is None or kind not in self.nodeTypes:
            return None
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(self._scene.GenerateUniqueName(self.nodeTypeLabel(kind)))
        for (_kind, name), value in self._attributes.items():
            node.SetAttribute(name, value or "")
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def addAttribute(self, kind: str, name: str, value: Any = None) -> None:
        self._attributes[kind, name] = None if value is None else str(value)
        self._rebuild()

    def sortFilterProxyModel(self) -> QObject:
        return self._filter

    def nodeTypeLabel(self, kind: str) -> str:
        known = self._scene.GetTypeDisplayNameByClassName(kind) if self._scene is not None and kind else ""
        return known or "node"

    def _set_node_types(self, kinds: list[str]) -> None:
        self._kept_types = [kind for kind in kinds if kind]
        if self._scene is not None:
            for node in self._all_nodes():
                self._observe(node)
        self._rebuild()

    def _rows(self, _value: Any = None) -> None:
        self._update_extra_rows()

    def _no_row(self, wanted: bool) -> None:
        if wanted:
            raise NotStoodIn("Slicer offers to edit and rename nodes there, but the harness does not yet.")

    def _set_none(self, enabled: bool) -> None:
        if enabled != self.noneEnabled:
            self._none = enabled
            self._rebuild()

    nodeTypes = Property("QStringList", lambda self: self.__dict__.get("_kept_types", []), _set_node_types)
    noneEnabled = Property(bool, lambda self: self.__dict__.get("_none", False), _set_none)
    noneDisplay = stored(str, "noneDisplay", "None", then=_rows)
    addEnabled = stored(bool, "addEnabled", True, then=_rows)
    removeEnabled = stored(bool, "removeEnabled", True, then=_rows)
    editEnabled = stored(bool, "editEnabled", False, then=_no_row)
    renameEnabled = stored(bool, "renameEnabled", False, then=_no_row)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    showHidden = stored(bool, "showHidden", False, then=lambda self, _value: self._rebuild())
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, then=lambda self, _value: self._rebuild())
    hideChildNodeTypes = stored("QStringList", "hideChildNodeTypes", [], then=lambda self, _value: self._rebuild())
    currentNodeID = Property(str, _current_id, setCurrentNodeID)
    currentNodeId = Property(str, _current_id, setCurrentNodeID)
    sizeAdjustPolicy = stored(int, "sizeAdjustPolicy", 0)
