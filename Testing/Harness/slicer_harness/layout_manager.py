"""Slice views on the real slice logics: the layout manager and its widgets, without pixels."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from .mrml_widgets import qMRMLWidget
from .plot_widgets import qMRMLPlotWidget
from .scene_observation import Observations
from .stored import stored


class qMRMLSliceWidget(qMRMLWidget):
    """One slice view: its node, its composite node and the logic between them are real."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._logic = slicer.vtkMRMLSliceLogic()

    def attach(self, application_logic: Any, scene: Any, node: Any) -> None:
        """Give the logic its scene and slice node, as the layout manager's factory does."""
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetMRMLScene(scene)
        self._logic.SetSliceNode(node)
        node.SetDimensions(400, 400, 1)
        application_logic.GetSliceLogics().AddItem(self._logic)
        self.setMRMLScene(scene)

    def detach(self, application_logic: Any) -> None:
        application_logic.GetSliceLogics().RemoveItem(self._logic)
        self._logic.SetMRMLScene(None)
        self._logic.SetMRMLApplicationLogic(None)

    def sliceLogic(self) -> Any:
        return self._logic

    logic = sliceLogic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    mrmlAbstractViewNode = mrmlSliceNode

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceOrientation(self, orientation: str) -> None:
        self.mrmlSliceNode().SetOrientation(orientation)

    sliceViewName = Property(str, lambda self: self.mrmlSliceNode().GetLayoutName())
    sliceViewLabel = Property(str, lambda self: self.mrmlSliceNode().GetLayoutLabel())
    sliceOrientation = Property(
        str, lambda self: self.mrmlSliceNode().GetOrientation(), lambda self, text: self.setSliceOrientation(text)
    )
    viewColor = stored(QColor, "viewColor", QColor("red"))


class qSlicerLayoutManager(QObject):
    """Makes slice widgets for the slice view nodes of each layout that the scene was set to.

    Plots have widgets that show nothing; tables and 3D views have none: there is nothing to see of them but their view
    nodes.
    """

    layoutChanged = Signal((), (int,))

    def __init__(self, application_logic: Any, scene: Any) -> None:
        super().__init__()
        self._application_logic, self._scene = application_logic, scene
        self._slice_logics = vtk.vtkCollection()
        application_logic.SetSliceLogics(self._slice_logics)
        self._slices: dict[str, qMRMLSliceWidget] = {}
        self._plots: dict[str, qMRMLPlotWidget] = {}
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        self._observed = Observations(self)
        self._observed.add(self._logic.GetLayoutNode(), vtk.vtkCommand.ModifiedEvent, lambda *_: self._update())
        self._logic.GetLayoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutInitialView)
        self._update()

    def _view_nodes(self) -> list[Any]:
        views = self._logic.GetViewNodes()
        return [views.GetItemAsObject(i) for i in range(views.GetNumberOfItems())]

    def _update(self) -> None:
        for node in self._view_nodes():
            name = node.GetLayoutName()
            if node.IsA("vtkMRMLSliceNode") and name not in self._slices:
                widget = qMRMLSliceWidget()
                widget.attach(self._application_logic, self._scene, node)
                known = dict(self._slices)
                first = {} if name in ("Red", "Green", "Yellow") else {name: widget}
                self._slices = {**first, **known, name: widget}
        self.layoutChanged[int].emit(self._layout())

    def close(self) -> None:
        """Let go of the scene."""
        self._observed.clear()
        for widget in self._slices.values():
            widget.detach(self._application_logic)
        self._slices.clear()
        self._plots.clear()
        self._logic.SetMRMLScene(None)

    def plotWidget(self, number: int) -> qMRMLPlotWidget | None:
        """Of the plot views in the layout that is shown."""
        nodes = [node for node in self._view_nodes() if node.IsA("vtkMRMLPlotViewNode")]
        if not 0 <= number < len(nodes):
            return None
        widget = self._plots.setdefault(nodes[number].GetID(), qMRMLPlotWidget())
        widget.setMRMLScene(self._scene)
        widget.setMRMLPlotViewNode(nodes[number])
        return widget

    def _layout(self) -> int:
        return self._logic.GetLayoutNode().GetViewArrangement()

    def setLayout(self, layout: int) -> None:
        self._logic.GetLayoutNode().SetViewArrangement(int(layout))

    layout = Property(int, _layout, setLayout)
    threeDViewCount = Property(int, lambda self: self._count("vtkMRMLViewNode"))
    plotViewCount = Property(int, lambda self: self._count("vtkMRMLPlotViewNode"))
    tableViewCount = Property(int, lambda self: self._count("vtkMRMLTableViewNode"))

    def _count(self, kind: str) -> int:
        return sum(node.IsA(kind) for node in self._view_nodes())

    def layoutLogic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        return self._scene

    def mrmlSliceLogics(self) -> Any:
        return self._application_logic.GetSliceLogics()

    def sliceViewNames(self) -> list[str]:
        """Of every layout so far."""
        return list(self._slices)

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        return self._slices.get(name)

    def resetSliceViews(self) -> None:
        for widget in self._slices.values():
            widget.fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        """There is no 3D view here."""
