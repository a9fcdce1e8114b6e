"""One cohort at a time in an OUT, and what one that was killed left there."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.participants.leftovers import remove_leftovers
from ASLDenoiseLib.participants.lock import PosixLocking, WindowsLocking, locked

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


class FakeMsvcrt:
    """Windows' locks by file and byte, and what it raises where one is taken."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        self.taken: dict[tuple[int, int], int] = {}

    def locking(self, handle: int, mode: int, count: int) -> None:
        place = (os.fstat(handle).st_ino, os.lseek(handle, 0, os.SEEK_CUR))
        assert count == 1
        if mode == self.LK_UNLCK:
            assert self.taken.pop(place) == handle
        elif place in self.taken:
            raise PermissionError(errno.EACCES, "Permission denied")
        else:
            self.taken[place] = handle


class NoLocks:
    """A network disk without them."""

    def take(self, handle: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    def release(self, handle: int) -> None:
        raise AssertionError("nothing was taken")


@pytest.fixture(params=["posix", "windows"])
def locking(request):
    if request.param == "posix":
        pytest.importorskip("fcntl")
        return PosixLocking()
    return WindowsLocking(FakeMsvcrt())


def test_a_second_cohort_is_told_who_is_there_and_may_begin_once_that_is_over(tmp_path, locking):
    with locked(tmp_path, locking=locking) as first:
        assert first.held and first.note == ""
        said = rf"Another cohort runs in .* \(process {os.getpid()} on .+, since \d.*\); wait for its end, stop it, or"
        with pytest.raises(InputError, match=said), locked(tmp_path, locking=locking):
            pass
        with locked(tmp_path / "other", locking=locking):
            pass
    with locked(tmp_path, locking=locking) as again:
        assert again.held


def test_the_lock_is_let_go_by_an_error(tmp_path, locking):
    with pytest.raises(KeyError), locked(tmp_path, locking=locking):
        raise KeyError
    with locked(tmp_path, locking=locking) as again:
        assert again.held


def test_a_disk_without_locks_is_said_and_does_without(tmp_path):
    with locked(tmp_path, locking=NoLocks()) as lock:
        assert not lock.held and "on a disk without locks: see to it that no other cohort runs in it" in lock.note


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_an_out_that_may_only_be_read_is_told_in_one_sentence(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="access is not allowed"), locked(tmp_path):
        pass


def test_an_out_where_a_file_stands_is_told_in_one_sentence(tmp_path):
    (tmp_path / "cohort").write_text("mine")
    with pytest.raises(InputError, match="something of that name is there already"), locked(tmp_path):
        pass


@POSIX
def test_a_cohort_that_is_killed_lets_go_of_its_out(tmp_path):
    body = (
        "import sys, time; from pathlib import Path; from ASLDenoiseLib.participants.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", body, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert json.loads((tmp_path / "cohort" / ".lock").read_text("utf-8"))["pid"] == process.pid
        with pytest.raises(InputError, match=f"process {process.pid} on"), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path) as lock:
        assert lock.held


def left_behind(out: Path) -> tuple[list[Path], list[Path]]:
    """What a cohort that was killed leaves, and what is to stay."""
    gone = [
        out / ".asldenoise-0123456789ab.partial",
        out / "sub-01" / ".asldenoise-0123456789ab.partial",
        out / "sub-01" / "ses-1" / "perf" / ".asldenoise-0123456789ab.partial",
        out / "group" / ".asldenoise-0123456789ab.partial",
    ]
    for folder in gone:
        folder.mkdir(parents=True)
        (folder / "map.nii.gz").write_text("half")
    (out / "cohort").mkdir()
    gone.append(out / "cohort" / ".sub-01_ses-1.json.4321.partial")
    stay = [out / "cohort" / "sub-01_ses-1.json", out / "sub-01" / "ses-1" / "perf" / "sub-01_ses-1_report.html"]
    stay += [out / "cohort" / ".lock", out / "mine.partial", out / "sub-01" / ".asldenoise-notes.partial"]
    for path in (gone[-1], *stay):
        path.write_text("text")
    return gone, stay


def test_what_a_killed_cohort_left_half_written_goes_and_nothing_else(tmp_path):
    gone, stay = left_behind(tmp_path)
    assert remove_leftovers(tmp_path, locked=True) == len(gone)
    assert not any(path.exists() for path in gone) and all(path.exists() for path in stay)
    assert remove_leftovers(tmp_path, locked=True) == 0


def test_without_a_lock_only_what_is_a_day_old_goes(tmp_path):
    gone, _ = left_behind(tmp_path)
    old = time.time() - 25 * 3600
    os.utime(gone[2], (old, old))
    assert remove_leftovers(tmp_path, locked=False) == 1
    assert [path.exists() for path in gone] == [True, True, False, True, True]


def test_an_out_that_is_not_there_has_no_leftovers(tmp_path):
    assert remove_leftovers(tmp_path / "new", locked=True) == 0
