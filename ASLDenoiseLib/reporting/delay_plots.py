"""Pictures of a fit of several delays: perfusion and arrival time in slices, and the curves of regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..result import Result
from ..result.delay_curves import RegionCurve
from ..result.maps import ATT_MEAN_ERROR, ATT_UNCERTAINTY, DENOISED_ABV, PREPARED_ABV, arrival_of
from .delay_charts import MOST_REGIONS, delay_title, differs, fitted_name
from .plots import Panel, map_panels, panel, png_of

_COLUMNS = 3
_FITTED, _PLAIN = "#1f6fb2", "#b5282e"


def arrival_png(result: Result) -> bytes | None:
    """Perfusion of the raw fit and of the furthest one, their arrival times, and the SD of the last. PNG, or None.

    Below them arterial blood volume, where it was fitted. None where the run has no map of arrival time. Rows of axial
    slices as `plots.montage_png` draws them.
    """
    fits = {key: arrival_of(key, result.maps) for key in (result.raw, result.on_series)}
    keys = [*fits, *fits.values()]
    if None in keys:
        return None
    for either in ((ATT_UNCERTAINTY, ATT_MEAN_ERROR), (DENOISED_ABV, PREPARED_ABV)):
        keys += [key for key in either if key in result.maps][:1]
    return map_panels([_row(result, key) for key in keys], result.tissue.brain)


def _row(result: Result, key: str) -> Panel:
    kind = result.kind(key)
    return panel(replace(kind, unit=kind.unit or "fraction"), result.maps[key].array, kind.short)


def curves_png(result: Result) -> bytes | None:
    """Each region's means over the delays with the curves fitted, and what the fit leaves over below. PNG, or None.

    None of a series of one delay. Bars are one standard error.
    """
    from matplotlib.figure import Figure

    regions = () if result.delays is None else result.delays.regions[:MOST_REGIONS]
    if not regions:
        return None
    columns = min(_COLUMNS, len(regions))
    rows = -(-len(regions) // columns)
    figure = Figure(figsize=(0.6 + 2.75 * columns, 3.4 * rows), layout="constrained")
    grids = figure.subfigures(rows, columns, squeeze=False)
    for place, region in enumerate(regions):
        above, below = grids[place // columns, place % columns].subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)}
        )
        _draw(above, below, result, region, first=place % columns == 0, legend=place == 0)
    return png_of(figure)


def _draw(above, below, result: Result, region: RegionCurve, *, first: bool, legend: bool) -> None:
    delays, measured, errors = (np.array(v, float) for v in (result.delays.delays, region.measured, region.errors))
    bars = {"fmt": "o", "markersize": 3.5, "color": "black", "elinewidth": 1, "capsize": 2}
    if differs(region):
        above.plot(delays, region.plain, "--", color=_PLAIN, linewidth=1.1, label="plain fit")
    above.plot(delays, region.fitted, "-", color=_FITTED, linewidth=1.5, label=fitted_name(result).lower())
    above.errorbar(delays, measured, errors, **bars, label="measured ± SE")
    above.set_title(f"{region.name}: arrival {region.att:.2f} s")
    below.axhline(0, color="0.7", linewidth=0.8)
    below.errorbar(delays, region.residual, errors, **bars)
    below.set_xlabel(delay_title(result))
    above.set_ylim(min(0.0, above.get_ylim()[0]), None)
    largest = max(abs(limit) for limit in below.get_ylim())
    below.set_ylim(-largest, largest)
    if first:
        quantity = "perfusion" if result.relative else "CBF"
        above.set_ylabel(f"{quantity} of each delay alone\n({result.delays.unit})")
        below.set_ylabel("measured\nminus fitted")
    if legend:
        above.legend(fontsize=7, frameon=False)
    for axis in (above, below):
        axis.tick_params(labelsize=7)
