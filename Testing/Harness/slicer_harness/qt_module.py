"""The `qt` module: every listed Qt class, and the few others that Slicer's own Python code or the record names."""

from __future__ import annotations

import types
from typing import Any

from PySide6 import QtCore, QtGui, QtPrintSupport, QtUiTools, QtWidgets

from . import quirks, surface  # noqa: F401  (quirks registers the special members)
from .cpp_members import enum_members, static_member
from .enums import QtNamespace, is_enum_class, value_of
from .members import SlotMember
from .pythonqt import PythonQtObject, make_class
from .special_members import registry

_PLACES = (QtWidgets, QtGui, QtCore, QtPrintSupport)

# Not in the introspected list, and known to exist: the record of behaviour names QAbstractItemView, QByteArray and
# Qt; Slicer's own slicer.util uses the others. The test of the panel's source takes the first alone.
_RECORDED = ("QAbstractItemView", "QByteArray")
_OF_SLICER_UTIL = ("QDateTime", "QFile", "QLocale")
# What listed methods give back; they can be used, but `qt` does not offer them by name.
_GIVEN = ("QAbstractButton", "QLayout", "QMargins", "QModelIndex", "QPoint", "QPointF", "QRect", "QRectF", "QSizeF")


def cpp_class(name: str) -> type:
    """The PySide6 class of that name."""
    return next(getattr(place, name) for place in _PLACES if name in dir(place))


def open_class(cpp: type, base: type) -> type:
    """A proxy for an unlisted class: its public methods and enum values."""
    members: dict[str, Any] = {"_cpp_class": cpp, "_surface_name": "", "_made": True}
    for name in {name for ancestor in cpp.__mro__ for name in vars(ancestor) if not name.startswith("_")}:
        if not hasattr(base, name) and not is_enum_class(static_member(cpp, name)):
            members[name] = SlotMember(name)
    members |= {name: value_of(member) for name, member in enum_members(cpp).items()}
    made = type(cpp.__name__, (base,), members)
    registry.by_cpp.setdefault(cpp, made)
    return made


def empty_module(name: str) -> types.ModuleType:
    """A module of Slicer's that says how a class gets into it."""

    def absent(own: str) -> None:
        raise AttributeError(
            f"the harness stands in for no {name}.{own}; Testing/Harness/README.md says how a class is added"
        )

    module = types.ModuleType(name, f"Stand-in for Slicer's {name} module.")
    module.__getattr__ = absent
    return module


def build() -> types.ModuleType:
    """A fresh `qt` module."""
    module = empty_module("qt")
    made: dict[str, type] = {}

    def listed(name: str) -> type:
        if name not in made:
            own = surface.classes()[name]
            base = own.inherits or ("qt.QObject" if name == "qt.QWidget" else None)
            made[name] = make_class(name, cpp_class(own.short), (listed(base),) if base else (PythonQtObject,))
        return made[name]

    for name in surface.classes():
        if name.startswith("qt."):
            setattr(module, name[3:], listed(name))
    module.QTimer.singleShot = SlotMember("singleShot")  # the static method shadows the property
    for name in (*_RECORDED, *_OF_SLICER_UTIL, *_GIVEN):
        cpp = cpp_class(name)
        kinds = ((QtWidgets.QWidget, module.QWidget), (QtCore.QObject, module.QObject), (object, PythonQtObject))
        proxy = open_class(cpp, next(base for kind, base in kinds if issubclass(cpp, kind)))
        if name not in _GIVEN:
            setattr(module, name, proxy)
    module.QUiLoader = open_class(QtUiTools.QUiLoader, module.QObject)
    module.Qt = QtNamespace
    return module
