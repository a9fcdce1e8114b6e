"""Scans on workers: a real cluster of two on this machine, of which some die, some fail, and all are let go."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pace import pace
from pool_builders import HERE, Job, await_files, await_gone, die_where_told, fail, name_of, nap, nap_aloud, script

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.participants.clusters import Workers, check_workers, open_cluster
from ASLDenoiseLib.participants.pool import PoolState, TaskBegan, TaskEnded, TaskMoved, run_tasks

pytest.importorskip("distributed", reason='the extra "cohort" is not installed')
pytestmark = pytest.mark.child
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(scope="module")
def opened() -> Iterator[object]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
        with open_cluster(Workers(count=2)) as opened:
            yield opened


@pytest.fixture
def client(opened):
    """The cluster with both of its workers, of which the test before may have ended one."""
    opened.wait_for_workers(2, timeout=30)
    return opened


def jobs(count: int, seconds: float = 0.0, folder: Path | None = None) -> list[Job]:
    return [Job(f"sub-{n:03d}", seconds, folder) for n in range(count)]


def test_outcomes_come_as_they_end_with_their_results(client):
    given = [Job("slow", 0.6), Job("quick"), Job("other")]
    outcomes = list(run_tasks(client, nap, given, key=name_of))
    assert {o.key: o.result for o in outcomes} == {"slow": "SLOW", "quick": "QUICK", "other": "OTHER"}
    assert outcomes[-1].key == "slow" and outcomes[-1].task == given[0] and not outcomes[-1].failed


def test_two_workers_run_two_at_once_and_no_more_are_handed_out(client):
    at_once, most = set(), 0

    def listener(event):
        nonlocal most
        if isinstance(event, TaskBegan):
            at_once.add(event.key)
        elif isinstance(event, TaskEnded):
            at_once.discard(event.outcome.key)
        most = max(most, len(at_once))

    assert len(list(run_tasks(client, nap, jobs(12, 0.05), key=name_of, listener=listener))) == 12
    assert most == 2


def test_a_listener_is_told_of_workers_beginnings_progress_and_ends(client, tmp_path):
    events = []
    list(run_tasks(client, nap_aloud, jobs(3, 0.3, tmp_path), key=name_of, listener=events.append))
    assert events[0] == PoolState(3, 2)
    assert sorted(e.key for e in events if isinstance(e, TaskBegan)) == ["sub-000", "sub-001", "sub-002"]
    assert {e.key for e in events if isinstance(e, TaskMoved)} == {"sub-000", "sub-001", "sub-002"}
    assert {(e.fraction, e.text) for e in events if isinstance(e, TaskMoved)} == {(0.5, "napping")}
    assert sum(isinstance(e, TaskEnded) for e in events) == 3


def test_what_fails_fails_alone_and_says_why(client):
    outcomes = {o.key: o for o in run_tasks(client, fail, [Job("empty"), Job("odd")], key=name_of)}
    assert outcomes["empty"].sentence == "The series is empty; export it again."
    assert isinstance(outcomes["empty"].error, InputError)
    assert outcomes["odd"].sentence == "The run stopped at an error that nobody foresaw: ValueError: odd"


def test_two_tasks_of_one_name_are_refused(client):
    with pytest.raises(ValueError, match="same key"):
        next(run_tasks(client, nap, [Job("a"), Job("a")], key=name_of))


@POSIX
def test_a_scan_whose_worker_dies_is_run_by_another_one(client, tmp_path):
    given = [Job("dies-2", 0, tmp_path), *jobs(4, 0.1, tmp_path)]
    outcomes = {o.key: o for o in run_tasks(client, partial(either), given, key=name_of)}
    assert len(outcomes) == 5 and not any(o.failed for o in outcomes.values())
    assert (tmp_path / "dies-2.starts").read_text("utf-8") == "xxx"


@POSIX
def test_a_scan_under_which_the_worker_dies_three_times_is_given_up_and_the_others_go_on(client, tmp_path):
    given = [Job("dies-9", 0, tmp_path), *jobs(4, 0.1, tmp_path)]
    outcomes = {o.key: o for o in run_tasks(client, either, given, key=name_of)}
    assert outcomes["dies-9"].sentence.startswith("The worker process ended three times while it ran this scan")
    assert [o.result for k, o in sorted(outcomes.items()) if k != "dies-9"] == [f"SUB-{n:03d}" for n in range(4)]
    assert (tmp_path / "dies-9.starts").read_text("utf-8") == "xxx"


def either(job: Job) -> str:
    return die_where_told(job) if job.name.startswith("dies") else nap(job)


def test_leaving_the_loop_ends_what_runs_at_once(client, tmp_path):
    given = [Job("quick", 0.3, tmp_path), *jobs(8, 60, tmp_path)]
    for outcome in run_tasks(client, nap_aloud, given, key=name_of):
        assert outcome.key == "quick"
        await_files(tmp_path, "sub-*.began", 1)
        break
    await_files(tmp_path, "*.unwanted", len(list(tmp_path.glob("sub-*.began"))))
    assert [o.result for o in run_tasks(client, nap, jobs(2), key=name_of)] and not list(tmp_path.glob("sub-*.ended"))


def test_hundreds_of_tasks_wait_here_and_leave_nothing_in_the_scheduler(client):
    assert sum(1 for _ in run_tasks(client, nap, jobs(300), key=name_of)) == 300
    until = time.monotonic() + 5
    while client.futures and time.monotonic() < until:
        time.sleep(0.05)
    assert not client.futures
    assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_a_function_of_another_version_is_not_called(client, monkeypatch):
    monkeypatch.setattr("ASLDenoiseLib.__version__", "99.0")
    with pytest.raises(InputError, match=r"A worker has ASLDenoiseLib .*, and this is 99.0; install the same version"):
        list(run_tasks(client, nap, jobs(2), key=name_of))
    with pytest.raises(InputError, match=r"The worker tcp://.* has ASLDenoiseLib .*, and this is 99.0; install"):
        check_workers(client)


def test_a_folder_that_a_worker_does_not_see_is_named(client, tmp_path):
    check_workers(client, folders=[tmp_path])
    with pytest.raises(InputError, match=r"The worker tcp://.* does not see .*nowhere; put it on a disk that all"):
        check_workers(client, folders=[tmp_path, tmp_path / "nowhere"])


RUN = """
import sys
from pathlib import Path
from pool_builders import Job, name_of, nap_aloud
from ASLDenoiseLib.participants.clusters import Workers, open_cluster
from ASLDenoiseLib.participants.pool import run_tasks

if __name__ == "__main__":
    folder = Path(__file__).parent
    given = [Job("quick", 0.3, folder), *(Job(f"sub-{n}", 60, folder) for n in range(6))]
    try:
        with open_cluster(Workers(count=2)) as client:
            for outcome in run_tasks(client, nap_aloud, given, key=name_of):
                print(outcome.key, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        sys.exit(130)
"""


@POSIX
@pytest.mark.alone
@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "process"])
def test_ctrl_c_ends_every_worker_within_seconds_and_says_nothing_on_its_own(tmp_path, whole_group):
    process = script(tmp_path, RUN)
    pids = [int(path.read_text("utf-8")) for path in await_files(tmp_path, "*.began", 3)]
    started = time.monotonic()
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - started < 5 + 200 * pace()
    assert (process.returncode, out.split(), err) == (130, ["quick", "stopped"], "")
    assert await_gone(pids) == []
    assert len(list(tmp_path.glob("*.unwanted"))) == 2


@POSIX
def test_a_coordinator_that_is_killed_takes_its_workers_with_it(tmp_path):
    process = script(tmp_path, RUN)
    pids = [int(path.read_text("utf-8")) for path in await_files(tmp_path, "*.began", 3)]
    process.kill()
    process.communicate()
    assert await_gone(pids) == []


@POSIX
def test_a_scheduler_that_is_gone_is_told_in_one_sentence_and_what_has_ended_is_kept(tmp_path):
    import subprocess

    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE)))}
    said = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": tmp_path}
    scheduler = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port), "--no-dashboard"], **said
    )
    address = f"tcp://127.0.0.1:{port}"
    worker = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"], **said
    )
    try:
        time.sleep(2)
        with open_cluster(Workers(scheduler=address), folders=[tmp_path]) as client:
            threading.Timer(1.5, scheduler.kill).start()
            ended = []
            given = [Job("quick", 0.1, tmp_path), *jobs(3, 60, tmp_path)]
            with pytest.raises(InputError, match="The scheduler of the workers is gone; what is done is kept"):
                ended += run_and_keep(client, given, ended)
        assert ended == ["quick"]
        await_files(tmp_path, "sub-000.unwanted", 1)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def run_and_keep(client, given, ended):
    for outcome in run_tasks(client, nap_aloud, given, key=name_of):
        ended.append(outcome.key)
    return []


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
