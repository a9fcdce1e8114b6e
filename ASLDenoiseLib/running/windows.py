"""Processes on Windows, which has neither groups of processes nor signals.

`taskkill` follows a tree from parent to child as long as the parents live. What a process started and left behind, a
job object ends (Microsoft's documentation of "Job Objects": all processes of a job whose last handle is closed, where
it has ``JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE``).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from ..no_window import NO_WINDOW

_KILL_ON_CLOSE, _EXTENDED_LIMITS = 0x2000, 9
_SYNCHRONIZE, _QUERY = 0x100000, 0x1000
_PATIENCE = 10.0  # s for taskkill


class _Basic(ctypes.Structure):
    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
    )


class JobLimits(ctypes.Structure):
    """Windows' ``JOBOBJECT_EXTENDED_LIMIT_INFORMATION``."""

    _fields_ = (("basic", _Basic), ("io", ctypes.c_uint64 * 6), ("memory", ctypes.c_size_t * 4))


def end_what_this_process_starts(kernel: Any = None) -> bool:
    """Have Windows end all that this process starts when it ends itself, however it ends; whether that is set up.

    Args:
        kernel: stands in for ``kernel32`` in tests.
    """
    with contextlib.suppress(OSError, AttributeError):
        kernel = _kernel() if kernel is None else kernel
        job = kernel.CreateJobObjectW(None, None)  # never closed: it is, when this process ends
        limits = JobLimits()
        limits.basic.flags = _KILL_ON_CLOSE
        size = ctypes.sizeof(limits)
        return bool(
            job
            and kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size)
            and kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())
        )
    return False


class KeptProcess:
    """A process whose number nobody else is given as long as this is not closed.

    Args:
        pid: its number.
        kernel: stands in for ``kernel32`` in tests.
    """

    def __init__(self, pid: int, kernel: Any = None) -> None:
        self.pid = pid
        self._kernel = _kernel() if kernel is None else kernel
        self._handle = self._kernel.OpenProcess(_SYNCHRONIZE | _QUERY, False, pid)

    @property
    def known(self) -> bool:
        """Whether it was there, and its number is still its own."""
        return bool(self._handle)

    def close(self) -> None:
        """Let go of it."""
        if self._handle:
            self._kernel.CloseHandle(self._handle)
            self._handle = None


def end_tree(pid: int) -> None:
    """End a process and all that it started, as far as it is still there; without `taskkill` the process alone."""
    folder = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32")  # not on the PATH of every program
    command = [str(folder / "taskkill.exe"), "/T", "/F", "/PID", str(pid)]
    try:
        subprocess.run(command, creationflags=NO_WINDOW, capture_output=True, check=False, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)  # to end a process is what Windows takes it for


def _kernel() -> Any:
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    handle = ctypes.c_void_p
    for name, result, arguments in (
        ("CreateJobObjectW", handle, (handle, ctypes.c_wchar_p)),
        ("SetInformationJobObject", ctypes.c_int, (handle, ctypes.c_int, handle, ctypes.c_uint32)),
        ("AssignProcessToJobObject", ctypes.c_int, (handle, handle)),
        ("GetCurrentProcess", handle, ()),
        ("OpenProcess", handle, (ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32)),
        ("CloseHandle", ctypes.c_int, (handle,)),
    ):
        function = getattr(kernel, name)
        function.restype, function.argtypes = result, arguments
    return kernel
