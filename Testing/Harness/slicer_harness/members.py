"""Members of a proxy class: properties, methods and signals as PythonQt shows them."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any

from PySide6 import QtCore

from . import surface
from .conversion import call, unwrap, wrap
from .cpp_members import static_member
from .proxy import Proxy, cpp_of, surface_class
from .signals import Connection, connect, normalised, preferred
from .special_members import NotStoodIn, registry

_ATTRIBUTES = (property, QtCore.Property)


class BoundSlot:
    """A method of one object, as PythonQt shows it."""

    def __init__(self, owner: Proxy, name: str) -> None:
        self.__self__ = owner
        self.__name__ = name

    def __call__(self, *arguments: Any) -> Any:
        owner, name = self.__self__, self.__name__
        special = registry.special(registry.methods, type(owner), name)
        if special is not None:
            return special(owner, *arguments)
        return call(_cpp_method(owner, name), arguments, f"{name}()")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundSlot) and other.__self__ is self.__self__ and other.__name__ == self.__name__

    def __hash__(self) -> int:
        return hash((id(self.__self__), self.__name__))

    def __repr__(self) -> str:
        return f"<qt slot {self.__name__} of {surface_class(type(self.__self__)).__name__} instance>"


def _cpp_method(owner: Proxy, name: str) -> Callable[..., Any]:
    """The PySide6 method; of the base class where the panel's own class overrides it, so that it can call it."""
    cpp, meant = cpp_of(owner), surface.PYTHONQT_NAMES.get(name, name)
    overriding = getattr(type(cpp), "_overriding", None)
    if overriding is not None and name in overriding:
        base = type(cpp).__mro__[1]
        return types.MethodType(getattr(base, name), cpp)
    spellings = (name, meant, f"{meant}_")
    method = next((getattr(cpp, n) for n in spellings if static_member(type(cpp), n) is not None), None)
    if method is None or not callable(method):
        raise NotStoodIn(f"Slicer has {type(owner).__name__}.{name}(), but the harness does not stand in for it yet.")
    return method


class SlotMember:
    """A method in a proxy class; called on the class itself it is static."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: Proxy | None, cls: type) -> Any:
        if owner is not None:
            return BoundSlot(owner, self.name)
        return UnboundSlot(cls, self.name)

    def __set__(self, owner: Proxy, value: Any) -> None:
        raise AttributeError(f"Slot '{self.name}' can not be overwritten on {type(owner).__name__} object")


class UnboundSlot:
    """A method looked up on the class: a static call, or one with the object as its first argument."""

    def __init__(self, cls: type, name: str) -> None:
        self.cls, self.__name__ = cls, name

    def __call__(self, *arguments: Any) -> Any:
        static = isinstance(static_member(surface_class(self.cls)._cpp_class, self.__name__), staticmethod)
        if arguments and not static and isinstance(arguments[0], self.cls) and arguments[0]._cpp is not None:
            return BoundSlot(arguments[0], self.__name__)(*arguments[1:])
        special = registry.special(registry.methods, self.cls, f"static {self.__name__}")
        if special is not None:
            return special(*arguments)
        cpp_class = surface_class(self.cls)._cpp_class
        if static_member(cpp_class, self.__name__) is None:
            raise NotStoodIn(f"Slicer has {self.cls.__name__}.{self.__name__}, but the harness has not.")
        function = getattr(cpp_class, self.__name__)
        return call(function, arguments, f"{self.__name__}()")

    def __repr__(self) -> str:
        return f"<unbound qt slot {self.__name__} of {self.cls.__name__} type>"


class MissingConstant:
    """A constant that Slicer lists and Qt 6 does not have: whoever needs it adds its value to `enums.OF_QT5`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: Proxy | None, cls: type) -> Any:
        raise NotStoodIn(f"Slicer has {cls.__name__}.{self.name}, but the harness does not know its value.")


class PropertyMember:
    """A Qt property: an attribute, read and set without parentheses."""

    def __init__(self, name: str, kind: str, read_only: bool) -> None:
        self.name, self.kind, self.read_only = name, kind, read_only

    def __get__(self, owner: Proxy | None, cls: type) -> Any:
        if owner is None:
            return self
        return wrap(self._read(cpp_of(owner), type(owner).__name__))

    def _read(self, cpp: Any, owner: str) -> Any:
        own = static_member(type(cpp), self.name)
        if type(own) in _ATTRIBUTES:
            return getattr(cpp, self.name)
        capital = self.name[0].upper() + self.name[1:]
        for name in (self.name, f"is{capital}", f"has{capital}"):
            found = static_member(type(cpp), name)
            if callable(found) and type(found) is not QtCore.Signal:
                return getattr(cpp, name)()
        if isinstance(cpp, QtCore.QObject) and cpp.metaObject().indexOfProperty(self.name) >= 0:
            return cpp.property(self.name)
        raise NotStoodIn(f"Slicer has {owner}.{self.name}, but the harness does not stand in for it yet.")

    def __set__(self, owner: Proxy, value: Any) -> None:
        cls = type(owner).__name__
        if self.read_only:
            raise AttributeError(f"Property '{self.name}' of {cls} object is not writable")
        if value is None and self.kind in ("QString", "bool", "int", "double"):
            raise ValueError(f"Property '{self.name}' of type '{self.kind}' does not accept an object of type NoneType")
        special = registry.special(registry.setters, type(owner), self.name)
        if special is not None:
            special(owner, value)
            return
        self._write(cpp_of(owner), value, cls)

    def _write(self, cpp: Any, value: Any, owner: str) -> None:
        own = static_member(type(cpp), self.name)
        if type(own) in _ATTRIBUTES:
            setattr(cpp, self.name, unwrap(value))
            return
        name = f"set{self.name[0].upper()}{self.name[1:]}"
        setter = getattr(cpp, name) if static_member(type(cpp), name) is not None else None
        try:
            if setter is not None:
                call(setter, (value,), self.name)
                return
            if isinstance(cpp, QtCore.QObject) and cpp.setProperty(self.name, unwrap(value)):
                return
        except ValueError as error:
            kind = type(value).__name__
            raise ValueError(
                f"Property '{self.name}' of type '{self.kind}' does not accept an object of type {kind} ({value!r})"
            ) from error
        raise NotStoodIn(f"Slicer has {owner}.{self.name}, but the harness does not stand in for it yet.")


class BoundSignal:
    """A signal of one object."""

    def __init__(self, owner: Proxy, name: str, listed: list[str]) -> None:
        self._owner, self._name, self._listed = owner, name, listed

    def connect(self, function: Callable[..., Any]) -> bool:
        return connect_signal(self._owner, preferred(self._listed), function)

    def disconnect(self, function: Callable[..., Any] | None = None) -> bool:
        return disconnect_signal(self._owner, preferred(self._listed), function)

    def emit(self, *arguments: Any) -> None:
        cpp = cpp_of(self._owner)
        getattr(cpp, self._name).emit(*(unwrap(a) for a in arguments))

    __call__ = emit

    def __repr__(self) -> str:
        return f"<qt signal {self._name} of {type(self._owner).__name__} instance>"


class SignalMember:
    """A signal in a proxy class."""

    def __init__(self, name: str, listed: list[str]) -> None:
        self.name, self.listed = name, listed

    def __get__(self, owner: Proxy | None, cls: type) -> Any:
        return self if owner is None else BoundSignal(owner, self.name, self.listed)

    def __set__(self, owner: Proxy, value: Any) -> None:
        raise AttributeError(f"Signal '{self.name}' can not be overwritten on {type(owner).__name__} object")


def _listed_signature(owner: Proxy, signature: str) -> str:
    """The signature if the class lists it; ValueError as Qt warns where it does not exist."""
    wanted, name = normalised(signature), surface_class(type(owner))._surface_name
    if wanted not in _signals_of(name) and surface.classes()[name].sorted_out:
        raise ValueError(f"Signal '{signature}' does not exist on {type(owner).__name__} object")
    return wanted


@cache
def _signals_of(name: str) -> frozenset[str]:
    return frozenset(normalised(signature) for signature in surface.signals_of(name))


def _connections(owner: Proxy) -> list[Connection]:
    cpp = cpp_of(owner)
    return cpp.__dict__.setdefault("_connections", [])


def connect_signal(owner: Proxy, signature: str, function: Callable[..., Any]) -> bool:
    """Connect a listed signal; a slot of another Qt object may stand for the function."""
    if not callable(function):
        raise ValueError(f"Called connect() with something that cannot be called: {function!r}")
    listed = _listed_signature(owner, signature)
    _connections(owner).append(connect(cpp_of(owner), listed, function, wrap))
    return True


def disconnect_signal(owner: Proxy, signature: str, function: Callable[..., Any] | None) -> bool:
    """Disconnect what was connected to this signature; True where something was."""
    listed, done = _listed_signature(owner, signature), False
    for connection in list(_connections(owner)):
        if connection.signature == listed and (function is None or connection.function == function):
            QtCore.QObject.disconnect(connection.handle)
            _connections(owner).remove(connection)
            done = True
    return done
