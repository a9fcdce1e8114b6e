"""What tells a finished scan from one to run: a digest of its request, of all files it reads, of model and version."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..denoising.catalogue import find_model
from ..errors import InputError
from ..group.record import ScanRecord, Status
from ..pipeline.request import Request
from ..pipeline.request_json import plain_request
from ..reading.bids import applicable_files
from ..reading.m0_files import choose_m0
from ..reporting.listing import LISTING, Listing, digest_of_file, file_digest, file_name, listings_in
from ..software import own_version

Stamp = tuple[int, int, str]  # size, mtime_ns, SHA-256
_PLACES = ("folder", "dataset", "name")  # of the outputs: where, not what


@dataclass(frozen=True)
class Identity:
    """What a scan is to be known by.

    Args:
        digest: of all that its result depends on.
        stamps: of the files that were read for it, by their path from the data set, or their whole path outside.
    """

    digest: str
    stamps: Mapping[str, Stamp]


def identity_of(request: Request, bids: Path, *, earlier: Mapping[str, Stamp] | None = None) -> Identity:
    """The identity of a scan.

    Args:
        request: its own, with the series on disk.
        bids: the data set; paths count from there, so that it may be moved.
        earlier: stamps of an earlier record: a file of the same size and time is not read again.

    Raises:
        InputError: a sidecar cannot be read.
        OSError: a file of the scan cannot be read.
    """
    files = input_files(request)
    stamps = {_name(path, bids): _stamp(path, (earlier or {}).get(_name(path, bids))) for path in files}
    told = {
        "request": _told(_choices(request), bids),
        "files": sorted([_shown(name), stamp[2]] for name, stamp in stamps.items()),
        "model": "" if request.denoising is None else find_model(request.denoising.model).sha256,
        "version": own_version(),
    }
    text = json.dumps(told, sort_keys=True, allow_nan=True)
    return Identity(hashlib.sha256(text.encode()).hexdigest(), stamps)


def input_files(request: Request) -> tuple[Path, ...]:
    """Every file that a run of a request reads, each once, in a fixed order.

    Raises:
        InputError: a sidecar of an M0 cannot be read.
    """
    series = Path(request.series.path)
    found = [series, *applicable_files(series, "asl", ".json")]
    if isinstance(request.series.context, Path):
        found.append(request.series.context)
    else:
        found += applicable_files(series, "aslcontext", ".tsv")
    if request.series.m0 is None:
        m0 = _m0_of(series)
        found += [] if m0 is None else [m0, *applicable_files(m0, "m0scan", ".json")]
    for name in ("head", "outputs", "superresolution", "arrival"):
        found += _paths_in(getattr(request, name))
    return tuple(dict.fromkeys(path.absolute() for path in found if path.is_file()))


@dataclass(frozen=True)
class Finished:
    """Whether a scan need not be run.

    Args:
        done: it was run with this digest, and its files are there.
        listing: of its files; None where there is none.
        changed: files that somebody changed since.
    """

    done: bool = False
    listing: Listing | None = None
    changed: tuple[str, ...] = ()


def finished(record: ScanRecord | None, digest: str, out: Path) -> Finished:
    """Whether what a record says is there: done, of this digest, and none of its files missing."""
    if record is None or record.status is not Status.DONE or record.digest != digest:
        return Finished()
    folder = out / record.folder
    listing = listings_in(folder).get(record.name) if (folder / file_name(record.name, LISTING)).is_file() else None
    if listing is None or not all(os.path.lexists(folder / name) for name in listing.files):
        return Finished()
    changed = (name for name, was in listing.files.items() if file_digest(folder / name) != was)
    return Finished(True, listing, tuple(changed))


def _m0_of(series: Path) -> Path | None:
    try:
        return choose_m0(series)[0]
    except InputError:  # several fit equally: the run says so
        return None


def _choices(request: Request) -> dict[str, Any]:
    """What a request says, without where its results go and where networks run."""
    plain = plain_request(request)
    plain.pop("device", None)
    plain["outputs"] = {name: item for name, item in plain["outputs"].items() if name not in _PLACES}
    return plain


def _told(value: object, bids: Path) -> Any:
    """A plain request as JSON without paths of this machine, and with digests of what it holds in memory."""
    if isinstance(value, Mapping):
        if value.keys() == {"file"}:
            return {"file": _shown(_name(Path(value["file"]), bids))}
        return {str(key): _told(item, bids) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_told(item, bids) for item in value]
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()
        return {"array": f"{value.dtype} {value.shape} {content}"}
    if is_dataclass(value):
        return {f.name: _told(getattr(value, f.name), bids) for f in fields(value)}
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)


def _name(path: Path, bids: Path) -> str:
    """A path from the data set with ``/``; outside of it the whole path."""
    path, bids = path.absolute(), bids.absolute()
    return path.relative_to(bids).as_posix() if bids in path.parents else path.as_posix()


def _shown(name: str) -> str:
    """A name as the digest has it: of a file elsewhere, whose content is known by its digest, the last part alone."""
    return Path(name).name if Path(name).is_absolute() else name


def _stamp(path: Path, earlier: Stamp | None) -> Stamp:
    found = path.stat()
    if earlier is not None and (found.st_size, found.st_mtime_ns) == tuple(earlier[:2]):
        return tuple(earlier)
    return found.st_size, found.st_mtime_ns, digest_of_file(path)


def _paths_in(value: object) -> Iterator[Path]:
    """Every path below a part of a request that names an input."""
    if isinstance(value, Path):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for f in fields(value):
            if f.name not in _PLACES:
                yield from _paths_in(getattr(value, f.name))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _paths_in(item)
