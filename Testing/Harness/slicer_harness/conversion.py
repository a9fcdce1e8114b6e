"""Values across the border: what PySide6 is given, what PythonQt gives back, and calls with its leniency."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable
from typing import Any

import shiboken6
from shibokensupport.signature import get_signature

from .enums import EnumValue, coerced, enum_parameters, value_of
from .proxy import Proxy, cpp_of, known_proxy, remember
from .signals import guarded
from .special_members import registry


def wrap(value: Any) -> Any:
    """A PySide6 value as PythonQt gives it."""
    if value is None or isinstance(value, (bool, float, str, bytes, Proxy, EnumValue)):
        return value
    if isinstance(value, enum.Enum):
        return value_of(value)
    if isinstance(value, int):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(wrap(item) for item in value)
    if isinstance(value, shiboken6.Shiboken.Object):
        return _proxy_for(value)
    return value


def unwrap(value: Any) -> Any:
    """What PySide6 is given for a value of the panel."""
    if isinstance(value, Proxy):
        return cpp_of(value)
    if isinstance(value, EnumValue):
        return value if value.member is None else value.member
    if isinstance(value, (list, tuple)):
        return [unwrap(item) for item in value]
    if isinstance(value, (types.FunctionType, types.MethodType)):
        return guarded(value, wrap)
    return value


def _proxy_for(cpp: Any) -> Proxy:
    known = known_proxy(cpp)
    if known is not None:
        return known
    for base in type(cpp).__mro__:
        if base in registry.by_cpp:
            return adopt(registry.by_cpp[base], cpp)
    return adopt(registry.fallback, cpp)


def adopt(cls: type, cpp: Any) -> Proxy:
    """A proxy of class `cls` round a PySide6 object that is there already."""
    proxy = object.__new__(cls)
    object.__setattr__(proxy, "_cpp", cpp)
    remember(cpp, proxy)
    return proxy


def call(function: Callable[..., Any], arguments: tuple, name: str) -> Any:
    """Call PySide6 with PythonQt's leniency on enums, and its ValueError where no overload fits."""
    given = [unwrap(a) for a in arguments]
    try:
        return wrap(function(*given))
    except (TypeError, ValueError) as error:
        if not _wrong_arguments(error):
            raise
        for retry in _with_enums(function, arguments):
            try:
                return wrap(function(*retry))
            except (TypeError, ValueError) as again:
                if not _wrong_arguments(again):
                    raise
        raise ValueError(f"Called {name} with wrong arguments: {arguments!r}") from error


def call_constructor(cpp_class: type, arguments: tuple, name: str) -> Any:
    """A new PySide6 object, with PythonQt's leniency on enums."""
    given = [unwrap(a) for a in arguments]
    try:
        return cpp_class(*given)
    except (TypeError, ValueError) as error:
        for retry in _with_enums(cpp_class, arguments):
            try:
                return cpp_class(*retry)
            except (TypeError, ValueError):
                continue
        raise ValueError(f"Could not find matching constructor of {name} for {arguments!r}: {error}") from error


def _wrong_arguments(error: Exception) -> bool:
    text = str(error)
    return any(part in text for part in ("wrong argument", "not a valid", "Supported signatures", "argument", "enum"))


def _with_enums(function: Callable[..., Any], arguments: tuple) -> list[list[Any]]:
    """Argument lists with the plain integers turned into the enums that an overload takes in their place."""
    found = get_signature(function)
    overloads = tuple(found if isinstance(found, list) else [found] if found is not None else [])
    lists = []
    for positions in enum_parameters(overloads):
        changed = [unwrap(a) for a in arguments]
        hit = False
        for position, kind in positions.items():
            if position < len(arguments) and isinstance(arguments[position], int):
                try:
                    changed[position] = coerced(arguments[position], kind)
                    hit = True
                except ValueError:
                    break
        if hit:
            lists.append(changed)
    return lists
