"""What a cohort shows while it runs: a table that is redrawn in place on a terminal, plain lines elsewhere, or JSON.

Everything goes to standard error, as all progress does.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from ..progress import require_kind
from .pool import PoolEvent, TaskBegan, TaskEnded, TaskMoved
from .tally import Tally, in_words, reason_of

_OFTEN = 0.2  # s between two drawings
_JSON_OFTEN = 2.0  # s between two lines while nothing ends


class Display:
    """A listener of a pool that shows nothing; close it at the end, whatever that is.

    Args:
        stream: to write to.
        before: scans that were finished before, and are not run.
        clock: seconds.
    """

    def __init__(
        self, stream: TextIO | None = None, *, before: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self.before, self._clock = before, clock
        self._started = clock()
        self.tally = Tally(clock)

    def __call__(self, event: PoolEvent) -> None:
        """Hear what a pool tells, and show it."""
        self.tally.hear(event)

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the stream as it is to be read afterwards."""

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)

    def _counts(self) -> str:
        tally = self.tally
        parts = [f"{self.before + tally.done} of {self.before + tally.total} scans done"]
        parts += [f"{len(tally.failed)} failed"] if tally.failed else []
        parts += [f"{len(tally.running)} running"] if tally.running else []
        if tally.total and not tally.slots and not tally.running:
            parts.append("no worker is there yet")
        left = tally.seconds_left()
        return ", ".join(parts) + (f"; about {in_words(left)} left" if left else "")


class LiveTable(Display):
    """Counts, time left and a line a running scan, redrawn in place; failed scans scroll by above it."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        before: int = 0,
        clock: Callable[[], float] = time.monotonic,
        size: Callable[[], os.terminal_size] = shutil.get_terminal_size,
    ) -> None:
        super().__init__(stream, before=before, clock=clock)
        self._size, self._drawn, self._last = size, 0, float("-inf")

    def __call__(self, event: PoolEvent) -> None:
        """Hear what a pool tells, and draw it anew, a few times a second at most."""
        super().__call__(event)
        why = reason_of(event.outcome) if isinstance(event, TaskEnded) else ""
        if why:
            self._erase()
            self._print(f"failed: {event.outcome.key}: {why}")
        if why or self._clock() - self._last >= _OFTEN:
            self._draw()

    def close(self) -> None:
        """Leave the counts as the last line."""
        self._erase()
        self.tally.running.clear()  # where it was stopped, too
        if self.tally.total:
            self._print(self._counts().partition(";")[0])

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0

    def _draw(self) -> None:
        columns, rows = self._size()
        lines = [self._counts(), *self._rows(max(0, rows - 2))]
        self._erase()
        self._stream.write("".join(f"{line[: columns - 1]}\n" for line in lines))
        self._stream.flush()
        self._drawn, self._last = len(lines), self._clock()

    def _rows(self, most: int) -> list[str]:
        """A line a running scan, the one that began first on top; the last says how many more there are."""
        running = self.tally.running
        width = max(map(len, running), default=0)
        now = self._clock()
        lines = [
            f"  {name:{width}}  {100 * scan.fraction:3.0f} %  {_clock(now - scan.began):>7}  {scan.text}"
            for name, scan in running.items()
        ]
        if len(lines) <= most:
            return lines
        return [*lines[: most - 1], f"  and {len(lines) - most + 1} more"] if most else []


class PlainLines(Display):
    """One line a scan that is over, for logs and pipes."""

    _idle = False

    def __call__(self, event: PoolEvent) -> None:
        """Hear what a pool tells, and say what is over."""
        super().__call__(event)
        tally = self.tally
        if isinstance(event, TaskEnded):
            why, left = reason_of(event.outcome), tally.seconds_left()
            count = f"[{self.before + tally.over}/{self.before + tally.total}]"
            rest = f"; about {in_words(left)} left" if left else ""
            self._print(f"{count} {event.outcome.key}: {f'failed: {why}' if why else 'done'}{rest}")
        idle = bool(tally.total) and not tally.slots
        if idle and not self._idle:
            self._print("No worker is there yet; waiting.")
        self._idle = idle


class JsonDisplay(Display):
    """One JSON object a line, for a parent process, which `..progress.parse_line` reads as well.

    ``{"fraction": 0.5, "text": "sub-01_ses-1: done", "elapsed_s": 61.2, "total": 4, "done": 2, "failed": 0,
    "running": 1, "seconds_left": 60.1}``; counts are of all scans, those finished before as well; `seconds_left` is
    null while it is unknown.
    """

    _last = float("-inf")

    def __call__(self, event: PoolEvent) -> None:
        """Hear what a pool tells, and write it, at once where a scan is over."""
        super().__call__(event)
        now = self._clock()
        match event:
            case TaskEnded(outcome):
                why = reason_of(outcome)
                text = f"{outcome.key}: {f'failed: {why}' if why else 'done'}"
            case TaskBegan(key):
                text = f"{key}: starting"
            case TaskMoved(key, _, what):
                text = f"{key}: {what}"
            case _:
                text = ""
        if isinstance(event, TaskEnded) or now - self._last >= _JSON_OFTEN:
            self._last = now
            self._print(json.dumps(self._line(text, now - self._started)))

    def _line(self, text: str, elapsed: float) -> dict[str, object]:
        tally = self.tally
        total, left = self.before + tally.total, tally.seconds_left()
        part = self.before + tally.over + sum(scan.fraction for scan in tally.running.values())
        return {
            "fraction": round(min(1.0, part / total), 4) if total else 0.0,
            "text": text,
            "elapsed_s": round(elapsed, 3),
            "total": total,
            "done": self.before + tally.done,
            "failed": len(tally.failed),
            "running": len(tally.running),
            "seconds_left": None if left is None else round(left, 1),
        }


def make_display(kind: str = "auto", *, stream: TextIO | None = None, before: int = 0) -> Display:
    """The display for a name of `progress.KINDS`: `auto` and `bar` draw a table on a terminal and lines elsewhere.

    Raises:
        InputError: `kind` is none of these.
    """
    require_kind(kind)
    out = sys.stderr if stream is None else stream
    if kind == "none" or out is None:  # closed: nobody reads
        return Display(stream, before=before)
    if kind == "json":
        return JsonDisplay(stream, before=before)
    return (LiveTable if out.isatty() and _understands_ansi() else PlainLines)(stream, before=before)


def _understands_ansi() -> bool:
    """Whether the terminal moves its cursor on asking: all do but Windows' old one and those that say so."""
    if os.environ.get("TERM") == "dumb":
        return False
    return os.name != "nt" or any(name in os.environ for name in ("WT_SESSION", "TERM", "ANSICON", "TERM_PROGRAM"))


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
