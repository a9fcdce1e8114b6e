"""What the tests of the runner share: tasks for a child process, and runners whose folders can be counted.

A child imports this file to find its task: it needs no test runner for it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ASLDenoiseLib.running.events import Cancelled, Event
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.runner import Runner

HERE = Path(__file__).resolve().parent

# As PythonSlicer is one: the work is its child, and a signal that ended it comes out as status 1.
LAUNCHER = """
import subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
if status < 0:
    print("error: [python-real] exit abnormally - Report the problem.", file=sys.stderr)
sys.exit(1 if status < 0 else status)
"""


class Task:
    """Work whose result is of no interest."""

    inputs: dict = {}  # noqa: RUF012
    seconds = None

    def run(self, progress) -> object:
        raise NotImplementedError


@dataclass
class Raise(Task):
    error: Exception

    def run(self, progress):
        raise self.error


class TooLarge(Task):
    def run(self, progress):
        return np.ones(2**59)


class Signal(Task):
    def __init__(self, number: int) -> None:
        self.number = number

    def run(self, progress):
        print("about to end", flush=True)
        os.kill(os.getpid(), self.number)
        time.sleep(60)


class Fall(Task):
    def run(self, progress):
        ctypes.string_at(0)


class Leave(Task):
    def run(self, progress):
        sys.exit(0)


@dataclass
class Array(Task):
    megabytes: float
    largest_file: int | None = None

    def run(self, progress):
        if self.largest_file is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (self.largest_file, self.largest_file))
        return np.arange(int(self.megabytes * 2**17), dtype=np.float64)


@dataclass
class Echo(Task):
    array: np.ndarray

    @property
    def inputs(self):
        return {"array": self.array}

    def run(self, progress):
        return self.array, self.array + 1


@dataclass
class Count(Task):
    steps: int

    def run(self, progress):
        for n in range(self.steps):
            progress((n + 1) / self.steps, f"step {n + 1}")
        return self.steps


@dataclass
class Sleep(Task):
    """Starts a process of its own, says both pids, and sleeps; `busy` never lets another thread run."""

    said: Path
    busy: bool = False

    def run(self, progress):
        deaf = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
        )
        started = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
        started.stdout.readline()
        self.said.with_suffix(".part").write_text(f"{os.getpid()} {started.pid} {tempfile.mkdtemp()}")
        os.replace(self.said.with_suffix(".part"), self.said)
        progress(0.5, "asleep")
        if self.busy:
            sum(range(10**15))
        time.sleep(600)


@dataclass
class Chatter(Task):
    lines: int

    def run(self, progress):
        for n in range(self.lines):
            print("said on standard output", n)
            progress(n / self.lines, "chattering")
        return np.ones(2**24)


def with_tests(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the tasks of these tests can be imported."""
    return {**environment, "PYTHONPATH": os.pathsep.join([environment["PYTHONPATH"], str(HERE)])}


class Bench:
    """Runners whose children find the tasks of these tests, and whose folders lie where they can be counted."""

    def __init__(self, path: Path) -> None:
        self.folders = path / "temporary"
        self.folders.mkdir()
        self._launcher = path / "launcher.py"
        self._launcher.write_text(LAUNCHER)
        self._made: list[Runner] = []

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *error: object) -> None:
        for runner in self._made:
            runner.cancel()
            assert events_of(runner, patience=5)[-1:] in ([], [Cancelled()])

    def runner(self, *, launched: bool = False, **options) -> Runner:
        """A runner; `launched`: of a Python behind a launcher."""
        python = child_python()
        command = (sys.executable, str(self._launcher), *python.command) if launched else python.command
        options = {"make_folder": lambda: Path(tempfile.mkdtemp(dir=self.folders)), **options}
        self._made.append(Runner(command, environment=with_tests(python.environment), **options))
        return self._made[-1]


def events_of(runner: Runner, *, patience: float = 30.0) -> list[Event]:
    """All events of a run, as a timer would collect them."""
    events, until = [], time.monotonic() + patience
    while runner.running:
        assert time.monotonic() < until, f"no end after {patience} s: {events[-3:]}"
        events += runner.poll()
        time.sleep(0.01)
    return events


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not collected does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return sys.platform != "linux"
    return state not in "ZX"


def gone(*pids: int, patience: float = 2.0) -> bool:
    until = time.monotonic() + patience
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(alive, pids))
