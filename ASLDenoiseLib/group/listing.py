"""The scans of a cohort as a list to choose from, what to look at first in front; made without pandas.

They come from the table that the group level made and from records that are younger, those of a cohort that still runs
among them; or from any folder of results, each of which says enough of itself.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from pathlib import Path

from ..errors import InputError
from ..reporting.listing import READOUTS_JSON, REPORT
from .columns import column, number_in
from .ranking import rank_rows
from .record import FOLDER, ScanRecord, Status, read_record

TABLE = "group/scans.tsv"
_RESULTS = ("", "*/", "sub-*/perf/", "sub-*/ses-*/perf/")  # where a folder of results may hold them
_READOUTS = f"_{READOUTS_JSON}"


class Source(Enum):
    """What a list of scans was read from."""

    TABLE = "the table that the group level made"
    RECORDS = "the records of the scans"
    RESULTS = "the readouts of each result"


@dataclass(frozen=True)
class ListedScan:
    """A scan in the list.

    Args:
        name: what its files begin with.
        participant, session: labels without ``sub-`` and ``ses-``; empty where there is none.
        status: of its run.
        folder: of its results.
        values: columns of the table of scans (`group.columns`): words, and numbers, NaN where not measured.
        sentence: why its run failed.
        rank: place among those to look at, from 1; None where nothing about it stands out.
        reasons: why to look at it, the weightiest first (`group.ranking`).
        apart: it is set apart from the others.
    """

    name: str
    participant: str
    session: str
    status: Status
    folder: Path
    values: Mapping[str, object] = field(default_factory=dict)
    sentence: str = ""
    rank: int | None = None
    reasons: tuple[str, ...] = ()
    apart: bool = False

    @property
    def failed(self) -> bool:
        """Whether its run failed."""
        return self.status is Status.FAILED

    @property
    def unit(self) -> str:
        """The unit of its maps; empty where it is not known."""
        return str(self.values.get("unit") or "")

    @property
    def compared(self) -> bool:
        """Whether a processed map stands beside the raw one."""
        return self.values.get("raw_map") != self.values.get("processed_map")

    def figure(self, name: str) -> float:
        """A number of the table of scans, NaN where it was not measured."""
        return number_in(self.values, name)

    @property
    def scene(self) -> Path:
        """Its scene, whether or not it is there."""
        return self.folder / f"{self.name}_scene.mrb"

    @property
    def report(self) -> Path:
        """Its report, whether or not it is there."""
        return self.folder / f"{self.name}_{REPORT}"


@dataclass(frozen=True)
class Listing:
    """The scans of a folder, what to look at first in front.

    Args:
        scans: of it.
        source: where they were read.
        later: names of those whose record is younger than the table, in which they are not, or not as they are now.
        trouble: why the table could not be read; empty where it could, or where there is none.
    """

    scans: tuple[ListedScan, ...]
    source: Source
    later: tuple[str, ...] = ()
    trouble: str = ""


def list_scans(out: Path) -> Listing:
    """The scans of a cohort, or of any folder of results.

    Raises:
        InputError: there is no such folder, or no scan in it.
    """
    if not out.is_dir():
        raise InputError(f"There is no folder {out}; choose the folder that a cohort, or a run, wrote into.")
    table, trouble = out / TABLE, ""
    scans: dict[str, ListedScan] = {}
    if table.is_file():
        try:
            scans = {scan.name: scan for scan in _of_table(table, out)}
        except (OSError, ValueError, csv.Error) as error:
            trouble = f"{TABLE} cannot be read ({error}): make it again with the group level."
    listed = dict(scans)
    later = {scan.name: scan for scan in _of_records(out, table if scans else None, known=scans)}
    listed |= later
    if listed:
        source = Source.TABLE if scans else Source.RECORDS
        return Listing(_ranked(listed.values()), source, tuple(later) if scans else (), trouble)
    found = tuple(_of_results(out))
    if not found:
        none = f"No scan is in {out.name or out}: choose the folder that a cohort, or a run, wrote into."
        raise InputError(f"{none} {trouble}".strip())
    return Listing(_ranked(found), Source.RESULTS, trouble=trouble)


def _ranked(scans: Iterable[ListedScan]) -> tuple[ListedScan, ...]:
    """Failed ones by their names, then the others as they are to be looked at."""
    scans = sorted(scans, key=lambda scan: scan.name)
    sound = [scan for scan in scans if not scan.failed]
    places = {f"{number:09d}": scan for number, scan in enumerate(sound)}  # names of results need not be unlike
    rows = [{**scan.values, "scan": number} for number, scan in places.items()]
    told = []
    for rank, found in enumerate(rank_rows(rows), start=1):
        reasons = tuple(reason.words for reason in found.reasons)
        scan = places[found.scan]
        told.append(replace(scan, rank=rank if reasons else None, reasons=reasons, apart=found.set_apart))
    told.sort(key=lambda scan: math.inf if scan.rank is None else scan.rank)  # stable: those alike by their names
    return (*(scan for scan in scans if scan.failed), *told)


def _of_table(table: Path, out: Path) -> Iterator[ListedScan]:
    """The rows of the table; raises ValueError where it is none."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = {"scan", "status", "folder"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"no column {', '.join(sorted(missing))}")
        for row in reader:
            if not row["scan"] or row["folder"] is None:
                raise ValueError(f"line {reader.line_num} is cut off")
            text = {name: "" if value in (None, "n/a") else value for name, value in row.items() if name}
            whose = text.get("participant", ""), text.get("session", "")
            ended = Status(text["status"]), out / text["folder"]
            yield ListedScan(text["scan"], *whose, *ended, _typed(text), text.get("reason", ""))


def _of_records(out: Path, table: Path | None, known: Mapping[str, ListedScan]) -> Iterator[ListedScan]:
    """The scans of records; where there is a table, those alone that it has not, or has of an earlier run."""
    made = -math.inf if table is None else table.stat().st_mtime
    for path in sorted((out / FOLDER).glob("*.json")):
        if path.stem in known and path.stat().st_mtime <= made:
            continue
        record = read_record(path)
        if record is not None:
            yield _of_record(record, out)


def _of_record(record: ScanRecord, out: Path) -> ListedScan:
    whose = record.participant, record.session
    ended = record.status, out / record.folder
    return ListedScan(record.name, *whose, *ended, _typed(record.values), record.sentence)


def _of_results(out: Path) -> Iterator[ListedScan]:
    """The scans of a folder of results, by their names."""
    paths = {path for place in _RESULTS for path in out.glob(f"{place}*{_READOUTS}")}
    for path in sorted(paths, key=lambda path: (path.name, path)):
        name = path.name.removesuffix(_READOUTS)
        labels = dict(part.split("-", 1) for part in name.split("_") if "-" in part)
        try:
            values = _readouts(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue  # another's file of that name
        whose = labels.get("sub", ""), labels.get("ses", "")
        yield ListedScan(name, *whose, Status.DONE, path.parent, _typed(values))


def _readouts(content: Mapping) -> dict[str, object]:
    """What ``NAME_readouts.json`` holds, by the columns of the table."""
    raw, processed = content["raw"], content["processed"] or content["raw"]
    values: dict[str, object] = {"raw_map": raw, "processed_map": processed, "unit": content["maps"][raw]["unit"]}
    for which, key in (("raw", raw), ("processed", processed)):
        values |= {f"{which}_{name}": entry["value"] for name, entry in content["readouts"][key].items()}
    return values


def _typed(values: Mapping[str, object]) -> dict[str, object]:
    """Columns of the table of scans: words as text, anything else as a number, NaN where it is none."""
    typed: dict[str, object] = {}
    for name, value in values.items():
        if _holds_words(name):
            typed[name] = value if isinstance(value, str) else ""
        else:
            typed[name] = _number(value)
    return typed


@cache  # asked for each cell of each scan
def _holds_words(name: str) -> bool:
    return column(name).words


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
