"""Slicer's plain MRML widgets: those that hold a scene, and the segment selector."""

from __future__ import annotations

from typing import Any

import vtk
from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QTableView, QVBoxLayout, QWidget

from .ctk_numbers import ctkCoordinatesWidget, ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget
from .node_combo_box import qMRMLNodeComboBox
from .scene_observation import Observations
from .stored import stored


class qMRMLWidget(QWidget):
    """A widget that hands its scene on to those inside it."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class qSlicerWidget(qMRMLWidget):
    """The same, of the application."""


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The frame round a scripted module's widget; `self()` is the Python object inside."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._python: Any = None
        self._entered = False
        self._module_name = ""

    isEntered = Property(bool, lambda self: self._entered)
    moduleName = Property(str, lambda self: self._module_name)

    def hold(self, python: Any, module_name: str) -> None:
        """Keep the Python widget that lives in this frame."""
        self._python, self._module_name = python, module_name

    def self(self) -> Any:
        return self._python

    def enter(self) -> None:
        self._entered = True
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        self._entered = False
        if hasattr(self._python, "exit"):
            self._python.exit()

    def reload(self) -> None:
        import slicer

        slicer.util.reloadScriptedModule(self._module_name)


class qMRMLSliderWidget(ctkSliderWidget):
    mrmlSceneChanged = Signal(object)
    quantity = stored(str, "quantity", "")
    unitAwareProperties = stored(int, "unitAwareProperties", 0)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlScene(self) -> Any:
        return self.__dict__.get("_scene")


class qMRMLSpinBox(ctkDoubleSpinBox):
    mrmlSceneChanged = Signal(object)
    quantity = stored(str, "quantity", "")
    unitAwareProperties = stored(int, "unitAwareProperties", 0)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def mrmlScene(self) -> Any:
        return self.__dict__.get("_scene")


class qMRMLRangeWidget(ctkRangeWidget):
    mrmlSceneChanged = Signal(object)
    quantity = stored(str, "quantity", "")

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene


class qMRMLCoordinatesWidget(ctkCoordinatesWidget):
    mrmlSceneChanged = Signal(object)
    quantity = stored(str, "quantity", "")

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene


class qMRMLSegmentSelectorWidget(qMRMLWidget):
    """A segmentation and one of its segments."""

    currentNodeChanged = Signal((object,), (bool,))
    currentSegmentChanged = Signal(str)
    segmentSelectionChanged = Signal("QStringList")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nodes, self._segments = qMRMLNodeComboBox(self), QComboBox(self)
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.addEnabled = self._nodes.removeEnabled = False
        self._nodes.noneEnabled = True
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._segments)
        self._observed = Observations(self)
        self._nodes.currentNodeChanged[object].connect(self._node_changed)
        self._segments.currentIndexChanged.connect(
            lambda _index: self.currentSegmentChanged.emit(self.currentSegmentID())
        )

    noneEnabled = stored(bool, "noneEnabled", False, then=lambda self, _value: self._fill())
    editEnabled = stored(bool, "editEnabled", False)
    multiSelection = stored(bool, "multiSelection", False)
    horizontalLayout = stored(bool, "horizontalLayout", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    segmentationNodeSelectorVisible = Property(
        bool, lambda self: not self._nodes.isHidden(), lambda self, shown: self._nodes.setVisible(shown)
    )

    def setMRMLScene(self, scene: Any) -> None:
        super().setMRMLScene(scene)
        self._nodes.setMRMLScene(scene)

    def _node_changed(self, node: Any) -> None:
        self._observed.clear()
        if node is not None:
            import slicer

            for event in (
                slicer.vtkSegmentation.SegmentAdded,
                slicer.vtkSegmentation.SegmentRemoved,
                slicer.vtkSegmentation.SegmentModified,
            ):
                self._observed.add(node.GetSegmentation(), event, lambda *_: self._fill())
        self._fill()
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)

    def _fill(self) -> None:
        wanted, node = self.currentSegmentID(), self.currentNode()
        self._segments.blockSignals(True)
        self._segments.clear()
        if self.noneEnabled:
            self._segments.addItem("None", "")
        for segment_id in () if node is None else node.GetSegmentation().GetSegmentIDs():
            self._segments.addItem(node.GetSegmentation().GetSegment(segment_id).GetName(), segment_id)
        self._segments.setCurrentIndex(max(0, self._segments.findData(wanted)))
        self._segments.blockSignals(False)
        if self.currentSegmentID() != wanted:
            self.currentSegmentChanged.emit(self.currentSegmentID())

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def currentNodeID(self) -> str:
        return self._nodes.currentNodeID

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        return self._segments.currentData() or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(segment_id))

    def segmentIDs(self) -> list[str]:
        return [self._segments.itemData(i) for i in range(self._segments.count()) if self._segments.itemData(i)]

    def selectedSegmentIDs(self) -> list[str]:
        return [segment for segment in [self.currentSegmentID()] if segment]


class qMRMLTableView(QTableView):
    """Shows a vtkMRMLTableNode; read only here."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._table: Any = None
        self._view: Any = None
        self._observed = Observations(self)
        self.setModel(QStandardItemModel(0, 0, self))

    transposed = stored(bool, "transposed", False, then=lambda self, _value: self._fill())
    firstRowLocked = stored(bool, "firstRowLocked", False)
    firstColumnLocked = stored(bool, "firstColumnLocked", False)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLTableNode(self, node: Any) -> None:
        self._observed.clear()
        self._table = node
        if node is not None:
            self._observed.add(node, vtk.vtkCommand.ModifiedEvent, lambda *_: self._fill())
        self._fill()

    def mrmlTableNode(self) -> Any:
        return self._table

    def setMRMLTableViewNode(self, node: Any) -> None:
        self._view = node
        self.setMRMLTableNode(None if node is None else node.GetTableNode())

    def mrmlTableViewNode(self) -> Any:
        return self._view

    def _fill(self) -> None:
        model, table = self.model(), None if self._table is None else self._table.GetTable()
        model.clear()
        if table is None:
            return
        columns, rows = table.GetNumberOfColumns(), table.GetNumberOfRows()
        model.setHorizontalHeaderLabels([table.GetColumnName(c) or "" for c in range(columns)])
        for row in range(rows):
            texts = [str(table.GetValue(row, c).ToString()) for c in range(columns)]
            model.appendRow([QStandardItem(text) for text in texts])


class qMRMLPlotView(QWidget):
    """A place for a chart: knows its view node, draws nothing."""

    mrmlSceneChanged = Signal(object)
    title = stored(str, "title", "")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        self.mrmlSceneChanged.emit(scene)

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node

    def fitToContent(self) -> None:
        """Nothing is drawn, so everything fits."""


class qMRMLPlotWidget(qMRMLWidget):
    """A chart with its controller bar."""

    viewLabel = stored(str, "viewLabel", "1")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._node = qMRMLPlotView(self), None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._node = node
        self._view.setMRMLPlotViewNode(node)

    setMRMLAbstractViewNode = setMRMLPlotViewNode

    def mrmlPlotViewNode(self) -> Any:
        return self._node

    mrmlAbstractViewNode = mrmlPlotViewNode

    def plotView(self) -> qMRMLPlotView:
        return self._view


class qMRMLSubjectHierarchyComboBox(QComboBox):
    """Chooses an item of the subject hierarchy."""

    currentItemChanged = Signal(int)
    nodeTypes = stored("QStringList", "nodeTypes", [], then=lambda self, _value: self._fill())
    noneEnabled = stored(bool, "noneEnabled", False, then=lambda self, _value: self._fill())
    noneDisplay = stored(str, "noneDisplay", "None")
    defaultText = stored(str, "defaultText", "")
    showRootItem = stored(bool, "showRootItem", False)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._hierarchy: Any = None
        self._observed = Observations(self)
        self.currentIndexChanged.connect(lambda _index: self.currentItemChanged.emit(self.currentItem()))

    def setMRMLScene(self, scene: Any) -> None:
        import slicer

        self._observed.clear()
        self._scene = scene
        self._hierarchy = None
        if scene is not None:
            self._hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
            node = slicer.vtkMRMLSubjectHierarchyNode
            for event in (node.SubjectHierarchyItemAddedEvent, node.SubjectHierarchyItemRemovedEvent):
                self._observed.add(self._hierarchy, event, lambda *_: self._fill())
        self._fill()

    def _fill(self) -> None:
        wanted = self.currentItem()
        self.blockSignals(True)
        self.clear()
        if self.noneEnabled:
            self.addItem(self.noneDisplay, 0)
        if self._hierarchy is not None:
            ids = vtk.vtkIdList()
            self._hierarchy.GetItemChildren(self._hierarchy.GetSceneItemID(), ids, True)
            for index in range(ids.GetNumberOfIds()):
                item = ids.GetId(index)
                node = self._hierarchy.GetItemDataNode(item)
                if not self.nodeTypes or (node is not None and any(node.IsA(kind) for kind in self.nodeTypes)):
                    self.addItem(self._hierarchy.GetItemName(item), item)
        self.setCurrentIndex(max(0, self.findData(wanted)))
        self.blockSignals(False)

    def currentItem(self) -> int:
        return int(self.currentData(Qt.ItemDataRole.UserRole) or 0)

    def setCurrentItem(self, item: int) -> None:
        self.setCurrentIndex(self.findData(int(item)))
