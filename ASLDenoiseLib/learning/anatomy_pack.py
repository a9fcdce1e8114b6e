"""All anatomies in one file that numpy alone reads, with what phantoms look up worked out: for bare machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from .anatomy import Anatomy, label_maps, read_anatomy

SUFFIX = ".npz"


def write_pack(anatomies: Sequence[Anatomy], path: Path) -> Path:
    """Write `Anatomy.packed` of each under its name, compressed, whole or not at all; returns the path."""
    path = path.with_suffix(SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    np.savez_compressed(part, **{a.name: a.packed for a in anatomies})
    part.replace(path)
    return path


def anatomy_names(source: Path | str) -> tuple[str, ...]:
    """The names of the anatomies of a pack, or of a folder of label maps, in order.

    Raises:
        InputError: `source` is neither.
    """
    if _is_pack(source):
        with _opened(source) as stored:
            return tuple(sorted(stored.files))
    return tuple(label_maps(source))


def load_anatomies(source: Path | str, names: Sequence[str] | None = None) -> list[Anatomy]:
    """The anatomies of a pack, or of a folder of label maps, by name; `names`: those alone, as far as they are there.

    Raises:
        InputError: `source` is neither.
    """
    if not _is_pack(source):
        return [read_anatomy(path) for name, path in label_maps(source).items() if names is None or name in names]
    with _opened(source) as stored:
        wanted = sorted(stored.files if names is None else {*names} & {*stored.files})
        return [Anatomy.from_packed(stored[name], name) for name in wanted]


def _is_pack(source: Path | str) -> bool:
    return Path(source).suffix == SUFFIX


def _opened(source: Path | str) -> np.lib.npyio.NpzFile:
    try:
        return np.load(source)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{source} is no file of anatomies ({error}); write one with `python -m ASLDenoiseLib anatomies`."
        ) from error
