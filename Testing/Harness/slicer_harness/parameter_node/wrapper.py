"""`parameterNodeWrapper`: a parameter node with typed members that widgets are bound to."""

from __future__ import annotations

import typing
import weakref
from typing import Any

import qt
import slicer
import vtk

from ..special_members import NotStoodIn
from .connectors import GuiConnector, connector_for
from .serializers import serializer_for

_RESERVED = (
    *("allParameters", "default", "isCached", "dataType", "getValue", "setValue", "connectGui"),
    *("connectParametersToGui", "disconnectGui", "StartModify", "EndModify", "AddObserver", "RemoveObserver"),
    "Modified",
)


class Member:
    """One typed member of a wrapper."""

    def __init__(self, owner: type, name: str, kind: Any) -> None:
        self.kind, self.serializer = kind, serializer_for(kind)
        self.default = getattr(owner, name) if hasattr(owner, name) else self.serializer.default()


class _Kept:
    """One parameter in one node; its value is read once and again when the node says that it changed."""

    def __init__(self, member: Member, node: Any, name: str) -> None:
        self._member, self._node, self._name = member, node, name
        self._value = self._read()
        self._writing = False
        me = weakref.ref(self)
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: me() and me()._changed())

    def __del__(self) -> None:
        if hasattr(self, "_tag"):
            self._node.RemoveObserver(self._tag)

    def _changed(self) -> None:
        if not self._writing:
            self._value = self._read()

    def _read(self) -> Any:
        serializer = self._member.serializer
        if not serializer.isIn(self._node, self._name):
            serializer.write(self._node, self._name, self._member.default)
        return serializer.read(self._node, self._name)

    def read(self) -> Any:
        return self._value

    def write(self, value: Any) -> None:
        self._writing = True
        try:
            with slicer.util.NodeModify(self._node):  # observers see the new value
                self._member.serializer.write(self._node, self._name, value)
                self._value = self._member.serializer.read(self._node, self._name)
        finally:
            self._writing = False


class WrapperMixin:
    """What every wrapped class gains."""

    allParameters: typing.ClassVar[dict[str, Member]] = {}

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._bound: dict[int, dict[str, GuiConnector]] = {}
        self._tags: dict[int, int] = {}
        self._next_tag = 0
        self._showing = False
        for name, member in self.allParameters.items():
            setattr(self, f"_{name}_impl", _Kept(member, parameterNode, f"{prefix or ''}{name}"))

    def _kept(self, name: str) -> _Kept:
        if name not in self.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; there are {list(self.allParameters)}")
        return getattr(self, f"_{name}_impl")

    def getValue(self, name: str) -> Any:
        return self._kept(name).read()

    def setValue(self, name: str, value: Any) -> None:
        self._kept(name).write(value)

    def connectGui(self, gui: Any) -> int:
        """Bind every widget that carries the dynamic property SlicerParameterName; returns a tag to unbind them by."""
        named = {}
        is_widget = getattr(gui, "isWidgetType", bool)()
        for widget in gui.findChildren(qt.QWidget) if is_widget else gui.__dict__.values():
            name = widget.property("SlicerParameterName")
            if name:
                named[name] = widget
        return self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            self._kept(name)
        connectors = {name: connector_for(w, self.allParameters[name].kind) for name, w in mapping.items()}
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        self._bound[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._taker(name, connector))
        self._tags[tag] = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._show())
        return tag

    def _taker(self, name: str, connector: GuiConnector) -> Any:
        def take() -> None:
            with slicer.util.NodeModify(self):
                if not self._showing:
                    self.setValue(name, connector.read())

        return take

    def _show(self) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._bound.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._showing = False

    def disconnectGui(self, guiTag: int) -> None:
        for connector in self._bound.pop(guiTag, {}).values():
            connector.onChanged(None)
        if guiTag in self._tags:
            self.RemoveObserver(self._tags.pop(guiTag))

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: Any) -> Any:
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def _member_property(name: str) -> property:
    return property(lambda self: self._kept(name).read(), lambda self, value: self._kept(name).write(value))


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Class decorator: annotated members become properties kept in the wrapped vtkMRMLScriptedModuleNode."""

    def process(cls: type) -> type:
        members = {}
        for name, kind in typing.get_type_hints(cls, include_extras=True).items():
            try:
                members[name] = Member(cls, name, kind)
            except NotStoodIn:
                raise
            except Exception as error:
                raise Exception(f"Unable to create serializer for {cls} member {name}") from error
            setattr(cls, name, _member_property(name))
        for name in _RESERVED:
            if hasattr(cls, name):
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        for name, value in vars(WrapperMixin).items():
            if name in ("__init__", *_RESERVED) or (name.startswith("_") and not name.startswith("__")):
                setattr(cls, name, value)
        cls.allParameters = members
        return cls

    return process if classtype is None else process(classtype)
