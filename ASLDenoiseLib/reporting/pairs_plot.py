"""The figure of how many pairs are enough: error against pairs, denoised and plain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..result import Result
from ..result.pairs_needed import MapError
from .plots import png_of


def pairs_png(result: Result) -> bytes | None:
    """RMSE against the number of pairs, with 95 % intervals. PNG; None where a run did not measure it."""
    from matplotlib.figure import Figure

    needed = result.pairs_needed
    if needed is None:
        return None
    figure = Figure(figsize=(7.0, 3.6), layout="constrained")
    axis = figure.subplots()
    numbers = np.geomspace(needed.denoised[0].pairs, needed.total)
    axis.plot(numbers, np.sqrt(needed.variance / numbers), color="0.45", label="plain mean, by the spread of its pairs")
    _points(axis, needed.plain, "0.45", "o", "plain mean, against the other pairs", beside=1.02)
    goal = needed.plain_rmse(needed.total)
    axis.axhline(goal, color="black", linestyle="--", linewidth=0.9, label=f"plain mean of all {needed.total}")
    _points(axis, needed.denoised, "#1f6fb2", "o-", "denoised, against the other pairs")
    if needed.denoised[0].pairs < needed.needed <= needed.denoised[-1].pairs:
        axis.plot([needed.needed, needed.needed], [0, goal], color="#1f6fb2", linestyle=":", linewidth=1)
    axis.set(xscale="log", xlabel="pairs (logarithmic)", ylabel=f"RMSE in the brain ({needed.unit})")
    axis.set(ylim=(0, None), xlim=(numbers[0] * 0.9, needed.total * 1.1))
    ticks = [*(e.pairs for e in needed.denoised), needed.total]
    axis.set_xticks(ticks, [str(n) for n in ticks])
    axis.minorticks_off()
    axis.tick_params(labelsize=8)
    axis.legend(fontsize=7, frameon=False)
    return png_of(figure)


def _points(axis, errors: Sequence[MapError], colour: str, style: str, label: str, *, beside: float = 1.0) -> None:
    """Errors with their intervals, a little `beside` their place; below what can be measured, the interval alone."""
    numbers = [e.pairs * beside for e in errors]
    low, high = zip(*(e.interval for e in errors), strict=True)
    axis.vlines(numbers, low, high, color=colour, linewidth=1.2, alpha=0.7)
    axis.plot(numbers, [e.rmse for e in errors], style, color=colour, markersize=4, label=label)
