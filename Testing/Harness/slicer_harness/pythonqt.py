"""Proxies that give PySide6 objects the behaviour of PythonQt and only the names that a real Slicer lists.

A property is an attribute, an enum an int on the class, a signal is connected by name or signature; what is not listed
does not exist. Each proxy class is made from the surface data; the PySide6 object behind it does the work.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from . import surface
from .conversion import call_constructor, unwrap, wrap
from .cpp_members import cpp_signals, is_cpp_property, static_member
from .enums import OF_QT5, EnumValue, is_enum_class, value_of
from .members import MissingConstant, PropertyMember, SignalMember, SlotMember
from .proxy import Proxy, cpp_of, known_proxy, remember, surface_class
from .signals import guarded
from .special_members import registry

__all__ = ["PythonQtObject", "cpp_of", "make_class", "vars_lookup"]


class PythonQtObject(Proxy):
    """The base of every proxy: no attribute but the listed ones, unless a Python class derives from it."""

    def __init__(self, *arguments: Any) -> None:
        object.__setattr__(self, "_cpp", None)
        cpp = _constructed(self, arguments)
        object.__setattr__(self, "_cpp", cpp)
        remember(cpp, self)

    def __setattr__(self, name: str, value: Any) -> None:
        cls = surface_class(type(self))
        listed = vars_lookup(cls, name)
        if isinstance(listed, (PropertyMember, SlotMember, SignalMember)):
            listed.__set__(self, value)
        elif type(self) is not cls:  # a Python class of the panel's own has its dictionary
            object.__setattr__(self, name, value)
        else:
            raise AttributeError(
                f"'{name}' does not exist on {cls.__name__} and creating new attributes on C++ objects is not allowed"
            )

    def __getattr__(self, name: str) -> Any:
        cls = surface_class(type(self)).__name__
        raise AttributeError(f"{name} does not exist on {cls} object: a real Slicer does not list it")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PythonQtObject):
            return NotImplemented
        mine, theirs = self._cpp, other._cpp
        if mine is theirs:
            return True
        return not isinstance(mine, QtCore.QObject) and type(mine) is type(theirs) and bool(mine == theirs)

    def __hash__(self) -> int:
        return hash(id(self._cpp))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        cls = surface_class(type(self)).__name__
        if isinstance(self._cpp, QtCore.QObject):
            return f"{type(self).__name__} ({cls} at: {hex(id(self._cpp))})"
        return f"{cls} ({str(self._cpp).split('(', 1)[-1].rstrip(')>')}, at: {hex(id(self._cpp))})"


registry.fallback = PythonQtObject


def vars_lookup(cls: type, name: str) -> Any:
    """The member as it stands in the class's dictionary, unbound."""
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def _constructed(proxy: PythonQtObject, arguments: tuple) -> Any:
    cls = type(proxy)
    base = surface_class(cls)
    return call_constructor(base._cpp_class if cls is base else _overriding(cls, base), arguments, cls.__name__)


def _overriding(cls: type, base: type) -> type:
    """A PySide6 class whose virtual methods call those that the panel's class defines."""
    cached = vars(cls).get("_overriding_class")
    if cached is not None:
        return cached
    own = {}
    for ancestor in reversed(cls.__mro__[: cls.__mro__.index(base)]):
        own.update({n: v for n, v in vars(ancestor).items() if isinstance(v, types.FunctionType)})
    virtual = {name for name in own if name in surface.all_names(base._surface_name)}

    def overriding(name: str) -> Callable[..., Any]:
        def method(cpp: Any, *arguments: Any) -> Any:
            try:
                handler = getattr(known_proxy(cpp), name)
            except AttributeError:  # C++ is still constructing, or Python is collecting garbage
                return getattr(base._cpp_class, name)(cpp, *arguments)
            result = guarded(handler, wrap)(*arguments)
            return bool(result) if name in ("event", "eventFilter") else unwrap(result)

        method.__name__ = name
        return method

    members: dict[str, Any] = {name: overriding(name) for name in virtual}
    members["_overriding"] = frozenset(virtual)
    made = type(base._cpp_class)(cls.__name__, (base._cpp_class,), members)
    type.__setattr__(cls, "_overriding_class", made)
    return made


def make_class(surface_name: str, cpp_class: type, bases: tuple[type, ...]) -> type:
    """The proxy class of a listed class."""
    own = surface.classes()[surface_name]
    members: dict[str, Any] = {"_cpp_class": cpp_class, "_surface_name": surface_name, "_made": True}
    overloads: dict[str, list[str]] = {}
    for signature in own.signals:
        overloads.setdefault(signature.split("(")[0], []).append(signature)
    for name in own.names:
        members[name] = _member(name, own, cpp_class)
    for name, kind in own.properties.items():
        members[name] = PropertyMember(name, kind, name in own.read_only)
    for name, listed in overloads.items():
        members[name] = SignalMember(name, listed)
    every = own.names | set(own.properties)
    for alias, meant in surface.PYTHONQT_NAMES.items():
        if meant in every:
            members[alias] = members[meant] if isinstance(members[meant], PropertyMember) else SlotMember(alias)
    made = type(own.short, bases or (PythonQtObject,), members)
    registry.by_cpp.setdefault(cpp_class, made)
    return made


def _member(name: str, own: surface.ClassSurface, cpp_class: type) -> Any:
    """A method, an enum value or, for a class whose properties were not told apart, a property."""
    found = static_member(cpp_class, name)
    if isinstance(found, enum.Enum):
        return value_of(found)
    if is_enum_class(found):
        return found
    if type(found) is QtCore.Signal:
        return SignalMember(name, cpp_signals(cpp_class, name))
    if not own.sorted_out and is_cpp_property(cpp_class, name):
        return PropertyMember(name, "", False)
    if found is None and name in OF_QT5.get(own.short, {}):
        return EnumValue(OF_QT5[own.short][name])
    if found is None and name[0].isupper():
        return MissingConstant(name)
    return SlotMember(name)
