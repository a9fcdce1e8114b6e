"""The widgets that `connectGui` can bind, and to which types: the kinds that a real Slicer has, no other."""

from __future__ import annotations

import enum
import typing
from typing import Any

import ctk
import qt
import slicer

from . import annotations as notes_
from .annotations import first, unannotated
from .gui_connector import WidgetConnector, createGuiConnector, parameterNodeGuiConnector
from .packs import FloatRange, isParameterPack, nestedParameterNames
from .serializers import _PATHS

SlicerPackParameterNamePropertyName = "SlicerPackParameterName"


class _Checked(WidgetConnector):
    signal = "toggled"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is bool

    def read(self) -> bool:
        return self._widget.checked

    def write(self, value: bool) -> None:
        self._widget.checked = value


@parameterNodeGuiConnector
class QCheckBoxToBoolConnector(_Checked):
    widgets = (qt.QCheckBox, ctk.ctkCheckBox)
    signal = "stateChanged"


@parameterNodeGuiConnector
class QCheckablePushButtonToBoolConnector(_Checked):
    widgets = (qt.QPushButton,)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.checkable = True


class _Number(WidgetConnector):
    signal = "valueChanged"

    def bounds(self) -> tuple[float | None, float | None]:
        within = first(self._notes, notes_.WithinRange)
        if within is not None:
            return within.minimum, within.maximum
        low, high = first(self._notes, notes_.Minimum), first(self._notes, notes_.Maximum)
        return None if low is None else low.minimum, None if high is None else high.maximum

    def step(self) -> None:
        step = first(self._notes, notes_.SingleStep)
        if step is not None:
            self._widget.singleStep = step.value


@parameterNodeGuiConnector
class QSliderOrSpinBoxToIntConnector(_Number):
    widgets = (qt.QSlider, qt.QSpinBox)

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is int

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self.step()
        low, high = self.bounds()
        if isinstance(widget, qt.QSlider) and (low is None or high is None):
            raise RuntimeError("Cannot have a connection to QSlider where the int type is unbounded.")
        widget.setMinimum(-(2**31) if low is None else low)
        widget.setMaximum(2**31 - 1 if high is None else high)

    def read(self) -> int:
        return self._widget.value

    def write(self, value: int) -> None:
        self._widget.value = value


@parameterNodeGuiConnector
class QDoubleSpinBoxCtkSliderWidgetToFloatIntConnector(_Number):
    widgets = (
        *(qt.QDoubleSpinBox, ctk.ctkSliderWidget, slicer.qMRMLSliderWidget),
        *(ctk.ctkDoubleSlider, ctk.ctkDoubleSpinBox, slicer.qMRMLSpinBox),
    )

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in (float, int)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._whole = unannotated(datatype) is int
        decimals = first(self._notes, notes_.Decimals)
        if not isinstance(widget, ctk.ctkDoubleSlider) and (self._whole or decimals is not None):
            widget.decimals = 0 if self._whole else decimals.value
        self.step()
        low, high = self.bounds()
        if type(widget) in (ctk.ctkSliderWidget, slicer.qMRMLSliderWidget) and (low is None or high is None):
            raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
        widget.minimum = float("-inf") if low is None else low
        widget.maximum = float("inf") if high is None else high

    def read(self) -> float:
        return int(self._widget.value) if self._whole else self._widget.value

    def write(self, value: float) -> None:
        self._widget.value = int(value) if self._whole else value


class _Rows(WidgetConnector):
    """A combo box with a row for each of some values."""

    widgets = (qt.QComboBox, ctk.ctkComboBox)
    signal = "currentIndexChanged"

    def rows(self) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._rows = self.rows()
        index = widget.currentIndex
        widget.clear()
        for text, _value in self._rows:
            widget.addItem(text)
        if 0 <= index < len(self._rows):
            widget.currentIndex = index

    def read(self) -> Any:
        return self._rows[self._widget.currentIndex][1]

    def write(self, value: Any) -> None:
        values = [kept for _text, kept in self._rows]
        if value not in values:
            raise ValueError(f"Unable to find value {value} in choices {values}")
        self._widget.currentIndex = values.index(value)


@parameterNodeGuiConnector
class QComboBoxToStringableConnector(_Rows):
    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in (int, float, str, bool)

    def rows(self) -> list[tuple[str, Any]]:
        choice = first(self._notes, notes_.Choice)
        if choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        return [(str(value), value) for value in choice.choices]


@parameterNodeGuiConnector
class QComboBoxToEnumConnector(_Rows):
    """Rows in the order of the enum; a method `label` of the enum says their texts."""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return issubclass(kind, enum.Enum)

    def rows(self) -> list[tuple[str, Any]]:
        kind = unannotated(self._type)
        label = getattr(kind, "label", lambda member: member.name)
        return [(label(member), member) for member in kind]


class _Words(WidgetConnector):
    signal = "textChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is str


@parameterNodeGuiConnector
class QLineEditToStrConnector(_Words):
    widgets = (qt.QLineEdit,)

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        if value != self._widget.text:  # writing moves the cursor
            self._widget.text = value


@parameterNodeGuiConnector
class QLabelToStrConnector(_Words):
    widgets = (qt.QLabel,)

    def _connect(self) -> None:
        """A label never changes by itself."""

    _disconnect = _connect

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        self._widget.text = value


@parameterNodeGuiConnector
class QTextEditPlainTextToStrConnector(_Words):
    widgets = (qt.QTextEdit,)

    def read(self) -> str:
        return self._widget.toPlainText()

    def write(self, value: str) -> None:
        self._widget.setPlainText(value)


@parameterNodeGuiConnector
class ctkRangeWidgetToRangeConnector(WidgetConnector):
    widgets = (ctk.ctkRangeWidget, slicer.qMRMLRangeWidget)
    signal = "valuesChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is FloatRange

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        bounds = first(self._notes, notes_.RangeBounds)
        if bounds is None:
            raise RuntimeError(
                "Cannot have a connection to a range widget where the float is unbounded. Add a RangeBounds annotation."
            )
        for note, name in ((notes_.Decimals, "decimals"), (notes_.SingleStep, "singleStep")):
            found = first(self._notes, note)
            if found is not None:
                setattr(widget, name, found.value)
        widget.setRange(bounds.minimum, bounds.maximum)

    def read(self) -> FloatRange:
        return FloatRange(self._widget.minimumValue, self._widget.maximumValue)

    def write(self, value: FloatRange) -> None:
        self._widget.setValues(value.minimum, value.maximum)


class _Paths(WidgetConnector):
    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in _PATHS


@parameterNodeGuiConnector
class ctkPathLineEditToPathConnector(_Paths):
    widgets = (ctk.ctkPathLineEdit,)
    signal = "currentPathChanged"

    def read(self) -> Any:
        return unannotated(self._type)(self._widget.currentPath)

    def write(self, value: Any) -> None:
        self._widget.currentPath = str(value)


@parameterNodeGuiConnector
class ctkDirectoryButtonToPathConnector(_Paths):
    widgets = (ctk.ctkDirectoryButton,)
    signal = "directoryChanged"

    def read(self) -> Any:
        return unannotated(self._type)(self._widget.directory)

    def write(self, value: Any) -> None:
        self._widget.directory = str(value)


def getNodeTypes(datatype: Any) -> tuple[str, ...]:
    """Class names of a node type, or of each in a union of node types with None; Slicer makes one to ask it."""
    kind = unannotated(datatype)
    kinds = typing.get_args(kind) if typing.get_origin(kind) is typing.Union else (kind,)
    return tuple(k().GetClassName() for k in map(unannotated, kinds) if k is not type(None))


def isNodeOrUnionOfNodes(datatype: Any) -> bool:
    kind = unannotated(datatype)
    kinds = typing.get_args(kind) if typing.get_origin(kind) is typing.Union else (kind,)
    return all(isinstance(k, type) and (k is type(None) or issubclass(k, slicer.vtkMRMLNode)) for k in kinds)


@parameterNodeGuiConnector
class qMRMLNodeComboBoxToNodeConnector(WidgetConnector):
    widgets = (slicer.qMRMLNodeComboBox,)
    signal = "currentNodeChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isNodeOrUnionOfNodes(kind)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.nodeTypes = getNodeTypes(datatype)

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)


def child_widgets(widget: Any) -> list[Any]:
    return widget.findChildren(qt.QWidget)


def pack_widgets(widget: Any) -> dict[str, Any]:
    """Widgets below this one by the dotted name of the pack's member that they show."""
    found = {}
    for child in child_widgets(widget):
        own = child.property(SlicerPackParameterNamePropertyName)
        if own is None:
            continue
        names, above = [own], child.parent()
        while above is not None and above is not widget:
            outer = above.property(SlicerPackParameterNamePropertyName)
            names = [outer, *names] if outer is not None else names
            above = above.parent()
        found[".".join(names)] = child
    return found


@parameterNodeGuiConnector
class WidgetChildrenToParameterPackConnector(WidgetConnector):
    """A widget whose children carry SlicerPackParameterName."""

    @classmethod
    def canRepresent(cls, widget: Any, datatype: Any) -> bool:
        return isParameterPack(datatype) and set(nestedParameterNames(datatype)) <= set(pack_widgets(widget))

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widgets = pack_widgets(widget)
        self._inner = {
            name: createGuiConnector(widgets[name], datatype.dataType(name)) for name in nestedParameterNames(datatype)
        }

    def _connect(self) -> None:
        for connector in self._inner.values():
            connector.onChanged(self.changed)

    def _disconnect(self) -> None:
        for connector in self._inner.values():
            connector.onChanged(None)

    def read(self) -> Any:
        pack = self._type()
        for name, connector in self._inner.items():
            pack.setValue(name, connector.read())
        return pack

    def write(self, value: Any) -> None:
        for name, connector in self._inner.items():
            connector.write(value.getValue(name))
