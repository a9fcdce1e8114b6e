"""Many tasks on the workers of a Dask cluster, one a slot at a time, with their ends as they come.

No more tasks are handed out than workers have slots for: 10,000 wait here, as what they are, and not in the scheduler;
what is handed out is running; and a worker that dies takes one scan with it, not a queue of them. Dask gives the task
of a dead worker to another one.
"""

from __future__ import annotations

import contextlib
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import InputError
from ..software import own_version
from . import worker_side

if TYPE_CHECKING:
    from distributed import Client, Future

_Task = TypeVar("_Task")
_WORKERS_EVERY = 1.0  # s between two looks at how many workers there are
_NO_WORKERS = 300.0  # s without any, after there were some, before a cohort stops
_LAST_WORDS = 5.0  # s for workers to end what was cancelled
_COUNT = {1: "once", 2: "twice", 3: "three times", 4: "four times"}


@dataclass(frozen=True)
class Outcome(Generic[_Task]):
    """How one task ended.

    Args:
        key: its name.
        task: as it was given.
        result: what the function returned; None where it failed.
        sentence: why it failed; empty where it did not.
        error: what the function raised, or Dask of it.
    """

    key: str
    task: _Task
    result: Any = None
    sentence: str = ""
    error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return self.error is not None


@dataclass(frozen=True)
class TaskBegan:
    """A worker has begun a task, anew where another one died under it."""

    key: str


@dataclass(frozen=True)
class TaskMoved:
    """A task is at `fraction` (0 to 1), doing `text`."""

    key: str
    fraction: float
    text: str


@dataclass(frozen=True)
class TaskEnded:
    """A task is over."""

    outcome: Outcome[Any]


@dataclass(frozen=True)
class PoolState:
    """Told at the start and once a second: tasks in all, and how many run at once (0: no worker is there)."""

    total: int
    slots: int


PoolEvent = TaskBegan | TaskMoved | TaskEnded | PoolState
Listener = Callable[[PoolEvent], None]


def _to_nobody(event: PoolEvent) -> None:
    """Listen to nothing."""


def run_tasks(
    client: Client,
    function: Callable[[_Task], Any],
    tasks: Iterable[_Task],
    *,
    key: Callable[[_Task], str],
    threads: int = 1,
    listener: Listener = _to_nobody,
) -> Iterator[Outcome[_Task]]:
    """Run a function of each task on the workers, and give the outcomes as they come.

    Leaving the loop early, by an error or Ctrl-C, cancels what runs: `worker_side.is_unwanted` tells the function.

    Args:
        client: of the workers.
        function: importable by name on every worker; what it raises fails its task alone.
        tasks: each of another key; they and the results must pickle.
        key: names a task.
        threads: that one takes of those of a worker.
        listener: called in this thread.

    Raises:
        InputError: the scheduler is lost, all workers are, or one has another version; what has ended is kept.
        ValueError: two tasks of one key.
    """
    waiting = deque(tasks)
    if len({key(task) for task in waiting}) < len(waiting):
        raise ValueError("Two tasks have the same key.")
    total = len(waiting)
    pool = _Pool(client, function, threads)
    try:
        while waiting or pool.running:
            if pool.looked():
                listener(PoolState(total, pool.slots))
            pool.fill(waiting, key)
            event = pool.next_event()
            if event is not None:
                listener(event)
            if isinstance(event, TaskEnded):
                pool.fill(waiting, key)  # the caller may take its time
                yield event.outcome
    finally:
        pool.close()


@dataclass(frozen=True)
class _Over:
    key: str


@dataclass(eq=False)
class _Pool:
    """The tasks that run, by their keys, and what is heard of them."""

    client: Client
    function: Callable[[Any], Any]
    threads: int
    slots: int = 0
    running: dict[str, tuple[Any, Future]] = field(default_factory=dict)
    _topic: str = field(default_factory=lambda: f"asldenoise-{uuid.uuid4().hex[:12]}")
    _heard: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _on_workers: set[str] = field(default_factory=set)
    _looked: float = float("-inf")
    _version: str = field(default_factory=own_version)
    _last_seen: float | None = None  # when there was a worker

    def __post_init__(self) -> None:
        self.client.subscribe_topic(self._topic, lambda event: self._heard.put(event[1]))

    def fill(self, waiting: deque[Any], key: Callable[[Any], str]) -> None:
        """Hand out as many tasks as there are slots free."""
        while waiting and len(self.running) < self.slots:
            task = waiting.popleft()
            self._submit(key(task), task)

    def _submit(self, key: str, task: Any) -> None:
        name = f"{self._topic}/{key}"
        future = self.client.submit(worker_side.call, self.function, task, self._version, key=name, pure=False)
        self.running[key] = (task, future)
        future.add_done_callback(lambda _: self._heard.put(_Over(key)))

    def looked(self) -> bool:
        """Look how many workers there are, if it is time to."""
        now = time.monotonic()
        if now - self._looked < _WORKERS_EVERY:
            return False
        self._looked = now
        try:
            found = self.client.nthreads()
        except Exception as error:  # of several kinds, as Dask finds the scheduler gone
            raise self._lost() from error
        self.slots = sum(max(1, count // self.threads) for count in found.values())
        if self.slots:
            self._last_seen = now
        elif self._last_seen is not None and now - self._last_seen > _NO_WORKERS:
            raise InputError(
                f"For {_NO_WORKERS / 60:.0f} minutes no worker has been there; what is done is kept: start workers, "
                "and run the same again."
            )
        return True

    def next_event(self) -> PoolEvent | None:
        """What was heard next; None where nothing was for a moment."""
        if self.client.status not in ("running", "newly-created"):
            raise self._lost()
        try:
            heard = self._heard.get(timeout=0.1)
        except queue.Empty:
            return None
        if isinstance(heard, _Over):
            return TaskEnded(self._outcome(heard.key))
        key = self._follow(heard)
        if key not in self.running:
            return None
        match heard["what"]:
            case "began":
                return TaskBegan(key)
            case "moved":
                return TaskMoved(key, heard["fraction"], heard["text"])
        return None

    def close(self) -> None:
        """Cancel what still runs, and give workers a moment to end it."""
        futures = [future for _, future in self.running.values()]
        with contextlib.suppress(Exception):  # the scheduler may be gone
            if futures:
                self.client.cancel(futures, force=True)
                self._await_last_words()
        with contextlib.suppress(Exception):
            self.client.unsubscribe_topic(self._topic)

    def _await_last_words(self) -> None:
        until = time.monotonic() + _LAST_WORDS
        while self._on_workers and time.monotonic() < until and self.client.status == "running":
            with contextlib.suppress(queue.Empty):
                heard = self._heard.get(timeout=0.1)
                if not isinstance(heard, _Over):
                    self._follow(heard)

    def _follow(self, heard: dict[str, Any]) -> str:
        """The key of a word of a worker; which ones are on workers is kept."""
        key = heard["key"].partition("/")[2]
        if heard["what"] == "ended":
            self._on_workers.discard(key)
        else:
            self._on_workers.add(key)
        return key

    def _outcome(self, key: str) -> Outcome[Any]:
        task, future = self.running[key]
        error = None
        if future.cancelled():
            raise self._lost()
        try:
            result = future.result()
        except Exception as raised:
            result, error = None, raised.with_traceback(None)  # whose frames would hold the task in the scheduler
        del self.running[key]
        self._on_workers.discard(key)
        if error is None:
            return Outcome(key, task, result)
        if isinstance(error, worker_side.OtherVersion):
            raise error
        if isinstance(error, ImportError) and "ASLDenoiseLib" in str(error):
            raise InputError(
                f"A worker cannot load ASLDenoiseLib ({error}); install asldenoise where it runs, and run again."
            ) from error
        return Outcome(key, task, sentence=sentence_of(error), error=error)

    def _lost(self) -> InputError:
        return InputError(
            "The scheduler of the workers is gone; what is done is kept: start it, and run the same again."
        )


def sentence_of(error: BaseException) -> str:
    """Why a task failed, for a person."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KilledWorker):
        deaths = error.allowed_failures + 1
        return (
            f"The worker process ended {_COUNT.get(deaths, f'{deaths} times')} while it ran this scan: most likely the "
            "computer's memory ran out; run fewer workers, or give the scan to a computer with more memory."
        )
    return f"The run stopped at an error that nobody foresaw: {type(error).__name__}: {error}"
