"""What the library works out of an image for seconds, worked out once in a session, whichever test or worker asks.

The functions of `PURE` give the same for the same images, so what one call gave another may be given: from a file
named by a digest of all that went in, in a folder of this session alone. Only tests that ask for the fixture
`worked_out` take part; those of the functions themselves and of what a run tells as it goes do not, nor any child.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np

from ASLDenoiseLib.series import Volume

PURE = (
    "ASLDenoiseLib.preparing.brain_mask:brain_mask",
    "ASLDenoiseLib.preparing.registration:register_rigid",
    "ASLDenoiseLib.preparing.tissue_t1:tissue_from_t1",
)


def digest(things: object) -> str:
    """The same for equal numbers, grids, names and units alone."""
    if isinstance(things, Volume):
        return digest((things.array, astuple(things.geometry), things.unit, things.name))
    if isinstance(things, np.ndarray):
        return f"{things.dtype}{things.shape}{hashlib.sha256(np.ascontiguousarray(things).data).hexdigest()}"
    if isinstance(things, (tuple, list)):
        return f"({','.join(map(digest, things))})"
    return repr(things)


def once(function: Callable, folder: Path) -> Callable:
    """The function, which is called only where it never was with the same; errors are raised anew."""

    @functools.wraps(function)
    def kept(*given: object, progress: Callable | None = None, **options: object) -> object:
        everything = digest((function.__name__, given, sorted(options.items())))
        path = folder / hashlib.sha256(everything.encode()).hexdigest()
        if path.is_file():
            return pickle.loads(path.read_bytes())
        found = function(*given, **options, **({} if progress is None else {"progress": progress}))
        part = path.with_suffix(f".{os.getpid()}")  # another worker may be at the same
        part.write_bytes(pickle.dumps(found))
        os.replace(part, path)
        return found

    return kept


def put_everywhere(name: str, folder: Path, put: Callable[[object, str, object], None]) -> None:
    """Put `once` of a function of `PURE` wherever the library has bound it."""
    module, _, function = name.partition(":")
    original = getattr(importlib.import_module(module), function)
    replacement = once(original, folder)
    for each in [m for n, m in list(sys.modules.items()) if n.partition(".")[0] == "ASLDenoiseLib"]:
        if vars(each).get(function) is original:
            put(each, function, replacement)
