"""The charts over the pairs of a run: the perfusion of the brain in each, and what was left out of the mean."""

from __future__ import annotations

import math

import numpy as np

from ..result import Result
from ..series import CBF_UNIT
from .chart import BLUE, FOR_LEGEND, GREY, PURPLE, RED, Chart, Line, around
from .pair_rows import LEFT_OUT, PUT_BACK, TAKEN_OUT, PairRow, left_out, pair_rows

COURSE = "course"  # the key of its chart, by which the panel finds it


def course_chart(result: Result) -> Chart | None:
    """The perfusion of the brain in each pair, those left out apart; None where no run looked at them."""
    rows = [row for row in pair_rows(result) if math.isfinite(row.perfusion)]
    if not rows:
        return None
    unit, what = result.course.unit, "Perfusion" if result.relative else "CBF"
    kinds = {"In the mean": [], "Left out in part or whole": [], "Taken out by you": []}
    for row in rows:
        kinds[_kind_of(row)].append(row)
    colours = dict(zip(kinds, (BLUE, RED, PURPLE), strict=True))
    every = np.array([row.perfusion for row in rows])
    lines = [_median(rows, every, unit)]
    lines += [_points(name, members, unit, colours[name]) for name, members in kinds.items() if members]
    form = _digits(unit)
    of_delays = ", by its own delay alone" if any(math.isfinite(row.delay) for row in rows) else ""
    return Chart(
        COURSE,
        f"{what} of the brain in each pair",
        f"{what} of the brain in each pair{of_delays}: {every.min():{form}} to {every.max():{form}} {unit}",
        "Pair",
        f"Mean of the brain ({unit})",
        "",
        unit,
        tuple(lines),
        (rows[0].number - 1.0, rows[-1].number + 1.0),
        around([every], spare_above=FOR_LEGEND),
    )


def left_out_chart(result: Result) -> Chart | None:
    """The part of each pair that is not in the mean, %; None where nothing was left out."""
    lost = left_out(result)
    if lost is None or not lost.any():
        return None
    percent = 100 * lost.mean(axis=1)
    numbers = np.arange(1.0, percent.size + 1) if result.course is None else np.array(result.course.numbers, float)
    pairs = np.repeat(numbers, 3)
    stems = np.stack([np.zeros_like(percent), percent, np.full_like(percent, np.nan)], axis=1).ravel()
    by_user = result.outliers.by_user
    what = "Left out of the mean, by the method or by hand" if by_user else "Left out of the mean as outliers"
    touched = int(np.count_nonzero(percent))
    return Chart(
        "left_out",
        "Left out of the mean",
        f"{what}: {percent.mean():.1f} % of the data, in {touched} of {percent.size} pairs",
        "Pair",
        "Left out of the pair (%)",
        "",
        "%",
        (Line("Left out", pairs, stems, PURPLE, width=6.0),),
        (0.0, float(numbers[-1]) + 1.0),
        (0.0, max(10.0, 1.05 * float(percent.max()))),
    )


def _kind_of(row: PairRow) -> str:
    if TAKEN_OUT in row.decision:
        return "Taken out by you"
    said = row.decision.replace(PUT_BACK, "")
    return "Left out in part or whole" if LEFT_OUT in said else "In the mean"


def _points(name: str, rows: list[PairRow], unit: str, colour: tuple[float, float, float]) -> Line:
    x, y = np.array([float(row.number) for row in rows]), np.array([row.perfusion for row in rows])
    return Line(name, x, y, colour, "points", notes=tuple(_note(row, unit) for row in rows))


def _median(rows: list[PairRow], every: np.ndarray, unit: str) -> Line:
    """The median of the pairs; of several delays that of each pair's own, since perfusion differs with the delay."""
    look = {"colour": GREY, "dashed": True, "width": 1.0}
    delays = np.array([row.delay for row in rows])
    if not np.isfinite(delays).all():
        middle, ends = float(np.median(every)), np.array([rows[0].number - 0.5, rows[-1].number + 0.5])
        return Line(f"Median {middle:{_digits(unit)}}", ends, np.full(2, middle), **look)
    own = np.array([np.median(every[delays == delay]) for delay in delays])
    return Line("Median of the same delay", np.array([float(row.number) for row in rows]), own, **look)


def _note(row: PairRow, unit: str) -> str:
    """What there is to say of a point."""
    delay = f", delay {row.delay:g} s" if math.isfinite(row.delay) else ""
    parts = [f"Pair {row.number}{delay}: {row.perfusion:{_digits(unit)}} {unit}"]
    if math.isfinite(row.motion):
        parts.append(f"moved {row.motion:.2f} mm between control and label")
    return ", ".join([*parts, *([row.decision] if row.decision else [])])


def _digits(unit: str) -> str:
    return ".1f" if unit == CBF_UNIT else ".3g"
