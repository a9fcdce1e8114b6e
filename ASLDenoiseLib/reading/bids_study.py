"""The series and the T1 in a BIDS data set, or in a part of one."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..remedies import GiveImage
from .images import image_stem

_SERIES_ENDINGS = ("_asl.nii", "_asl.nii.gz")
_T1_ENDINGS = ("_T1w.nii", "_T1w.nii.gz")
_DEEPEST = 5  # folders from the one above a root down: itself, the root, sub, ses, perf
_NOT_RAW = ("derivatives", "sourcedata", "code")


def series_files(folder: Path) -> tuple[Path, ...]:
    """The ASL series of a data set, or of a part of one, in the order of their paths."""
    return _images(folder, _SERIES_ENDINGS)


def t1_files(folder: Path) -> tuple[Path, ...]:
    """The T1-weighted images, likewise."""
    return _images(folder, _T1_ENDINGS)


def t1_of(series: Path) -> tuple[Path, bool] | None:
    """The T1 of a series' subject, and whether it is of another session; None where there is none.

    Of several the one without contrast agent (no ``ce`` entity), then the one whose name says the least.
    """
    series = series.absolute()
    session, subject = series.parent.parent, series.parent.parent
    if session.name.startswith("ses-"):
        subject = session.parent
    person = next((part for part in image_stem(series).split("_") if part.startswith("sub-")), "")
    for folders, other in (((session / "anat", series.parent), False), (_other_anats(subject, session), True)):
        found = [p for f in folders for end in _T1_ENDINGS for p in sorted(f.glob(f"*{end}"))]
        found = [p for p in found if p.name.startswith(f"{person}_") or not person]
        if found:
            return min(found, key=plainness), other
    return None


def one_t1(folder: Path, series: Path | None) -> Path:
    """The T1 in a folder, of the subject of `series` where that is known.

    Raises:
        InputError: there is none, or several of which none is that subject's.
    """
    of_subject = None if series is None else t1_of(series)
    found = t1_files(folder)
    if of_subject is not None and of_subject[0].resolve() in [path.resolve() for path in found]:
        return of_subject[0]
    if len(found) > 1:
        listed = ", ".join(str(path.relative_to(folder)) for path in found)
        raise InputError(f"Several T1 images are in {folder} ({listed})", [GiveImage("t1", "give one of them")])
    if not found:
        raise InputError(f"No T1 image (_T1w.nii.gz) is in {folder}", [GiveImage("t1", "give its file")])
    return found[0]


def plainness(path: Path) -> tuple[bool, int, str]:
    """What to sort images by, so that the plainest comes first."""
    return any(part.startswith("ce-") for part in path.name.split("_")), len(path.name), path.name


def _other_anats(subject: Path, session: Path) -> tuple[Path, ...]:
    if not subject.name.startswith("sub-"):
        return ()
    return tuple(f for f in (subject / "anat", *sorted(subject.glob("ses-*/anat"))) if f != session / "anat")


def _images(folder: Path, endings: tuple[str, ...]) -> tuple[Path, ...]:
    found: list[Path] = []
    level = [folder]
    for _ in range(_DEEPEST):
        entries = [p for f in level for p in _entries(f)]
        found += [p for p in entries if p.name.endswith(endings) and not p.name.startswith(".") and p.is_file()]
        level = [p for p in entries if not p.name.startswith(".") and p.name not in _NOT_RAW and p.is_dir()]
    return tuple(sorted(found))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:  # a folder that may not be read holds nothing for this user
        return []
