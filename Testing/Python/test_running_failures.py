"""How a run that fails is told: input, memory, disk, killed, crash; and that it leaves nothing behind.

The tasks and the bench that other tests of the runner use as well are here, too.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.events import Cancelled, Done, Event, Failed, Kind
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.runner import Runner

HERE = Path(__file__).resolve().parent
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")

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

    nouns: dict = {}  # noqa: RUF012
    plan = None

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
    def nouns(self):
        return {"array": self.array}

    def run(self, progress):
        return self.array, self.array + 1


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


def failure_of(runner: Runner, task: Task) -> Failed:
    runner.start(task)
    *before, last = events_of(runner)
    assert isinstance(last, Failed), last
    assert not [e for e in before if isinstance(e, (Done, Failed, Cancelled))]
    return last


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


def test_input_that_cannot_be_used_comes_back_as_its_own_sentence(bench):
    failed = failure_of(bench.runner(), Raise(InputError("There is no M0; give one.")))
    assert failed == Failed("There is no M0; give one.", "", Kind.INPUT)
    assert list(bench.folders.iterdir()) == []


def test_an_unforeseen_error_is_told_with_its_type_and_traceback(bench):
    failed = failure_of(bench.runner(), Raise(KeyError("lost")))
    assert failed.kind is Kind.CRASH and "KeyError: 'lost'" in failed.sentence
    assert failed.details.startswith("Traceback") and "in run" in failed.details


def test_an_array_too_large_for_memory_is_told_as_that(bench):
    failed = failure_of(bench.runner(), TooLarge())
    assert failed.kind is Kind.MEMORY and "memory ran out" in failed.sentence and "Unable to allocate" in failed.details


@POSIX
@pytest.mark.parametrize("launched", [False, True], ids=["python", "launcher"])
def test_a_killed_child_is_told_with_the_likely_cause(bench, launched):
    runner = bench.runner(launched=launched)
    failed = failure_of(runner, Signal(signal.SIGKILL))
    assert failed.kind is Kind.KILLED and "most likely the computer's memory ran out" in failed.sentence
    assert ("signal 9, SIGKILL" in failed.sentence) != launched
    assert "about to end" in failed.details
    assert list(bench.folders.iterdir()) == []


@POSIX
@pytest.mark.parametrize("launched", [False, True], ids=["python", "launcher"])
def test_a_crash_in_c_is_told_with_its_last_words(bench, launched):
    failed = failure_of(bench.runner(launched=launched), Fall())
    assert failed.kind is Kind.CRASH and "Segmentation fault" in failed.sentence
    assert "string_at" in failed.details


def test_a_library_that_exits_has_not_done_the_job(bench):
    assert failure_of(bench.runner(), Leave()).kind is Kind.CRASH


def test_a_python_that_is_not_there_is_told_by_name(bench):
    runner = Runner(["no-such-python"], make_folder=lambda: Path(tempfile.mkdtemp(dir=bench.folders)))
    failed = failure_of(runner, Array(1))
    assert failed.kind is Kind.CRASH and "no-such-python" in failed.sentence
    assert list(bench.folders.iterdir()) == []


def test_a_python_that_lacks_the_package_is_told_with_its_last_words(bench):
    runner = Runner([sys.executable, "-S", "-E"], make_folder=lambda: Path(tempfile.mkdtemp(dir=bench.folders)))
    failed = failure_of(runner, Array(1))
    assert failed.kind is Kind.CRASH and "No module named" in failed.sentence


def test_without_a_job_the_child_refuses_and_touches_nothing(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    command = [sys.executable, "-m", "ASLDenoiseLib.running.child", str(tmp_path)]
    environment = dict(child_python().environment)
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1 and "There is no job" in done.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_job_that_cannot_be_sent_is_told_and_nothing_is_started(bench):
    failed = failure_of(bench.runner(), Raise(lambda: None))
    assert failed.kind is Kind.CRASH and list(bench.folders.iterdir()) == []


@POSIX
def test_a_limit_on_file_sizes_is_told_as_a_full_disk(bench):
    failed = failure_of(bench.runner(), Array(4, largest_file=2**20))
    assert failed.kind is Kind.DISK and "full" in failed.sentence
    assert list(bench.folders.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 4 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(path)]
    if mount is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here (root can)")
    yield path
    subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize("side", ["job", "result"])
def test_a_full_disk_is_told_and_leaves_nothing_behind(bench, small_disk, side):
    runner = bench.runner(make_folder=lambda: Path(tempfile.mkdtemp(dir=small_disk)))
    failed = failure_of(runner, Echo(np.ones(2**20)) if side == "job" else Array(8))
    assert failed.kind is Kind.DISK and "make room" in failed.sentence and "No space left" in failed.details
    assert list(small_disk.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(bench, tmp_path):
    runner = bench.runner(make_folder=lambda: Path(tempfile.mkdtemp(dir=tmp_path / "nowhere")))
    failed = failure_of(runner, Array(1))
    assert failed.kind is Kind.DISK and "nowhere" in failed.sentence and "choose another" in failed.sentence
