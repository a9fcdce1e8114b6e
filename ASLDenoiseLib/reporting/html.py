"""The report: one HTML file that needs nothing else, readable on a phone and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..result import Result
from ..result.table import format_value
from .delays_html import delays_html, several_delays
from .fragments import (
    Column,
    TableRow,
    figure,
    findings_html,
    fit_html,
    montage_figure,
    parameters_html,
    readouts_html,
    table,
    uncalibrated_html,
    value_text,
)
from .halves import halves_html
from .pairs_plot import pairs_png
from .plots import agreement_png
from .software import software_versions
from .superres_plot import residual_sentence, superres_png
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
ul.findings li.green { border-color: #2e8b57; } ul.findings li.red { border-color: #b00020; }
ul.findings li.amber, ul.findings li.warning { border-color: #d98200; }
ul.findings li.unusable { border-color: #b00020; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.n, td[data-label=Unit] { white-space: nowrap; }
thead th { border-bottom: 2px solid #888; }
th[scope=row] { font-weight: 600; width: 45%; }
tr.default td, tr.default th { background: #fff8e1; }
figure { margin: .5rem 0; } img { max-width: 100%; height: auto; display: block; }
code, td { overflow-wrap: anywhere; } code { font-size: .85rem; }
.pan { overflow-x: auto; }
@media screen and (max-width: 40rem) {  /* a phone: a row's cells under its name, each with its column's name */
  thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; border-bottom: 1px solid #ddd; padding: .5rem 0; }
  th, td, td.n { border: 0; padding: 0; text-align: left; } th[scope=row] { flex: 1 0 100%; }
  td:empty { display: none; }
  td::before { content: attr(data-label); display: block; font-size: .75rem; color: #555; }
  tr.default { background: #fff8e1; } td.n { white-space: normal; }
  .pan img { max-width: none; width: 46rem; }
}
@media print { body { max-width: none; padding: 0; font-size: 9.5pt; } th, td { padding: .2rem .5rem; }
  h2 { break-after: avoid; } figure, tr { break-inside: avoid; } .pan { overflow: visible; }
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
        f'<p class="sub">{_summary(result)}</p>',
        '<p class="banner" role="note"><strong>For research use only.</strong> Not a medical device; not for diagnosis '
        "or treatment. A processed map is an estimate: read it beside the raw one.</p>",
        uncalibrated_html(result),
        _section("Findings", findings_html(result)),
        _section("Do T1 and series belong together", fit_html(result)),
        _section("Readouts", readouts_html(result)),
        _section("Maps", montage_figure(result) if result.raw in result.maps else ""),
        _section("Several delays: perfusion and arrival time", delays_html(result)),
        _section("Super-resolved", _superres(result)),
        _section("Raw and processed voxel by voxel", _agreement(result)),
        _section("Odd against even pairs", halves_html(result)),
        _section("How many pairs are enough", _pairs_needed(result)),
        _section("Over the course of the series", _timeline(result)),
        _section("Where every value came from", parameters_html(result.parameters)),
        _section("Model", _pairs("Property", result.model) if result.model else "<p>No model was used.</p>"),
        _section("Time taken", _pairs("Step", {step: f"{format_value(s)} s" for step, s in result.timings.items()})),
        _section("Software", _pairs("Program", software_versions()) + _command(command)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>ASL perfusion: {name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _summary(result: Result) -> str:
    series = result.series
    size = " x ".join(f"{v:g}" for v in (round(s, 2) for s in series.geometry.spacing))
    done = result.processed
    averaged = "Averaged, neither denoised nor quantified" if result.relative else "Quantified, not denoised"
    label = escape(result.kind(done).label) if done else averaged
    source = f" Source: {escape(series.source)}." if series.source else ""
    return f"{label}.{several_delays(result)} {series.array.shape[0]} volumes of {size} mm.{source}"


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def _superres(result: Result) -> str:
    png = superres_png(result)
    if png is None:
        return ""
    caption = (
        "An estimate: detail finer than the acquired voxels comes from the T1 and from smoothness. "
        + residual_sentence(result)
        + " The SD shown is what noise leaves undecided and a share of what the T1 adds, as set on phantoms."
    )
    return figure(png, caption, "Axial slices of the acquired and of the super-resolved map")


def _agreement(result: Result) -> str:
    png = agreement_png(result) if result.raw in result.maps else None
    caption = "Voxels of the readouts' grey and white matter. Raw is dashed. Limits of agreement are bias ± 1.96 SD."
    return figure(png, caption, "Histogram and Bland-Altman plot of perfusion") if png else ""


def _pairs_needed(result: Result) -> str:
    png = pairs_png(result)
    if png is None:
        return ""
    needed = result.pairs_needed
    caption = (
        f"Some of the pairs, drawn at random {needed.denoised[0].draws} times, are denoised as the run denoised all, "
        "and held against the pairs that were not drawn, whose own noise is taken off: what blur takes away counts as "
        "error. Bars are 95 % intervals, down to 0 where an error cannot be told from none. Head motion and "
        "outliers are the run's, found in all pairs."
    )
    figure_html = figure(png, caption, "Error of denoised and plain means against the number of pairs")
    return f"<p>{escape(needed.sentence)}</p>{figure_html}"


def _timeline(result: Result) -> str:
    caption = (
        "How the head lay in each control and label, from its median pose: shift of the centre of the brain and turn "
        "about it, LPS axes; mean displacement over the brain between successive volumes."
    )
    if result.motion is not None and result.motion.still:
        caption += " It kept so still that nothing was resampled."
    if result.outliers is not None and result.outliers.rejections:
        caption += f" Slices of pairs left out of the mean are red (method {escape(result.outliers.method)})."
        caption += " What the user took out is blue." if result.outliers.by_user else ""
    png = timeline_png(result)
    return figure(png, caption, "Head motion and outliers over the series") if png else ""


def _pairs(first: str, values: Mapping[str, object]) -> str:
    lines = [TableRow(str(name), [value_text(value)]) for name, value in values.items()]
    return table(first, [Column("Value")], lines) if lines else ""


def _command(command: str) -> str:
    return f"<p>Command: <code>{escape(command)}</code></p>" if command else ""
