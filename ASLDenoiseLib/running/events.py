"""Events of a run in a child process: progress, lines of its log, and its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..errors import InputError


class Kind(str, Enum):
    """Why a run failed."""

    INPUT = "input"  # the input or a setting cannot be used; the sentence says what would fix it
    MEMORY = "memory"  # the computer's memory ran out, on the CPU, too
    DISK = "disk"  # the folder for temporary files is full or cannot be written to
    KILLED = "killed"  # the process was ended from outside
    CRASH = "crash"  # an error that nobody foresaw; the details are for a report of it


@dataclass(frozen=True)
class ProgressEvent:
    """The run is at `fraction` (0 to 1), doing `text`; `seconds_left` is None where nobody can honestly say."""

    fraction: float
    text: str
    seconds_left: float | None = None


@dataclass(frozen=True)
class LogLine:
    """One line of the log: warnings and whatever libraries print."""

    text: str


@dataclass(frozen=True, eq=False)
class Done:
    """The run is over; the result is what its task returned (a `RequestTask` an `ASLDenoiseLib.result.Result`)."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The run is over without a result.

    Args:
        sentence: for the user: what is wrong and what would fix it, as the shell says it.
        details: for a report: the traceback or the last lines of the log; may be empty.
        kind: why.
        error: the error itself, with its remedies as data, where the input or a setting cannot be used.
    """

    sentence: str
    details: str
    kind: Kind
    error: InputError | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Cancelled:
    """The run was cancelled: every process of it has ended, and its files are gone."""


Final = Done | Failed | Cancelled  # exactly one a run, always the last
Event = ProgressEvent | LogLine | Final
