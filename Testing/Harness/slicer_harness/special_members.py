"""Where members are kept that PySide6 and PythonQt differ in, and the refusal for what is not stood in for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class NotStoodIn(NotImplementedError):
    """Slicer has this name, but the harness does not stand in for it: a gap of the harness, not of the panel."""


class _Registry:
    """Proxy classes by the PySide6 class they stand for, and special implementations of single members.

    An object of a class that nobody listed gets the nearest listed base's proxy, or the `fallback`.
    """

    def __init__(self) -> None:
        self.by_cpp: dict[type, type] = {}
        self.fallback: type = object
        self.setters: dict[tuple[str, str], Callable[[Any, Any], None]] = {}
        self.methods: dict[tuple[str, str], Callable[..., Any]] = {}

    def special(self, table: dict, cls: type, name: str) -> Callable[..., Any] | None:
        """A special member of `cls` or of the nearest base that has one."""
        return next((table[base.__name__, name] for base in cls.__mro__ if (base.__name__, name) in table), None)


registry = _Registry()


def method_of(*classes: str, name: str | None = None) -> Callable[[Callable], Callable]:
    """Decorator: `function(proxy, *arguments)` implements this method of these proxy classes."""

    def note(function: Callable) -> Callable:
        for cls in classes:
            registry.methods[cls, name or function.__name__] = function
        return function

    return note


def setter_of(cls: str, name: str) -> Callable[[Callable], Callable]:
    """Decorator: `function(proxy, value)` sets this property."""

    def note(function: Callable) -> Callable:
        registry.setters[cls, name] = function
        return function

    return note
