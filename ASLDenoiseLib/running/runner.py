"""One task at a time in a child process: started, listened to, cancelled; and every end of it is told exactly once."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from ..progress import parse_line, seconds_left
from .ending import MEMORY, Evidence, cannot_start, cannot_write, failure
from .events import Cancelled, Done, Event, Failed, Final, Kind, LogLine, ProgressEvent
from .interpreter import child_python
from .payload import read_payload, write_payload
from .processes import ProcessTree
from .protocol import RESULT, TASK, EndNotice, StartNotice, parse_notice
from .task import Task

MODULE = "ASLDenoiseLib.running.child"
_AT_ONCE = 200  # events a poll: what a library prints in a flood waits for the next one
_GRACE = 0.3  # seconds between asking a tree to end and ending it


def private_folder() -> Path:
    """A new temporary folder that only this user can enter."""
    return Path(tempfile.mkdtemp(prefix="ASLDenoise-"))


class TaskFailed(RuntimeError):
    """What `Runner.wait` raises of a run that failed for another reason than its input; `.failed` tells all."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.sentence)
        self.failed = failed


class TaskCancelled(RuntimeError):
    """What `Runner.wait` raises of a run that was cancelled."""


class Runner:
    """Runs a `Task` in a child process, so that neither its work nor its end is felt here.

    `start` and `cancel` return at once and `poll` never waits: threads write the task, read what the child says and
    load the result. After the last event no process of the run is left, nor any file.

    >>> runner = Runner()                                      # doctest: +SKIP
    >>> runner.start(RequestTask(request))                     # doctest: +SKIP
    >>> for event in runner.poll(): ...                        # doctest: +SKIP

    Args:
        command: what runs Python; None `interpreter.child_python`'s.
        environment: of the child; None likewise. ASLDenoiseLib must be importable in it.
        make_folder: makes the private folder through which task and result go.
        grace: seconds that a cancelled tree has to end itself.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        make_folder: Callable[[], Path] = private_folder,
        grace: float = _GRACE,
    ) -> None:
        self._command, self._environment = command, environment
        self._make_folder, self._grace = make_folder, grace
        self._run: _Run | None = None

    @property
    def running(self) -> bool:
        """Whether a task was started whose last event has not been given out yet."""
        return self._run is not None

    @property
    def pid(self) -> int | None:
        """The process that does the work, once it has started; behind a launcher it is not the launcher's."""
        return None if self._run is None else self._run.worker

    def start(self, task: Task) -> None:
        """Start a task; returns at once. Also a start that fails is told by `poll`.

        Raises:
            RuntimeError: a task is still running.
        """
        if self._run is not None:
            raise RuntimeError("A run is under way; wait for its end, or cancel it.")
        python = child_python()
        command = python.command if self._command is None else tuple(self._command)
        environment = python.environment if self._environment is None else self._environment
        self._run = _Run(task, (*command, "-m", MODULE), environment, self._make_folder, self._grace)
        self._run.start()

    def poll(self) -> list[Event]:
        """What has happened since; never waits. The last event of a run is `Done`, `Failed` or `Cancelled`."""
        if self._run is None:
            return []
        events = list(self._run.events())
        if events and isinstance(events[-1], (Done, Failed, Cancelled)):
            self._run = None
        return events

    def cancel(self) -> None:
        """End the run and everything it has started; returns at once, `Cancelled` follows. Harmless without a run."""
        if self._run is not None:
            self._run.cancel()

    def wait(self, listener: Callable[[Event], None] | None = None, *, every: float = 0.05) -> Any:
        """Wait for the run to end and give its result: for consoles and scripts.

        Args:
            listener: given every event, in this thread.
            every: seconds between polls.

        Raises:
            InputError: the input or a setting cannot be used.
            JobFailed: the run failed for another reason.
            JobCancelled: it was cancelled, by the listener, say.
            RuntimeError: no task was started.
        """
        if self._run is None:
            raise RuntimeError("There is no run to wait for; start one.")
        try:
            return _given(self._last_event(listener, every))
        except KeyboardInterrupt:
            self.cancel()
            self._last_event(None, every)
            raise

    def _last_event(self, listener: Callable[[Event], None] | None, every: float) -> Event:
        event: Event | None = None
        while self._run is not None:
            for event in self.poll():
                if listener is not None:
                    listener(event)
            if self._run is not None:
                time.sleep(every)
        return event


def _given(event: Event) -> Any:
    """The result, or the error, that a last event stands for."""
    if isinstance(event, Done):
        return event.result
    if isinstance(event, Failed):
        raise event.error or TaskFailed(event)
    raise TaskCancelled("The run was cancelled; nothing was changed.")


class _Run:
    """One task from its start to its end: a thread sees it through, two read what the child says."""

    def __init__(
        self,
        task: Task,
        command: Sequence[str],
        environment: Mapping[str, str],
        make_folder: Callable[[], Path],
        grace: float,
    ) -> None:
        self._task, self._command, self._environment = task, command, environment
        self._make_folder, self._grace, self._usual = make_folder, grace, task.seconds
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=200)
        self._cancelled = threading.Event()
        self._tree: ProcessTree | None = None
        self._ended: EndNotice | None = None
        self.worker: int | None = None

    def start(self) -> None:
        threading.Thread(target=self._see_through, name="ASLDenoise run", daemon=True).start()

    def events(self) -> Iterator[Event]:
        """What is there by now; what came before a cancellation that is still under way is of no interest any more."""
        for _ in range(_AT_ONCE):
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return
            last = isinstance(event, (Done, Failed, Cancelled))
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
        tree.ask_to_end()
        end = threading.Timer(self._grace, tree.end)
        end.daemon = True
        end.start()

    def _see_through(self) -> None:
        """Everything from the folder to the last event; whatever goes wrong becomes that event."""
        folder: Path | None = None
        try:
            folder = self._make_folder()
            last = self._outcome(folder)
        except OSError as error:
            last = cannot_write(error)
        except MemoryError:
            last = Failed(MEMORY, traceback.format_exc(), Kind.MEMORY)
        except Exception as error:
            last = Failed(f"The run could not be seen through: {error!r}", traceback.format_exc(), Kind.CRASH)
        finally:
            if folder is not None:
                _remove(folder)
        self._events.put(last)

    def _outcome(self, folder: Path) -> Final:
        known = self._task.nouns
        write_payload(folder / TASK, self._task)
        if self._cancelled.is_set():
            return Cancelled()
        try:
            tree = self._tree = self._begun(folder)
        except OSError as error:
            return cannot_start(error, self._command[0])
        status = self._listen(tree, folder)
        if self._cancelled.is_set():
            return Cancelled()
        if self._ended is not None and self._ended.how == "done":
            return Done(read_payload(folder / RESULT, known=known))
        return failure(Evidence(status, self._ended, self.worker is not None, tuple(self._log)))

    def _begun(self, folder: Path) -> ProcessTree:
        # what libraries write to temporary files goes with the folder, too
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
        environment = {**self._environment, **places}
        return ProcessTree((*self._command, str(folder)), environment=environment, folder=folder)

    def _listen(self, tree: ProcessTree, folder: Path) -> int:
        """Listen until it ends, end what it leaves behind; its exit status."""
        if self._cancelled.is_set():
            self._stop(tree)
        readers = [
            threading.Thread(target=read, args=(stream,), daemon=True)
            for read, stream in ((self._hear, tree.process.stdout), (self._note, tree.process.stderr))
        ]
        for reader in readers:
            reader.start()
        tree.wait_for_exit()
        if self._cancelled.is_set():
            _remove(folder)  # as long as the child's watch lives to do it, should this process end just now
        status = tree.end_rest()
        for reader in readers:
            reader.join(2.0)  # a process that left the tree may hold the pipe; it is not waited for
        with contextlib.suppress(OSError):
            tree.process.stdin.close()
        return status

    def _hear(self, stream: TextIO) -> None:
        with stream:
            for line in stream:
                self._hear_line(line)

    def _hear_line(self, line: str) -> None:
        said = parse_line(line)
        notice = None if said is not None else parse_notice(line)
        if said is not None:
            left = None if self._usual is None else seconds_left(said.fraction, said.elapsed_s)
            self._events.put(ProgressEvent(said.fraction, said.text, left))
        elif isinstance(notice, StartNotice):
            self.worker = notice.pid
            self._tree.knows(notice.pid)
        elif isinstance(notice, EndNotice):
            self._ended = notice

    def _note(self, stream: TextIO) -> None:
        with stream:
            for line in filter(None, map(str.rstrip, stream)):
                self._log.append(line)
                self._events.put(LogLine(line))


def _remove(folder: Path) -> None:
    """Remove a folder; on Windows a file of a process that has just ended may be held for another moment."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.05)
