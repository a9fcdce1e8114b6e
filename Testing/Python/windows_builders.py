"""What the tests of other systems share: how Windows refuses, said here."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path


def refused(number: int, path: object, other: object = None) -> PermissionError:
    """What Windows raises: 5 where access is denied, 32 of a file that another program has open."""
    said = {5: "Access is denied", 32: "The process cannot access the file because it is being used by another process"}
    error = PermissionError(errno.EACCES, said[number], str(path))
    error.winerror, error.filename2 = number, None if other is None else str(other)
    return error


class Held:
    """Files that another program has open: whoever moves, replaces or deletes one is refused, as on Windows.

    Args:
        monkeypatch: pytest's.
        names: ends of the paths of the files.
        times: how often it is refused until the program lets go.
        number: of Windows.
    """

    def __init__(self, monkeypatch, *names: str, times: float = float("inf"), number: int = 32) -> None:
        self._names, self.left, self._number = names, times, number
        self.refusals = 0
        for name in ("replace", "rename"):
            monkeypatch.setattr(os, name, self._moved(getattr(os, name)))
        for name in ("unlink", "rmdir"):
            monkeypatch.setattr(os, name, self._removed(getattr(os, name)))

    def _moved(self, move: Callable) -> Callable:
        def moved(source: object, target: object) -> None:
            self._look(source, target)
            move(source, target)

        return moved

    def _removed(self, remove: Callable) -> Callable:
        def removed(path: object, **how: object) -> None:
            self._look(path)
            remove(path, **how)

        return removed

    def _look(self, *paths: object) -> None:
        if self.left > 0 and any(Path(str(path)).as_posix().endswith(self._names) for path in paths):
            self.left -= 1
            self.refusals += 1
            raise refused(self._number, *paths)
