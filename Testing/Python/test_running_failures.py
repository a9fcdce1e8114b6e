"""How a run that fails is told: input, memory, disk, killed, crash; and that it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running_builders import Array, Bench, Echo, Fall, Leave, Raise, Signal, Task, TooLarge, events_of

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.remedies import Advice, Choose, GiveImage, SetField
from ASLDenoiseLib.running.events import Cancelled, Done, Failed, Kind
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.runner import Runner

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")


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


def test_the_remedies_of_an_error_come_back_as_data(bench):
    remedies = (Advice("look for one"), GiveImage("m0"), SetField("m0_scale", 0.1, "scale it"), Choose("device", "cpu"))
    runner = bench.runner()
    failed = failure_of(runner, Raise(InputError("There is no M0", remedies)))
    assert (failed.error.what, failed.error.remedies) == ("There is no M0", remedies)
    assert failed.sentence == str(InputError("There is no M0", remedies))
    runner.start(Raise(InputError("There is no M0", remedies)))
    with pytest.raises(InputError) as caught:
        runner.wait()
    assert caught.value.remedies == remedies


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
    assert done.returncode == 1 and "There is no task" in done.stderr
    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"


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
