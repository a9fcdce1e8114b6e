"""A request as plain JSON and back: what stands beside a result as ``*_request.json``, and gives it again.

Paths are ``{"file": ...}``; those that are relative count from the folder of the JSON. What a request holds in memory
stays as it is in `plain_request`; `reporting.request_file` writes it as files beside the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import parse_json, read_text
from ..given import fitted
from ..preparing.choices import Preparation
from ..reading.images import read_array4d, read_image
from ..series import ASLSeries, Geometry, Tissue, Volume
from ..series_json import series_from_plain
from .request import ArrivalMap, Atlas, DelayFit, Denoising, Head, Outputs, Region, Request, SeriesFile, SuperResolution

FORMAT = "ASLDenoise request 1"
_RENAMED = {"recovery": "audit"}  # names that requests of earlier versions have
_FILES = ("path", "m0", "t1", "gm", "wm", "labels", "t1_to_asl", "t1_start", "like", "mask", "names", "folder")
_FILES += ("dataset", "att", "error", "reference")
_PARTS = {
    "series": SeriesFile,
    "head": Head,
    "preparation": Preparation,
    "denoising": Denoising,
    "superresolution": SuperResolution,
    "fit": DelayFit,
    "arrival": ArrivalMap,
    "outputs": Outputs,
    "regions": Region,
    "atlases": Atlas,
}


def plain_request(request: Request) -> dict[str, Any]:
    """The request as dictionaries, lists and plain values; series, volumes and tissue in memory are left in it."""
    plain = {"format": FORMAT, **_plain(request)}
    plain["outputs"].pop("command", None)  # each run says its own
    return plain


@fitted
def read_request(path: Path) -> Request:
    """The request of a ``*_request.json``.

    Raises:
        InputError: there is no such file, it is not a request, or what it names cannot be used.
    """
    plain = plain_of_file(path)
    with understood(path):
        return _built(Request, plain, path.absolute().parent)


def plain_of_file(path: Path) -> dict[str, Any]:
    """What a ``*_request.json`` says, without its format.

    Raises:
        InputError: there is no such file, or it is not a request.
    """
    plain = parse_json(read_text(path, what="request"), f"The request {path}")
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise InputError(f"{path} is not a request of this version; it must say '{FORMAT}' as its format.")
    return {key: value for key, value in plain.items() if key != "format"}


def parts_of(plain: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The parts of a request, by their names, that are not joined to one yet: some may be absent.

    Raises:
        InputError, or what `understood` makes one of: a part is not understood, or cannot be used.
    """
    return _parts(Request, plain, folder)


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Whatever goes wrong while a request is built is said in one sentence that names its file."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not understood ({error}); give the *_request.json of a result.") from error


def _plain(value: object) -> Any:
    if isinstance(value, (ASLSeries, Volume, Tissue)):
        return value
    if isinstance(value, Path):
        return {"file": str(value.absolute())}
    if isinstance(value, Geometry):
        return {"grid": {f.name: list(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, np.ndarray):
        return {"matrix": value.tolist()}
    if is_dataclass(value):
        stated = {f.name: getattr(value, f.name) for f in fields(value)}
        return {name: _plain(item) for name, item in stated.items() if item is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _built(kind: type, plain: object, folder: Path) -> Any:
    """An object of `kind` from its fields."""
    parts = _parts(kind, plain, folder)
    try:
        return kind(**parts)
    except TypeError as error:
        raise InputError(f"The request's part {plain!r} is not understood ({error}); complete it.") from error


def _parts(kind: type, plain: object, folder: Path) -> dict[str, Any]:
    """The fields of an object of `kind`."""
    if isinstance(plain, Mapping):
        plain = {_RENAMED.get(name, name): item for name, item in plain.items()}
    if not isinstance(plain, Mapping) or not plain.keys() <= {f.name for f in fields(kind)}:
        known = ", ".join(f.name for f in fields(kind))
        raise InputError(f"The request's part {plain!r} is not understood; write an object with {known}.")
    return {name: _value(name, item, folder) for name, item in plain.items()}


def _value(name: str, plain: object, folder: Path) -> Any:
    if isinstance(plain, list):
        return tuple(_value(name, item, folder) for item in plain)
    if isinstance(plain, str) and name in _FILES:
        return folder / plain
    if not isinstance(plain, Mapping):
        return plain
    match plain:
        case {"file": str(path)}:
            return folder / path
        case {"matrix": list(rows)}:
            return np.array(rows, float)
        case {"grid": dict(values)}:
            return Geometry(**values)
        case {"tissue_maps": dict(parts)}:
            return _tissue(parts, folder)
        case {"voxels": _, **told}:
            return _series(plain, told, folder)
    if name in ("values", "names"):
        return dict(plain)
    if name not in _PARTS:
        raise InputError(f"The request's '{name}' is not understood ({plain!r}); name a file as {{\"file\": PATH}}.")
    return _built(_PARTS[name], plain, folder)


def _tissue(parts: Mapping[str, Any], folder: Path) -> Tissue:
    images = {name: read_image(folder / part["file"]) for name, part in parts.items() if isinstance(part, Mapping)}
    csf = images.pop("csf", None)
    return Tissue(**images, csf=csf, source=str(parts.get("source", "")), warning=str(parts.get("warning", "")))


def _series(plain: Mapping[str, Any], told: Mapping[str, Any], folder: Path) -> ASLSeries:
    array, geometry = read_array4d(folder / plain["voxels"]["file"])
    m0 = plain.get("m0")
    return series_from_plain(
        told, array=array, geometry=geometry, m0=None if m0 is None else read_image(folder / m0["file"], name="m0")
    )
