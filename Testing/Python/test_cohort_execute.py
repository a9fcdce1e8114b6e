"""The run of one scan in a worker: a child process, whose end is a record, and which goes when nobody waits for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from pool_builders import HERE, ROOT, await_files, await_gone, script
from scan_task_builders import ENVIRONMENT, made_scan, name_of

from ASLDenoiseLib.group.record import Status, read_records
from ASLDenoiseLib.participants import worker_side
from ASLDenoiseLib.participants.execute import failed_record, run_scan

pytestmark = pytest.mark.child
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, HERE))))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_scan_runs_in_a_child_with_its_own_threads_and_its_record_comes_back(tmp_path, threads):
    record = run_scan(made_scan(tmp_path), threads)
    assert record.status is Status.DONE and read_records(tmp_path) == (record,)
    assert record.values == dict.fromkeys(ENVIRONMENT, str(threads))


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("input", "The M0 is missing; give one."),
        ("memory", "The computer's memory ran out; close other programs, or ask for less"),
        ("disk", "A file could not be read or written (OUT/map.nii.gz): the disk is full; make room on it"),
        (
            "read-only",
            "A file could not be read or written (OUT/map.nii.gz): the disk can only be read; choose another",
        ),
        ("odd", "The run stopped at an error that nobody foresaw: ValueError: odd"),
        pytest.param("killed", "The run was ended from outside (signal 9, SIGKILL): most likely", marks=POSIX),
    ],
)
def test_a_scan_that_fails_leaves_a_record_with_one_sentence(tmp_path, end, sentence):
    record = run_scan(made_scan(tmp_path, end))
    assert record.sentence.replace(str(tmp_path), "OUT").startswith(sentence)
    assert record.status is Status.FAILED and record.digest == "digest" and record.seconds > 0
    assert [each.sentence for each in read_records(tmp_path)] == [record.sentence]


def test_a_record_that_cannot_be_written_is_told_and_stops_nobody(tmp_path):
    (tmp_path / "cohort").write_text("a file stands here")
    record = failed_record(made_scan(tmp_path), "The M0 is missing; give one.")
    assert record.sentence.startswith("The M0 is missing; give one. A file could not be read or written")


@POSIX
def test_leaving_the_loop_takes_the_children_of_the_workers_along(tmp_path):
    from ASLDenoiseLib.participants.clusters import Workers, open_cluster
    from ASLDenoiseLib.participants.pool import TaskMoved, run_tasks

    tasks = [made_scan(tmp_path, name="sub-01_ses-1"), made_scan(tmp_path, "sleep", name="sub-02_ses-1")]
    events = []
    with open_cluster(Workers(count=2)) as client:
        for outcome in run_tasks(client, run_scan, tasks, key=name_of, listener=events.append):
            assert outcome.result.status is Status.DONE
            (began,) = await_files(tmp_path, "*.began", 1)
            break
        pid, temporary = began.read_text("utf-8").split(maxsplit=1)
        assert await_gone([int(pid)], patience=1.0) == [] and not Path(temporary).exists()
    assert "segmenting the T1" in {event.text for event in events if isinstance(event, TaskMoved)}
    assert [record.name for record in read_records(tmp_path)] == ["sub-01_ses-1"]


RUN = """
from pathlib import Path
from scan_task_builders import made_scan, name_of
from ASLDenoiseLib.participants.clusters import Workers, open_cluster
from ASLDenoiseLib.participants import worker_side
from ASLDenoiseLib.participants.execute import run_scan
from ASLDenoiseLib.participants.pool import run_tasks

if __name__ == "__main__":
    out = Path(__file__).parent
    tasks = [made_scan(out, end, name=f"sub-0{n}_ses-1") for n, end in enumerate(["done", "sleep", "sleep", "sleep"])]
    with open_cluster(Workers(count=2)) as client:
        for outcome in run_tasks(client, run_scan, tasks, key=name_of):
            print(outcome.key, flush=True)
"""


@POSIX
@pytest.mark.parametrize("ended", ["SIGKILL", "SIGINT"])
def test_whatever_ends_the_coordinator_ends_workers_and_children_and_keeps_the_records(tmp_path, ended):
    process = script(tmp_path, RUN)
    told = [path.read_text("utf-8").split(maxsplit=1) for path in await_files(tmp_path, "*.began", 2)]
    await_files(tmp_path, "cohort/sub-00_ses-1.json", 1)
    process.send_signal(getattr(signal, ended))
    process.communicate(timeout=20)
    assert await_gone([int(pid) for pid, _ in told]) == []
    await_no_files([Path(folder) for _, folder in told])
    assert [record.name for record in read_records(tmp_path)] == ["sub-00_ses-1"]


def await_no_files(folders: list[Path], patience: float = 5.0) -> None:
    until = time.monotonic() + patience
    while any(folder.exists() for folder in folders):
        assert time.monotonic() < until, folders
        time.sleep(0.05)


@POSIX
def test_a_worker_that_is_killed_takes_its_child_along_and_the_scan_is_run_again(tmp_path):
    from ASLDenoiseLib.participants.clusters import Workers, open_cluster
    from ASLDenoiseLib.participants.pool import TaskBegan, run_tasks

    starts: list[int] = []  # pids of the children

    def listener(event):
        if isinstance(event, TaskBegan):
            (said,) = await_files(tmp_path, "*.began", 1)
            starts.append(int(said.read_text("utf-8").split()[0]))
            said.unlink()
            if len(starts) == 1:
                (worker,) = client.run(os.getpid).values()
                os.kill(worker, signal.SIGKILL)
            else:
                raise StopWaiting

    with open_cluster(Workers(count=1)) as client:
        with pytest.raises(StopWaiting):
            list(run_tasks(client, run_scan, [made_scan(tmp_path, "sleep")], key=name_of, listener=listener))
        assert len(set(starts)) == 2 and await_gone(starts, patience=2.0) == []


class StopWaiting(Exception):
    """Enough was seen."""


def test_a_new_step_is_told_at_once_and_how_far_it_is_twice_a_second(monkeypatch):
    told, now = [], iter((0.0, 0.1, 0.2, 0.3, 0.9))
    monkeypatch.setattr(worker_side, "_tell", lambda what, **more: told.append((more["text"], more["fraction"])))
    progress = worker_side.WorkerProgress(lambda: next(now))
    for fraction, text in ((0.0, "starting"), (0.1, "segmenting"), (0.2, "segmenting"), (0.3, "segmenting")):
        progress(fraction, text)
    progress(0.4, "segmenting")
    assert told == [("starting", 0.0), ("segmenting", 0.1), ("segmenting", 0.4)]
