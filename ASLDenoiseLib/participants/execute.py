"""The run of one scan in a worker of Dask: in a child process of its own, whose end, whatever it is, is a record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..files import trouble
from ..group.record import ScanRecord, write_record
from ..running.events import Done, Failed, Final, ProgressEvent
from ..running.interpreter import child_python
from ..running.runner import Runner, TaskCancelled
from .task import ScanTask
from .worker_side import WorkerProgress, is_unwanted

_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS"),
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
_EVERY = 0.2  # s between two looks at a run


def run_scan(task: ScanTask, threads: int = 1, *, runner: Callable[..., Any] = Runner) -> ScanRecord:
    """Run a scan in a child process and return its record, which is written as well: done or failed.

    Args:
        task: the scan.
        threads: that its libraries may use.
        runner: makes what runs it.

    Raises:
        TaskCancelled: nobody waits for it any more; the child has ended, and nothing was written.
    """
    started = time.perf_counter()
    child = child_python()
    run = runner(child.command, environment={**child.environment, **thread_limits(threads)})
    run.start(task)
    match _end_of(run):
        case Done(record):
            return record
        case Failed(sentence):
            return failed_record(task, sentence, seconds=time.perf_counter() - started)
    raise TaskCancelled("The run was cancelled; nothing was changed.")


def _end_of(run: Runner) -> Final:
    """Wait for the end of a run, hand its progress on, and cancel it where nobody waits for it any more."""
    progress = WorkerProgress()
    while True:
        for event in run.poll():
            if isinstance(event, ProgressEvent):
                progress(event.fraction, event.text)
            elif isinstance(event, Final):
                return event
        if is_unwanted():
            run.cancel()
        time.sleep(_EVERY)


def failed_record(task: ScanTask, sentence: str, *, seconds: float = float("nan")) -> ScanRecord:
    """Write and return the record of a scan that failed for the reason that a sentence says.

    A disk that takes no record costs the record alone: the next start runs that scan again.
    """
    record = replace(task.record, sentence=sentence, seconds=round(seconds, 2))
    try:
        write_record(task.out, record)
    except OSError as error:
        unwritten = trouble(error) or f"Its record could not be written ({error})."
        record = replace(record, sentence=sentence if unwritten in sentence else f"{sentence} {unwritten}")
    return record


def thread_limits(threads: int) -> dict[str, str]:
    """The environment in which numpy, torch and ITK compute on so many threads."""
    return dict.fromkeys(_THREADS, str(threads))
