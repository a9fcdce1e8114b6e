"""VTK observations that end with the Qt object they serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shiboken6

from .signals import errors


class Observations:
    """What one widget observes; callbacks stop when Qt deletes the widget."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._tags: list[tuple[Any, int]] = []

    def add(self, caller: Any, event: int | str, function: Callable[..., None], *, data: Any = None) -> None:
        """Call `function(caller, event[, call data])`; `data` names VTK's type of the call data."""

        def observer(*arguments: Any) -> None:
            widget = self.__dict__.get("_widget")  # gone while Python collects garbage
            if widget is None or not shiboken6.isValid(widget):
                self.clear()
                return
            try:
                function(*arguments)
            except Exception as error:
                errors.record(error)

        if data is not None:
            observer.CallDataType = data
        self._tags.append((caller, caller.AddObserver(event, observer)))

    def remove(self, caller: Any) -> None:
        for kept in [pair for pair in self._tags if pair[0] is caller]:
            kept[0].RemoveObserver(kept[1])
            self._tags.remove(kept)

    def clear(self) -> None:
        tags = self.__dict__.get("_tags", [])
        for caller, tag in tags:
            caller.RemoveObserver(tag)
        tags.clear()
