"""What binds one widget to one value, and how the right kind is found."""

from __future__ import annotations

import types
import typing
from typing import Any

from .annotations import split, unannotated

_registered: list[type[GuiConnector]] = []


class GuiConnector:
    """What a connector of anybody's derives from."""

    @staticmethod
    def canRepresent(widget: Any, datatype: Any) -> bool:
        raise NotImplementedError("Must implement canRepresent")

    @staticmethod
    def create(widget: Any, datatype: Any) -> GuiConnector | None:
        raise NotImplementedError("Must implement create")

    def __init__(self) -> None:
        self._callback: Any = None

    def onChanged(self, callback: Any) -> None:
        """Call back at each change; None ends that."""
        if callback is not None and self._callback is None:
            self._connect()
        elif callback is None and self._callback is not None:
            self._disconnect()
        self._callback = callback

    def changed(self) -> None:
        if self._callback is not None:
            self._callback()

    def _connect(self) -> None:
        raise NotImplementedError("Must implement _connect")

    def _disconnect(self) -> None:
        raise NotImplementedError("Must implement _disconnect")

    def widget(self) -> Any:
        raise NotImplementedError("Must implement widget")

    def read(self) -> Any:
        raise NotImplementedError("Must implement read")

    def write(self, value: Any) -> None:
        raise NotImplementedError("Must implement write")


class WidgetConnector(GuiConnector):
    """Binds widgets of some exact classes that tell of changes by one signal."""

    widgets: tuple = ()
    signal = ""

    @classmethod
    def fits(cls, kind: Any) -> bool:
        """Whether the type, without its annotations, can be bound."""
        raise NotImplementedError

    @classmethod
    def canRepresent(cls, widget: Any, datatype: Any) -> bool:
        return type(widget) in cls.widgets and cls.fits(unannotated(datatype))

    @classmethod
    def create(cls, widget: Any, datatype: Any) -> GuiConnector | None:
        return cls(widget, datatype) if cls.canRepresent(widget, datatype) else None

    def __init__(self, widget: Any, datatype: Any) -> None:
        super().__init__()
        self._widget, self._type = widget, datatype
        self._notes = split(datatype)[1]

    def _connect(self) -> None:
        getattr(self._widget, self.signal).connect(self.changed)

    def _disconnect(self) -> None:
        getattr(self._widget, self.signal).disconnect(self.changed)

    def widget(self) -> Any:
        return self._widget


def parameterNodeGuiConnector(classtype: type | None = None) -> Any:
    """Class decorator that registers a connector."""

    def register(cls: type) -> type:
        if not issubclass(cls, GuiConnector):
            raise TypeError("Must be a GuiConnector subclass")
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createGuiConnector(widget: Any, datatype: Any) -> GuiConnector:
    if isinstance(datatype, types.UnionType):
        datatype = typing.Union[typing.get_args(datatype)]  # noqa: UP007  (made from a tuple)
    for kind in _registered:
        if kind.canRepresent(widget, datatype):
            return kind.create(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'.")
