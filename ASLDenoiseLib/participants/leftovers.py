"""What a cohort that was killed left half-written in its OUT, removed at the next start.

Results come into place whole or not at all, so that these folders and files are nobody's. While this process holds the
lock of OUT, whoever wrote them has ended; where there is no lock, what is a day old is taken for that.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..moving import remove_folder

_FOLDER = re.compile(r"\.asldenoise-[0-9a-f]{12}\.partial")  # of `reporting.staging`
_FILE = re.compile(r"\..+\.\d+\.partial")  # of `group.record`
_DEPTH = 4  # OUT/sub-01/ses-1/perf/.asldenoise-...
_DAY = 24 * 3600.0  # s


def remove_leftovers(out: Path, *, locked: bool) -> int:
    """Remove what an earlier cohort left half-written; how many folders and files there were.

    Args:
        out: the folder of the cohort.
        locked: whether this process holds its lock.
    """
    count = 0
    for path in list(_leftovers(out)):
        with suppress(OSError):  # in use on Windows, or gone meanwhile
            if not locked and time.time() - path.lstat().st_mtime < _DAY:
                continue
            if path.is_dir() and not path.is_symlink():
                count += remove_folder(path)
            else:
                path.unlink()
                count += 1
    return count


def _leftovers(out: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(out):
        here = Path(folder)
        mine = [name for name in folders if _FOLDER.fullmatch(name)]
        yield from (here / name for name in mine)
        yield from (here / name for name in files if _FILE.fullmatch(name))
        deep = len(here.relative_to(out).parts) >= _DEPTH - 1
        folders[:] = [] if deep else [name for name in folders if name not in mine]
