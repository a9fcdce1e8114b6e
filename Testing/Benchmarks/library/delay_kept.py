"""Figures that take minutes, kept in a file as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .command import say, timed

Rows = dict[str, dict[str, float]]


class Kept:
    """Figures by scan, in a file, so that a command that was ended goes on where it was."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._found = json.loads(self._path.read_text("utf-8")) if self._path and self._path.is_file() else {}

    def of(self, name: str, make: Callable[[], Rows]) -> Rows:
        """The figures of a scan, made where they are not there yet."""
        if name not in self._found:
            self._found[name], seconds = timed(make)
            say(f"{name}: {seconds:.0f} s")
            if self._path:
                self._path.write_text(json.dumps(self._found))
        return self._found[name]
