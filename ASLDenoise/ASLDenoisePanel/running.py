"""A runner and the timer that polls it: tasks in a child process while Slicer's event loop goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

INTERVAL = 100  # ms between polls of the child's events
WAITS = 300.0  # s that a child waits for a task; it has some 0.4 GB of memory meanwhile
_PANEL_FOLDER = Path(__file__).resolve().parents[1]


def makeRunner():
    """A runner of Slicer's own Python, with the library and the panel's tasks importable in the child."""
    from ASLDenoiseLib.running.interpreter import child_python
    from ASLDenoiseLib.running.runner import Runner

    python = child_python(in_slicer=shutil.which("PythonSlicer") is not None)
    paths = os.pathsep.join([python.environment["PYTHONPATH"], str(_PANEL_FOLDER)])
    return Runner(python.command, environment={**python.environment, "PYTHONPATH": paths})


class Driver:
    """Runs one task at a time in a child process and calls back, on the main thread, with its events.

    Args:
        runner: makes the runner, with the first task, so that opening the panel costs nothing.
    """

    def __init__(self, runner: Callable[[], Any] = makeRunner):
        self._makeRunner, self._runner, self._listeners = runner, None, {}
        self._abandoned = []  # runners to poll until their processes have ended
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL)
        self._timer.connect("timeout()", self.poll)

    @property
    def running(self) -> bool:
        """Whether a task is under way whose end was not reported yet."""
        return self._runner is not None and self._runner.running

    @property
    def pid(self) -> int | None:
        """The child process, once there is one."""
        return None if self._runner is None else self._runner.pid

    def start(self, task, *, done, failed, progress=None, log=None, cancelled=None) -> None:
        """Start a task.

        Args:
            task: an `ASLDenoiseLib.running.task.Task`.
            done: called with the result.
            failed: called with the `Failed` event.
            progress: called with each `Progress` event.
            log: called with each line of the log.
            cancelled: called with the `Cancelled` event.

        Raises:
            RuntimeError: a task is under way.
            ASLDenoiseLib.errors.InputError: Slicer's Python was not found.
        """
        if self._runner is None:
            self._runner = self._makeRunner()
        self._runner.start(task)
        self._listeners = {
            "ProgressEvent": progress,
            "LogLine": None if log is None else lambda event: log(event.text),
            "Done": lambda event: done(event.result),
            "Failed": failed,
            "Cancelled": cancelled,
        }
        self._timer.start()

    def warm(self, modules) -> None:
        """Have a child load modules and wait for the next task, `WAITS` seconds at most; there is never a second."""
        from ASLDenoiseLib.errors import InputError

        if self.running:
            return
        try:
            if self._runner is None:
                self._runner = self._makeRunner()
        except InputError:  # Apply says it
            return
        self._runner.warm(modules, seconds=WAITS)
        self._timer.start()

    def poll(self) -> None:
        """Hand on what has happened; the timer calls it."""
        for runner in self._abandoned:
            runner.poll()
        self._abandoned = [runner for runner in self._abandoned if runner.running]
        listeners, events = self._listeners, [] if self._runner is None else self._runner.poll()
        waits = self._runner is not None and self._runner.waits  # its threads come to their turn as Python runs
        if not self.running and not waits and not self._abandoned:
            self._timer.stop()
        for event in events:
            listener = listeners.get(type(event).__name__)
            if listener is not None:
                listener(event)

    def cancel(self) -> None:
        """End the task with all its processes; `cancelled` is called when none is left."""
        if self._runner is not None:
            self._runner.cancel()

    def abandon(self) -> None:
        """End the task without another event, as when the scene is closed; another can start at once.

        A child that waits for one is ended as well.
        """
        self._listeners = {}
        if self._runner is not None:
            self._runner.cool()
        if self.running:
            self._runner.cancel()
            self._abandoned.append(self._runner)
            self._runner = None
