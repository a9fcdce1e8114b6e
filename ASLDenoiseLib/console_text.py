"""Text for a console: letters that it lacks, and a command as its shell wants it typed."""

from __future__ import annotations

import codecs
import errno
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

_PLAIN = {
    "±": "+/-", "→": "->", "√": "sqrt ", "×": "x", "²": "2", "³": "3", "µ": "u", "°": " deg", "−": "-", "–": "-",
    "—": "-", "≤": "<=", "≥": ">=", "…": "...", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
_NAME = "asldenoise.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in letters), error.end


codecs.register_error(_NAME, _plain)


def settle_streams(streams: Iterable[TextIO | None] | None = None) -> None:
    """Have letters that a stream's encoding lacks written in others, instead of failing over them.

    Windows' consoles and pipes have 256 letters each, and a name of a file or a unit may hold any.

    Args:
        streams: None: standard output and standard error.
    """
    for stream in (sys.stdout, sys.stderr) if streams is None else streams:
        if getattr(stream, "errors", None) in ("strict", "backslashreplace") and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_NAME)


def as_typed(words: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """A command to be typed or pasted: quoted as a POSIX shell wants it, or as Windows' do.

    >>> as_typed(["denoise", "my scan.nii"], windows=True)
    'denoise "my scan.nii"'
    """
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


def is_reader_gone(error: OSError, *, windows: bool = os.name == "nt") -> bool:
    """Whether an error says that whoever read the output has gone, as `head` or `more` do."""
    if isinstance(error, BrokenPipeError):
        return True
    return windows and error.errno == errno.EINVAL and not error.filename  # what Windows says of such a pipe
