"""The charts of a fit of several delays: what each region measured over the delays, and the curve that was fitted."""

from __future__ import annotations

import math

import numpy as np

from ..result import Result
from ..result.delay_curves import DelayCurves, RegionCurve
from ..series import CBF_UNIT, Labeling
from .chart import BLUE, FOR_LEGEND, GREEN, GREY, LONGEST, PURPLE, RED, Chart, Line, around

CURVES, RESIDUALS = "delays: ", "delays_residual"  # the beginning of the keys of curves, and the key of the other chart
MOST_REGIONS = 24  # that have a chart of their own; the table beside the report has all
_COLOURS = (RED, BLUE, GREEN, PURPLE, GREY)


def delay_charts(result: Result) -> tuple[Chart, ...]:
    """A chart a region, GM and WM first, then the residuals of all; none of a series of one delay."""
    found = result.delays
    if found is None:
        return ()
    drawn = [region for region in found.regions if np.isfinite(region.measured).any()][:MOST_REGIONS]
    curves = tuple(_curve_chart(result, found, region) for region in drawn)
    return (*curves, _residual_chart(result, found, drawn)) if drawn else ()


def delay_title(result: Result) -> str:
    """Of the axis of delays."""
    pasl = result.series.acquisition.labeling is Labeling.PASL
    return "Inversion time (s)" if pasl else "Post-labelling delay (s)"


def value_title(result: Result) -> str:
    """Of the axis of what was measured."""
    quantity = "Perfusion" if result.relative else "CBF"
    return f"{quantity} of each delay alone ({result.delays.unit})"


def fitted_name(result: Result) -> str:
    """What the curve of the furthest maps on the grid of the series is called."""
    return result.kind(result.on_series).label


def differs(region: RegionCurve) -> bool:
    """Whether the plain fit is another than that of the furthest maps."""
    return not np.array_equal(region.plain, region.fitted, equal_nan=True)


def error_strokes(delays: np.ndarray, middle: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One standard error up and down as upright strokes; NaN lifts the pen."""
    ends = np.stack([middle - errors, middle + errors, np.full_like(middle, np.nan)], axis=1)
    return np.repeat(delays, 3), ends.ravel()


def worst_residual(region: RegionCurve) -> tuple[float, float]:
    """The residual that is furthest from 0, and how many of its standard errors it is; NaN where that is not known."""
    residual = np.array(region.residual)
    if not np.isfinite(residual).any():
        return math.nan, math.nan
    place = int(np.nanargmax(np.abs(residual)))
    return float(residual[place]), float(abs(residual[place]) / (region.errors[place] or math.nan))


def digits(unit: str) -> str:
    """The format of values in that unit."""
    return ".1f" if unit == CBF_UNIT else ".3g"


def _curve_chart(result: Result, found: DelayCurves, region: RegionCurve) -> Chart:
    delays, measured, errors = (np.array(v, float) for v in (found.delays, region.measured, region.errors))
    lines = [
        Line("Standard error", *error_strokes(delays, measured, errors), GREY, width=1.0),
        Line(fitted_name(result), delays, np.array(region.fitted), BLUE),
        Line("Measured", delays, measured, (0.0, 0.0, 0.0), "points", notes=_notes(found, region)),
    ]
    if differs(region):
        lines.insert(1, Line("Plain fit", delays, np.array(region.plain), RED, dashed=True, width=1.5))
    name = f"Delays: {region.name}"
    return Chart(
        f"{CURVES}{region.name}",
        name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}...",
        curve_caption(result, region),
        delay_title(result),
        value_title(result),
        "s",
        found.unit,
        tuple(lines),
        _span(delays),
        around([line.y for line in lines], spare_above=2 * FOR_LEGEND),
    )


def curve_caption(result: Result, region: RegionCurve) -> str:
    """The region's perfusion, arrival time and largest residual in words."""
    unit, form = result.delays.unit, digits(result.delays.unit)
    residual, errors = worst_residual(region)
    said = (
        f"{region.name}: {region.cbf:{form}} {unit}, arrival after {region.att:.2f} s ({fitted_name(result).lower()})"
    )
    if math.isnan(residual):
        return said
    of_errors = f", {errors:.1f} standard errors" if math.isfinite(errors) else ""
    return f"{said}; largest residual {residual:+{form}} {unit}{of_errors}"


def _residual_chart(result: Result, found: DelayCurves, regions: list[RegionCurve]) -> Chart:
    delays, form = np.array(found.delays, float), digits(found.unit)
    lines = [Line("No residual", np.array(_span(delays)), np.zeros(2), (0.0, 0.0, 0.0), dashed=True, width=1.0)]
    for place, region in enumerate(regions):
        colour = _COLOURS[min(place, len(_COLOURS) - 1)]
        notes = _notes(found, region)
        lines.append(Line(region.name, delays, np.array(region.residual), colour, notes=notes))
    worst = max((worst_residual(region)[0] for region in regions), key=lambda r: -1.0 if math.isnan(r) else abs(r))
    return Chart(
        RESIDUALS,
        "Delays: what the fit leaves over",
        f"Measured minus fitted, region by region: at most {worst:+{form}} {found.unit}",
        delay_title(result),
        f"Measured minus fitted ({found.unit})",
        "s",
        found.unit,
        tuple(lines),
        _span(delays),
        around([line.y for line in lines], spare_above=2 * FOR_LEGEND),
    )


def _span(delays: np.ndarray) -> tuple[float, float]:
    low, high = float(delays.min()), float(delays.max())
    spare = 0.06 * ((high - low) or 1.0)
    return low - spare, high + spare


def _notes(found: DelayCurves, region: RegionCurve) -> tuple[str, ...]:
    """What there is to say of each point."""
    unit, form = found.unit, digits(found.unit)
    notes = []
    for n, (delay, pairs) in enumerate(zip(found.delays, found.pairs, strict=True)):
        error = f" ± {region.errors[n]:{form}}" if math.isfinite(region.errors[n]) else ""
        notes.append(
            f"{region.name}, {delay:g} s ({pairs} pairs): measured {region.measured[n]:{form}}{error} {unit}, "
            f"fitted {region.fitted[n]:{form}}, residual {region.residual[n]:+{form}}"
        )
    return tuple(notes)
