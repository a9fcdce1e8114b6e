"""A chart as data, to be drawn by any plotting library: its lines, axes and colours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

GREY, BLUE, RED, GREEN = (0.45, 0.45, 0.45), (0.12, 0.44, 0.70), (0.71, 0.16, 0.18), (0.23, 0.56, 0.30)
PURPLE = (0.45, 0.30, 0.65)
MOST_POINTS = 2000  # a line; more only blacken the plot and swell the scene
FOR_LEGEND = 0.2  # of the height, above the data: a legend lies in the upper right corner, whatever is drawn there
LONGEST = 48  # letters in one line of a chart; VTK cuts a longer title at both ends
_SEED = 20


@dataclass(frozen=True, eq=False)
class Line:
    """One line or cloud of points, with its name in the legend.

    Args:
        name: in the legend.
        x, y: of one length; a NaN breaks a line.
        colour: red, green, blue, 0..1.
        kind: ``line`` or ``points``.
        dashed, width: of a line; the width in pixels.
        notes: what to say of each point, or empty.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: Colour
    kind: str = "line"
    dashed: bool = False
    width: float = 2.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart, to be drawn by any plotting library.

    Args:
        key: stable, e.g. ``agreement``.
        name: for a list to choose from and over the chart: `LONGEST` letters at most, since titles do not wrap.
        caption: with the figures that matter, as long as it takes.
        x_title, y_title: with units; `LONGEST` letters at most.
        x_unit, y_unit: of the numbers; empty for counts.
        lines: the last is drawn on top.
        x_range, y_range: of the axes.
    """

    key: str
    name: str
    caption: str
    x_title: str
    y_title: str
    x_unit: str
    y_unit: str
    lines: tuple[Line, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]


def around(values: Iterable[np.ndarray], *, spare_above: float = 0.04) -> tuple[float, float]:
    """Limits of an axis that holds all values with a little to spare, as fractions of their span."""
    joined = np.concatenate([np.ravel(v) for v in values])
    joined = joined[np.isfinite(joined)]
    low, high = (float(joined.min()), float(joined.max())) if joined.size else (0.0, 1.0)
    height = (high - low) or 1.0
    return low - 0.04 * height, high + spare_above * height


def thinned(count: int) -> np.ndarray:
    """The indices of the points to draw of `count`, ascending: all, or `MOST_POINTS`, the same at every call.

    >>> thinned(5).tolist(), thinned(10_000).size
    ([0, 1, 2, 3, 4], 2000)
    """
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SEED).choice(count, MOST_POINTS, replace=False))
