"""The report: one HTML file that needs nothing else, readable on a phone and on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape

from ..result import Result
from ..series import Origin, Parameter, Severity
from .plots import DIFFERENCE_WINDOW, WINDOW, agreement_png, montage_png
from .provenance import plain
from .software import software_versions
from .superres_plot import residual_words, superres_png
from .table import RAW, columns, format_change, format_value, map_label, rows
from .timeline_plot import timeline_png

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #1c1c1c; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: .2rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; }
p.sub, small, figcaption { color: #555; } small { display: block; font-size: .8rem; font-weight: normal; }
.banner { background: #fff3cd; border: 1px solid #d9a400; padding: .6rem .8rem; margin: .8rem 0; }
ul.findings { list-style: none; padding: 0; }
ul.findings li { border-left: .35rem solid #888; padding: .3rem .7rem; margin: .5rem 0; background: #f6f6f6; }
ul.findings li.warning { border-color: #d98200; } ul.findings li.unusable { border-color: #b00020; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
thead th { border-bottom: 2px solid #888; }
th[scope=row] { font-weight: 600; min-width: 9rem; }
tr.default td { background: #fff8e1; }
figure { margin: .5rem 0; } img { max-width: 100%; height: auto; display: block; }
code { font-size: .85rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; } .scroll { overflow: visible; }
  .banner, img, li, tr { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


def report_html(result: Result, *, command: str = "") -> str:
    """The whole report as text: findings, readouts, pictures, the origin of every parameter, model, times, versions.

    Self-contained: pictures are inline PNG, style is inline, there is no script and no link to anything outside.
    Every text that came from a file or a user is escaped.
    """
    name = escape(result.series.name)
    parts = [
        f"<h1>ASL perfusion: {name}</h1>",
        f'<p class="sub">{_what_was_done(result)}</p>',
        '<p class="banner" role="note"><strong>For research use only.</strong> Not a medical device; not for diagnosis '
        "or treatment. A processed map is an estimate: read it beside the raw one.</p>",
        _section("Findings", _findings(result)),
        _section("Readouts", _readouts(result)),
        _section("Maps", _montage(result)),
        _section("Super-resolved", _superres(result)),
        _section("Raw and processed voxel by voxel", _agreement(result)),
        _section("Over the course of the series", _timeline(result)),
        _section("Where every value came from", _parameters(result.parameters)),
        _section("Model", _pairs(result.model) if result.model else "<p>No model was used.</p>"),
        _section("Time taken", _pairs({stage: f"{format_value(s)} s" for stage, s in result.timings.items()})),
        _section("Software", _pairs(software_versions()) + _command(command)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>ASL perfusion: {name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _what_was_done(result: Result) -> str:
    series = result.series
    size = " x ".join(f"{v:g}" for v in (round(s, 2) for s in series.geometry.spacing))
    done = result.processed
    label = escape(map_label(done)) if done else "Quantified, not denoised"
    source = f" Source: {escape(series.source)}." if series.source else ""
    return f"{label}. {series.array.shape[0]} volumes of {size} mm.{source}"


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def _findings(result: Result) -> str:
    order = {Severity.UNUSABLE: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    items = [
        f'<li class="{f.severity.value}"><strong>{f.severity.value.capitalize()}: {escape(f.what)}</strong> '
        f"{escape(f.mend)}<small>{escape(f.why)} ({escape(f.code)})</small></li>"
        for f in sorted(result.findings, key=lambda finding: order[finding.severity])
    ]
    if result.tissue.warning:
        items.append(f'<li class="warning"><strong>Tissue: {escape(result.tissue.warning)}</strong></li>')
    body = (
        f'<ul class="findings">{"".join(items)}</ul>' if items else "<p>None: nothing in the series looked wrong.</p>"
    )
    return f"{body}\n<p class='sub'>Tissue from: {escape(result.tissue.source)}.</p>"


def _readouts(result: Result) -> str:
    keys = columns(result)
    changes = result.processed in keys
    head = ["<th>Readout</th>", "<th>Unit</th>", *(f'<th class="n">{escape(map_label(key))}</th>' for key in keys)]
    if changes:
        head.append('<th class="n">Change, %</th>')
    body = []
    for row in rows(result):
        meaning = f"<small>{escape(row.meaning)}</small>" if row.meaning else ""
        cells = [f'<td class="n">{escape(format_value(value))}</td>' for value in row.values]
        if changes:
            cells.append(f'<td class="n">{format_change(row.change)}</td>')
        body.append(
            f'<tr><th scope="row">{escape(row.label)}{meaning}</th><td>{escape(row.unit)}</td>{"".join(cells)}</tr>'
        )
    note = ""
    if "desc-smoothed_cbf" in keys:
        note = (
            f"<p class='sub'>'{escape(map_label('desc-smoothed_cbf'))}' is the raw map blurred until its white-matter "
            "noise equals the processed map's. SNR and contrast reward blurring alone: a denoiser is worth its name "
            "only where it does better than this column.</p>"
        )
    return _table(head, body) + note


def _montage(result: Result) -> str:
    caption = (
        f"Cerebral blood flow, every row at the same window, {WINDOW[0]:g} to {WINDOW[1]:g} ml/100g/min; "
        f"difference {DIFFERENCE_WINDOW[0]:g} to {DIFFERENCE_WINDOW[1]:g} ml/100g/min. Axial, radiological: the "
        "patient's right is on the left. Grey voxels were not measured."
    )
    if result.processed:
        caption += " Anatomy seen in the difference is signal that the processing took away."
    return _figure(montage_png(result), caption, "Axial slices of the CBF maps") if RAW in result.maps else ""


def _superres(result: Result) -> str:
    png = superres_png(result)
    if png is None:
        return ""
    caption = (
        "An estimate: detail finer than the acquired voxels comes from the T1 and from smoothness. "
        + residual_words(result)
        + " The SD shown is what noise leaves; errors of the T1's alignment and of the method are not in it."
    )
    return _figure(png, caption, "Axial slices of the acquired and of the super-resolved map")


def _agreement(result: Result) -> str:
    png = agreement_png(result) if RAW in result.maps else None
    caption = "Voxels with a tissue probability above 0.5. Raw is dashed. Limits of agreement are bias ± 1.96 SD."
    return _figure(png, caption, "Histogram and Bland-Altman plot of CBF") if png else ""


def _timeline(result: Result) -> str:
    caption = (
        "How the head lay in each control and label, from its median pose: shift of the centre of the brain and turn "
        "about it, LPS axes; mean displacement over the brain between successive volumes."
    )
    if result.motion is not None and result.motion.still:
        caption += " It kept so still that nothing was resampled."
    if result.outliers is not None and result.outliers.rejections:
        caption += f" Slices of pairs left out of the mean are red (method {escape(result.outliers.method)})."
    png = timeline_png(result)
    return _figure(png, caption, "Head motion and outliers over the series") if png else ""


def _figure(png: bytes, caption: str, alternative: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alternative)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _parameters(parameters: Iterable[Parameter]) -> str:
    head = ["<th>Parameter</th>", '<th class="n">Value</th>', "<th>Unit</th>", "<th>From</th>"]
    body = []
    for p in parameters:
        note = f"<small>{escape(p.note)}</small>" if p.note else ""
        assumed = ' class="default"' if p.origin is Origin.DEFAULT else ""
        body.append(
            f'<tr{assumed}><th scope="row">{escape(p.name)}{note}</th><td class="n">{escape(_value_text(p.value))}</td>'
            f"<td>{escape(p.unit)}</td><td>{escape(p.origin.value)}</td></tr>"
        )
    if not body:
        return ""
    return _table(head, body) + "<p class='sub'>Shaded: a default was assumed, since nothing stated the value.</p>"


def _value_text(value: object) -> str:
    """A value as short text; long lists by their ends, since the sidecars hold them whole."""
    if isinstance(value, (list, tuple)):
        items = [_value_text(item) for item in value]
        return ", ".join(items if len(items) <= 6 else [*items[:3], "...", items[-1]])
    if isinstance(value, float):
        return f"{value:.6g}"
    return "yes" if value is True else "no" if value is False else str(plain(value))


def _pairs(values: Mapping[str, object]) -> str:
    body = [
        f'<tr><th scope="row">{escape(str(name))}</th><td>{escape(_value_text(value))}</td></tr>'
        for name, value in values.items()
    ]
    return _table([], body) if body else ""


def _command(command: str) -> str:
    return f"<p>Command: <code>{escape(command)}</code></p>" if command else ""


def _table(head: list[str], body: list[str]) -> str:
    top = f"<thead><tr>{''.join(head)}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{top}<tbody>{"".join(body)}</tbody></table></div>'
