"""How long work says where it is: one callable, `(fraction, text)`, and three things that listen to it.

A stage reports its own 0 to 1; `span` maps that into its part of the whole, so no stage knows the others.
Everything goes to stderr: stdout belongs to the readouts table.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from .errors import InputError

_ENOUGH_SECONDS, _ENOUGH_SHARE = 5.0, 0.1  # of a run, before anything is said of its end
KINDS = ("auto", "json", "bar", "none")


class Progress(Protocol):
    """What a stage calls while it works: the part that is done, 0 to 1, and one short line of text."""

    def __call__(self, fraction: float, text: str) -> None: ...


def silent(fraction: float, text: str) -> None:
    """Listen and say nothing; the default everywhere."""


def span(progress: Progress, start: float, stop: float) -> Progress:
    """A stage's own progress: its 0..1 becomes `start`..`stop` of the whole.

    >>> seen = []
    >>> span(lambda fraction, text: seen.append(fraction), 0.5, 0.9)(0.5, "half of the stage")
    >>> seen
    [0.7]
    """

    def stage(fraction: float, text: str) -> None:
        progress(start + (stop - start) * _within(fraction), text)

    return stage


def seconds_left(fraction: float, elapsed: float) -> float | None:
    """Seconds left of a run that is at `fraction`, by its steps' costs, after `elapsed` s; None while it is too early.

    >>> seconds_left(0.25, 20.0)
    60.0
    """
    if elapsed < _ENOUGH_SECONDS or fraction < _ENOUGH_SHARE:
        return None
    return elapsed * (1 - fraction) / fraction


class ProgressBar:
    """A bar on a terminal; elsewhere (a log, a pipe) one plain line a stage or tenth, never control characters."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._last: tuple[int, str] | None = None

    def __call__(self, fraction: float, text: str) -> None:
        """Show `fraction` (0 to 1) and `text`."""
        if self._stream.isatty():
            self._draw(_within(fraction), text)
        else:
            self._line(_within(fraction), text)

    def close(self) -> None:
        """Leave the terminal on a line of its own; harmless when called twice."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self, fraction: float, text: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            layout = "{percentage:3.0f} % |{bar}| {elapsed} {desc}"
            self._bar = tqdm(total=1.0, file=self._stream, bar_format=layout, dynamic_ncols=True, leave=True)
        self._bar.set_description_str(text, refresh=False)
        self._bar.n = fraction
        self._bar.refresh()
        if fraction >= 1:
            self.close()

    def _line(self, fraction: float, text: str) -> None:
        step = (int(fraction * 10), text)
        if step != self._last:
            self._last = step
            print(f"[{100 * fraction:3.0f} %] {text}", file=self._stream, flush=True)


class JsonLines:
    """One JSON object a line, for a parent process: ``{"fraction": 0.5, "text": "...", "elapsed_s": 3.2}``.

    `elapsed_s` counts from when this object was made. A full pipe's reader that has gone away raises
    `BrokenPipeError`, which ends the work: nobody waits for it any more.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._start = time.monotonic()

    def __call__(self, fraction: float, text: str) -> None:
        """Write one line and flush it."""
        elapsed = round(time.monotonic() - self._start, 3)
        line = json.dumps({"fraction": round(_within(fraction), 4), "text": text, "elapsed_s": elapsed})
        self._stream.write(line + "\n")
        self._stream.flush()


@dataclass(frozen=True)
class ProgressLine:
    """One line of `JsonLines`, read back: fraction 0 to 1, text, seconds since the start."""

    fraction: float
    text: str
    elapsed_s: float


def parse_line(line: str) -> ProgressLine | None:
    """Read one line of a child's stderr; None where it is not progress (a library's warning, a traceback)."""
    try:
        fields = json.loads(line)
        return ProgressLine(float(fields["fraction"]), str(fields["text"]), float(fields["elapsed_s"]))
    except (ValueError, TypeError, KeyError):
        return None


def make_progress(kind: str = "auto", *, stream: TextIO | None = None) -> Progress:
    """The listener for a name: `auto` and `bar` draw a bar on a terminal and plain lines elsewhere, `json`, `none`.

    Raises:
        InputError: `kind` is none of these.
    """
    if kind in ("auto", "bar"):
        return ProgressBar(stream)
    if kind == "json":
        return JsonLines(stream)
    if kind == "none":
        return silent
    raise InputError(f"There is no progress kind '{kind}'; choose one of {', '.join(KINDS)}.")


def _within(fraction: float) -> float:
    return min(1.0, max(0.0, float(fraction)))
