"""Real Qt properties on stand-in widgets, so that a .ui file sets them as it sets those of the originals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property


def stored(kind: Any, name: str, default: Any, *, then: Callable[[Any, Any], None] | None = None) -> Property:
    """A property that is kept as it was set; `then(widget, value)` runs after each change."""
    key = f"_kept_{name}"

    def read(self: Any) -> Any:
        return self.__dict__.get(key, default)

    def write(self: Any, value: Any) -> None:
        changed = value != read(self)
        self.__dict__[key] = value
        if changed and then is not None:
            then(self, value)

    return Property(kind, read, write)


def passed_on(kind: Any, inner: str, getter: str, setter: str) -> Property:
    """A property of an inner widget: `inner` names the attribute that holds it."""

    def read(self: Any) -> Any:
        return getattr(getattr(self, inner), getter)()

    def write(self: Any, value: Any) -> None:
        getattr(getattr(self, inner), setter)(value)

    return Property(kind, read, write)
