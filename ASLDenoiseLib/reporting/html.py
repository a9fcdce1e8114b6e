"""The report: one HTML file that needs nothing else, readable on a phone and on paper."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..result import Result
from ..result.table import format_value
from ..software import software_versions
from .adapted_html import adaptation_html
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
from .methods_html import methods_html
from .page import RESEARCH_ONLY, page, section
from .pairs_plot import pairs_png
from .plots import agreement_png
from .superres_plot import residual_sentence, superres_png
from .timeline_plot import timeline_png


def report_html(result: Result, *, command: str = "") -> str:
    """The whole report as text: findings, readouts, pictures, the origin of every parameter, model, times, versions.

    Self-contained: pictures are inline PNG, style is inline, there is no script but that of the button which copies the
    methods, and no link to anything outside.
    Every text that came from a file or a user is escaped.
    """
    name = escape(result.series.name)
    parts = [
        f"<h1>ASL perfusion: {name}</h1>",
        f'<p class="sub">{_summary(result)}</p>',
        RESEARCH_ONLY,
        uncalibrated_html(result),
        section("Findings", findings_html(result)),
        section("Do T1 and series belong together", fit_html(result)),
        section("Readouts", readouts_html(result)),
        section("Maps", montage_figure(result) if result.raw in result.maps else ""),
        section("Several delays: perfusion and arrival time", delays_html(result)),
        section("Super-resolved", _superres(result)),
        section("Raw and processed voxel by voxel", _agreement(result)),
        section("Adapting to this scan", adaptation_html(result)),
        section("Odd against even pairs", halves_html(result)),
        section("How many pairs are enough", _pairs_needed(result)),
        section("Over the course of the series", _timeline(result)),
        section("Where every value came from", parameters_html(result.parameters)),
        section("Model", _pairs("Property", result.model) if result.model else "<p>No model was used.</p>"),
        section("Time taken", _pairs("Step", {step: f"{format_value(s)} s" for step, s in result.timings.items()})),
        section("Methods, for a paper", methods_html(result)),
        section("Software", _pairs("Program", software_versions()) + _command(command)),
    ]
    return page(f"ASL perfusion: {result.series.name}", parts)


def _summary(result: Result) -> str:
    series = result.series
    size = " x ".join(f"{v:g}" for v in (round(s, 2) for s in series.geometry.spacing))
    done = result.processed
    averaged = "Averaged, neither denoised nor quantified" if result.relative else "Quantified, not denoised"
    label = escape(result.kind(done).label) if done else averaged
    source = f" Source: {escape(series.source)}." if series.source else ""
    return f"{label}.{several_delays(result)} {series.array.shape[0]} volumes of {size} mm.{source}"


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
