"""Moving and removing files where other programs hold them for a moment.

Windows refuses to replace, rename or delete what another program has open: a spreadsheet does so for as long as it
shows a table, but a virus scanner or an indexer for parts of a second only, just when a file is new. POSIX systems do
not.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Windows' own numbers: access is denied, and a sharing or lock violation (both of a file in use); a folder that is not
# empty, since what was deleted in it is gone only when the last program has closed it
DENIED, IN_USE, NOT_EMPTY = 5, (32, 33), 145
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # s between attempts, 1.6 s in all


def is_in_use(error: BaseException) -> bool:
    """Whether Windows says that another program has a file open."""
    return getattr(error, "winerror", None) in IN_USE


def patiently(action: Callable[[], None]) -> None:
    """Do it, and again a few times while Windows says that a file is in use.

    Raises:
        OSError: it still cannot be done, or for another reason, which is raised at once.
    """
    for pause in PAUSES:
        try:
            return action()
        except OSError as error:
            if getattr(error, "winerror", None) not in (DENIED, *IN_USE, NOT_EMPTY):
                raise
        time.sleep(pause)
    return action()


def replace_file(source: Path, target: Path) -> None:
    """`os.replace`: put a file in the place of another one on the same disk.

    Raises:
        OSError: it cannot be done; `filename` of the error is then the target, which a user knows.
    """
    _told_of(target, os.replace, source)


def require_free(path: Path) -> None:
    """See that a file can be replaced: Windows refuses to rename what is open, be it to its own name.

    Raises:
        OSError: another program has it open; `filename` of the error is the path.
    """
    _told_of(path, os.rename, path)


def rename_folder(source: Path, target: Path) -> None:
    """`os.rename` of a folder to a name that is free; raises OSError as `replace_file` does."""
    _told_of(target, os.rename, source)


def remove_folder(folder: Path) -> bool:
    """Remove a folder with all that is in it, read-only files, too; whether it is gone. Never raises OSError."""
    with suppress(OSError):
        patiently(lambda: _remove(folder))
    return not os.path.lexists(folder)


def _told_of(target: Path, move: Callable[[Path, Path], None], source: Path) -> None:
    try:
        patiently(lambda: move(source, target))
    except OSError as error:
        if is_in_use(error):
            error.filename, error.filename2 = str(target), None
        raise


def _remove(folder: Path) -> None:
    """As far as it goes; then the first error is raised."""
    errors: list[OSError] = []

    def mended(remove: Callable[[str], None], path: str, error: OSError | tuple) -> None:
        error = error[1] if isinstance(error, tuple) else error
        try:
            if remove not in (os.unlink, os.rmdir) or getattr(error, "winerror", None) != DENIED:
                raise error
            os.chmod(path, stat.S_IWRITE)  # Windows deletes nothing that is read-only
            remove(path)
        except FileNotFoundError:
            pass
        except OSError as left:
            errors.append(left)

    if os.path.lexists(folder):
        shutil.rmtree(folder, **{"onexc" if sys.version_info >= (3, 12) else "onerror": mended})
    if errors:
        raise errors[0]
