"""The maps of a study in MNI space: mean, SD and correlation over participants, of raw and processed, of two sessions.

Maps are read one participant after the other, so that memory does not grow with the study.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..preparing.template import MNI_GRID
from ..reading.images import read_image
from ..result.maps import MNI
from ..series import SCANNER_UNIT, Volume
from .map_files import Stack, write_map
from .map_table import CORRELATION, KINDS, PROCESSED, RAW
from .online import Correlation, Moments
from .record import ScanRecord, Status
from .repeatability import first_sessions

MOST_STACKED = 500  # scans in one 4D file: 1.8 GB in the memory of whoever opens it
_BOTH = (RAW, PROCESSED)
_NAMED = 6  # scans in a note
Maps = Mapping[str, np.ndarray]  # raw and processed (K, J, I), those there are


@dataclass(frozen=True, eq=False)
class GroupMaps:
    """What the maps of a study came to.

    Args:
        participants, scans: with a map in MNI space.
        unit: of the scans' maps; empty without any.
        maps: by the keys of `group.map_table.KINDS`, those that could be made, on the template's grid.
        files: what was written.
        notes: what was left out and why, a sentence each.
        sessions: the labels of the two that are compared; None of a study of one.
    """

    participants: int = 0
    scans: int = 0
    unit: str = ""
    maps: Mapping[str, Volume] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    sessions: tuple[str, str] | None = None


@dataclass(frozen=True)
class _Scan:
    """Where a scan's maps in MNI space lie."""

    record: ScanRecord
    paths: Mapping[str, Path]


def group_maps(out: Path, records: Iterable[ScanRecord], folder: Path, *, apart: Collection[str] = ()) -> GroupMaps:
    """Make the maps of a study from those of its scans in MNI space, and write them into a folder.

    Over participants, the sessions of one averaged first, NaN left out voxel by voxel: mean, SD (n - 1) and number, raw
    and processed; Pearson's r of raw with processed, and of the first session with the second (three participants or
    more). And the maps of all scans as one 4D file each, up to `MOST_STACKED`.

    Args:
        out: the cohort's, where the scans' results lie.
        records: of its scans; those that failed are passed over.
        folder: to write into; it is there.
        apart: names of scans that are set apart: they are in the 4D files alone, and named.

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    done = [record for record in records if record.status is Status.DONE]
    scans, notes = _scans_in(out, done)
    if not scans:
        return GroupMaps(notes=tuple(notes))
    apart = sorted(scan.record.name for scan in scans if scan.record.name in apart)
    if apart:
        notes.append(f"{_named(apart)}, which are set apart; the file of all scans has them.")
    unit, suffix = str(scans[0].record.values["unit"]), str(scans[0].record.values["raw_map"]).rpartition("_")[2]
    sessions, sums = first_sessions(scan.record.session for scan in scans), _Sums()
    with ExitStack() as opened:
        stacks = {}
        if len(scans) <= MOST_STACKED:
            named = {"suffix": suffix, "unit": unit, "grid": MNI_GRID}
            for which in _BOTH:
                rows = [(s.record.name, s.record.participant, s.record.session) for s in scans if which in s.paths]
                if rows:
                    stacks[which] = opened.enter_context(Stack(folder, which, rows=rows, **named))
        else:
            notes.append(
                f"The maps of all {len(scans)} scans are not put into one file, which is made of {MOST_STACKED}."
            )
        for _, of_person in groupby(scans, key=lambda scan: scan.record.participant):
            sums.add(_sessions_of(of_person, stacks, notes, apart), sessions)
    told = {"Participants": sums.participants, "Scans": len(scans) - len(apart)}
    told |= ({"Sessions": sessions} if sessions else {}) | ({"SetApart": apart} if apart else {})
    maps, files = {}, [path for stack in stacks.values() for path in stack.files]
    for key, array in sums.maps().items():
        maps[key] = Volume(array, MNI_GRID, unit if KINDS[key].of_perfusion else "", key)
        files += write_map(folder, key, maps[key], suffix=suffix, told=told)
    return GroupMaps(sums.participants, len(scans) - len(apart), unit, maps, tuple(files), tuple(notes), sessions)


def _scans_in(out: Path, records: Sequence[ScanRecord]) -> tuple[list[_Scan], list[str]]:
    """The scans that have a raw map in MNI space, by participant and session; and what is to be said of the others."""
    scans, without, relative = [], [], []
    for record in sorted(records, key=lambda record: (record.participant, record.session, record.name)):
        keys = {which: record.values.get(f"{which}_map") for which in _BOTH}
        paths = {w: out / record.folder / f"{record.name}_{MNI}_{key}.nii.gz" for w, key in keys.items() if key}
        paths = {which: path for which, path in paths.items() if path.is_file()}
        if keys[PROCESSED] == keys[RAW]:
            paths.pop(PROCESSED, None)
        if RAW not in paths:
            without.append(record.name)
        elif record.values.get("unit") == SCANNER_UNIT:
            relative.append(record.name)
        else:
            scans.append(_Scan(record, paths))
    notes = []
    if without:
        notes.append(f"{_named(without)} of {len(records)} scans without a map in MNI space, which takes a T1.")
    if relative:
        notes.append(
            f"{_named(relative)} of {len(records)} scans in scanner units, which cannot be averaged over heads."
        )
    return scans, notes


def _named(names: Sequence[str]) -> str:
    more = ", ..." if len(names) > _NAMED else ""
    return f"Left out of the maps: {len(names)} ({', '.join(names[:_NAMED])}{more})"


def _sessions_of(
    scans: Iterable[_Scan], stacks: Mapping[str, Stack], notes: list[str], apart: Collection[str]
) -> dict[str, Maps]:
    """The maps of a participant by session, several scans of one averaged; each is added to its stack."""
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    for scan in scans:
        for which, path in scan.paths.items():
            array = _read(path, notes)
            if which in stacks:
                stacks[which].add(array, MNI_GRID)
            if array is not None and scan.record.name not in apart:
                found.setdefault(scan.record.session, {}).setdefault(which, []).append(array)
    return {session: {which: _mean(arrays) for which, arrays in of.items()} for session, of in found.items()}


def _read(path: Path, notes: list[str]) -> np.ndarray | None:
    try:
        volume = read_image(path)
    except InputError as error:
        notes.append(f"Left out of the maps: {error}")
        return None
    if not volume.geometry.matches(MNI_GRID):
        notes.append(f"Left out of the maps: {path.name} is not on the template's grid; run the scan again.")
        return None
    return volume.array


def _mean(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Of what is known in each voxel; NaN where nothing is."""
    if len(arrays) == 1:
        return arrays[0]
    of = Moments(arrays[0].shape)
    for array in arrays:
        of.add(array)
    return of.mean


class _Sums:
    """What is kept of the participants seen so far."""

    def __init__(self) -> None:
        shape = MNI_GRID.shape
        self.participants = 0
        self._moments = {which: Moments(shape) for which in _BOTH}
        self._pairs = {key: Correlation(shape) for key in (CORRELATION, *(f"{which}_sessions" for which in _BOTH))}

    def add(self, by_session: Mapping[str, Maps], sessions: tuple[str, str] | None) -> None:
        """One participant's maps."""
        self.participants += bool(by_session)
        for which in _BOTH:
            arrays = [of[which] for of in by_session.values() if which in of]
            if arrays:
                self._moments[which].add(_mean(arrays))
            two = [by_session.get(session, {}).get(which) for session in sessions or ()]
            if len(two) == 2 and all(each is not None for each in two):
                self._pairs[f"{which}_sessions"].add(*two)
        both = [of for of in by_session.values() if len(of) == 2]
        if both:
            self._pairs[CORRELATION].add(*(_mean([of[which] for of in both]) for which in _BOTH))

    def maps(self) -> dict[str, np.ndarray]:
        """By the keys of `KINDS`; only those with a value anywhere."""
        found = {}
        for which, of in self._moments.items():
            found |= {f"{which}_mean": of.mean, f"{which}_sd": of.sd}
            if of.count.any():
                found[f"{which}_n"] = of.count
        found |= {key: of.r for key, of in self._pairs.items()}
        return {key: found[key] for key in KINDS if key in found and np.isfinite(found[key]).any()}
