"""New files of a folder, all of them or none: written aside, then moved into place.

A failure puts back what was there.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..moving import remove_folder, rename_folder, replace_file, require_free


@contextmanager
def staging_for(out: Path) -> Iterator[Path]:
    """A fresh folder on the same disk as `out`, gone afterwards, with the parents made for it if the work fails.

    Inside `out` where that exists, since `out` may be a mount of its own; beside it otherwise.
    """
    missing = [folder for folder in out.absolute().parents if not folder.exists()]
    home = out.absolute() if out.exists() else out.absolute().parent
    home.mkdir(parents=True, exist_ok=True)
    staging = home / f".asldenoise-{uuid.uuid4().hex[:12]}.partial"
    try:
        staging.mkdir()
        yield staging
    except BaseException as error:
        if isinstance(error, OSError) and str(error.filename or "").startswith(str(staging)):
            error.filename = str(out)  # the place that a user knows
        remove_folder(staging)
        with suppress(OSError):  # someone else may have put a file there meanwhile
            for folder in missing:
                folder.rmdir()
        raise
    remove_folder(staging)


def move_into_place(staging: Path, files: Sequence[Path], out: Path) -> None:
    """Move `files`, relative to `staging`, into `out` in their order: in one rename where `out` is new.

    Raises:
        OSError: one could not be moved; `out` is as it was.
    """
    if not out.exists():
        try:
            rename_folder(staging, out)
            sync(out.absolute().parent)
            return
        except OSError:
            if not out.is_dir():
                raise
            # else another series, whose results belong there as well, came first
    for path in files:  # all of them before the first is moved: a second name of an open file could not go again
        if (out / path).exists():
            require_free(out / path)
    kept = staging / "replaced"
    kept.mkdir()
    moved = []
    try:
        for path in files:
            (out / path).parent.mkdir(exist_ok=True)
            if (out / path).exists():
                (kept / path).parent.mkdir(exist_ok=True)
                _keep(out / path, kept / path)
            replace_file(staging / path, out / path)
            moved.append(path)
        sync(out)
    except BaseException:
        for path in moved:
            if (kept / path).exists():
                replace_file(kept / path, out / path)
            else:
                (out / path).unlink(missing_ok=True)
        raise


def _keep(target: Path, copy: Path) -> None:
    """A second name for the old file, so that it can come back and is never absent; a copy where links are not had."""
    try:
        os.link(target, copy)
    except OSError:
        shutil.copy2(target, copy)


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk; Windows cannot open folders for that, and does not need it."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
