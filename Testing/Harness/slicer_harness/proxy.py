"""The bare proxy: a Python object that stands for a PySide6 object."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

import shiboken6


class Proxy:
    """Keeps the PySide6 object in `_cpp`; everything else is the derived classes'."""

    _cpp_class: type
    _surface_name: str = ""
    _cpp: Any


def cpp_of(proxy: Proxy) -> Any:
    """The PySide6 object behind a proxy; ValueError where Qt has deleted it."""
    cpp = object.__getattribute__(proxy, "_cpp")
    if isinstance(cpp, shiboken6.Shiboken.Object) and not shiboken6.isValid(cpp):
        raise ValueError(f"Trying to use a destroyed {type(proxy).__name__} object")
    return cpp


def remember(cpp: Any, proxy: Proxy) -> None:
    """Let the PySide6 object lead back to its proxy.

    A plain proxy is not kept alive by that: an object without a parent goes with the last Python reference to it, as
    under PythonQt. One of a Python class is kept, since Qt calls its methods.
    """
    plain = surface_class(type(proxy)) is type(proxy)
    with suppress(AttributeError):  # a value type without a dictionary: each proxy is its own
        cpp._proxy = weakref.ref(proxy) if plain else lambda: proxy


def known_proxy(cpp: Any) -> Proxy | None:
    """The proxy that stands for a PySide6 object already."""
    known = getattr(cpp, "__dict__", {}).get("_proxy")
    return None if known is None else known()


def surface_class(cls: type) -> type:
    """The proxy class itself, or the one a Python class derives from."""
    return next(base for base in cls.__mro__ if "_made" in vars(base) or base is Proxy)
