"""The scans of a BIDS data set, each with the T1 of its head, and what is odd about the data set itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import composed, read_text
from ..reading.bids_study import series_files, t1_of
from ..reading.images import entity, image_stem
from .scan import CohortScan

_DESCRIPTION = "dataset_description.json"
_PEOPLE = "participants.tsv"
_SHOWN = 12  # labels in a sentence


@dataclass(frozen=True)
class FoundScans:
    """What a data set holds.

    Args:
        scans: those that were asked for, in the order of their paths.
        notes: a sentence each on participants without a series, on files that were passed over, and on
            ``participants.tsv``.
    """

    scans: tuple[CohortScan, ...]
    notes: tuple[str, ...] = ()


def find_scans(
    bids: Path,
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    labels_from: Path | None = None,
) -> FoundScans:
    """The ASL series of a BIDS data set with the T1 (and label map) of each one's head.

    Args:
        bids: the root of the data set.
        participants, sessions: labels, with or without ``sub-`` and ``ses-``; none: all.
        labels_from: a folder of label maps in the space of the T1s (`reading.segmentations`).

    Raises:
        InputError: it is no data set, holds no ASL series, or one twice; or a label that was asked for is not there.
    """
    _require_data_set(bids)
    named, notes = _named_series(bids)
    if not named:
        raise InputError(f"The data set {bids} holds no ASL series (sub-*/perf/*_asl.nii.gz); give one that does.")
    _refuse_twice(bids, named)
    chosen = [path for path in named if _is_asked(path, participants, "sub") and _is_asked(path, sessions, "ses")]
    _require_asked(bids, named, participants, sessions, chosen)
    scans = tuple(_scan(path, labels_from) for path in chosen)
    if labels_from is not None and not any(scan.labels for scan in scans):
        raise InputError(f"{labels_from} holds no label map of any of these scans; give another folder of them.")
    asked = {_label(each, "sub") for each in participants}
    return FoundScans(scans, (*notes, *_notes_on_people(bids, named, asked)))


def _require_data_set(bids: Path) -> None:
    if not bids.exists():
        raise InputError(f"There is no folder {bids}; check the path.")
    if not bids.is_dir():
        raise InputError(f"{bids} is a file; give the folder of a BIDS data set, or run it alone with 'denoise'.")
    try:
        next(bids.iterdir(), None)
    except OSError as error:
        raise InputError(f"The data set {bids} cannot be read ({error.strerror}); have access allowed.") from error
    if not (bids / _DESCRIPTION).is_file():
        what = '{"Name": "...", "BIDSVersion": "1.10.0"}'
        raise InputError(
            f"{bids} is no BIDS data set: there is no {_DESCRIPTION} in it; write one ({what}), "
            "or run a single scan with 'denoise'."
        )


def _named_series(bids: Path) -> tuple[list[Path], list[str]]:
    """The series whose names say whose they are; and a note on those that were passed over."""
    found = series_files(bids)
    named = [path for path in found if _entity(path, "sub")]
    other = [_below(bids, path) for path in found if path not in set(named)]
    if not other:
        return named, []
    return named, [f"Passed over, since the name does not say whose it is (sub-...): {names_text(other)}."]


def _refuse_twice(bids: Path, paths: Sequence[Path]) -> None:
    """Refuse two files of one name: their results would have one name as well, be it on a disk without cases alone."""
    seen: dict[str, Path] = {}
    for path in paths:
        first = seen.setdefault(composed(image_stem(path)).casefold(), path)
        if first is not path:
            both = f"{_below(bids, first)} and {_below(bids, path)}"
            if composed(image_stem(first)) != composed(image_stem(path)):
                raise InputError(
                    f"The names of {both} differ in the case of letters alone, which Windows and macOS take for one; "
                    "rename one of them."
                )
            raise InputError(f"The same scan is there twice, as {both}; remove one of them, or name it otherwise.")


def _require_asked(
    bids: Path, named: Sequence[Path], participants: Sequence[str], sessions: Sequence[str], chosen: Sequence[Path]
) -> None:
    there = {key: sorted({_entity(path, key) for path in named} - {""}) for key in ("sub", "ses")}
    folders = {_label(path.name, "sub") for path in _folders_of_people(bids)}
    for asked, key, what in ((participants, "sub", "participant"), (sessions, "ses", "session")):
        for label in (_label(each, key) for each in asked):
            if label in there[key]:
                continue
            if key == "sub" and label in folders:
                raise InputError(f"Participant '{label}' of {bids} has no ASL series; leave it out.")
            named_there = names_text(there[key]) or "none"
            raise InputError(f"There is no {what} '{label}' in {bids}; those with ASL series are: {named_there}.")
    if not chosen:
        raise InputError(f"None of these participants of {bids} has an ASL series in these sessions; ask for others.")


def _is_asked(path: Path, labels: Sequence[str], key: str) -> bool:
    return not labels or _entity(path, key) in {_label(each, key) for each in labels}


def _scan(path: Path, labels_from: Path | None) -> CohortScan:
    participant, session = _entity(path, "sub"), _entity(path, "ses")
    notes = []
    found = t1_of(path)
    if found is None:
        notes.append("It has no T1: tissue is guessed from perfusion.")
    elif found[1]:
        notes.append(f"Its T1 {found[0].name} is of another session.")
    labels = None
    if labels_from is not None:
        from ..reading.segmentations import find_segmentation

        # in the space of the T1, so of the session that this is of
        of = path if found is None else found[0]
        labels = find_segmentation(labels_from, entity(path, "sub"), entity(of, "ses"))
        notes += [] if labels else [f"No label map of it is in {labels_from.name}."]
    t1 = None if found is None else found[0]
    name = composed(image_stem(path).removesuffix("_asl"))
    return CohortScan(name, participant, session, path, t1, labels, tuple(notes))


def _notes_on_people(bids: Path, named: Iterable[Path], asked: set[str]) -> list[str]:
    """Who has no series, and who is in the table of participants alone, or not; of those asked for, where some are."""
    with_series = {_entity(path, "sub") for path in named}
    folders = {_label(folder.name, "sub"): folder for folder in _folders_of_people(bids)}
    people = _listed_people(bids)
    wanted = asked or {*folders, *(people or ())}
    notes = []
    without = sorted((folders.keys() - with_series) & wanted)
    broken = [label for label in without if _has_broken_link(folders[label])]
    if broken:
        notes.append(f"The series of {names_text(broken)} is a link that leads nowhere: fetch it first (datalad get).")
    without = [label for label in without if label not in broken]
    if without:
        notes.append(f"No ASL series: {names_text(without)}.")
    if people is None:
        return notes
    if gone := sorted((people - folders.keys()) & wanted):
        notes.append(f"{_PEOPLE} lists who has no folder: {names_text(gone)}.")
    if more := sorted((folders.keys() - people) & wanted):
        notes.append(f"{_PEOPLE} does not list: {names_text(more)}.")
    return notes


def _listed_people(bids: Path) -> set[str] | None:
    """Labels in ``participants.tsv``; None where there is none that can be read."""
    path = bids / _PEOPLE
    if not path.is_file():
        return None
    try:
        rows: list[Mapping[str, str]] = list(csv.DictReader(read_text(path).splitlines(), delimiter="\t"))
    except (InputError, csv.Error):
        return None
    names = {str(row.get("participant_id") or "").strip() for row in rows}
    return {_label(name, "sub") for name in names if name} or None


def _folders_of_people(bids: Path) -> list[Path]:
    return [path for path in sorted(bids.glob("sub-*")) if path.is_dir()]


def _has_broken_link(folder: Path) -> bool:
    """Whether a series lies below that is a link to what was not fetched, as git-annex has them."""
    paths = (path for pattern in ("perf", "ses-*/perf") for path in folder.glob(f"{pattern}/*_asl.nii*"))
    return any(path.is_symlink() and not path.exists() for path in paths)


def _label(text: str, key: str) -> str:
    return composed(text).strip().removeprefix(f"{key}-")


def _entity(path: Path, key: str) -> str:
    """The value of an entity, composed: a label that is typed need not be spelt as the disk spells it."""
    return composed(entity(path, key))


def _below(bids: Path, path: Path) -> str:
    return path.relative_to(bids).as_posix()


def names_text(labels: Sequence[str]) -> str:
    """Labels with commas between; of many the first and how many more."""
    more = len(labels) - _SHOWN
    return ", ".join(labels[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
