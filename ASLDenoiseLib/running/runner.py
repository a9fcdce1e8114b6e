"""One task at a time in a child process: start, poll, cancel; every run has exactly one last event.

A child may be started before its task is known (`Runner.warm`): it loads what the task will need, and waits.
"""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ..moving import remove_folder
from ..progress import ProgressLine, parse_line, seconds_left
from .ending import SENTENCES, Evidence, cannot_start, cannot_write, failure
from .events import Cancelled, Done, Event, Failed, Final, Kind, LogLine, ProgressEvent
from .interpreter import child_python
from .payload import read_payload, write_payload
from .processes import ProcessTree
from .protocol import RESULT, TASK, EndNotice, StartNotice, parse_notice
from .task import Task

MODULE = "ASLDenoiseLib.running.child"
_AT_ONCE = 200  # events a poll: what a library prints in a flood waits for the next one


class TaskFailed(RuntimeError):
    """What `Runner.wait` raises of a run that failed for another reason than its input; `failed` is the event."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.sentence)
        self.failed = failed


class TaskCancelled(RuntimeError):
    """What `Runner.wait` raises of a run that was cancelled."""


@dataclass(eq=False)
class Runner:
    """Runs a `Task` in a child process. After the last event no process of the run is left, nor any file.

    `start` and `cancel` return at once and `poll` never waits: threads write the task, read the child's output and
    load the result.

    >>> runner = Runner()                                      # doctest: +SKIP
    >>> runner.start(RequestTask(request))                     # doctest: +SKIP
    >>> for event in runner.poll(): ...                        # doctest: +SKIP

    Args:
        command: what runs Python; None `interpreter.child_python`'s.
        environment: of the child; None likewise. ASLDenoiseLib must be importable in it.
        make_folder: makes a folder for task and result that only this user can enter.
        grace: seconds that a cancelled process tree has to end itself.
    """

    command: Sequence[str] | None = None
    _: KW_ONLY
    environment: Mapping[str, str] | None = None
    make_folder: Callable[[], Path] = lambda: Path(tempfile.mkdtemp(prefix="ASLDenoise-"))
    grace: float = 0.3
    _run: _Run | None = field(default=None, init=False, repr=False)
    _waiting: _Run | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)  # of `_waiting`

    @property
    def running(self) -> bool:
        """Whether a task was started whose last event has not been given out yet."""
        return self._run is not None

    @property
    def pid(self) -> int | None:
        """The process that does the work, once it has started; behind a launcher it is not the launcher's."""
        return None if self._run is None else self._run.worker

    def start(self, task: Task) -> None:
        """Start a task, in the child that waits for one if there is one; returns at once.

        A start that fails, too, is an event of `poll`.

        Raises:
            RuntimeError: a task is still running.
        """
        if self._run is not None:
            raise RuntimeError("A run is under way; wait for its end, or cancel it.")
        waiting = self._taken()
        if waiting is not None and waiting.waits:
            self._run = waiting
            waiting.give(task)
            return
        self._run = self._made(task)
        self._run.start()

    def warm(self, modules: Sequence[str], *, seconds: float) -> None:
        """Start a child that loads modules and waits for the next task; returns at once.

        It ends with this process, by `cool`, and where no task came for so long. Nothing is done where one waits
        already; a child that cannot start, or that falls over as it waits, costs the next task nothing but the time.

        Args:
            modules: by their full names; one that cannot be loaded is passed over.
            seconds: how long it may wait.
        """
        with self._lock:
            if self._waiting is not None and self._waiting.waits:
                return
            waiting = self._waiting = self._made(None, tuple(modules))
        waiting.start()
        end = threading.Timer(seconds, self._cool, (waiting,))
        end.daemon = True
        end.start()

    def cool(self) -> None:
        """End the child that waits for a task; returns at once. Harmless where there is none."""
        waiting = self._taken()
        if waiting is not None:
            waiting.cancel()

    @property
    def waits(self) -> bool:
        """Whether a child waits for a task, or is about to."""
        with self._lock:
            return self._waiting is not None and self._waiting.waits

    @property
    def waiting(self) -> int | None:
        """The process that waits for a task, once it has started."""
        with self._lock:
            return self._waiting.worker if self._waiting is not None and self._waiting.waits else None

    def _made(self, task: Task | None, modules: tuple[str, ...] = ()) -> _Run:
        python = child_python()
        command = python.command if self.command is None else tuple(self.command)
        environment = python.environment if self.environment is None else self.environment
        return _Run(task, (*command, "-m", MODULE), environment, self.make_folder, self.grace, modules)

    def _taken(self, only: _Run | None = None) -> _Run | None:
        """The child that waits, which is nobody else's from here on."""
        with self._lock:
            if only is not None and only is not self._waiting:
                return None
            waiting, self._waiting = self._waiting, None
            return waiting

    def _cool(self, only: _Run) -> None:
        if self._taken(only) is not None:
            only.cancel()

    def poll(self) -> list[Event]:
        """What has happened since; never waits. The last event of a run is `Done`, `Failed` or `Cancelled`."""
        if self._run is None:
            return []
        events = list(self._run.events())
        if events and isinstance(events[-1], Final):
            self._run = None
        return events

    def cancel(self) -> None:
        """End the run and everything it has started; returns at once, `Cancelled` follows. Harmless without a run."""
        if self._run is not None:
            self._run.cancel()

    def wait(self, listener: Callable[[Event], None] | None = None, *, every: float = 0.05) -> Any:
        """Wait for the run to end and return its result: for consoles and scripts.

        Args:
            listener: given every event, in this thread.
            every: seconds between polls.

        Raises:
            InputError: the input or a setting cannot be used.
            TaskFailed: the run failed for another reason.
            TaskCancelled: it was cancelled, by the listener, say.
            RuntimeError: no task was started.
        """
        if self._run is None:
            raise RuntimeError("There is no run to wait for; start one.")
        try:
            last = self._last_event(listener, every)
        except KeyboardInterrupt:
            self.cancel()
            self._last_event(None, every)
            raise
        if isinstance(last, Done):
            return last.result
        if isinstance(last, Failed):
            raise last.error or TaskFailed(last)
        raise TaskCancelled("The run was cancelled; nothing was changed.")

    def _last_event(self, listener: Callable[[Event], None] | None, every: float) -> Event:
        event: Event | None = None
        while self._run is not None:
            for event in self.poll():
                if listener is not None:
                    listener(event)
            if self._run is not None:
                time.sleep(every)
        return event


@dataclass(eq=False)
class _Run:
    """One task from its start to its end: one thread runs the child, two read its output.

    Without a task the child waits for one, and loads `modules` meanwhile.
    """

    task: Task | None
    command: Sequence[str]
    environment: Mapping[str, str]
    make_folder: Callable[[], Path]
    grace: float
    modules: tuple[str, ...] = ()
    usual_seconds: float | None = None
    worker: int | None = None
    _events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _given: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _unwritten: Failed | None = None
    _tree: ProcessTree | None = None
    _end_notice: EndNotice | None = None

    def start(self) -> None:
        self.usual_seconds = None if self.task is None else self.task.seconds
        threading.Thread(target=self._run, name="ASLDenoise run", daemon=True).start()

    @property
    def waits(self) -> bool:
        """Whether it can be given a task."""
        return self.task is None and not (self._ended.is_set() or self._cancelled.is_set())

    def give(self, task: Task) -> None:
        """Hand a task to the child that waits for it; returns at once."""
        self.task, self.usual_seconds = task, task.seconds
        self._given.set()

    def events(self) -> Iterator[Event]:
        """What is there by now; what came before a cancellation that is still under way is of no interest any more."""
        for _ in range(_AT_ONCE):
            if self._events.empty():
                return
            event = self._events.get()
            last = isinstance(event, Final)
            if not self._cancelled.is_set():
                yield event
            elif last:
                yield Cancelled()
            if last:
                return

    def cancel(self) -> None:
        if self._cancelled.is_set():
            return
        self._cancelled.set()
        if self._tree is not None:
            self._stop(self._tree)

    def _stop(self, tree: ProcessTree) -> None:
        tree.terminate()
        kill = threading.Timer(self.grace, tree.kill)
        kill.daemon = True
        kill.start()

    def _run(self) -> None:
        """Everything from the folder to the last event; whatever goes wrong becomes that event."""
        folder: Path | None = None
        try:
            folder = self.make_folder()
            last = self._outcome(folder)
        except OSError as error:
            last = cannot_write(error)
        except MemoryError:
            last = Failed(SENTENCES[Kind.MEMORY], traceback.format_exc(), Kind.MEMORY)
        except Exception as error:
            last = _unforeseen(error)
        finally:
            self._ended.set()
            self._given.set()
            if folder is not None:
                _remove(folder)
        self._events.put(last)

    def _outcome(self, folder: Path) -> Final:
        waits = self.task is None
        if not waits:
            write_payload(folder / TASK, self.task)
        if self._cancelled.is_set():
            return Cancelled()
        # what libraries write to temporary files goes with the folder, too
        environment = {**self.environment, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
        try:
            command = (*self.command, str(folder), *self.modules)
            tree = ProcessTree(command, environment=environment, folder=folder)
        except OSError as error:
            return cannot_start(error, self.command[0])
        self._tree = tree
        if waits:
            threading.Thread(target=self._hand_over, args=(folder, tree), daemon=True).start()
        status = self._listen(tree, folder)
        if self._cancelled.is_set():
            return Cancelled()
        if self._unwritten is not None:
            return self._unwritten
        if self._end_notice is not None and self._end_notice.outcome == "done":
            return Done(read_payload(folder / RESULT, known=self.task.inputs))
        return failure(Evidence(status, self._end_notice, self.worker is not None, tuple(self._log)))

    def _hand_over(self, folder: Path, tree: ProcessTree) -> None:
        """Write the task where the child waits for it, once there is one."""
        self._given.wait()
        if self._ended.is_set() or self._cancelled.is_set():
            return
        try:
            write_payload(folder / TASK, self.task)
        except OSError as error:
            if not self._ended.is_set():  # else the folder has gone with the child, which says why
                self._unwritten = cannot_write(error)
        except Exception as error:
            self._unwritten = _unforeseen(error)
        if self._unwritten is not None:
            tree.kill()

    def _listen(self, tree: ProcessTree, folder: Path) -> int:
        """Listen until it ends, end what it leaves behind; its exit status."""
        if self._cancelled.is_set():
            self._stop(tree)
        readers = [
            threading.Thread(target=read, args=(stream,), daemon=True)
            for read, stream in ((self._read_output, tree.process.stdout), (self._read_log, tree.process.stderr))
        ]
        for reader in readers:
            reader.start()
        tree.wait_for_exit()
        if self._cancelled.is_set():
            _remove(folder)  # as long as the child's watch lives to do it, should this process end just now
        status = tree.kill_rest()
        for reader in readers:
            reader.join(2.0)  # a process that left the tree may hold the pipe; it is not waited for
        with contextlib.suppress(OSError):
            tree.process.stdin.close()
        return status

    def _read_output(self, stream: TextIO) -> None:
        with stream:
            for line in stream:
                match parse_line(line) or parse_notice(line):
                    case ProgressLine(fraction, text, elapsed):
                        left = None if self.usual_seconds is None else seconds_left(fraction, elapsed)
                        self._events.put(ProgressEvent(fraction, text, left))
                    case StartNotice(pid):
                        self.worker = pid
                        self._tree.add(pid)
                    case EndNotice() as notice:
                        self._end_notice = notice

    def _read_log(self, stream: TextIO) -> None:
        with stream:
            for line in filter(None, map(str.rstrip, stream)):
                self._log.append(line)
                self._events.put(LogLine(line))


def _unforeseen(error: Exception) -> Failed:
    return Failed(f"The run could not be seen through: {error!r}", traceback.format_exc(), Kind.CRASH)


def _remove(folder: Path) -> None:
    """Remove a folder; a process that is just ending may still write to it."""
    until = time.monotonic() + 1.0
    while not remove_folder(folder) and time.monotonic() < until:
        time.sleep(0.05)
