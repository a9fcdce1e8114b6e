"""What a worker of Dask does around one task: it says that it began, how far it is, and that it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from ..errors import InputError
from ..software import own_version

_OFTEN = 0.5  # s between two words on how far a task is


class OtherVersion(InputError):
    """A worker has another ASLDenoiseLib than the process that sent the task."""


def call(function: Callable[[Any], Any], task: Any, version: str) -> Any:
    """Call a function of a task in a worker, and tell the pool before and after.

    Raises:
        OtherVersion: nothing was called.
    """
    if version != own_version():
        raise OtherVersion(
            f"A worker has ASLDenoiseLib {own_version()}, and this is {version}; install the same version there."
        )
    _tell("began")
    try:
        return function(task)
    finally:
        _tell("ended")


class WorkerProgress:
    """A listener (`..progress.Progress`) whose words go from a worker to the pool: new ones at once, as a step may last
    minutes without another word; how far it is twice a second at most.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last, self._text = clock, float("-inf"), ""

    def __call__(self, fraction: float, text: str) -> None:
        """Tell it, unless the same was told just now."""
        now = self._clock()
        if text != self._text or now - self._last >= _OFTEN:
            self._last, self._text = now, text
            _tell("moved", fraction=round(float(fraction), 4), text=text)


def is_unwanted() -> bool:
    """Whether nobody waits for the task of this thread any more: it was cancelled, or its worker is closing."""
    from distributed.core import Status

    worker = _worker()
    if worker is None:
        return False
    if worker.status not in (Status.running, Status.paused):
        return True
    state = worker.state.tasks.get(worker.get_current_task())
    return state is None or state.state in ("cancelled", "released", "forgotten")


def topic_of(key: str) -> str:
    """The topic of the events of a pool: what the keys of its tasks begin with."""
    return key.partition("/")[0]


def _tell(what: str, **more: object) -> None:
    worker = _worker()
    if worker is not None:
        key = worker.get_current_task()
        with contextlib.suppress(Exception):  # a worker that is closing; the task's own end is told by Dask
            worker.log_event(topic_of(key), {"what": what, "key": key, **more})


def _worker() -> Any:
    """The worker that this thread computes for; None in a process that is none."""
    try:
        from distributed import get_worker

        return get_worker()
    except (ImportError, ValueError):
        return None
