"""Progress of a run: one callable, `(fraction, text)`, and what shows or sends it.

A step reports its own 0 to 1; `span` maps that into its part of the whole, so no step knows the others.
Everything goes to stderr: stdout belongs to the readouts table.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from .errors import InputError

_ENOUGH_SECONDS, _ENOUGH_SHARE = 5.0, 0.1  # of a run, before anything is said of its end
KINDS = ("auto", "json", "bar", "none")


# What a step calls while it works: the part that is done, 0 to 1, and one short line of text.
Progress = Callable[[float, str], None]


def silent(fraction: float, text: str) -> None:
    """Listen and say nothing; the default everywhere."""


def span(progress: Progress, start: float, stop: float) -> Progress:
    """A step's own progress: its 0..1 becomes `start`..`stop` of the whole.

    >>> span(lambda fraction, text: print(f"{fraction:g}"), 0.5, 0.9)(0.5, "half of the step")
    0.7
    """
    return lambda fraction, text: progress(start + (stop - start) * _clipped(fraction), text)


def remembering(progress: Progress) -> tuple[Progress, Callable[[str], None]]:
    """A listener, and a way to say something more to it at the fraction that was reached."""
    reached = [0.0]

    def told(fraction: float, text: str) -> None:
        reached[0] = fraction
        progress(fraction, text)

    return told, lambda words: progress(reached[0], words)


def seconds_left(fraction: float, elapsed: float) -> float | None:
    """Seconds left of a run that is at `fraction`, by its steps' costs, after `elapsed` s; None while it is too early.

    >>> seconds_left(0.25, 20.0)
    60.0
    """
    if elapsed < _ENOUGH_SECONDS or fraction < _ENOUGH_SHARE:
        return None
    return elapsed * (1 - fraction) / fraction


class ProgressBar:
    """A bar on a terminal; elsewhere (a log, a pipe) one plain line a step or tenth, never control characters."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._last: tuple[int, str] | None = None

    def __call__(self, fraction: float, text: str) -> None:
        """Show `fraction` (0 to 1) and `text`."""
        fraction = _clipped(fraction)
        line = (int(fraction * 10), text)
        if self._stream.isatty():
            self._draw(fraction, text)
        elif line != self._last:
            self._last = line
            print(f"[{100 * fraction:3.0f} %] {text}", file=self._stream, flush=True)

    def _draw(self, fraction: float, text: str) -> None:
        if self._bar is None:
            from tqdm import tqdm

            layout = "{percentage:3.0f} % |{bar}| {elapsed} {desc}"
            self._bar = tqdm(total=1.0, file=self._stream, bar_format=layout, dynamic_ncols=True, leave=True)
        self._bar.set_description_str(text, refresh=False)
        self._bar.n = fraction
        self._bar.refresh()
        if fraction >= 1:
            self._bar.close()
            self._bar = None


class JsonLines:
    """One JSON object a line, for a parent process: ``{"fraction": 0.5, "text": "...", "elapsed_s": 3.2}``.

    `elapsed_s` counts from the creation of this object. A parent that has gone away raises `BrokenPipeError`, which
    ends the run: nobody waits for it any more.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._start = time.monotonic()

    def __call__(self, fraction: float, text: str) -> None:
        """Write one line and flush it."""
        elapsed = round(time.monotonic() - self._start, 3)
        line = json.dumps({"fraction": round(_clipped(fraction), 4), "text": text, "elapsed_s": elapsed})
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
    require_kind(kind)
    if kind == "none" or (stream is None and sys.stderr is None):  # closed: nobody listens
        return silent
    return JsonLines(stream) if kind == "json" else ProgressBar(stream)


def require_kind(kind: str) -> None:
    """Refuse a name that is none of `KINDS`."""
    if kind not in KINDS:
        raise InputError(f"There is no progress kind '{kind}'; choose one of {', '.join(KINDS)}.")


def _clipped(fraction: float) -> float:
    return min(1.0, max(0.0, float(fraction)))
