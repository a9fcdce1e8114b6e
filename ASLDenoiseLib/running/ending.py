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
_FAULTS = {s for s in signal.Signals if s.name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")}
_LAST = 20  # lines
# Statuses that Windows gives a process that fell over by itself begin here (NTSTATUS of the severity 'error'); without
# memory (STATUS_NO_MEMORY, STATUS_COMMITMENT_LIMIT), or ended by Ctrl-C or with its console
_NT_ERROR, _NT_MEMORY, _NT_CONSOLE = 0xC0000000, (0xC0000017, 0xC000012D), 0xC000013A

SENTENCES = {
    Kind.MEMORY: "The computer's memory ran out; close other programs, or ask for less (a coarser grid, another model "
    "or method), and run again.",
    Kind.DISK: "The disk that holds the temporary files is full; make room on it, and run again.",
}


@dataclass(frozen=True)
class Evidence:
    """What is known of a child that has ended.

    Args:
        status: its exit status, or minus the signal that ended it; behind a launcher the launcher's, without a signal.
        notice: what the child said of its end; None if nothing.
        started: whether it said that it had started.
        log: the last lines of standard error.
    """

    status: int
    notice: EndNotice | None
    started: bool
    log: Sequence[str] = ()


def is_full_disk(error: BaseException) -> bool:
    """Whether an error says that a disk is full."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def failure(evidence: Evidence) -> Failed:
    """Why there is no result."""
    if evidence.notice is not None:
        return _reported(evidence.notice, evidence.log)
    details = "\n".join([line for line in evidence.log if line.strip()][-_LAST:])
    fatal = any(word in details for word in _FATAL)
    if (fatal and says_out_of_memory(details)) or evidence.status in _NT_MEMORY:
        return Failed(SENTENCES[Kind.MEMORY], details, Kind.MEMORY)
    if not evidence.started and evidence.status >= 0:
        return Failed(f"Python did not start{_because(details)}", details, Kind.CRASH)
    if fatal or -evidence.status in _FAULTS or _fell_over(evidence.status):
        return Failed(f"The run crashed{_because(details)}", details, Kind.CRASH)
    return Failed(_killed(evidence.status), details, Kind.KILLED)


def cannot_start(error: OSError, command: str) -> Failed:
    """The command cannot be run at all."""
    remedy = "reinstall it" if isinstance(error, FileNotFoundError) else "put that right, and run again"
    sentence = f"Python could not be started ({command}: {error.strerror}); {remedy}."
    return Failed(sentence, str(error), Kind.CRASH)


def cannot_write(error: OSError) -> Failed:
    """The task cannot be written where the child would read it."""
    where = f" '{error.filename}'" if error.filename else ""
    other = f"The folder for temporary files{where} cannot be used ({error.strerror}); choose another, and run again."
    return Failed(SENTENCES[Kind.DISK] if is_full_disk(error) else other, str(error), Kind.DISK)


def _reported(notice: EndNotice, log: Sequence[str]) -> Failed:
    kind, details = Kind(notice.outcome), notice.details or "\n".join(log[-_LAST:])
    if kind is Kind.INPUT:
        error = InputError(notice.sentence, remedies_from_json(notice.remedies))
        return Failed(str(error), notice.details, kind, error)
    unforeseen = f"The run stopped at an error that nobody foresaw: {notice.sentence}"
    return Failed(SENTENCES.get(kind, unforeseen), details, kind)


def _fell_over(status: int) -> bool:
    """Whether Windows says that a process ended by an error of its own."""
    return status >= _NT_ERROR and status != _NT_CONSOLE


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
