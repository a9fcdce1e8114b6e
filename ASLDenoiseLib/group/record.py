"""``OUT/cohort/NAME.json``: what a cohort knows of one scan: how its run ended, and what was measured in it.

Written when the run of a scan ends, after its files, and read by the group level and by a cohort that is started again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path

from ..moving import replace_file
from ..series_json import plain

FOLDER = "cohort"  # in OUT, of all records
FORMAT = "ASLDenoise cohort record 1"


class Status(str, Enum):
    """How the run of a scan ended."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class ScanRecord:
    """One scan of a cohort.

    Args:
        name: what its files begin with: ``sub-01_ses-1_acq-grase``.
        participant, session: labels without ``sub-`` and ``ses-``; session empty where there is none.
        status: of its run.
        digest: of its request and inputs (`participants.identity`); a scan of another digest is run again.
        stamps: input file to ``[size, mtime_ns, SHA-256]``, so that a file that was not touched is not read again.
        sentence: why it failed; empty where it did not.
        folder: of its results, from OUT, with ``/``.
        seconds: that its run took; `memory`: the most it held, GiB. NaN where that is not known.
        values: columns of the table of scans (`group.columns`): numbers, words, NaN.
        regions: rows of the table of regions, likewise.
    """

    name: str
    participant: str
    session: str
    status: Status
    digest: str
    stamps: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    sentence: str = ""
    folder: str = ""
    seconds: float = float("nan")
    memory: float = float("nan")
    values: Mapping[str, object] = field(default_factory=dict)
    regions: tuple[Mapping[str, object], ...] = ()


def write_record(out: Path, record: ScanRecord) -> Path:
    """Write the record of a scan into ``OUT/cohort``, whole or not at all.

    Raises:
        OSError: the disk is full, or may not be written to; what stood there before stays.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.name}.json"
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        text = json.dumps(plain({"format": FORMAT, **asdict(record)}), indent=1, allow_nan=False)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        replace_file(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def read_records(out: Path) -> tuple[ScanRecord, ...]:
    """The records in ``OUT/cohort`` by their names; what is none, or of another version, is passed over."""
    found = (read_record(path) for path in sorted((out / FOLDER).glob("*.json")))
    return tuple(record for record in found if record is not None)


def read_record(path: Path) -> ScanRecord | None:
    """The record in a file; None where it is none, or of another version."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.pop("format") != FORMAT:
            return None
        content["status"] = Status(content["status"])
        content["stamps"] = {name: tuple(stamp) for name, stamp in content["stamps"].items()}
        content["values"] = _numbers(content["values"])
        content["regions"] = tuple(_numbers(row) for row in content["regions"])
        for name in ("seconds", "memory"):
            content[name] = float("nan") if content[name] is None else content[name]
        return ScanRecord(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _numbers(row: Mapping[str, object]) -> dict[str, object]:
    """A row with NaN where JSON has null."""
    return {name: float("nan") if value is None else value for name, value in row.items()}
