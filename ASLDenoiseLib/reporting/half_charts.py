"""The chart of odd against even pairs: voxels of the brain in both halves, raw and denoised."""

from __future__ import annotations

import numpy as np

from ..result import Result
from ..result.maps import DENOISED_EVEN, DENOISED_ODD, RAW_EVEN, RAW_ODD, in_unit
from .chart import BLUE, GREY, Chart, Line, around, thinned

HALVES = "halves"  # the key of its chart, by which the panel finds it


def halves_chart(result: Result) -> Chart | None:
    """Even against odd pairs, with the line where both are the same; None where a run did not compare them."""
    found = result.split_half
    if found is None:
        return None
    unit, what = result.unit, "" if result.relative else "CBF, "
    lines = []
    for name, keys, colour in (("Raw", (RAW_ODD, RAW_EVEN), GREY), ("Denoised", (DENOISED_ODD, DENOISED_EVEN), BLUE)):
        odd, even = (result.maps[in_unit(key, unit)].array for key in keys)
        inside = (result.tissue.brain.array > 0.5) & np.isfinite(odd) & np.isfinite(even)
        x, y = (each[inside].astype(float)[thinned(int(inside.sum()))] for each in (odd, even))
        lines.append(Line(name, x, y, colour, "points"))
    span = around([values for line in lines for values in (line.x, line.y)])
    lines.append(Line("The same", np.array(span), np.array(span), (0.0, 0.0, 0.0)))
    titles = (f"{what}{half} pairs ({unit})" for half in ("odd", "even"))
    x_title, y_title = (title[:1].upper() + title[1:] for title in titles)
    return Chart(
        HALVES,
        "Odd against even pairs (scatter)",
        found.headline,
        x_title,
        y_title,
        unit,
        unit,
        tuple(lines),
        span,
        span,
    )
