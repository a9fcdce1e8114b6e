"""Paths that Windows cannot have or changes silently, and what it does not say of a folder until it is written to.

Microsoft, "Naming Files, Paths, and Namespaces" and "Maximum Path Length Limitation".
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
from pathlib import Path, PurePath

LONGEST = 259  # characters of a path, where long ones are not switched on
_DEVICES = re.compile(r"(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
_NEVER = re.compile(r'[<>:"|?*\\/\x00-\x1f]')


def is_windows() -> bool:
    """Whether this is Windows."""
    return os.name == "nt"


def fault_of(name: str) -> str:
    """Why Windows has no file or folder of this name, to end a sentence; empty where it has.

    >>> fault_of("aux.nii"), fault_of("sub-01")
    ('is the name of a device on Windows', '')
    """
    if _DEVICES.fullmatch(name):
        return "is the name of a device on Windows"
    if name != name.rstrip(". ") and name not in (".", ".."):
        return "ends in a dot or a space, which Windows takes away"
    found = _NEVER.search(name)
    return f"has the character {found[0]!r}, which no name has on Windows" if found else ""


def fault_in(path: PurePath) -> str:
    """The same of a whole path, drive and root apart, as ``'NUL' is ...``; empty where Windows can have it."""
    parts = path.parts[1:] if path.anchor else path.parts
    return next((f"'{part}' {fault}" for part in parts if (fault := fault_of(part))), "")


def longest_path() -> int | None:
    """The most characters that a path may have here; None where that is no matter.

    Windows allows more where both the system and the program that runs Python are set up for it.
    """
    if not is_windows():
        return None
    try:
        return None if ctypes.windll.ntdll.RtlAreLongPathsEnabled() else LONGEST
    except (AttributeError, OSError):  # before Windows 10
        return LONGEST


def may_write_in(folder: Path) -> bool:
    """Whether this user may make files in a folder; on Windows, where only trying tells, one is made for a moment."""
    if not is_windows():
        return os.access(folder, os.W_OK | os.X_OK)
    try:
        with tempfile.TemporaryFile(prefix=".asldenoise-", dir=folder):
            return True
    except OSError:
        return False


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths lead to one place, however their letters are written; a path that is not there is its text."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return one.resolve() == other.resolve()
