"""Several delays in the report: perfusion and arrival time in slices, the curves of the fit, and a row a delay."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from ..result import Result
from ..result.maps import BOUNDS, VESSELS, Role
from .delay_charts import MOST_REGIONS, curve_caption, digits
from .delay_plots import arrival_png, curves_png
from .fragments import Column, TableRow, figure, table
from .listing import CURVES

_ABOUT = (
    "Every delay was cleaned as one of its own; then perfusion and arrival time (ATT: of the label, from "
    "the labelling plane to the voxel) were fitted to all of them. Perfusion is on the scale of the formula for one "
    "delay: where all label has arrived, a delay alone gives the fitted perfusion, and less where it has not."
)
_MODELS = {
    "white-paper": "white-paper mode of Buxton's: label decays with the T1 of blood throughout, as in the formula",
    "general": "Buxton's general one: label that has arrived decays with the T1 of tissue",
}
_IN_TABLE = ("GM", "WM")  # regions whose figures stand in the row of each delay


def several_delays(result: Result) -> str:
    """How many delays were fitted, for the line below the title; empty of a series of one."""
    return "" if result.delays is None else f" {len(result.delays.delays)} delays, fitted together."


def delays_html(result: Result) -> str:
    """The section's body; empty of a run of one delay."""
    pictures = [arrival_figure(result), _curves(result)]
    if result.delays is None:
        return "".join(pictures)
    named = _MODELS.get(result.delays.model, result.delays.model)
    model = f" The kinetic model is {escape(named)}." if named else ""
    about = f"<p>{escape(_ABOUT)}{model}</p>{_marks(result)}"
    return about + pictures[0] + _region_table(result) + pictures[1] + _delay_table(result)


def arrival_figure(result: Result) -> str:
    """Perfusion and arrival time in slices; empty of a run that fitted none."""
    png = arrival_png(result)
    if png is None:
        return ""
    what = "Relative perfusion" if result.relative else "CBF"
    blood = any(result.kind(key).role is Role.BLOOD_VOLUME for key in result.maps)
    volume = ", and arterial blood volume as a fraction of the voxel" if blood else ""
    caption = (
        f"{what} and arrival time, the raw fit above the processed one, the SD of the latter's arrival time{volume}; "
        "each in the window beside it. Axial, radiological: the patient's right is on the left. Grey voxels were not "
        "measured."
    )
    return figure(png, caption, f"Axial slices of {what} and of the arrival time")


def _curves(result: Result) -> str:
    png = curves_png(result)
    if png is None:
        return ""
    left = result.delays.regions[MOST_REGIONS:]
    others = f" The other {len(left)} regions are in the table {CURVES}.tsv." if left else ""
    caption = (
        "Means over each region: the prepared mean of every delay as measured, with one standard error of its pairs, "
        "and the curves that were fitted voxel by voxel. Below: measured minus fitted. A residual of several standard "
        f"errors says that the model does not describe what was measured there.{others}"
    )
    said = "; ".join(curve_caption(result, region) for region in result.delays.regions[:MOST_REGIONS])
    return figure(png, caption, f"Perfusion over the delays with the curves fitted. {said}")


def _marks(result: Result) -> str:
    """What share of the brain the masks mark, in a sentence each; empty without masks."""
    brain = result.tissue.brain.array > 0.5
    said = []
    for key, text in (
        (
            BOUNDS,
            "In {share} of the brain's voxels no arrival time within the range of the delays was found: label is there "
            "before the first can tell, or it seems to arrive after the last, and then perfusion is not known either "
            "(map '{name}').",
        ),
        (VESSELS, "In {share} of them label was still in arteries (map '{name}')."),
    ):
        if key in result.maps and brain.any():
            share = 100 * float((result.maps[key].array[brain] > 0.5).mean())
            said.append(text.format(share=f"{share:.1f} %", name=result.kind(key).label))
    return f"<p>{escape(' '.join(said))}</p>" if said else ""


def _region_table(result: Result) -> str:
    unit, form = result.delays.unit, digits(result.delays.unit)
    what = "Perfusion" if result.relative else "CBF"
    shown = [Column(f"{what} ({unit})", number=True), Column("Arrival time (s)", number=True)]
    lines = [TableRow(r.name, [_number(r.cbf, form), _number(r.att, ".2f")]) for r in result.delays.regions]
    return table("Region", shown, lines)


def _delay_table(result: Result) -> str:
    """A row a delay: its label, its pairs, and what grey and white matter measured."""
    found, form = result.delays, digits(result.delays.unit)
    regions = [region for region in found.regions if region.name in _IN_TABLE]
    shown = [Column("Label duration (s)", number=True), Column("Pairs", number=True)]
    for region in regions:
        shown += [
            Column(f"{region.name} ± SE ({found.unit})", number=True),
            Column(f"{region.name} fitted", number=True),
        ]
    lines = []
    for n, (delay, duration, pairs) in enumerate(zip(found.delays, found.durations, found.pairs, strict=True)):
        cells = [_number(duration, "g"), str(pairs)]
        for region in regions:
            error = region.errors[n]
            of_error = f" ± {error:{form}}" if math.isfinite(error) else ""
            cells += [f"{_number(region.measured[n], form)}{of_error}", _number(region.fitted[n], form)]
        lines.append(TableRow(f"{delay:g} s", cells))
    note = "<p class='sub'>SE: standard error of the mean, from the spread of the pairs; none of fewer than three.</p>"
    return table("Delay", shown, lines) + (note if np.isnan([r.errors for r in regions]).any() else "")


def _number(value: float | None, form: str) -> str:
    return "n/a" if value is None or not math.isfinite(value) else f"{value:{form}}"
