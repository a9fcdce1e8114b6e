"""The readouts as rows, as a plain-text table for a terminal, and as tab-separated text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import Readout, Result
from .plausible import implausible

_SHORT = ("gm_mean", "wm_mean", "gm_wm_contrast", "gm_att", "wm_att")  # of a short table, and the means of regions
_OF_REGIONS = ("_mean", "_att")


@dataclass(frozen=True)
class Row:
    """One readout over every map.

    Args:
        name: stable key.
        label: for people.
        unit: empty for ratios.
        meaning: how it is computed and how to read it.
        values: one a map, in the order of `columns`; NaN where it could not be measured.
        change: 100 * (processed - raw) / |raw|, %, NaN where there is no processed map or raw is zero.
    """

    name: str
    label: str
    unit: str
    meaning: str
    values: tuple[float, ...]
    change: float

    @property
    def cells(self) -> tuple[str, ...]:
        """Label, values, change and unit as text."""
        return (self.label, *map(format_value, self.values), format_change(self.change), self.unit)


def is_short(name: str) -> bool:
    """Whether a readout belongs in a short table: grey matter, white matter, their contrast, regions, arrival times."""
    return name in _SHORT or (name.startswith("roi_") and name.endswith(_OF_REGIONS))


def short_first(table: Iterable[Row]) -> tuple[Row, ...]:
    """The rows with those of a short table before the others."""
    return tuple(sorted(table, key=lambda row: not is_short(row.name)))


def columns(result: Result) -> tuple[str, ...]:
    """The maps that were measured, in the order to show them: raw, processed, then what they are compared with."""
    order = {result.raw: 0, result.processed: 1}
    return tuple(sorted(result.readouts, key=lambda key: order.get(key, 2)))


def rows(result: Result) -> tuple[Row, ...]:
    """Every readout of every map, a row a readout, in the order in which the maps give them."""
    keys = columns(result)
    by_key = {key: {readout.name: readout for readout in result.readouts[key]} for key in keys}
    known = {readout.name: readout for key in reversed(keys) for readout in result.readouts[key]}
    order = dict.fromkeys(readout.name for key in keys for readout in result.readouts[key])

    def value(key: str | None, name: str) -> float:
        readout = by_key.get(key, {}).get(name)
        return math.nan if readout is None else float(readout.value)

    return tuple(
        Row(
            name,
            known[name].label,
            known[name].unit,
            known[name].meaning,
            tuple(value(key, name) for key in keys),
            percent_change(value(result.raw, name), value(result.processed, name)),
        )
        for name in order
    )


def percent_change(raw: float, processed: float) -> float:
    """100 * (processed - raw) / |raw|, %; NaN where either is not measured or raw is zero.

    >>> percent_change(50.0, 55.0)
    10.0
    """
    if not (math.isfinite(raw) and math.isfinite(processed)) or raw == 0:
        return math.nan
    return 100.0 * (processed - raw) / abs(raw)


def format_value(value: float) -> str:
    """A number at the precision it deserves, 'n/a' where it was not measured.

    >>> format_value(52.3456), format_value(0.01234), format_value(float("nan"))
    ('52.3', '0.0123', 'n/a')
    """
    if not math.isfinite(value):
        return "n/a" if math.isnan(value) else str(value)
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e6:
        return f"{value:.2e}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def format_change(percent: float) -> str:
    """A signed percentage without its sign of percent; 'n/a' where there is none."""
    return f"{percent:+.1f}" if math.isfinite(percent) else "n/a"


def readouts_table(result: Result) -> str:
    """The readouts as aligned plain text: readout, unit, raw, processed, compared, change; then what else was found."""
    keys = columns(result)
    text = rows_text([result.kind(key).label for key in keys], rows(result), changes=result.processed in keys)
    told = [
        found.sentence
        for found in (result.fit, result.adaptation, result.audit, result.split_half, result.pairs_needed)
        if found is not None
    ]
    text = "\n\n".join([text, *told])
    if result.findings:
        text = "\n".join([text, "", "Findings", *(f"  {finding}" for finding in result.findings)])
    return text


def rows_text(labels: Sequence[str], table: Iterable[Row], *, changes: bool) -> str:
    """Rows as aligned plain text under the maps' `labels`, with the change in a last column where there is one."""
    head = ["Readout", "Unit", *labels, *(["Change %"] if changes else [])]
    body = [
        [row.label, row.unit, *map(format_value, row.values), *([format_change(row.change)] if changes else [])]
        for row in table
    ]
    return "\n".join(aligned([head, *body], left=2))


def rows_tsv(keys: Sequence[str], table: Iterable[Row]) -> str:
    """Rows as BIDS tabular text: name, label, unit, a column a map by its key; n/a where not measured."""
    lines = [("name", "label", "unit", *keys)]
    lines += [(row.name, row.label, row.unit or "n/a", *map(_exact, row.values)) for row in table]
    return tsv_text(lines)


def rows_sheet(
    heading: Iterable[tuple[str, str]], labels: Sequence[str], table: Iterable[Row], *, changes: bool
) -> str:
    """Rows as tab-separated text for a spreadsheet: lines that say whose they are, then a column a map.

    Args:
        heading: name and value, a line each: patient, series, run.
        labels: of the maps.
        table: a row a readout; what cannot be true says so in the last column.
        changes: write the change of processed against raw, %.
    """
    lines = [*heading, ("Readout", "Unit", *labels, *(["Change (%)"] if changes else []), "Note")]
    for row in table:
        reasons = dict.fromkeys(filter(None, (implausible(row.name, value, row.unit) for value in row.values)))
        numbers = (*row.values, *([row.change] if changes else []))
        lines.append((row.label, row.unit, *map(six_digits, numbers), "; ".join(reasons)))
    return tsv_text(lines)


def six_digits(value: float) -> str:
    """A number of six digits; ``n/a`` where it was not measured."""
    return f"{value:.6g}" if math.isfinite(value) else "n/a" if math.isnan(value) else str(value)


def tsv_text(lines: Iterable[Iterable[str]]) -> str:
    """Tab-separated text, white space within a cell as single blanks."""
    return "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)


def _exact(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else "n/a" if math.isnan(value) else str(value)


def readouts_list(readouts: Iterable[Readout]) -> str:
    """The readouts of one map as aligned plain text: readout, value, unit."""
    return "\n".join(
        aligned([["Readout", "Value", "Unit"], *([r.label, format_value(r.value), r.unit] for r in readouts)], left=1)
    )


def aligned(table: list[list[str]], *, left: int) -> list[str]:
    """Lines of a table under its first row, a rule between; the first `left` columns are set left, the rest right."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]

    def line(cells: list[str]) -> str:
        set_out = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(set_out).rstrip()

    return [line(table[0]), "  ".join("-" * w for w in widths), *map(line, table[1:])]
