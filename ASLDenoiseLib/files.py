"""What is in the way of reading or writing a file, in one sentence; text in the encoding that a file states."""

from __future__ import annotations

import codecs
import errno
import json
import os
import stat
import unicodedata
from pathlib import Path

from .errors import InputError
from .moving import is_in_use

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_REMEDIES = {
    errno.ENOSPC: "the disk is full; make room on it, or choose another, and run again",
    errno.EDQUOT: "your share of the disk is full; make room on it, or choose another, and run again",
    errno.EFBIG: "the file would be larger than is allowed here; choose another disk, or have the limit raised",
    errno.EROFS: "the disk can only be read; choose another",
    errno.EACCES: "access is not allowed; allow it, or choose another place",
    errno.EPERM: "access is not allowed; allow it, or choose another place",
    errno.EIO: "the disk failed; look at it, or choose another",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "symbolic links lead in a circle; give the file itself",
    errno.ENOTDIR: "a file stands in the place of a folder; choose another place",
    errno.EISDIR: "a folder stands in the place of a file; choose another place",
    errno.EEXIST: "something of that name is there already; choose another",
    errno.ENOENT: "it is not there, or is there no more; check the path, and run again",
    errno.EMFILE: "too many files are open; close other programs, and run again",
    errno.ESTALE: "the network disk is gone; connect it, and run again",
}
_IN_USE = "another program has it open; close it there, and run again"  # said by Windows


def trouble(error: OSError, *, otherwise: str = "no result has been written") -> str:
    """One sentence on a disk or folder that failed; empty where an error says nothing that a user could mend.

    `otherwise` ends it: what is true of all else.
    """
    remedy = _IN_USE if is_in_use(error) else _REMEDIES.get(error.errno)
    if remedy is None:
        return ""
    place = f" ({_shortened(error.filename)})" if error.filename else ""
    return f"A file could not be read or written{place}: {remedy}; {otherwise}."


def require_file(path: Path, called: str = "", *, what: str = "file") -> None:
    """Refuse what is not a regular file with something in it, or may not be read.

    Raises:
        InputError: in one sentence; `called` is what it calls the path.
    """
    called = _shortened(called or str(path))
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise InputError(f"{called} is a folder; give the {what} itself.")
        if not stat.S_ISREG(kind.st_mode):
            raise InputError(f"{called} is a device or a pipe; give a {what} on a disk.")
        if kind.st_size == 0:
            raise InputError(f"The {what} {called} is empty; copy or export it again.")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:  # ValueError: InputError, or a path with a NUL in it
        if isinstance(error, InputError):
            raise
        number = getattr(error, "errno", errno.ENOENT)
        if number in (errno.ENOENT, errno.ENOTDIR):
            raise InputError(f"There is no {what} {called}; check the path.") from error
        why = _REMEDIES.get(number, f"{getattr(error, 'strerror', error)}; copy it to another disk")
        raise InputError(f"The {what} {called} cannot be read: {why}.") from error


def is_folder(path: Path) -> bool:
    """Whether a folder is there; where it is not, a file is.

    Raises:
        InputError: neither is there, or the file is none that can be read (`require_file`).
    """
    if os.path.isdir(path):
        return True
    require_file(path, what="file or folder")
    return False


def is_litter(path: Path) -> bool:
    """Whether macOS put a file there for itself: a copied disk has one such (``._NAME``) beside every file."""
    return path.name.startswith("._") or path.name == ".DS_Store"


def composed(text: str) -> str:
    """A name with its accents in the letters (NFC): macOS and its disks may keep them apart (NFD)."""
    return unicodedata.normalize("NFC", text)


def read_text(path: Path, *, what: str = "file") -> str:
    """The text of a file in UTF-8, or in the encoding that its byte-order mark states.

    Raises:
        InputError: it cannot be read, or is in another encoding.
    """
    require_file(path, what=what)
    try:
        content = path.read_bytes()
        encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
        return content.decode(encoding)
    except OSError as error:
        raise InputError(f"The {what} {path} cannot be read ({error.strerror}); copy it again.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The {what} {path} is not text in UTF-8; save it as UTF-8.") from error


def parse_json(text: str, called: str) -> object:
    """The content of a JSON text.

    Raises:
        InputError: it is no JSON, or names one key of an object twice with different values; `called` begins the
            sentence.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found and repr(found[key]) != repr(value):
                raise InputError(f"{called} names {key!r} twice, with different values; keep the right one.")
            found[key] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        why = str(error).split("\n")[0].rstrip(".")
        raise InputError(f"{called} is not valid JSON ({why}); correct it.") from error


def _shortened(path: str | bytes | int) -> str:
    text = os.fsdecode(path) if isinstance(path, (str, bytes)) else str(path)
    return text if len(text) <= 200 else f"{text[:80]}...{text[-80:]}"
