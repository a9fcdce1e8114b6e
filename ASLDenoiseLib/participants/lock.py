"""One cohort at a time in an OUT: a lock that the system lets go of when its process ends, however it ends.

The file stays where it is; what counts is whether a process holds it. Its text says who, for whoever comes second.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

from ..errors import InputError
from ..files import trouble
from ..group.record import FOLDER

NAME = ".lock"  # in OUT/cohort
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK)
_FAR = 2**30  # the byte that Windows locks, which nobody may then read: far behind the text


class FileLocking(Protocol):
    """How a system locks a file for a process."""

    def take(self, handle: int) -> None:
        """Lock it now, or raise an OSError."""

    def release(self, handle: int) -> None:
        """Let it go."""


class PosixLocking:
    """``flock``: of the open file, so that no child that inherits nothing keeps it."""

    def take(self, handle: int) -> None:
        """Lock it now, or raise an OSError."""
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self, handle: int) -> None:
        """Let it go."""
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)


@dataclass(frozen=True)
class WindowsLocking:
    """``msvcrt.locking`` of one byte; `module` stands in for it in tests."""

    module: ModuleType | None = None

    def take(self, handle: int) -> None:
        """Lock it now, or raise an OSError."""
        self._lock(handle, "LK_NBLCK")

    def release(self, handle: int) -> None:
        """Let it go."""
        self._lock(handle, "LK_UNLCK")

    def _lock(self, handle: int, mode: str) -> None:
        if self.module is None:
            import msvcrt as module
        else:
            module = self.module
        os.lseek(handle, _FAR, os.SEEK_SET)
        module.locking(handle, getattr(module, mode), 1)


@dataclass(frozen=True)
class OutLock:
    """What became of it.

    Args:
        held: whether nobody else works in the folder until this process is done with it.
        note: a sentence where the disk has no locks; else empty.
    """

    held: bool
    note: str = ""


@contextmanager
def locked(out: Path, *, locking: FileLocking | None = None) -> Iterator[OutLock]:
    """Hold the folder of a cohort for this process; a disk without locks is said, and does without.

    Raises:
        InputError: another process holds it, which is named; or the folder may not be written to.
    """
    system = locking or (WindowsLocking() if os.name == "nt" else PosixLocking())
    path = out / FOLDER / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise InputError(trouble(error) or f"{out} cannot be used ({error.strerror}); give another folder.") from error
    try:
        if not _take(system, handle, out):
            yield OutLock(False, f"{out} is on a disk without locks: see to it that no other cohort runs in it.")
            return
        _write_owner(handle)
        try:
            yield OutLock(True)
        finally:
            with suppress(OSError):
                os.ftruncate(handle, 0)
                system.release(handle)
    finally:
        os.close(handle)


def _take(system: FileLocking, handle: int, out: Path) -> bool:
    """Whether the lock is held now; not, where the disk has none."""
    try:
        system.take(handle)
    except OSError as error:
        if error.errno in _TAKEN:
            raise InputError(_taken(out)) from error
        return False
    return True


def _write_owner(handle: int) -> None:
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    with suppress(OSError):  # a full disk: the lock is held all the same
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, json.dumps(owner).encode())


def _taken(out: Path) -> str:
    try:
        owner = json.loads((out / FOLDER / NAME).read_text("utf-8"))
        who = f" (process {owner['pid']} on {owner['host']}, since {owner['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        who = ""
    return f"Another cohort runs in {out}{who}; wait for its end, stop it, or give another folder."
