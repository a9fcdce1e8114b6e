"""Why a child ended, in words: from what it said, from its exit status, and from what it did not say."""

from __future__ import annotations

import errno
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..memory import says_out_of_memory
from ..remedies import remedies_from_json
from .events import Failed, Kind
from .protocol import EndNotice

# EFBIG: a limit on file sizes, which some systems and job schedulers set
_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
# What faulthandler and the C++ runtime say when a process falls over by itself
_FATAL = ("Fatal Python error", "Windows fatal exception", "terminate called", "libc++abi")
_FAULTS = {
    getattr(signal, name) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL") if hasattr(signal, name)
}
_LAST = 20  # lines

MEMORY = (
    "The computer's memory ran out; close other programs, or ask for less (a coarser grid, another model or method), "
    "and run again."
)
DISK = "The disk that holds the temporary files is full; make room on it, and run again."


@dataclass(frozen=True)
class Evidence:
    """What is known of a child that has ended.

    Args:
        status: what the system gave: its exit status, or minus the signal that ended it. Behind a launcher it is the
            launcher's, and a signal is not seen.
        ended: what the child said of its end; None if nothing.
        started: whether it said that it had started.
        log: what stood on standard error, the last lines.
    """

    status: int
    ended: EndNotice | None
    started: bool
    log: Sequence[str] = ()


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that a disk is full."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def failure(evidence: Evidence) -> Failed:
    """Why there is no result."""
    if evidence.ended is not None:
        return _told(evidence.ended, evidence)
    details = "\n".join([line for line in evidence.log if line.strip()][-_LAST:])
    fallen = any(word in details for word in _FATAL)
    if fallen and says_out_of_memory(details):
        return Failed(MEMORY, details, Kind.MEMORY)
    if not evidence.started and evidence.status >= 0:
        return Failed(f"Python did not start{_because(details)}", details, Kind.CRASH)
    if fallen or -evidence.status in _FAULTS:
        return Failed(f"The run crashed{_because(details)}", details, Kind.CRASH)
    return Failed(_killed(evidence.status), details, Kind.KILLED)


def cannot_start(error: OSError, command: str) -> Failed:
    """The command cannot be run at all."""
    remedy = "reinstall it" if isinstance(error, FileNotFoundError) else "put that right, and run again"
    sentence = f"Python could not be started ({command}: {error.strerror}); {remedy}."
    return Failed(sentence, str(error), Kind.CRASH)


def cannot_write(error: OSError) -> Failed:
    """The task cannot be written where the child would read it."""
    if is_full_disk(error):
        return Failed(DISK, str(error), Kind.DISK)
    where = f" '{error.filename}'" if error.filename else ""
    sentence = (
        f"The folder for temporary files{where} cannot be used ({error.strerror}); choose another, and run again."
    )
    return Failed(sentence, str(error), Kind.DISK)


def _told(ended: EndNotice, evidence: Evidence) -> Failed:
    details = ended.details or "\n".join(evidence.log[-_LAST:])
    if ended.how == "input":
        error = InputError(ended.words, remedies_from_json(ended.remedies))
        return Failed(str(error), ended.details, Kind.INPUT, error)
    if ended.how == "memory":
        return Failed(MEMORY, details, Kind.MEMORY)
    if ended.how == "disk":
        return Failed(DISK, details, Kind.DISK)
    return Failed(f"The run stopped at an error that nobody foresaw: {ended.words}", details, Kind.CRASH)


def _because(details: str) -> str:
    """The line that says most, after a colon: the fatal one, else the last."""
    lines = details.splitlines()
    if not lines:
        return " and left no word why; run again, and report it if it comes back."
    return ": " + next((line for line in lines if any(word in line for word in _FATAL)), lines[-1]).strip()


def _killed(status: int) -> str:
    name = f" (signal {-status}, {signal.Signals(-status).name})" if -status in set(signal.Signals) else ""
    if name and -status != getattr(signal, "SIGKILL", None):
        return f"The run was ended from outside{name}; nothing was changed. Run again."
    return (
        f"The run was ended from outside{name}: most likely the computer's memory ran out and the system stopped it, "
        "or somebody ended the process. Close other programs, and run again."
    )
