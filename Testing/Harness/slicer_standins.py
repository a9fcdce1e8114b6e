"""Stand-ins for what slicer-core lacks of Slicer's Python layer: ASLDenoise.py runs unchanged on the real scene.

`installed()` provides `slicer.ScriptedLoadableModule`, `slicer.parameterNodeWrapper` and `slicer.i18n`. They behave as
a running Slicer 5.12.3 was seen to, for what the module uses; what they do not know raises instead of passing.
"""

from __future__ import annotations

import sys
import types
import typing
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

_MISSING = object()


class Parent:
    """Holds what a module says of itself, as qSlicerScriptedLoadableModule does: only the properties it has."""

    __slots__ = (
        *("title", "categories", "dependencies", "contributors", "helpText", "acknowledgementText", "icon", "hidden"),
        *("path", "associatedNodeTypes", "index", "widgetRepresentationCreationEnabled"),
    )


class ScriptedLoadableModule:
    def __init__(self, parent):
        self.parent = parent
        self.moduleName = self.__class__.__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        parent.hidden = False

    def resourcePath(self, filename):
        folder = Path(sys.modules[type(self).__module__].__file__).parent
        return str(folder / "Resources" / filename)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent=None):
        self.parent = parent
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        import slicer

        for node in slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode", slicer.mrmlScene):
            if node.GetAttribute("ModuleName") == self.moduleName:
                return node
        return self.createParameterNode()

    def createParameterNode(self):
        import slicer

        node = slicer.vtkMRMLScriptedModuleNode()
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(self.moduleName)
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def delayDisplay(self, message, requestedDelay=None, msec=None):
        print(message)

    def runTest(self):
        raise NotImplementedError("the module defines no test")


def parameterNodeWrapper(classtype):
    """Turn annotated members into properties kept in the wrapped vtkMRMLScriptedModuleNode."""
    members = typing.get_type_hints(classtype, include_extras=True)
    defaults = {name: getattr(classtype, name, _MISSING) for name in members}
    for name, kind in members.items():
        _check_kind(name, kind)
        setattr(classtype, name, property(_getter(name, kind), _setter(name, kind)))

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        for name, kind in members.items():
            if not _is_node(kind) and not parameterNode.GetParameter(name):
                value = _empty(kind) if defaults[name] is _MISSING else defaults[name]
                parameterNode.SetParameter(name, _written(value))

    classtype.__init__ = __init__
    return classtype


def _is_node(kind) -> bool:
    import slicer

    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


def _check_kind(name, kind) -> None:
    if not (_is_node(kind) or kind in (str, bool, int, float) or (isinstance(kind, type) and issubclass(kind, Enum))):
        raise Exception(f"Unable to create serializer for {kind} member {name}")


def _empty(kind):
    return next(iter(kind)) if issubclass(kind, Enum) else kind()


def _written(value) -> str:
    return value.name if isinstance(value, Enum) else str(value)


def _getter(name, kind):
    def get(self):
        if _is_node(kind):
            return self.parameterNode.GetNodeReference(name)
        text = self.parameterNode.GetParameter(name)
        if kind is bool:
            return text == "True"
        return kind[text] if issubclass(kind, Enum) else kind(text)

    return get


def _setter(name, kind):
    def put(self, value):
        if _is_node(kind):
            if value is not None and not isinstance(value, kind):
                raise TypeError(f"{name} takes a {kind.__name__}")
            self.parameterNode.SetNodeReferenceID(name, None if value is None else value.GetID())
            return
        if not isinstance(value, kind):
            raise TypeError(f"{name} takes a {kind.__name__}, not {type(value).__name__}")
        self.parameterNode.SetParameter(name, _written(value))

    return put


@contextmanager
def installed() -> Iterator[None]:
    """Have the stand-ins in `sys.modules`, and on `slicer`, for the length of a with statement."""
    import slicer

    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda context, text: text
    module = types.ModuleType("slicer.ScriptedLoadableModule")
    for cls in (ScriptedLoadableModule, ScriptedLoadableModuleLogic, ScriptedLoadableModuleTest):
        setattr(module, cls.__name__, cls)
    wrapper = types.ModuleType("slicer.parameterNodeWrapper")
    wrapper.parameterNodeWrapper = parameterNodeWrapper
    added = {"i18n": i18n, "ScriptedLoadableModule": module, "parameterNodeWrapper": wrapper}
    before = {name: (sys.modules.get(f"slicer.{name}"), getattr(slicer, name, _MISSING)) for name in added}
    for name, stand_in in added.items():
        sys.modules[f"slicer.{name}"] = stand_in
        setattr(slicer, name, stand_in)
    try:
        yield
    finally:
        for name, (in_modules, attribute) in before.items():
            sys.modules.pop(f"slicer.{name}")
            delattr(slicer, name)
            if in_modules is not None:
                sys.modules[f"slicer.{name}"] = in_modules
            if attribute is not _MISSING:
                setattr(slicer, name, attribute)
