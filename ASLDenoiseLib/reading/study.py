"""What a user gives as a series, M0 or T1: a file, a BIDS folder, or a folder of DICOM of a whole examination."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import is_folder
from ..series import Volume
from .bids_study import one_t1, series_files, t1_files, t1_of
from .dicom_tags import is_dicom
from .images import CBF_SUFFIX, image_stem, is_image_name, read_image
from .numbered import index_of, listed
from .scan import Scan, read_scan


@dataclass(frozen=True)
class FoundSeries:
    """An ASL series in a folder.

    Args:
        number: what ``--series`` takes.
        label: for people.
        path: its NIfTI, or the folder of DICOM.
    """

    number: int
    label: str
    path: Path


@dataclass(frozen=True)
class FoundT1:
    """The T1 that belongs to a series.

    Args:
        path: what ``--t1`` takes: its NIfTI, or the folder of DICOM.
        label: what it is, for people.
        note: what to know before it is used; empty where there is nothing.
    """

    path: Path
    label: str
    note: str = ""


def series_in(path: Path) -> tuple[FoundSeries, ...]:
    """The ASL series in a folder, BIDS or DICOM, by their numbers; none for a file.

    Raises:
        InputError: the folder holds neither.
    """
    if not is_folder(path):
        return ()
    found = series_files(path)
    if found:
        return tuple(FoundSeries(n, str(p.relative_to(path)), p) for n, p in enumerate(found, 1))
    from .conversion import convert
    from .dicom import dicom_series

    return tuple(FoundSeries(each.number, each.label, path) for each in dicom_series(convert(path)))


def read_study(path: Path, *, series: int | None = None, sidecar: bool = True) -> Scan:
    """The series that is meant by a path.

    Args:
        path: a NIfTI or MGZ, a folder of BIDS or of DICOM, or one DICOM file.
        series: of a folder of several, the number of one.
        sidecar: read the JSON files beside an image, too.

    Raises:
        InputError: it is not there, cannot be read, or holds no series or several.
    """
    if is_folder(path):
        found = series_files(path)
        if found:
            return read_scan(_one_of(path, found, series), sidecar=sidecar)
        if (path / "dataset_description.json").is_file():
            raise InputError(f"The data set {path} holds no ASL series (an image named _asl); give the file of one.")
    elif is_image_name(path) or not is_dicom(path):
        if series is not None:
            raise InputError(f"{path} is one file, so there is no series {series} to choose; leave out --series.")
        suffix = "cbf" if image_stem(path).endswith(CBF_SUFFIX) else "asl"
        return read_scan(path, suffix=suffix, sidecar=sidecar)
    from .dicom import read_dicom

    return read_dicom(path, series=series) if path.is_dir() else read_dicom(path.parent, series=series, file=path)


def find_t1(path: Path, *, series: int | None = None) -> FoundT1 | None:
    """The T1 that lies with a series, or None; `path` and `series` as `read_study` takes them."""
    files = series_files(path) if path.is_dir() else ()
    if files or is_image_name(path):
        found = t1_of(_one_of(path, files, series) if files else path)
        if found is None:
            return None
        note = f"The T1 {found[0].name} is of another session." if found[1] else ""
        return FoundT1(found[0], f"{found[0].name}{', of another session' if found[1] else ''}", note)
    from .conversion import convert
    from .dicom import dicom_t1s, of_another_examination

    folder = path if path.is_dir() else path.parent
    conversion = convert(folder)
    t1s = dicom_t1s(conversion, series)
    if not t1s or not all(t1.same_patient(t1s[0]) for t1 in t1s):
        return None
    more = ", of another examination" if of_another_examination(t1s[0], conversion, series) else ""
    more += f"; there is also {listed(t1s[1:])}" if t1s[1:] else ""
    return FoundT1(folder, f"{t1s[0]}{more}", f"The T1 is {t1s[0]}{more}." if more else "")


def read_t1(path: Path | str, *, series: Path | str | None = None, number: int | None = None) -> Volume:
    """A T1-weighted image: float32 (K, J, I), LPS geometry.

    Args:
        path: NIfTI or MGZ, a BIDS folder, or a folder of DICOM of a whole examination.
        series: the series' file: of several subjects in a BIDS folder its own is meant.
        number: the series' number: of several patients in a folder of DICOM its own is meant.

    Raises:
        InputError: it is not there, cannot be read, or the folder holds none or several.
    """
    path = Path(path)
    if is_folder(path):
        if t1_files(path) or series_files(path):
            chosen = one_t1(path, None if series is None else Path(series))
            return read_image(chosen, name=image_stem(chosen))
    elif is_image_name(path) or not is_dicom(path):
        return read_image(path)
    from .dicom import read_dicom_t1

    return read_dicom_t1(path if path.is_dir() else path.parent, number)


def read_m0(path: Path) -> Scan:
    """An M0 scan: a NIfTI or MGZ, or the one M0 in a folder of DICOM; raises as `read_t1`."""
    if not is_folder(path):
        return read_scan(path, suffix="m0scan")
    from .dicom import read_dicom_m0

    return read_dicom_m0(path)


def _one_of(folder: Path, found: tuple[Path, ...], number: int | None) -> Path:
    """The file of that number; the only one where no number is given."""
    labels = [str(path.relative_to(folder)) for path in found]
    return found[index_of(number, numbers=range(1, len(found) + 1), labels=labels, folder=folder)]
