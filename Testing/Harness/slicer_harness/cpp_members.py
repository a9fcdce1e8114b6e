"""What a PySide6 class has, looked up in its dictionaries alone.

PySide6's own attribute look-up finds more; in some versions it also loses references on the way.
"""

from __future__ import annotations

import enum
from functools import cache
from typing import Any

from PySide6 import QtCore

from .enums import is_enum_class


@cache
def enum_members(cpp_class: type) -> dict[str, enum.Enum]:
    """The enum values of a PySide6 class and its bases, flat as in Qt 5; the nearest class wins.

    PySide6 finds them by attribute, too, but loses a reference to True or False at each name that is missing.
    """
    kinds = [k for base in reversed(cpp_class.__mro__) for k in vars(base).values() if is_enum_class(k)]
    return {name: member for kind in kinds for name, member in kind.__members__.items()}


@cache
def static_member(cpp_class: type, name: str) -> Any:
    """A member of a PySide6 class, or one of its enum values; None where there is neither."""
    found = next((vars(base)[name] for base in cpp_class.__mro__ if name in vars(base)), None)
    return enum_members(cpp_class).get(name) if found is None else found


def cpp_signals(cpp_class: type, name: str) -> list[str]:
    meta = cpp_class.staticMetaObject
    texts = (meta.method(i).methodSignature().data().decode() for i in range(meta.methodCount()))
    return [text for text in texts if text.split("(")[0] == name] or [f"{name}()"]


def is_cpp_property(cpp_class: type, name: str) -> bool:
    return issubclass(cpp_class, QtCore.QObject) and cpp_class.staticMetaObject.indexOfProperty(name) >= 0
