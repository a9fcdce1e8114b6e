"""The scans of a cohort as a list to choose from: of its table, or of the records of one that still runs; no pandas.

Also those of any folder of results, each of which says enough of itself.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from ..errors import InputError
from .record import FOLDER, ScanRecord, Status, read_record

TABLE = "group/scans.tsv"
FIGURES = ("gm_mean", "snr", "gm_wm_contrast")  # readouts that a list shows, raw and processed
NUMBERS = tuple(f"{which}_{name}" for name in FIGURES for which in ("raw", "processed"))
_COUNTS = ("findings_unusable", "findings_warning")
_RESULTS = ("", "*/", "sub-*/perf/", "sub-*/ses-*/perf/")  # where a folder of results may hold them
_READOUTS = "_readouts.json"


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
        unit: of its maps.
        values: `NUMBERS`, NaN where not measured.
        compared: a processed map stands beside the raw one.
        sentence: why its run failed.
        rank: place among those to look at first, from 1; None where nobody ranked them.
        why: what puts it there.
    """

    name: str
    participant: str
    session: str
    status: Status
    folder: Path
    unit: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    compared: bool = True
    sentence: str = ""
    rank: int | None = None
    why: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether it failed, or something was found in it that is more than a note."""
        found = any(self.values.get(name, 0.0) > 0 for name in _COUNTS)
        return self.status is Status.FAILED or found or (self.rank is not None and bool(self.why))

    @property
    def scene(self) -> Path:
        """Its scene, whether or not it is there."""
        return self.folder / f"{self.name}_scene.mrb"

    @property
    def report(self) -> Path:
        """Its report, whether or not it is there."""
        return self.folder / f"{self.name}_report.html"


@dataclass(frozen=True)
class Listing:
    """The scans of a folder, what to look at first in front.

    Args:
        scans: of it.
        source: where they were read.
        later: names of those whose record is younger than the table: they are not ranked in it yet.
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
        return Listing(_ordered(listed.values()), source, tuple(later) if scans else (), trouble)
    found = tuple(_of_results(out))
    if not found:
        none = f"No scan is in {out.name or out}: choose the folder that a cohort, or a run, wrote into."
        raise InputError(f"{none} {trouble}".strip())
    return Listing(found, Source.RESULTS, trouble=trouble)


def _ordered(scans) -> tuple[ListedScan, ...]:
    """Failed ones, then by rank, then what nobody has ranked by its findings; a tie by the name."""

    def place(scan: ListedScan) -> tuple:
        counts = (-_number(scan.values.get(name), 0.0) for name in _COUNTS)
        ranked = math.inf if scan.rank is None else scan.rank
        return (scan.status is not Status.FAILED, ranked, *counts, scan.name)

    return tuple(sorted(scans, key=place))


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
            scan = _scan(text["scan"], text, out / text["folder"], Status(text["status"]), text)
            yield replace(scan, sentence=text.get("reason", ""))


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
    labels = {"participant": record.participant, "session": record.session}
    scan = _scan(record.name, labels, out / record.folder, record.status, record.values)
    return replace(scan, sentence=record.sentence)


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
        of = {"participant": labels.get("sub", ""), "session": labels.get("ses", "")}
        yield _scan(name, of, path.parent, Status.DONE, values)


def _readouts(content: Mapping) -> dict[str, object]:
    """What ``NAME_readouts.json`` holds, by the columns of the table."""
    raw, processed = content["raw"], content["processed"] or content["raw"]
    values: dict[str, object] = {"raw_map": raw, "processed_map": processed, "unit": content["maps"][raw]["unit"]}
    for which, key in (("raw", raw), ("processed", processed)):
        values |= {f"{which}_{name}": entry["value"] for name, entry in content["readouts"][key].items()}
    return values


def _scan(name: str, labels: Mapping, folder: Path, status: Status, values: Mapping[str, object]) -> ListedScan:
    """A scan of the columns of the table of scans."""
    numbers = {column: _number(values.get(column), math.nan) for column in (*NUMBERS, *_COUNTS)}
    return ListedScan(
        name,
        str(labels.get("participant") or ""),
        str(labels.get("session") or ""),
        status,
        folder,
        str(values.get("unit") or ""),
        numbers,
        values.get("raw_map") != values.get("processed_map"),
        why=_why(values),
    )


def _why(values: Mapping[str, object]) -> str:
    """What was found in a scan that nobody ranked, by the codes of its findings."""
    return str(values.get("findings") or "")


def _number(value: object, otherwise: float) -> float:
    """A number, or a text that says one; anything else is not known."""
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return otherwise
    return otherwise if math.isnan(found) else found
