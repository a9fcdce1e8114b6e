"""A child that is started before its task is known: it saves the task its imports, and is never left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from running_builders import HERE, Bench, Count, Echo, Raise, Task, alive, events_of, gone, with_tests

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.events import Cancelled, Failed, Kind
from ASLDenoiseLib.running.interpreter import child_python

LONG = 60.0  # s


@dataclass
class Loaded(Task):
    """Which of some modules are loaded as it begins, and in which process."""

    names: tuple[str, ...]

    def run(self, progress):
        return os.getpid(), {name for name in self.names if name in sys.modules}


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


def waiting(runner, *, patience: float = 20.0) -> int:
    """The child that waits, once it has started."""
    until = time.monotonic() + patience
    while runner.waiting is None:
        assert time.monotonic() < until, "no child waits"
        time.sleep(0.02)
    return runner.waiting


def empty(folder: Path, *, patience: float = 3.0) -> bool:
    until = time.monotonic() + patience
    while list(folder.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    return not list(folder.iterdir())


def test_a_task_is_run_by_the_child_that_waits_with_its_modules_loaded(bench):
    runner = bench.runner()
    runner.warm(("colorsys", "no_such_module", "wave"), seconds=LONG)
    pid = waiting(runner)
    time.sleep(0.3)
    assert not runner.running and runner.poll() == []
    runner.start(Loaded(("colorsys", "wave")))
    assert runner.wait() == (pid, {"colorsys", "wave"})
    assert gone(pid) and empty(bench.folders) and runner.waiting is None


def test_a_task_that_comes_before_the_child_has_started_is_run_as_well(bench):
    runner = bench.runner()
    for pause in (0.0, 0.02, 0.1):
        runner.warm(("wave",), seconds=LONG)
        time.sleep(pause)
        runner.start(Count(3))
        assert runner.wait() == 3
    assert empty(bench.folders)


def test_results_errors_and_what_needs_not_come_back_are_as_of_any_child(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=LONG)
    waiting(runner)
    given = np.arange(5.0)
    runner.start(Echo(given))
    back, other = runner.wait()
    assert back is given
    np.testing.assert_array_equal(other, given + 1)
    runner.warm(("wave",), seconds=LONG)
    runner.start(Raise(InputError("The series is empty; load another.")))
    with pytest.raises(InputError, match="load another"):
        runner.wait()


def test_there_is_never_more_than_one_that_waits(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=LONG)
    pid = waiting(runner)
    runner.warm(("wave",), seconds=LONG)
    assert waiting(runner) == pid and len(list(bench.folders.iterdir())) == 1


@pytest.mark.parametrize("end", ["cooled", "waited too long"])
def test_a_child_that_no_task_came_for_is_gone_with_its_folder(bench, end):
    runner = bench.runner()
    runner.warm(("wave",), seconds=0.5 if "long" in end else LONG)
    pid = waiting(runner)
    if end == "cooled":
        runner.cool()
    assert gone(pid, patience=5) and empty(bench.folders) and runner.waiting is None
    runner.start(Count(2))
    assert runner.wait() == 2


def test_a_child_that_was_given_a_task_in_time_is_not_ended_for_waiting(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=0.6)
    waiting(runner)
    runner.start(Nap(1.2))
    assert runner.wait() == "rested"


def test_a_child_that_fell_over_as_it_waited_costs_the_task_nothing(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=LONG)
    pid = waiting(runner)
    os.kill(pid, 9)
    assert gone(pid) and empty(bench.folders)
    runner.start(Count(2))
    assert runner.wait() == 2


def test_a_run_in_it_is_cancelled_with_all_it_started(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=LONG)
    pid = waiting(runner)
    runner.start(Nap(60))
    runner.cancel()
    assert events_of(runner, patience=5) == [Cancelled()]
    assert gone(pid) and empty(bench.folders)


def test_a_task_that_cannot_be_written_says_so_and_leaves_no_child(bench):
    runner = bench.runner()
    runner.warm(("wave",), seconds=LONG)
    pid = waiting(runner)
    runner.start(Unsendable())
    last = events_of(runner)[-1]
    assert isinstance(last, Failed) and last.kind is Kind.CRASH and "pickle" in last.sentence
    assert gone(pid) and empty(bench.folders)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_when_the_parent_is_killed_the_child_that_waits_goes_too(bench):
    code = f"""
        import sys, time
        sys.path.insert(0, {str(HERE)!r})
        from ASLDenoiseLib.running.runner import Runner
        runner = Runner()
        runner.warm(("wave",), seconds=600)
        while runner.waiting is None:
            time.sleep(0.02)
        print(runner.waiting, flush=True)
        input()
    """
    environment = {**with_tests(child_python().environment), "TMPDIR": str(bench.folders)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, **pipes)
    try:
        pid = int(parent.stdout.readline())
        assert alive(pid)
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()
    assert gone(pid) and empty(bench.folders)


@dataclass
class Nap(Task):
    seconds_long: float

    def run(self, progress):
        time.sleep(self.seconds_long)
        return "rested"


class Unsendable(Task):
    def __init__(self) -> None:
        self.work = lambda: None

    def run(self, progress):
        return None
