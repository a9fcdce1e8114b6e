"""What one finished run puts into the tables of its cohort: one row, and one a region."""

from __future__ import annotations

from ..result import Result


def scan_row(result: Result) -> dict[str, object]:
    """The columns of the table of scans (`group.columns`) of one run: numbers, words, NaN."""
    processed = result.processed or result.raw
    row: dict[str, object] = {"unit": result.unit, "raw_map": result.raw, "processed_map": processed}
    for prefix, key in (("raw", result.raw), ("processed", processed)):
        row |= {f"{prefix}_{r.name}": r.value for r in result.readouts[key] if not r.name.startswith("roi_")}
    return row


def region_rows(result: Result) -> tuple[dict[str, object], ...]:
    """The rows of the table of regions of one run."""
    return ()
