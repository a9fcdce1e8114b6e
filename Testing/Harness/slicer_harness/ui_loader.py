"""Loads a .ui file as Slicer does: custom widgets by class name, connections by signature, tool tips as rich text."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from .conversion import wrap
from .cpp_members import enum_members
from .enums import QtNamespace
from .members import connect_signal
from .proxy import cpp_of
from .pythonqt import PythonQtObject
from .special_members import method_of
from .tool_tips import rich_tool_tip

_custom: dict[str, type] = {}


def offer(classes: dict[str, type]) -> None:
    """Widget classes that .ui files may name."""
    _custom.update(classes)


@method_of("QUiLoader")
def load(self: PythonQtObject, file: PythonQtObject, parent: PythonQtObject | None = None) -> PythonQtObject | None:
    root = load_ui(cpp_of(file), None if parent is None else cpp_of(parent))
    return None if root is None else wrap(root)


class UnknownWidget(RuntimeError):
    """A .ui file names a widget class that a real Slicer offers, but not here, or that nobody offers."""


class _Loader(QtUiTools.QUiLoader):
    def __init__(self) -> None:
        super().__init__()
        self.made: list[QtWidgets.QWidget] = []

    def createWidget(self, class_name: str, parent: QtWidgets.QWidget | None = None, name: str = "") -> Any:
        if class_name in _custom:
            widget = _custom[class_name](parent)
            widget.setObjectName(name)
        else:
            widget = super().createWidget(class_name, parent, name)
        self.made.append(widget)
        return widget


def load_ui(file: QtCore.QFile, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget | None:
    """The root widget of a .ui file that is open for reading."""
    tree = ElementTree.fromstring(bytes(file.readAll().data()))
    _check_classes(tree)
    _number_enums(tree)
    connections = _take_connections(tree)
    buffer = QtCore.QBuffer()
    buffer.setData(ElementTree.tostring(tree))
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    loader = _Loader()
    root = loader.load(buffer, parent)
    if root is None:
        return None
    root._loaded = loader.made  # the Python halves of the widgets live as long as the root
    for widget in [root, *root.findChildren(QtWidgets.QWidget)]:
        if widget.toolTip():
            widget.setToolTip(rich_tool_tip(widget.toolTip()))
    for sender, signal, receiver, slot in connections:
        source, target = _named(root, sender), _named(root, receiver)
        connect_signal(wrap(source), signal, getattr(wrap(target), slot.split("(")[0]))
    return root


def _check_classes(tree: ElementTree.Element) -> None:
    offered = {*_Loader().availableWidgets(), *_custom, "QWidget", "Line"}
    unknown = {w.get("class", "") for w in tree.iter("widget")} - offered
    if unknown:
        raise UnknownWidget(f"the .ui file names widgets that the harness has no stand-in for: {sorted(unknown)}")


def _number_enums(tree: ElementTree.Element) -> None:
    """Enum values of stand-ins as numbers: the form builder looks for them in C++ classes."""
    for widget in tree.iter("widget"):
        cls = _custom.get(widget.get("class", ""))
        for prop in widget.findall("property") if cls is not None else ():
            for tag in ("enum", "set"):
                value = prop.find(tag)
                known = cls.staticMetaObject.indexOfProperty(prop.get("name", ""))
                if value is None or known < 0 or cls.staticMetaObject.property(known).isEnumType():
                    continue
                names = [text.split("::")[-1] for text in (value.text or "").split("|")]
                value.tag, value.text = "number", str(sum({int(_enum_value(cls, name)) for name in names}))


def _enum_value(cls: type, name: str) -> int:
    members = enum_members(cls) | vars(QtNamespace)
    found = members.get(name, enum_members(QtWidgets.QFrame).get(name))
    if found is None:
        raise UnknownWidget(f"the .ui file gives {cls.__name__} the enum value {name}, which is not known")
    return int(getattr(found, "value", found))


def _take_connections(tree: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    """Remove the connections from the tree: PySide6 would send MRML objects under another signature."""
    found = []
    for parent in tree.findall("connections"):
        for connection in parent.findall("connection"):
            texts = [connection.findtext(tag, "") for tag in ("sender", "signal", "receiver", "slot")]
            found.append(tuple(texts))
        tree.remove(parent)
    return found


def _named(root: QtWidgets.QWidget, name: str) -> QtCore.QObject:
    found = root if root.objectName() == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise RuntimeError(f"a connection in the .ui file names {name!r}, which is not in it")
    return found
