"""Why a child ended, in words: from what it said, its exit status, and what it did not say."""

from __future__ import annotations

import errno
import os

import pytest

from ASLDenoiseLib.running.ending import Evidence, cannot_start, cannot_write, failure
from ASLDenoiseLib.running.events import Kind
from ASLDenoiseLib.running.protocol import STATUSES, EndNotice, StartNotice, notice_line, parse_notice

SEGMENTATION = ("WARNING: odd", "Fatal Python error: Segmentation fault", "", "Current thread 0x1:", "  File x")


def test_notices_are_one_line_each_and_read_back():
    told = EndNotice("crash", "ValueError: a\nb", 'Traceback\n  "x"\n')
    for notice in (StartNotice(17), told):
        line = notice_line(notice)
        assert line.count("\n") == 1
        assert parse_notice(line) == notice


@pytest.mark.parametrize(
    "line", ["", "3", "[]", "{}", '{"ended": 3}', '{"ended": {"when": 1}}', '{"started": "x"}', "hm"]
)
def test_a_line_that_is_no_notice_is_passed_over(line):
    assert parse_notice(line) is None


@pytest.mark.parametrize(
    ("evidence", "kind", "words"),
    [
        (Evidence(2, EndNotice("input", "Give an M0."), True), Kind.INPUT, "Give an M0."),
        (Evidence(3, EndNotice("memory", "MemoryError", "Traceback"), True), Kind.MEMORY, "close other programs"),
        (Evidence(4, EndNotice("disk", "OSError", "Traceback"), True), Kind.DISK, "make room"),
        (Evidence(1, EndNotice("crash", "KeyError: 'x'", "Traceback"), True), Kind.CRASH, "KeyError: 'x'"),
        (Evidence(-9, None, True), Kind.KILLED, "most likely the computer's memory ran out"),
        (Evidence(-9, None, False), Kind.KILLED, "signal 9, SIGKILL"),
        (Evidence(-15, None, True), Kind.KILLED, "signal 15, SIGTERM"),
        (Evidence(1, None, True, ["error: [x] exit abnormally"]), Kind.KILLED, "ended from outside: most likely"),
        (Evidence(0, None, True), Kind.KILLED, "ended from outside"),
        (Evidence(-11, None, True), Kind.CRASH, "left no word why"),
        (Evidence(-11, None, True, SEGMENTATION), Kind.CRASH, "Fatal Python error: Segmentation fault"),
        (Evidence(1, None, True, SEGMENTATION), Kind.CRASH, "Fatal Python error: Segmentation fault"),
        (
            Evidence(3221225477, None, True, ["Windows fatal exception: access violation"]),
            Kind.CRASH,
            "access violation",
        ),
        (Evidence(0xC0000005, None, True), Kind.CRASH, "left no word why"),
        (Evidence(0xC0000017, None, True), Kind.MEMORY, "memory ran out"),
        (Evidence(0xC000013A, None, True), Kind.KILLED, "ended from outside"),
        (Evidence(-6, None, True, ["terminate called after 'std::bad_alloc'"]), Kind.MEMORY, "memory ran out"),
        (Evidence(1, None, False, ["No module named numpy"]), Kind.CRASH, "did not start: No module named numpy"),
        (Evidence(127, None, False), Kind.CRASH, "did not start and left no word why"),
    ],
)
def test_every_end_has_its_kind_and_its_words(evidence, kind, words):
    failed = failure(evidence)
    assert failed.kind is kind
    assert words in failed.sentence
    assert "\n" not in failed.sentence


def test_a_warning_of_little_memory_does_not_make_a_killed_child_one_that_said_so():
    log = ["WARNING: Out of memory: going on with patches of 32 voxels on cpu."]
    assert failure(Evidence(-9, None, True, log)).kind is Kind.KILLED


def test_the_details_are_the_last_lines_of_the_log():
    details = failure(Evidence(-9, None, True, [f"line {n}" for n in range(100)])).details
    assert details.splitlines() == [f"line {n}" for n in range(80, 100)]


def test_every_end_a_child_can_tell_has_an_exit_status_of_its_own():
    assert set(STATUSES) == {"done", "crash", "input", "memory", "disk"}
    assert len(set(STATUSES.values())) == 5 and STATUSES["done"] == 0


def test_what_cannot_be_written_or_started_is_told_with_the_reason():
    full = cannot_write(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert full.kind is Kind.DISK and "make room" in full.sentence
    closed = cannot_write(PermissionError(errno.EACCES, "Permission denied", "place"))
    assert closed.kind is Kind.DISK and "'place'" in closed.sentence and "Permission denied" in closed.sentence
    missing = cannot_start(FileNotFoundError(errno.ENOENT, "No such file"), "PythonSlicer")
    assert missing.kind is Kind.CRASH and "PythonSlicer" in missing.sentence and "reinstall" in missing.sentence
