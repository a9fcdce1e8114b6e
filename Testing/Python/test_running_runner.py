"""The runner, with real child processes: what it tells, that a cancelled run is gone, and that nobody waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pace import pace
from running_builders import HERE, Bench, Chatter, Count, Echo, Raise, Sleep, alive, events_of, gone, with_tests

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.events import Cancelled, Done, Event, Failed, Kind, LogLine, ProgressEvent
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.runner import TaskCancelled, TaskFailed

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")


@pytest.fixture
def bench(tmp_path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


def asleep(said: Path, *, patience: float = 20.0) -> tuple[int, int, Path]:
    """The pids of the worker and of what it started, and its temporary folder, once it sleeps."""
    until = time.monotonic() + patience
    while not said.exists():
        assert time.monotonic() < until, "the child never slept"
        time.sleep(0.02)
    worker, other, folder = said.read_text("utf-8").split(maxsplit=2)
    return int(worker), int(other), Path(folder)


def test_progress_arrives_in_order_and_the_result_last(bench):
    runner = bench.runner()
    runner.start(Count(50))
    events = events_of(runner)
    progress = [e for e in events if isinstance(e, ProgressEvent)]
    assert [e.text for e in progress] == ["starting", *(f"step {n + 1}" for n in range(50))]
    assert [e.fraction for e in progress] == sorted(e.fraction for e in progress)
    assert isinstance(events[-1], Done) and events[-1].result == 50
    assert not runner.running and runner.poll() == []
    assert list(bench.folders.iterdir()) == []


def test_a_runner_runs_one_job_after_another(bench):
    runner = bench.runner()
    for steps in (2, 3):
        runner.start(Count(steps))
        assert runner.wait() == steps


def test_a_second_start_is_refused_while_a_job_runs(bench, tmp_path):
    runner = bench.runner()
    runner.start(Sleep(tmp_path / "said"))
    with pytest.raises(RuntimeError, match="under way"):
        runner.start(Count(1))
    asleep(tmp_path / "said")
    runner.cancel()
    assert isinstance(events_of(runner)[-1], Cancelled)


def test_waiting_gives_the_result_or_raises_what_went_wrong(bench):
    runner = bench.runner()
    seen: list[Event] = []
    runner.start(Count(3))
    assert runner.wait(seen.append) == 3
    assert isinstance(seen[-1], Done) and len(seen) == 5
    runner.start(Raise(InputError("The series is empty; load another.")))
    with pytest.raises(InputError, match="load another"):
        runner.wait()
    runner.start(Raise(ValueError("odd")))
    with pytest.raises(TaskFailed, match="ValueError: odd") as caught:
        runner.wait()
    assert caught.value.failed.kind is Kind.CRASH
    with pytest.raises(RuntimeError, match="no run"):
        runner.wait()


def test_the_listener_of_a_wait_can_cancel(bench, tmp_path):
    runner = bench.runner()
    runner.start(Sleep(tmp_path / "said"))
    with pytest.raises(TaskCancelled):
        runner.wait(lambda event: runner.cancel() if getattr(event, "fraction", 0) == 0.5 else None)
    assert gone(*asleep(tmp_path / "said")[:2])


def test_what_the_work_needs_not_send_back_is_the_very_object_that_was_given(bench):
    runner = bench.runner()
    given = np.arange(5.0)
    runner.start(Echo(given))
    back, other = runner.wait()
    assert back is given
    np.testing.assert_array_equal(other, given + 1)


def test_prints_and_warnings_are_log_lines_and_do_not_disturb_progress(bench):
    runner = bench.runner()
    runner.start(Chatter(300))
    events = events_of(runner)
    assert sum(isinstance(e, ProgressEvent) for e in events) == 301
    assert sum(isinstance(e, LogLine) and e.text.startswith("said on standard output") for e in events) == 300


@POSIX
@pytest.mark.alone
@pytest.mark.parametrize("launched", [False, True], ids=["python", "launcher"])
def test_cancel_leaves_no_process_and_no_folder(bench, launched, tmp_path):
    runner = bench.runner(launched=launched)
    runner.start(Sleep(tmp_path / "said"))
    worker, other, temporary = asleep(tmp_path / "said")
    group = os.getpgid(worker)
    assert alive(worker) and alive(other) and group != os.getpgrp() and bench.folders in temporary.parents
    limit, started = pace(), time.perf_counter()
    runner.cancel()
    runner.cancel()
    assert time.perf_counter() - started < limit
    assert events_of(runner, patience=5) == [Cancelled()]
    assert gone(worker, other, group)
    assert list(bench.folders.iterdir()) == []


@POSIX
def test_cancel_at_once_leaves_nothing_either(bench):
    runner = bench.runner()
    for pause in (0.0, 0.005, 0.02, 0.05, 0.1):
        runner.start(Count(10**6))
        time.sleep(pause)
        runner.cancel()
        assert events_of(runner, patience=10)[-1] == Cancelled()
        assert list(bench.folders.iterdir()) == []


def test_a_cancelled_run_never_gives_a_result_even_if_it_was_done_already(bench):
    runner = bench.runner()
    runner.start(Count(1))
    until = time.monotonic() + 20
    while (runner.pid is None or list(bench.folders.iterdir())) and time.monotonic() < until:
        time.sleep(0.02)  # until the result lies ready to be fetched
    time.sleep(0.1)
    runner.cancel()
    assert runner.poll() == [Cancelled()]


@POSIX
def test_a_launcher_that_is_killed_takes_the_work_with_it(bench, tmp_path):
    runner = bench.runner(launched=True)
    runner.start(Sleep(tmp_path / "said"))
    worker, other, _ = asleep(tmp_path / "said")
    assert runner.pid == worker
    os.kill(os.getpgid(worker), signal.SIGKILL)
    assert isinstance(events_of(runner)[-1], Failed)
    assert gone(worker, other)


@POSIX
@pytest.mark.parametrize("end", ["killed", "killed while the child is deaf", "gone right after it cancelled"])
def test_when_the_parent_is_gone_the_child_and_its_files_go(bench, tmp_path, end):
    code = f"""
        import os, sys
        from pathlib import Path
        sys.path.insert(0, {str(HERE)!r})
        from ASLDenoiseLib.running.runner import Runner
        from running_builders import Sleep
        runner = Runner()
        runner.start(Sleep(Path({str(tmp_path / "said")!r}), busy={"deaf" in end}))
        input()
        runner.cancel()
        os._exit(0)
    """
    environment = with_tests(child_python().environment)
    command = [sys.executable, "-c", textwrap.dedent(code)]
    parent = subprocess.Popen(command, env={**environment, "TMPDIR": str(bench.folders)}, stdin=subprocess.PIPE)
    try:
        worker, other, _ = asleep(tmp_path / "said")
        assert len(list(bench.folders.iterdir())) == 1
        if "cancelled" in end:
            parent.communicate(b"\n", timeout=10)
    finally:
        parent.kill()
        parent.wait()
    assert gone(worker, other)
    until = time.monotonic() + 2
    while list(bench.folders.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(bench.folders.iterdir()) == []


@pytest.mark.alone
def test_starting_and_polling_never_hold_up_the_window(bench):
    runner = bench.runner()
    took, pauses = [], []

    def timed(call: Callable, *arguments: object) -> object:
        started = time.perf_counter()
        given = call(*arguments)
        took.append(time.perf_counter() - started)
        return given

    before = pace()
    timed(runner.start, Chatter(20_000))
    events: list[Event] = []
    while runner.running:
        events += timed(runner.poll)
        started = time.perf_counter()
        time.sleep(0.005)
        pauses.append(time.perf_counter() - started - 0.005)
    assert isinstance(events[-1], Done) and events[-1].result.nbytes == 2**27
    assert len(took) > 50
    limit = max(before, pace())
    # twice at most may the machine have been busy with others at that very moment
    assert sorted(took)[-3] < limit, (limit, sorted(took)[-5:])
    # nor do the threads behind it keep Python to themselves, as they load the result
    assert sorted(pauses)[-3] < 2.5 * limit, (limit, sorted(pauses)[-5:])
