"""All anatomies, and the strokes that train, in one file that numpy alone reads, worked out: for bare machines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..moving import replace_file
from .anatomy import Anatomy, label_maps, read_anatomy
from .stroke_masks import StrokeMask, read_training_masks

SUFFIX = ".npz"
_STROKE = "stroke:"  # before a mask's number; no anatomy is named so
_PARTS = ("voxels", "origin", "spacing")


def write_pack(anatomies: Sequence[Anatomy], path: Path, *, strokes: Sequence[StrokeMask] = ()) -> Path:
    """Write `Anatomy.packed` of each under its name, and masks, compressed, whole or not at all; returns the path."""
    path = path.with_suffix(SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    masks = {f"{_STROKE}{m.number}:{name}": getattr(m, name).numpy() for m in strokes for name in _PARTS}
    np.savez_compressed(part, **{a.name: a.packed for a in anatomies}, **masks)
    replace_file(part, path)
    return path


def anatomy_names(source: Path | str) -> tuple[str, ...]:
    """The names of the anatomies of a pack, or of a folder of label maps, in order.

    Raises:
        InputError: `source` is neither.
    """
    if is_pack(source):
        with _opened(source) as stored:
            return tuple(_anatomies_of(stored))
    return tuple(label_maps(source))


def load_anatomies(source: Path | str, names: Sequence[str] | None = None) -> list[Anatomy]:
    """The anatomies of a pack, or of a folder of label maps, by name; `names`: those alone, as far as they are there.

    Raises:
        InputError: `source` is neither.
    """
    if not is_pack(source):
        return [read_anatomy(path) for name, path in label_maps(source).items() if names is None or name in names]
    with _opened(source) as stored:
        wanted = [name for name in _anatomies_of(stored) if names is None or name in names]
        return [Anatomy.from_packed(stored[name], name) for name in wanted]


def load_strokes(source: Path | str) -> list[StrokeMask]:
    """The masks that phantoms to train on may have, of a pack (it may hold none) or of a folder of masks.

    Raises:
        InputError: `source` is neither, or the folder holds none.
    """
    if not is_pack(source):
        return read_training_masks(source)
    with _opened(source) as stored:
        numbers = sorted({int(key.split(":")[1]) for key in stored.files if key.startswith(_STROKE)})
        parts = {n: (torch.from_numpy(stored[f"{_STROKE}{n}:{name}"]) for name in _PARTS) for n in numbers}
        return [StrokeMask(n, *each) for n, each in parts.items()]


def _anatomies_of(stored: np.lib.npyio.NpzFile) -> list[str]:
    return sorted(name for name in stored.files if not name.startswith(_STROKE))


def is_pack(source: Path | str) -> bool:
    """Whether a path is that of a pack, by its name."""
    return Path(source).suffix == SUFFIX


def _opened(source: Path | str) -> np.lib.npyio.NpzFile:
    try:
        return np.load(source)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{source} is no file of anatomies ({error}); write one with `python -m ASLDenoiseLib anatomies`."
        ) from error
