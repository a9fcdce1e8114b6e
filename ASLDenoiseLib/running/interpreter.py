"""Which Python runs the child process, and in which environment.

Inside Slicer this is ``PythonSlicer``, a launcher that sets Slicer's own paths, starts the real interpreter as its
child and hands it its own input and output. So to end the launcher is not to end the work (see `processes`), and the
exit status is the launcher's, which is 1 whatever signal ended the work (see `ending`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

PACKAGE_PARENT = Path(__file__).resolve().parents[2]
_SET = {
    "PYTHONUNBUFFERED": "1",  # the log appears as it is written
    "PYTHONUTF8": "1",  # the same letters in the log on every system
    "PYTHONFAULTHANDLER": "1",  # a crash in C says that it was one
    "MPLBACKEND": "Agg",  # no window from a child
}
_DROPPED = ("PYTHONINSPECT", "PYTHONBREAKPOINT")  # the child would wait for somebody to type


@dataclass(frozen=True)
class ChildPython:
    """A command that runs Python, and the environment to run it in."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def child_python(
    *,
    in_slicer: bool = False,
    environment: Mapping[str, str] | None = None,
    executable: str = sys.executable,
    find: Callable[..., str | None] = shutil.which,
    package_parent: Path = PACKAGE_PARENT,
) -> ChildPython:
    """The Python for a child, with this very ASLDenoiseLib importable in it.

    The panel gives no `environment`: the child is to have `os.environ` as it is in the running Slicer, NOT
    ``slicer.util.startupEnvironment()``, which has lost the paths that Slicer's launcher and its extensions added:
    PythonSlicer would bring back only Slicer's. Slicer itself runs pip in PythonSlicer in the same way.

    Args:
        in_slicer: look for ``PythonSlicer`` on the PATH, instead of taking `executable`.
        environment: to start from; None `os.environ`.
        executable: the interpreter outside Slicer.
        find: as `shutil.which`.
        package_parent: the folder that ASLDenoiseLib lies in.

    Raises:
        InputError: PythonSlicer is not there.
    """
    given = dict(os.environ if environment is None else environment)
    python = find("PythonSlicer", path=given.get("PATH")) if in_slicer else executable
    if not python:
        raise InputError("PythonSlicer, Slicer's Python without a window, was not found; reinstall Slicer.")
    kept = {name: value for name, value in given.items() if name not in _DROPPED}
    paths = [str(package_parent), *filter(None, [kept.get("PYTHONPATH")])]
    return ChildPython((python,), {**kept, **_SET, "PYTHONPATH": os.pathsep.join(paths)})
