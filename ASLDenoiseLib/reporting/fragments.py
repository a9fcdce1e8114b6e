"""Parts of the report and of notebooks: tables and figures as HTML that needs nothing outside the page.

Every text that came from a file or a user is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..findings import Severity
from ..result import Result
from ..result.maps import RESIDUAL, USED_ATT, named
from ..result.table import columns, format_change, format_value, rows
from ..series import Origin, Parameter
from ..series_json import plain
from .plots import montage_png, uncertainty_key

UNCALIBRATED = (
    "The series has no M0 to calibrate it, so every map is a perfusion difference in the scanner's own units, not in "
    "ml/100g/min. Ratios within the head (GM/WM contrast, a region over grey matter) can be read; values cannot be "
    "compared with another scan. An M0 image of this scan would give CBF."
)


@dataclass(frozen=True)
class Column:
    """A column beside the first one, which names the rows."""

    label: str
    number: bool = False


@dataclass(frozen=True)
class TableRow:
    """A row: its name, its cells, a note, whether its value was only assumed, and where its name leads, if anywhere."""

    name: str
    cells: Sequence[str]
    note: str = ""
    assumed: bool = False
    link: str = ""


def table(first: str, shown: Sequence[Column], lines: Iterable[TableRow], *, wide: bool = False) -> str:
    """A table; each cell carries its column's name, so that a narrow screen can set the cells under one another.

    One of many columns is `wide`: its first is as narrow as its names, and it can be moved sideways.
    """
    head = "".join(f"<th{_numeric(column)}>{escape(column.label)}</th>" for column in shown)
    body = "".join(_line(line, shown) for line in lines)
    inside = f"<thead><tr><th>{escape(first)}</th>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="pan"><table class="wide">{inside}</table></div>' if wide else f"<table>{inside}</table>"


def _line(line: TableRow, shown: Sequence[Column]) -> str:
    note = f"<small>{escape(line.note)}</small>" if line.note else ""
    cells = "".join(
        f'<td{_numeric(column)} data-label="{escape(column.label)}">{escape(cell)}</td>'
        for column, cell in zip(shown, line.cells, strict=True)
    )
    assumed = ' class="default"' if line.assumed else ""
    return f'<tr{assumed}><th scope="row">{linked(line.name, line.link)}{note}</th>{cells}</tr>'


def linked(text: str, link: str) -> str:
    """A text that leads to another page beside this one; the text alone where it leads nowhere."""
    return f'<a href="{escape(link)}">{escape(text)}</a>' if link else escape(text)


def _numeric(column: Column) -> str:
    return ' class="n"' if column.number else ""


def findings_html(result: Result) -> str:
    """The findings, the worst first, and where the tissue came from."""
    items = [
        f'<li class="{f.severity.value}"><strong>{f.severity.value.capitalize()}: {escape(f.what)}</strong> '
        f"{escape(f.remedy)}<small>{escape(f.why)} ({escape(f.code)})</small></li>"
        for f in sorted(result.findings, key=lambda f: list(Severity).index(f.severity), reverse=True)
    ]
    if result.tissue.warning and not any(f.what == result.tissue.warning for f in result.findings):
        items.append(f'<li class="warning"><strong>Tissue: {escape(result.tissue.warning)}</strong></li>')
    body = (
        f'<ul class="findings">{"".join(items)}</ul>' if items else "<p>None: nothing in the series looked wrong.</p>"
    )
    return f"{body}\n<p class='sub'>Tissue from: {escape(result.tissue.source)}.</p>"


def fit_html(result: Result) -> str:
    """Whether the T1 belongs to the series, with its figure; empty without a T1."""
    fit = result.fit
    if fit is None:
        return ""
    word = fit.light.value
    said = f'<li class="{word}"><strong>{word.capitalize()}.</strong> {escape(fit.sentence)}</li>'
    return f'<ul class="findings">{said}</ul>'


def readouts_html(result: Result) -> str:
    """The readouts as a table: raw, processed, what they are compared with, and the change."""
    keys = columns(result)
    changes = result.processed in keys
    shown = [Column("Unit"), *(Column(result.kind(key).label, number=True) for key in keys)]
    if changes:
        shown.append(Column("Change, %", number=True))
    body = []
    for row in rows(result):
        cells = [row.unit, *map(format_value, row.values), *([format_change(row.change)] if changes else [])]
        body.append(TableRow(row.label, cells, row.meaning))
    kinds = [result.kind(key) for key in keys]
    notes = [f"<p class='sub'>'{escape(kind.label)}' {kind.note}</p>" for kind in kinds if kind.note]
    verdict = f"<p>{escape(result.audit.sentence)}</p>" if result.audit is not None else ""
    return table("Readout", shown, body) + verdict + "".join(notes)


def montage_figure(result: Result) -> str:
    """The maps of a run in rows of axial slices, with their windows in words."""
    what = "Relative perfusion, not CBF" if result.relative else "Cerebral blood flow"
    caption = (
        f"{what}, every map at the same window, {_window(result, result.raw)}. Axial, "
        "radiological: the patient's right is on the left. Grey voxels were not measured."
    )
    if uncertainty := uncertainty_key(result):
        caption += f" SD of the error: {_window(result, uncertainty)}."
    if result.on_series != result.raw:
        caption += f" Difference: {_window(result, named(RESIDUAL, result.maps))}."
        caption += " Anatomy seen in the difference is signal that the processing took away."
    if USED_ATT in result.maps:
        caption += f" Arrival time: {_window(result, USED_ATT)}."
    return figure(montage_png(result), caption, "Axial slices of the perfusion maps")


def uncalibrated_html(result: Result) -> str:
    """The banner of a run whose numbers are not CBF; empty where they are."""
    if not result.relative:
        return ""
    return f'<p class="banner" role="note"><strong>Relative perfusion, not CBF.</strong> {UNCALIBRATED}</p>'


def _window(result: Result, key: str) -> str:
    """The window of a map in words."""
    kind = result.kind(key)
    return "{:g} to {:g} {}".format(*kind.window, kind.unit)


def figure(png: bytes, caption: str, alternative: str) -> str:
    """A picture with nothing outside the page, its caption, and words for those who do not see it."""
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><div class="pan"><img src="data:image/png;base64,{data}" alt="{escape(alternative)}"></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def parameters_html(parameters: Iterable[Parameter]) -> str:
    """Every value with its unit and where it came from; empty without any."""
    body = [
        TableRow(p.name, [value_text(p.value), p.unit, p.origin.value], p.note, assumed=p.origin is Origin.DEFAULT)
        for p in parameters
    ]
    if not body:
        return ""
    shown = [Column("Value", number=True), Column("Unit"), Column("From")]
    note = "<p class='sub'>Shaded: a default was assumed, since nothing stated the value.</p>"
    return table("Parameter", shown, body) + (note if any(line.assumed for line in body) else "")


def value_text(value: object) -> str:
    """A value as short text; long lists by their ends, since the sidecars hold them whole."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {value_text(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        items = [value_text(item) for item in value]
        return ", ".join(items if len(items) <= 6 else [*items[:3], "...", items[-1]])
    if isinstance(value, float):
        return f"{value:.6g}"
    return "yes" if value is True else "no" if value is False else str(plain(value))
