"""The widgets that `connectGui` can bind, and to which types: the kinds that a real Slicer has, no other."""

from __future__ import annotations

import enum
from typing import Any

import ctk
import qt
import slicer

from .validators import WithinRange, split


class GuiConnector:
    """Binds a widget, of some exact classes, to a value; the widget tells of changes by one signal."""

    widgets: tuple = ()
    signal = ""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        """Whether the type, without its annotations, can be bound."""
        raise NotImplementedError

    def __init__(self, widget: Any, datatype: Any) -> None:
        self._widget = widget
        self._kind, notes = split(datatype)
        self._range = next((note for note in notes if isinstance(note, WithinRange)), None)
        self._callback: Any = None

    def onChanged(self, callback: Any) -> None:
        """Call back at each change; None ends that."""
        signal = getattr(self._widget, self.signal)
        if callback is not None and self._callback is None:
            signal.connect(self._changed)
        elif callback is None and self._callback is not None:
            signal.disconnect(self._changed)
        self._callback = callback

    def _changed(self) -> None:
        if self._callback is not None:
            self._callback()

    def read(self) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> None:
        raise NotImplementedError


class QCheckBoxToBoolConnector(GuiConnector):
    widgets = (qt.QCheckBox,)
    signal = "stateChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is bool

    def read(self) -> bool:
        return self._widget.checked

    def write(self, value: bool) -> None:
        self._widget.checked = value


class QCheckablePushButtonToBoolConnector(QCheckBoxToBoolConnector):
    widgets = (qt.QPushButton,)
    signal = "toggled"

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.checkable = True


class QSliderOrSpinBoxToIntConnector(GuiConnector):
    widgets = (qt.QSpinBox,)
    signal = "valueChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is int

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.setMinimum(-(2**31) if self._range is None else self._range.minimum)
        widget.setMaximum(2**31 - 1 if self._range is None else self._range.maximum)

    def read(self) -> int:
        return self._widget.value

    def write(self, value: int) -> None:
        self._widget.value = value


class QDoubleSpinBoxCtkSliderWidgetToFloatIntConnector(GuiConnector):
    widgets = (qt.QDoubleSpinBox, ctk.ctkSliderWidget)
    signal = "valueChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind in (float, int)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        if self._kind is int:
            widget.decimals = 0
        if type(widget) is ctk.ctkSliderWidget and self._range is None:
            raise RuntimeError("Cannot have a connection to ctkSliderWidget where the float types is unbounded.")
        widget.minimum = float("-inf") if self._range is None else self._range.minimum
        widget.maximum = float("inf") if self._range is None else self._range.maximum

    def read(self) -> float:
        return self._kind(self._widget.value)

    def write(self, value: float) -> None:
        self._widget.value = self._kind(value)


class QComboBoxToEnumConnector(GuiConnector):
    """Rows in the order of the enum; a method `label` of the enum says their texts."""

    widgets = (qt.QComboBox,)
    signal = "currentIndexChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, enum.Enum)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        self._members = list(self._kind)
        index = widget.currentIndex
        widget.clear()
        for member in self._members:
            widget.addItem(getattr(self._kind, "label", lambda member: member.name)(member))
        if 0 <= index < len(self._members):
            widget.currentIndex = index

    def read(self) -> Any:
        return self._members[self._widget.currentIndex]

    def write(self, value: Any) -> None:
        self._widget.currentIndex = self._members.index(value)


class QLineEditToStrConnector(GuiConnector):
    widgets = (qt.QLineEdit,)
    signal = "textChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return kind is str

    def read(self) -> str:
        return self._widget.text

    def write(self, value: str) -> None:
        if value != self._widget.text:  # writing moves the cursor
            self._widget.text = value


class qMRMLNodeComboBoxToNodeConnector(GuiConnector):
    widgets = (slicer.qMRMLNodeComboBox,)
    signal = "currentNodeChanged"

    @classmethod
    def fits(cls, kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__(widget, datatype)
        widget.nodeTypes = (self._kind().GetClassName(),)  # Slicer makes one to ask it, too

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)


CONNECTORS = (
    *(QCheckBoxToBoolConnector, QCheckablePushButtonToBoolConnector, QSliderOrSpinBoxToIntConnector),
    *(QDoubleSpinBoxCtkSliderWidgetToFloatIntConnector, QComboBoxToEnumConnector, QLineEditToStrConnector),
    qMRMLNodeComboBoxToNodeConnector,
)


def connector_for(widget: Any, datatype: Any) -> GuiConnector:
    """The connector of a widget and a type, which may be annotated; RuntimeError where Slicer has none."""
    kind = split(datatype)[0]
    for connector in CONNECTORS:
        if type(widget) in connector.widgets and connector.fits(kind):
            return connector(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'.")
