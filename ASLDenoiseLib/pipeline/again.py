"""A run again from where its pairs are cleaned: nothing is read, registered or segmented anew.

A `RequestTask` that is told where keeps its state before the step ``clean`` there, as one file, and beside it every
pair's perfusion. `again` takes it up for a request that differs only in what comes after. Unpickling runs code: the
folder is one that only this user can write to, and whoever made it removes it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from ..compute import Compute
from ..errors import InputError
from ..files import is_litter
from ..preparing.choices import Preparation
from ..preparing.pairs import difference_volumes
from ..running.payload import read_payload, write_payload
from ..series import Parameter, Volume
from .arrival_files import with_siblings
from .delays import perfusion_of_pairs
from .request import Request
from .state import RunState

STATE, PAIRS, DIGEST, TEMPLATE = "prepared", "pairs.npy", "digest", "template"
FIRST = "clean"  # the step that a run begins with again
_AFTER = ("nuisance", "outliers", "smoothing", "taken_out", "put_back")  # of a preparation: used by that step alone


def keep(state: RunState, folder: Path) -> None:
    """Keep a state before the step `FIRST`, and every pair's perfusion (N, K, J, I) as it will be judged there.

    Raises:
        OSError: the folder cannot hold it; then nothing of it counts as kept.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget(folder)
    told = {"findings": [*state.findings], "parameters": [*state.parameters], "notes": []}
    kept = replace(state, compute=Compute("cpu"), heads=None, **told)
    perfusion = perfusion_of_pairs(state, difference_volumes(state.aligned).array)
    np.save(folder / PAIRS, perfusion.astype(np.float32))
    write_payload(folder / STATE, kept, known=_known(state.request))
    (folder / DIGEST).write_text(digest_of(state.request), encoding="utf-8", newline="\n")  # last: only now it counts


def keep_template(state: RunState, folder: Path) -> None:
    """Keep how the T1 lies in MNI space, where a run found it and what it prepared is kept.

    Raises:
        OSError: the folder cannot hold it.
    """
    path = folder / TEMPLATE
    if state.template is not None and not path.is_file() and can_begin_again(state.request, folder):
        write_payload(path, state.template)


def can_begin_again(request: Request, folder: Path) -> bool:
    """Whether what is kept in a folder is of this request, but for what comes after."""
    try:
        told = (folder / DIGEST).read_text("utf-8")
    except OSError:
        return False
    return (folder / STATE).is_file() and told == digest_of(request)


def taken_up(request: Request, folder: Path) -> RunState:
    """The kept state, for a request that differs only in what comes after.

    Raises:
        InputError: nothing is kept there, or it is of another request.
    """
    from .region_steps import place_on_t1, read_regions

    if not can_begin_again(request, folder):
        raise InputError("What was prepared for this run is no longer there; run all of it.")
    state = read_payload(folder / STATE, known=_known(request))
    state.parameters = _restated(state.parameters, state.request.preparation, request.preparation)
    state.request = request
    if (folder / TEMPLATE).is_file():
        state.template = read_payload(folder / TEMPLATE)
    read_regions(state)
    place_on_t1(state)
    return state


def hand_over(source: Path, folder: Path) -> None:
    """Move what is kept in one folder to another, in place of what is kept there.

    Raises:
        OSError: it cannot be moved; then nothing counts as kept in either.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget(folder)
    for name in (STATE, PAIRS, DIGEST):
        shutil.move(source / name, folder / name)


def forget(folder: Path) -> None:
    """Remove what is kept in a folder; harmless where nothing is."""
    for name in (DIGEST, STATE, PAIRS, TEMPLATE):
        (folder / name).unlink(missing_ok=True)


def digest_of(request: Request) -> str:
    """A digest of all that the steps before `FIRST` work with: voxels, and files by their size and time."""
    preparation = {f.name: getattr(request.preparation, f.name) for f in fields(request.preparation)}
    before = {name: value for name, value in preparation.items() if name not in _AFTER}
    finer = request.superresolution
    parts = {"series": request.series, "head": request.head, "preparation": before, "name": request.outputs.name}
    if request.arrival is not None:
        parts |= {"arrival": with_siblings(request.arrival), "kinetics": request.fit.kinetics}
    parts |= {"like": None if finer is None else finer.like, "maps": finer is not None}
    digest = hashlib.blake2b(digest_size=20)
    _feed(digest, parts)
    return digest.hexdigest()


def _restated(parameters: list[Parameter], before: Preparation, now: Preparation) -> list[Parameter]:
    """Parameters of a run with its choices of preparation in the place of those it was kept with."""
    stated = before.parameters()
    first = parameters.index(stated[0])
    return [*parameters[:first], *now.parameters(), *parameters[first + len(stated) :]]


def _known(request: Request) -> dict[str, object]:
    """What the request itself holds, down to the voxels: neither written nor read back."""
    held = dict(request.inputs)
    for name, thing in request.inputs.items():
        parts = {f.name: getattr(thing, f.name) for f in fields(thing)}
        held |= {f"{name}.{part}": v for part, v in parts.items() if isinstance(v, (np.ndarray, Volume))}
        held |= {f"{name}.{part}.array": v.array for part, v in parts.items() if isinstance(v, Volume)}
    return held


def _feed(digest: Any, value: object) -> None:
    """Feed a value to a digest, with what tells it from another of the same bytes."""
    digest.update(f"<{type(value).__name__}>".encode())
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, Path):
        digest.update(f"{value.absolute()}{_stamps(value)}".encode())
    elif isinstance(value, Enum) or not (is_dataclass(value) or isinstance(value, (Mapping, list, tuple))):
        digest.update(repr(value).encode())
    else:
        for name, item in _items(value):
            digest.update(str(name).encode())
            _feed(digest, item)
    digest.update(b"</>")


def _items(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, (list, tuple)):
        return enumerate(value)
    return ((f.name, getattr(value, f.name)) for f in fields(value))


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of a file, or of those in its folder."""
    files = sorted(p for p in path.rglob("*") if not is_litter(p)) if path.is_dir() else [path]
    stats = [(each.name, each.stat()) for each in files if each.is_file()]
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
