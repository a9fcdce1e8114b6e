"""`parameterNodeWrapper`: a parameter node with typed members that widgets are bound to."""

from __future__ import annotations

import typing
import weakref
from typing import Any

import slicer
import vtk

from .annotations import head_and_rest
from .connectors import child_widgets, pack_widgets
from .gui_connector import GuiConnector, createGuiConnector
from .packs import Member, data_type

SlicerParameterNamePropertyName = "SlicerParameterName"
_RESERVED = (
    *("allParameters", "default", "isCached", "dataType", "getValue", "setValue", "connectGui"),
    *("connectParametersToGui", "disconnectGui", "StartModify", "EndModify", "AddObserver", "RemoveObserver"),
    "Modified",
)


class _Kept:
    """One parameter in one node; its value is read once and again when the node says that it changed."""

    def __init__(self, member: Member, node: Any, name: str) -> None:
        self._member, self._node, self._name = member, node, name
        if not member.serializer.isIn(node, name):
            member.serializer.write(node, name, member.default.value)
        self.cached = member.serializer.supportsCaching()
        self._value = member.serializer.read(node, name) if self.cached else None
        self._writing = False
        if self.cached:
            me = weakref.ref(self)
            self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: me() and me()._changed())

    def __del__(self) -> None:
        if getattr(self, "cached", False):
            self._node.RemoveObserver(self._tag)

    def _changed(self) -> None:
        if not self._writing:
            self._value = self._read()

    def _read(self) -> Any:
        if not self._member.serializer.isIn(self._node, self._name):
            self._member.serializer.write(self._node, self._name, self._member.default.value)
        return self._member.serializer.read(self._node, self._name)

    def read(self) -> Any:
        return self._value if self.cached else self._read()

    def write(self, value: Any) -> None:
        self._writing = True
        try:
            with slicer.util.NodeModify(self._node):  # observers see the new value
                self._member.serializer.write(self._node, self._name, value)
                if self.cached:
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

    def default(self, paramName: str) -> Any:
        self._kept(paramName)
        return self.allParameters[paramName].default

    def isCached(self, paramName: str) -> bool:
        return self._kept(paramName).cached

    def getValue(self, name: str) -> Any:
        head, rest = head_and_rest(name)
        value = self._kept(head).read()
        return value if rest is None else value.getValue(rest)

    def setValue(self, name: str, value: Any) -> None:
        head, rest = head_and_rest(name)
        if rest is None:
            self._kept(head).write(value)
        else:
            self._kept(head).read().setValue(rest, value)

    def connectGui(self, gui: Any) -> int:
        """Bind every widget that carries the dynamic property SlicerParameterName; returns a tag to unbind them by."""
        named = {}
        for widget in child_widgets(gui) if getattr(gui, "isWidgetType", bool)() else gui.__dict__.values():
            name = widget.property(SlicerParameterNamePropertyName)
            if name:
                named[name] = widget
        return self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        for name in mapping:
            data_type(self.allParameters, name)
        connectors = {
            name: w if isinstance(w, GuiConnector) else createGuiConnector(w, self.dataType(name))
            for name, w in mapping.items()
        }
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
            if name in _RESERVED:
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
            try:
                members[name] = Member(cls, name, kind)
            except Exception as error:
                raise Exception(f"Unable to create serializer for {cls} member {name}") from error
            setattr(cls, name, _member_property(name))
        for name in _RESERVED:
            if hasattr(cls, name):
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        for name, value in vars(WrapperMixin).items():
            if name in ("__init__", *_RESERVED) or (name.startswith("_") and not name.startswith("__")):
                setattr(cls, name, value)
        cls.allParameters, cls._is_parameter_node_wrapper = members, True
        cls.dataType = staticmethod(lambda membername: data_type(members, membername))
        return cls

    return process if classtype is None else process(classtype)


def isParameterNodeWrapper(classOrObj: Any) -> bool:
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    for child in child_widgets(widget):
        if child.property(SlicerParameterNamePropertyName) == parameter:
            return child
    head, rest = head_and_rest(parameter)
    holder = findChildWidgetForParameter(widget, head) if rest is not None else None
    return None if holder is None else pack_widgets(holder).get(rest)
