"""A runner and the timer that listens to it: work in a child process while Slicer's event loop goes on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

INTERVAL = 100  # ms between looks at what the child said
_PANEL_FOLDER = Path(__file__).resolve().parents[1]


def makeRunner():
    """A runner of Slicer's own Python, with the library and the panel's errands importable in the child."""
    from ASLDenoiseLib.running.interpreter import child_python
    from ASLDenoiseLib.running.runner import Runner

    python = child_python(in_slicer=shutil.which("PythonSlicer") is not None)
    paths = os.pathsep.join([python.environment["PYTHONPATH"], str(_PANEL_FOLDER)])
    return Runner(python.command, environment={**python.environment, "PYTHONPATH": paths})


class Driver:
    """Starts one piece of work at a time in a child process and calls back, on the main thread, with what it tells.

    Args:
        runner: makes the runner; it is made with the first piece of work, so that opening the panel costs nothing.
    """

    def __init__(self, runner: Callable[[], Any] = makeRunner):
        self._makeRunner, self._runner, self._listeners = runner, None, {}
        self._leaving = []  # runners whose end nobody wants to hear of, but which must be seen to it
        self._timer = qt.QTimer()
        self._timer.setInterval(INTERVAL)
        self._timer.connect("timeout()", self.poll)

    @property
    def running(self) -> bool:
        """Whether work is under way whose end was not told yet."""
        return self._runner is not None and self._runner.running

    @property
    def pid(self) -> int | None:
        """The process that works, once there is one."""
        return None if self._runner is None else self._runner.pid

    def start(self, work, *, done, failed, progress=None, log=None, cancelled=None) -> None:
        """Start `work` (an `ASLDenoiseLib.pipeline.job.Work`).

        Args:
            work: what to do in the child.
            done: called with the result.
            failed: called with the `Failed` event.
            progress: called with each `Progress` event.
            log: called with each line of the log.
            cancelled: called with the `Cancelled` event.

        Raises:
            RuntimeError: work is under way.
            ASLDenoiseLib.errors.InputError: Slicer's Python was not found.
        """
        if self._runner is None:
            self._runner = self._makeRunner()
        self._runner.start(work)
        self._listeners = {
            "ProgressEvent": progress,
            "LogLine": None if log is None else lambda event: log(event.text),
            "Done": lambda event: done(event.result),
            "Failed": failed,
            "Cancelled": cancelled,
        }
        self._timer.start()

    def poll(self) -> None:
        """Hand on what has happened; the timer calls it."""
        for runner in self._leaving:
            runner.poll()
        self._leaving = [runner for runner in self._leaving if runner.running]
        listeners, events = self._listeners, [] if self._runner is None else self._runner.poll()
        if not self.running and not self._leaving:
            self._timer.stop()
        for event in events:
            listener = listeners.get(type(event).__name__)
            if listener is not None:
                listener(event)

    def cancel(self) -> None:
        """End the work with all its processes; `cancelled` is called when none is left."""
        if self._runner is not None:
            self._runner.cancel()

    def abandon(self) -> None:
        """End the work and hear no more of it, as when the scene goes; other work can start at once."""
        self._listeners = {}
        if self.running:
            self._runner.cancel()
            self._leaving.append(self._runner)
            self._runner = None
