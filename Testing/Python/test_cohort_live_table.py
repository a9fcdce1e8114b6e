"""What a cohort shows while it runs: on a terminal, in a log, and to a parent process."""

from __future__ import annotations

import io
import json
import os
import re

import pytest
from cohort_builders import record

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.group.record import Status
from ASLDenoiseLib.participants.live_table import (
    Display,
    JsonDisplay,
    LiveTable,
    PlainLines,
    make_display,
)
from ASLDenoiseLib.participants.pool import Outcome, PoolState, TaskBegan, TaskEnded, TaskMoved
from ASLDenoiseLib.participants.tally import Tally
from ASLDenoiseLib.progress import parse_line

WHY = "The M0 is missing; give one."


class Clock:
    """Seconds that go by when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A terminal, with what stands on it after all that was written."""

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        lines: list[str] = []
        for part in re.split(r"(\x1b\[\d+F\x1b\[J|\n)", self.getvalue()):
            up = re.fullmatch(r"\x1b\[(\d+)F\x1b\[J", part)
            if up:
                del lines[-int(up[1]) :]
            elif part and part != "\n":
                assert "\x1b" not in part
                lines.append(part)
        return lines


def ended(name: str, sentence: str = "") -> TaskEnded:
    status = Status.FAILED if sentence else Status.DONE
    return TaskEnded(Outcome(name, None, record(name, status=status, sentence=sentence)))


def died(name: str) -> TaskEnded:
    return TaskEnded(Outcome(name, None, sentence="The worker process ended.", error=RuntimeError()))


def hear(listener, clock: Clock, *events: tuple[float, object]) -> None:
    for seconds, event in events:
        clock.now = seconds
        listener(event)


def scans(count: int) -> list[str]:
    return [f"sub-{n:02}_ses-1" for n in range(1, count + 1)]


def test_time_left_is_what_scans_took_side_by_side_on_the_workers():
    clock = Clock()
    tally, (a, b, c, d) = Tally(clock), scans(4)
    hear(tally.hear, clock, (0, PoolState(6, 2)), (0, TaskBegan(a)), (0, TaskBegan(b)))
    assert tally.seconds_left() is None
    hear(tally.hear, clock, (20, TaskMoved(a, 0.2, "motion")))
    assert tally.seconds_left() == (2 * 80 + 4 * 100) / 2  # by the fraction of the first
    hear(tally.hear, clock, (100, ended(a)), (100, TaskBegan(c)), (110, ended(b, WHY)), (110, TaskBegan(d)))
    clock.now = 120
    assert tally.seconds_left() == (80 + 90 + 2 * 100) / 2  # a scan that failed says nothing of the others
    assert (tally.done, tally.failed, tally.over, tally.waiting) == (1, {b: WHY}, 2, 2)
    hear(tally.hear, clock, (500, PoolState(6, 0)))
    assert tally.seconds_left() is None


def test_time_left_is_never_less_than_what_the_last_scan_needs():
    clock = Clock()
    tally, (a, b) = Tally(clock), scans(2)
    hear(tally.hear, clock, (0, PoolState(2, 8)), (0, TaskBegan(a)), (60, ended(a)), (60, TaskBegan(b)))
    assert tally.seconds_left() == 60


def test_a_terminal_has_one_table_that_is_redrawn_in_place():
    clock, terminal = Clock(), Terminal()
    a, b, c = scans(3)
    table = LiveTable(terminal, before=4, clock=clock, size=lambda: os.terminal_size((80, 24)))
    hear(
        table,
        clock,
        *((0, PoolState(3, 2)), (1, TaskBegan(a)), (2, TaskBegan(b)), (31, TaskMoved(a, 0.5, "segmenting the T1"))),
        (61, TaskMoved(b, 0.25, "motion")),
    )
    assert terminal.screen == [
        "4 of 7 scans done, 2 running; about 3 min left",
        f"  {a}   50 %     1:00  segmenting the T1",
        f"  {b}   25 %     0:59  motion",
    ]
    hear(table, clock, (121, ended(a)), (122, TaskBegan(c)), (123, ended(b, WHY)))
    assert terminal.screen == [
        f"failed: {b}: {WHY}",
        "5 of 7 scans done, 1 failed, 1 running; about 2 min left",
        f"  {c}    0 %     0:01  starting",
    ]
    hear(table, clock, (200, ended(c)))
    table.close()
    assert terminal.screen == [f"failed: {b}: {WHY}", "6 of 7 scans done, 1 failed"]


def test_a_table_that_was_stopped_ends_with_what_is_done():
    clock, terminal = Clock(), Terminal()
    a, b = scans(2)
    table = LiveTable(terminal, clock=clock)
    hear(table, clock, (0, PoolState(9, 2)), (0, TaskBegan(a)), (60, ended(a)), (60, TaskBegan(b)))
    table.close()
    assert terminal.screen == ["1 of 9 scans done"]


def test_the_table_is_no_taller_and_no_wider_than_the_terminal():
    clock, terminal = Clock(), Terminal()
    table = LiveTable(terminal, clock=clock, size=lambda: os.terminal_size((30, 6)))
    hear(table, clock, (0, PoolState(20, 20)), *((n, TaskBegan(name)) for n, name in enumerate(scans(20))))
    assert terminal.screen[-1] == "  and 17 more" and len(terminal.screen) == 5
    assert max(map(len, terminal.screen)) < 30
    hear(table, clock, (30, died("sub-07_ses-1")))
    assert terminal.screen[0] == "failed: sub-07_ses-1: The worker process ended."


def test_a_table_is_drawn_a_few_times_a_second_at_most():
    clock, terminal = Clock(), Terminal()
    table = LiveTable(terminal, clock=clock)
    hear(table, clock, *((n / 1000, TaskMoved("a", n / 1000, "motion")) for n in range(1000)))
    assert 4 <= terminal.getvalue().count("\x1b[J") <= 5


def test_a_log_has_a_line_a_scan_that_is_over_and_no_control_characters():
    clock, log = Clock(), io.StringIO()
    a, b = scans(2)
    lines = PlainLines(log, before=1, clock=clock)
    hear(
        lines,
        clock,
        *((0, PoolState(3, 0)), (1, PoolState(3, 0)), (2, PoolState(3, 1)), (2, TaskBegan(a))),
        *((9, TaskMoved(a, 0.5, "motion")), (62, ended(a)), (62, TaskBegan(b)), (70, ended(b, WHY))),
    )
    lines.close()
    assert log.getvalue().splitlines() == [
        "No worker is there yet; waiting.",
        f"[2/4] {a}: done; about 2 min left",
        f"[3/4] {b}: failed: {WHY}; about 60 s left",
    ]


def test_a_parent_process_reads_counts_and_time_left_line_by_line():
    clock, pipe = Clock(), io.StringIO()
    a, b = scans(2)
    display = JsonDisplay(pipe, before=1, clock=clock)
    hear(
        display,
        clock,
        *((0, PoolState(2, 1)), (1, TaskBegan(a)), (10, TaskMoved(a, 0.5, "motion")), (21, ended(a))),
        *((21, TaskBegan(b)), (22, ended(b, WHY))),
    )
    lines = [json.loads(line) for line in pipe.getvalue().splitlines()]
    counts = ("total", "done", "failed", "running", "seconds_left", "text")
    assert [tuple(line[name] for name in counts) for line in lines] == [
        (3, 1, 0, 0, None, ""),
        (3, 1, 0, 1, 27.0, f"{a}: motion"),  # 18 s a scan by its fraction, of which 9 are over
        (3, 2, 0, 0, 20.0, f"{a}: done"),
        (3, 2, 1, 0, 0.0, f"{b}: failed: {WHY}"),
    ]
    read = [parse_line(line) for line in pipe.getvalue().splitlines()]
    assert [line.fraction for line in read] == [0.3333, 0.5, 0.6667, 1.0]


@pytest.mark.parametrize(
    ("kind", "stream", "expected"),
    [
        ("auto", Terminal(), LiveTable),
        ("bar", io.StringIO(), PlainLines),
        ("json", Terminal(), JsonDisplay),
        ("none", Terminal(), Display),
    ],
)
def test_the_display_goes_by_the_name_and_the_stream(kind, stream, expected, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert type(make_display(kind, stream=stream)) is expected


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert type(make_display(stream=Terminal())) is PlainLines


def test_another_name_is_refused():
    with pytest.raises(InputError, match="There is no progress kind 'fancy'; choose one of auto, json, bar, none"):
        make_display("fancy")
