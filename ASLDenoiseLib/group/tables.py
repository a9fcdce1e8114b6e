"""The table of scans: one tidy row a scan, failed ones too, with a sidecar that says what each column is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.provenance import to_json
from ..result.table import tsv_text
from .columns import PERFUSION, SCAN, Column, column, ordered
from .record import ScanRecord, Status

if TYPE_CHECKING:
    import pandas as pd

SCANS = "scans"  # .tsv and .json
_ANY_UNIT = "as the column 'unit' says"


def scans_table(records: Iterable[ScanRecord]) -> pd.DataFrame:
    """A row a scan, by the scans' names; NaN, or nothing, where something was not measured.

    Scans that failed are rows with their reason. Columns are in the order of `group.columns`; a column is numbers
    (float64) or words.
    """
    import pandas as pd

    rows = [_row(record) for record in sorted(records, key=lambda record: record.name)]
    names = ordered([*(each.name for each in SCAN), *(name for row in rows for name in row)])
    table = pd.DataFrame({name: [row.get(name) for row in rows] for name in names})
    for name in names:
        if column(name).words or table[name].map(lambda value: isinstance(value, str)).any():
            table[name] = table[name].map(lambda value: value if isinstance(value, str) else "").astype(object)
        else:
            table[name] = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
    return table


def done(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of scans whose run ended well."""
    return table[table["status"] == Status.DONE.value].reset_index(drop=True)


def _row(record: ScanRecord) -> dict[str, object]:
    return {
        "scan": record.name,
        "participant": record.participant,
        "session": record.session,
        "status": record.status.value,
        "reason": record.sentence,
        "folder": record.folder,
        "seconds": record.seconds,
        "memory_gib": record.memory,
        **record.values,
    }


def table_tsv(table: pd.DataFrame) -> str:
    """A table as BIDS tabular text: n/a where a cell is NaN or empty; numbers as exact as they are."""
    columns = [[cell_text(value) for value in table[name].tolist()] for name in table.columns]
    return tsv_text([tuple(map(str, table.columns)), *zip(*columns, strict=True)])


def cell_text(value: object) -> str:
    """A cell of BIDS tabular text.

    >>> [cell_text(value) for value in (30.0, 0.25, float("nan"), "", None, True, "a word")]
    ['30', '0.25', 'n/a', 'n/a', 'n/a', 'true', 'a word']
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return "n/a"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, float, np.number)):
        number = float(value)
        if not np.isfinite(number):
            return "n/a" if np.isnan(number) else str(number)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value)


def unit_of_study(table: pd.DataFrame) -> str:
    """The unit of the perfusion maps of all scans; empty where they have several."""
    units = set(table["unit"]) - {""} if "unit" in table else set()
    return units.pop() if len(units) == 1 else ""


def sidecar_of(table: pd.DataFrame, known: Callable[[str], Column] = column) -> dict[str, dict[str, object]]:
    """What each column of a table is: BIDS' LongName, Description, Units.

    Args:
        table: with a column ``unit``, that of the perfusion maps.
        known: tells a column by its name.
    """
    unit = unit_of_study(table) or _ANY_UNIT
    told = {}
    for name in map(str, table.columns):
        own = known(name)
        told[name] = {"LongName": own.label, "Description": own.description}
        units = unit if own.unit == PERFUSION else own.unit
        if units:
            told[name]["Units"] = units
    return told


def write_tables(folder: Path, tables: Mapping[str, tuple[pd.DataFrame, Mapping[str, object]]]) -> Sequence[Path]:
    """Write tables, by the stems of their names, with their sidecars into a folder that is there.

    Raises:
        OSError: the disk is full, or may not be written to.
    """
    written = []
    for name, (table, sidecar) in tables.items():
        texts = {".tsv": table_tsv(table), ".json": to_json(sidecar)}
        for end, text in texts.items():
            path = folder / f"{name}{end}"
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return written
