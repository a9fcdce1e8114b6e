"""The scans that a model is to be adapted to: as they are given, and as the requests that prepare them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..files import is_folder, is_litter
from ..pipeline.request import Head, Outputs, Request, SeriesFile
from ..pipeline.request_json import read_request
from ..reading.bids_study import series_files, t1_of
from ..reading.images import entity, image_stem, is_image_name
from ..series import ASLSeries

Given = Path | SeriesFile | Request
_REQUEST = "_request.json"
_DEEPEST = 6  # folders from the one given down


@dataclass(frozen=True, eq=False)
class SiteScan:
    """A scan as it was given.

    Args:
        name: for people, and no other scan's.
        given: a series, the ``*_request.json`` of a result, or either as a noun.
    """

    name: str
    given: Given

    @property
    def file(self) -> str:
        """Its file, where its name alone does not tell which of several scans it is; else empty."""
        given = self.given.path if isinstance(self.given, SeriesFile) else self.given
        return str(given) if isinstance(given, str | Path) and self.name != called(self.given) else ""

    @property
    def request(self) -> Request:
        """What prepares it, and nothing more; read anew each time, so that no scan waits in memory.

        Raises:
            InputError: it is a request that cannot be read.
        """
        if isinstance(self.given, Request):
            asked = self.given
        elif isinstance(self.given, Path) and self.given.suffix == ".json":
            asked = read_request(self.given)
        else:
            series = self.given if isinstance(self.given, SeriesFile) else SeriesFile(self.given)
            found = t1_of(Path(series.path))
            asked = Request(series, Head(None if found is None else found[0]))
        return replace(asked, denoising=None, superresolution=None, outputs=Outputs())


def find_site_scans(given: Sequence[Given]) -> tuple[SiteScan, ...]:
    """The scans of what was given, in its order; of a folder its ASL series, else the requests of its results.

    Raises:
        InputError: a path leads nowhere, is neither, or a folder holds no scan; or a scan is given twice.
    """
    found = [each for one in given for each in (_of_path(one) if isinstance(one, Path) else (one,))]
    _refuse_twice(found)
    return tuple(SiteScan(name, each) for name, each in zip(names_of(found), found, strict=True))


def called(given: Given) -> str:
    """What a scan is called by its file, without what all have in common."""
    if isinstance(given, Path) and given.name.endswith(_REQUEST):
        return given.name.removesuffix(_REQUEST)
    if isinstance(given, Request):
        if given.outputs.name or isinstance(given.series, ASLSeries):
            return given.outputs.name or given.series.name
        given = given.series
    path = given.path if isinstance(given, SeriesFile) else given
    return image_stem(Path(path)).removesuffix("_asl")


def names_of(found: Sequence[Given]) -> list[str]:
    """What each scan is called, in their order: a name that no other has."""
    names: list[str] = []
    for each in found:
        name, number = called(each), 2
        unique = name
        while unique in names:
            unique, number = f"{name} ({number})", number + 1
        names.append(unique)
    return names


def person_of(request: Request) -> tuple[str, str]:
    """Whose scan it is: the label of the subject, empty where the name has none, and a key that tells people apart.

    People of two data sets are two, whatever their labels; without a label the T1 is the person; with neither the key
    is empty.
    """
    t1 = request.head.t1 if isinstance(request.head.t1, Path) else None
    series = request.series
    place = series.source if isinstance(series, ASLSeries) else str(series.path)
    path = Path(place).absolute() if place else None
    label = "" if path is None else entity(path, "sub")
    if label and path is not None:
        root = next((up.parent for up in path.parents if up.name == f"sub-{label}"), path.parent)
        return label, f"{root}:{label}"
    return label, "" if t1 is None else str(t1.absolute())


def _of_path(path: Path) -> tuple[Path, ...]:
    if not is_folder(path):
        if path.suffix != ".json" and not is_image_name(path):
            raise InputError(
                f"{path} is no scan; give a series (NIfTI), a folder of them, or the *_request.json of one."
            )
        return (path,)
    found = series_files(path) or _requests_in(path)
    if not found:
        raise InputError(
            f"{path} holds no ASL series (*_asl.nii.gz) and no *_request.json; of a folder of DICOM run 'denoise' "
            "first, and give the *_request.json of its result."
        )
    return found


def _requests_in(folder: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    level = [folder]
    for _ in range(_DEEPEST):
        entries = [entry for each in level for entry in _entries(each)]
        named = [entry for entry in entries if entry.name.endswith(_REQUEST) and not is_litter(entry)]
        found += [entry for entry in named if entry.is_file()]
        level = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return tuple(sorted(found))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder that may not be read holds nothing for this user
        return []


def _refuse_twice(found: Iterable[Given]) -> None:
    seen: set[Path] = set()
    for each in found:
        path = each.path if isinstance(each, SeriesFile) else each
        if not isinstance(path, Path):
            continue
        if path.resolve() in seen:
            raise InputError(f"The scan {path} is given twice; a scan that teaches cannot judge: give it once.")
        seen.add(path.resolve())
