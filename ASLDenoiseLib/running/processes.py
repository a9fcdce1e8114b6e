"""A process with all it starts, in a session of its own, ended as a whole.

On POSIX one signal to its group reaches all of it, also what a launcher has started and left behind. On Windows
`taskkill` follows the tree from parent to child (`windows`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..no_window import NO_WINDOW
from . import windows

_POSIX = os.name == "posix"


class ProcessTree:
    """A started command and everything it starts.

    Raises:
        OSError: the command cannot be run.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        if _POSIX:
            apart = {"start_new_session": True}
        else:
            apart = {"creationflags": NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
        self.process = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,  # a private folder: `-m` looks for modules in the working directory first
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            **apart,
        )
        self._others: list[windows.KeptProcess] = []
        self._reaped = False
        self._lock = threading.Lock()  # no signal to a pid that is being given back

    @property
    def pid(self) -> int:
        """Of the process that was started; on POSIX that of its group, too."""
        return self.process.pid

    def add(self, pid: int) -> None:
        """Add a process of the tree that a dead launcher would no longer lead to."""
        if not _POSIX and pid != self.pid:  # a group holds it, too
            self._others.append(windows.KeptProcess(pid))

    def terminate(self) -> None:
        """Ask the whole tree to end itself; returns at once."""
        if _POSIX:
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the whole tree now, as far as it is still there."""
        if _POSIX:
            self._signal(signal.SIGKILL)
        else:
            with self._lock:  # no handle is given back meanwhile
                for pid in (self.pid, *(other.pid for other in self._others if other.known)):
                    windows.end_tree(pid)

    def wait_for_exit(self) -> None:
        """Wait until the process that was started has ended; where the system lets, its pid is kept from reuse."""
        if hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):  # somebody else in this program has collected it
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self.process.wait()

    def kill_rest(self, *, patience: float = 0.25) -> int:
        """End what the process has left behind, and return its status; call after `wait_for_exit`.

        Waits until none is left, `patience` seconds at most: zombies whom nobody has collected yet count as there.
        """
        self.kill()
        with self._lock:
            status = self.process.wait()
            self._reaped = True
            while self._others:
                self._others.pop().close()
        until = time.monotonic() + patience
        while _POSIX and self._group_exists() and time.monotonic() < until:
            time.sleep(0.005)
        return status

    def _signal(self, number: int) -> None:
        with self._lock, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._reaped:  # else the pid may be somebody else's by now
                os.killpg(self.pid, number)

    def _group_exists(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # macOS says the second of a group of zombies
            return False
        return True
