"""``NAME_files.json`` beside a result: the files of one series, each with its digest.

It tells whose a file is: a later run of the same series replaces what is listed and unchanged. Any other file of such a
name is somebody's own, and the run is refused before it begins.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..files import composed
from ..result.maps import MAPS, MNI, RELATIVE
from ..series import ASLSeries
from ..software import NAME
from ..windows_paths import fault_of, longest_path

LISTING = "files.json"
READOUTS_JSON = "readouts.json"
READOUTS_TSV = "readouts.tsv"
OUTLIERS_TSV = "outliers.tsv"
METHODS = "methods.txt"
REPORT = "report.html"
REQUEST = "request.json"
INPUTS = "inputs"
MOTION = "desc-motion_timeseries"
PAIRS = "desc-pairs_error"
COURSE = "desc-pairs_timeseries"
CURVES = "desc-delays_curve"
_ASIDE = f"/.asldenoise-{'0' * 12}.partial/replaced/"  # what `staging` puts between a folder and a name
_LONGEST = 255  # bytes of a file name, on every usual file system
_OTHERWISE = "give another folder, or another name for the results"


@dataclass(frozen=True)
class Listing:
    """What one series has in a folder.

    Args:
        series: its name, with which its files begin.
        source: the full path of what was read; empty for a series that was in memory.
        voxels: SHA-256 of its voxels.
        files: path in the folder to SHA-256.
        shared: the same of files that all series of the folder share, as this run left them.
        contents: what its files are, for the README: pattern to text.
    """

    series: str
    source: str
    voxels: str
    files: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, series: ASLSeries) -> bool:
        """Whether it lists results of this series: read from the same place, or with the same voxels."""
        return self.source == _source(series) != "" or self.voxels == voxels_digest(series)


def file_name(series: str, what: str) -> str:
    """The name of a file of a series: ``sub-01_report.html``."""
    return f"{series}_{what}"


def new_listing(series: ASLSeries, contents: Mapping[str, str]) -> Listing:
    """A listing without files."""
    return Listing(series.name, _source(series), voxels_digest(series), contents=contents)


def to_plain(listing: Listing) -> dict[str, object]:
    """The listing as JSON holds it."""
    return {"GeneratedBy": NAME, **{key: _copied(value) for key, value in vars(listing).items()}}


def listings_in(folder: Path) -> dict[str, Listing]:
    """The listings of a folder by the names of their series; what only looks like one is passed over."""
    found = (_read(path) for path in sorted(folder.glob(f"*_{LISTING}")))
    return {listing.series: listing for listing in found if listing is not None}


def still_there(folder: Path, listing: Listing | None) -> dict[str, str]:
    """The files of an earlier run that are as it left them."""
    files = {} if listing is None else listing.files
    return {name: digest for name, digest in files.items() if file_digest(folder / name) == digest}


def possible_names(series: str, attachments: Iterable[str] = ()) -> list[str]:
    """Every file name that a run of a series may write."""
    keys = dict.fromkeys((*MAPS, *RELATIVE))
    maps = [f"{space}{key}{end}" for space in ("", f"{MNI}_") for key in keys for end in (".nii.gz", ".json")]
    return [file_name(series, what) for what in (*maps, *beside_maps(attachments))]


def beside_maps(attachments: Iterable[str] = ()) -> list[str]:
    """How the names of all files end that a run may write beside its maps."""
    tables = [f"{table}{end}" for table in (MOTION, PAIRS, COURSE, CURVES) for end in (".tsv", ".json")]
    return [*tables, READOUTS_JSON, READOUTS_TSV, OUTLIERS_TSV, METHODS, REPORT, REQUEST, LISTING, *attachments]


def check_files(folder: Path, series: ASLSeries, names: Iterable[str]) -> None:
    """Refuse to replace a file that is not this series' own, or that was changed since it was written.

    Args:
        folder: may be absent.
        series: whose results are to be written.
        names: of the files, in the folder.

    Raises:
        InputError: such a file is there, a folder stands in its place, or a name is too long.
    """
    own = _read(folder / file_name(series.name, LISTING))
    if own is not None and not own.is_of(series):
        of = f", read from {own.source}" if own.source else ""
        raise InputError(f"{folder} holds results of another series that is called '{series.name}'{of}; {_OTHERWISE}.")
    for name in names:
        if len(os.fsencode(Path(name).name)) > _LONGEST:
            raise InputError(f"The name '{series.name}' is too long for names of files; give a shorter one.")
        _check_file(folder, name, own)


def check_name(series: str) -> None:
    """Refuse the name of a series that no file can begin with, on any system: results are taken from one to another.

    Raises:
        InputError: in one sentence.
    """
    name = file_name(series, REPORT)
    fault = fault_of(name)
    if not series or fault:
        why = f", since '{name}' {fault}" if fault else ""
        raise InputError(f"The series name '{series}' cannot start a file name{why}; rename the series.")


def check_length(folder: Path, names: Iterable[str]) -> None:
    """Refuse a folder in which paths would be longer than Windows allows, before the work is done and not after.

    Raises:
        InputError: by how much.
    """
    most = longest_path()
    if most is None:
        return
    longest = len(str(folder.absolute())) + len(_ASIDE) + max(map(len, names))
    if longest > most:
        raise InputError(
            f"Results in {folder} would have paths of up to {longest} characters, and Windows allows {most} here; give "
            f"a folder whose path is shorter by {longest - most}, or have long paths switched on in Windows."
        )


def _check_file(folder: Path, name: str, own: Listing | None) -> None:
    path = folder / name
    if not os.path.lexists(path):
        if path.parent != folder and os.path.lexists(path.parent) and not path.parent.is_dir():
            raise InputError(f"{path.parent} is a file where a folder is to be written; {_OTHERWISE}.")
        return
    if path.is_dir():
        raise InputError(f"{path} is a folder where a file is to be written; {_OTHERWISE}.")
    if own is not None and path.name == file_name(own.series, LISTING):
        return
    if own is None or name not in own.files:
        raise InputError(f"{path} would be replaced, but {NAME} did not write it for this series; {_OTHERWISE}.")
    if file_digest(path) != own.files[name]:
        raise InputError(f"{path} would be replaced, but was changed since {NAME} wrote it; {_OTHERWISE}.")


def file_digest(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        return digest_of_file(path)
    except OSError:
        return ""


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file; raises OSError where it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _read(path: Path) -> Listing | None:
    """A listing; None where there is none, or a file of somebody's own."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.pop("GeneratedBy") != NAME or not all(isinstance(content[key], str) for key in _TEXTS):
            return None
        listing = Listing(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    tables = (listing.files, listing.shared, listing.contents)
    plain = all(isinstance(table, dict) and all(isinstance(v, str) for v in table.values()) for table in tables)
    return listing if plain and composed(path.name) == composed(file_name(listing.series, LISTING)) else None


_TEXTS = ("series", "source", "voxels")


def _copied(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _source(series: ASLSeries) -> str:
    """Where it was read from; empty where that is no file or folder: two scenes may have nodes of one name."""
    path = Path(series.source)
    return str(path.absolute()) if series.source and os.path.exists(path) else ""


def voxels_digest(series: ASLSeries) -> str:
    """SHA-256 of the voxels of a series."""
    return hashlib.sha256(series.array.data).hexdigest()
