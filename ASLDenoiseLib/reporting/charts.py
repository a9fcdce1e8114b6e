"""The charts of a run as data: box plot, scatter, Bland-Altman, pairs needed, motion, what was left out of the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..measuring.box import Box, box_of
from ..result import Result
from ..result.pairs_needed import MapError
from ..series import CBF_UNIT
from .chart import BLUE, FOR_LEGEND, GREEN, GREY, LONGEST, RED, Chart, Colour, Line, around, thinned
from .delay_charts import delay_charts
from .half_charts import halves_chart
from .pair_charts import course_chart, left_out_chart
from .voxelwise import SeriesMap, gm_agreement, masks_of, processed_map, raw_map

MOTION = ("shift", "turn")  # the keys of the charts over volumes
PAIRS_NEEDED = "pairs_needed"  # the key of its chart, by which the panel finds it
_HALF, _APART = 0.14, 0.18  # of a box's width, and from the middle of its region


def charts_of(result: Result) -> tuple[Chart, ...]:
    """Every chart there is something to draw for, in the order to show them."""
    makers = (box_chart, scatter_chart, agreement_chart, pairs_chart, course_chart, shift_chart)
    makers = (*makers, rotation_chart, left_out_chart, halves_chart)
    return (*(chart for chart in (make(result) for make in makers) if chart is not None), *delay_charts(result))


def box_chart(result: Result) -> Chart | None:
    """Perfusion in GM, WM and each region, raw beside processed: quartiles, median and Tukey's whiskers."""
    masks = masks_of(result)
    maps = [shown for shown in (raw_map(result), processed_map(result)) if shown is not None]
    boxes = {
        name: [box_of(shown.volume.array[mask]) for shown in maps]
        for name, mask in masks.items()
        if box_of(maps[0].volume.array[mask]) is not None
    }
    if not boxes:
        return None
    shifts = (0.0,) if len(maps) == 1 else (-_APART, _APART)
    lines = tuple(
        _box_line(shown, shift, {name: of_maps[index] for name, of_maps in boxes.items()}, colour, result.unit)
        for index, (shown, shift, colour) in enumerate(zip(maps, shifts, (GREY, BLUE), strict=False))
    )
    beyond = sum(box.beyond for of_maps in boxes.values() for box in of_maps if box is not None)
    quantity = result.kind(result.raw).quantity
    names = [f"{number} = {name}" for number, name in enumerate(boxes, start=1)]
    caption = f"{quantity} by region: median, quartiles, whiskers to 1.5 IQR ({beyond} voxels beyond)"
    return Chart(
        "boxes",
        f"{quantity} by region (box plot)",
        f"{caption}. {', '.join(names)}",
        _region_axis(names),
        f"{quantity} ({result.unit})",
        "",
        result.unit,
        lines,
        (0.0, len(boxes) + 1.0),
        around((line.y for line in lines), spare_above=FOR_LEGEND),
    )


def scatter_chart(result: Result) -> Chart | None:
    """Processed against raw in voxels of GM and WM, with the line of no change."""
    raw, processed = raw_map(result), processed_map(result)
    if processed is None:
        return None
    lines, drawn, count = [], 0, 0
    masks = masks_of(result)
    for name, colour in (("GM", RED), ("WM", BLUE)):
        x, y = raw.volume.array[masks[name]].astype(float), processed.volume.array[masks[name]].astype(float)
        known = np.isfinite(x) & np.isfinite(y)
        kept = thinned(int(known.sum()))
        if kept.size:
            lines.append(Line(name, x[known][kept], y[known][kept], colour, "points"))
        drawn, count = drawn + kept.size, count + int(known.sum())
    if not lines:
        return None
    unit, cbf = result.unit, _named_cbf(result)
    span = around([values for line in lines for values in (line.x, line.y)])
    lines.append(Line("No change", np.array(span), np.array(span), (0.0, 0.0, 0.0)))
    return Chart(
        "scatter",
        f"{processed.name.partition(',')[0]} against raw (scatter)",
        f"{processed.label} against {raw.label.lower()} in GM and WM ({_voxel_count(drawn, count)})",
        f"{raw.name}{cbf} ({unit})",
        f"{processed.name}{cbf} ({unit})",
        unit,
        unit,
        tuple(lines),
        span,
        span,
    )


def agreement_chart(result: Result) -> Chart | None:
    """Bland-Altman of raw and processed in GM, with the bias and limits of agreement of all its voxels."""
    agreement, processed = gm_agreement(result), processed_map(result)
    if agreement is None or processed is None:
        return None
    kept = thinned(agreement.count)
    x, y = agreement.mean[kept], agreement.difference[kept]
    low, high = agreement.limits
    digits = _digits(result.unit)
    span = around([x])
    flat = [
        (f"Bias {agreement.bias:+{digits}}", agreement.bias, False),
        (f"Upper limit {high:+{digits}}", high, True),
        (f"Lower limit {low:+{digits}}", low, True),
    ]
    unit, cbf = result.unit, _named_cbf(result)
    return Chart(
        "agreement",
        "Agreement with raw (Bland-Altman)",
        f"Bland-Altman (GM): bias {agreement.bias:+{digits}}, "
        f"limits of agreement {low:+{digits}} to {high:+{digits}} {unit}",
        f"Mean of raw and {processed.name.lower()}{cbf} ({unit})",
        f"{processed.name} minus raw{cbf} ({unit})",
        unit,
        unit,
        (
            Line(_voxel_count(kept.size, agreement.count), x, y, GREY, "points"),
            *(Line(name, np.array(span), np.full(2, value), RED, dashed=dash) for name, value, dash in flat),
        ),
        span,
        around([y, np.array([low, high])], spare_above=FOR_LEGEND),
    )


def pairs_chart(result: Result) -> Chart | None:
    """The error of denoised and plain means of some of the pairs; None where a run did not measure it."""
    needed = result.pairs_needed
    if needed is None:
        return None
    numbers = np.arange(needed.denoised[0].pairs, needed.total + 1.0)
    plain = np.sqrt(needed.variance / numbers)
    black, unit = (0.0, 0.0, 0.0), needed.unit
    goal = np.full(2, plain[-1])
    lines = (
        Line("Plain mean", numbers, plain, GREY),
        _rmse_line("Plain mean, measured", needed.plain, unit, GREY, "points"),
        Line(f"Plain mean of all {needed.total}", numbers[[0, -1]], goal, black, dashed=True),
        Line("Denoised: 95 % interval", *_rmse_stems(needed.denoised), BLUE, width=1.0),
        _rmse_line("Denoised", needed.denoised, unit, BLUE),
    )
    return Chart(
        PAIRS_NEEDED,
        "How many pairs are enough",
        needed.headline,
        "Pairs",
        f"Error in the brain: RMSE ({unit})",
        "",
        unit,
        lines,
        (0.0, needed.total + 1.0),
        (0.0, around((line.y for line in lines), spare_above=FOR_LEGEND)[1]),
    )


def shift_chart(result: Result) -> Chart | None:
    """The shift of the head from its median pose in every volume, and its motion since the one before, mm."""
    if result.motion is None:
        return None
    columns = result.motion.columns
    lines = _axis_lines(columns, "trans", ("To the left", "To the back", "Upwards"))
    lines.append(_course("Since the volume before", columns["framewise_displacement"], (0.0, 0.0, 0.0)))
    caption = f"Head motion: shift from the median pose, at most {np.nanmax(columns['displacement']):.2g} mm"
    return _motion_chart(MOTION[0], "Head motion: shift", caption, "Shift (mm)", "mm", lines)


def rotation_chart(result: Result) -> Chart | None:
    """The rotation of the head from its median pose in every volume, degrees."""
    if result.motion is None:
        return None
    lines = _axis_lines(result.motion.columns, "rot", ("About left-right", "About front-back", "About up-down"))
    largest = max(float(np.nanmax(np.abs(line.y))) for line in lines)
    caption = f"Head motion: turn from the median pose, at most {largest:.2g} degrees about an axis"
    return _motion_chart(MOTION[1], "Head motion: turn", caption, "Turn (degrees)", "deg", lines)


def _region_axis(names: Sequence[str]) -> str:
    """As many of the numbered regions as a line of a chart holds; the caption has all.

    >>> _region_axis(["1 = GM", "2 = WM", "3 = left middle cerebral artery territory"])
    '1 = GM, 2 = WM, 3: point at the box'
    """
    room, all_of_them = LONGEST - len(", 10 to 99: point at the box"), ", ".join(names)
    if len(all_of_them) <= LONGEST:
        return all_of_them
    count = next(n for n in range(len(names), -1, -1) if len(", ".join(names[:n])) <= room)
    rest = f"{count + 1}" if count + 1 == len(names) else f"{count + 1} to {len(names)}"
    return ", ".join([*names[:count], f"{rest}: point at the box"])


def _named_cbf(result: Result) -> str:
    """' CBF', to follow the name of a map that is one."""
    return "" if result.relative else " CBF"


def _digits(unit: str) -> str:
    """The format of values of a perfusion map."""
    return ".1f" if unit == CBF_UNIT else ".3g"


def _box_line(shown: SeriesMap, shift: float, boxes: dict[str, Box | None], colour: Colour, unit: str) -> Line:
    """All boxes of a map as one broken line, each with its figures as the note of its points."""
    parts, notes, digits = [], [], _digits(unit)
    for middle, (name, box) in enumerate(boxes.items(), start=1):
        if box is not None:
            path = _box_path(middle + shift, box)
            parts.append(path)
            note = (
                f"{name}: median {box.median:{digits}}, quartiles {box.lower:{digits}} to {box.upper:{digits}}, "
                f"whiskers {box.low:{digits}} to {box.high:{digits}} {unit}; {box.count} voxels, "
                f"{box.beyond} beyond the whiskers"
            )
            notes += [note] * len(path)
    path = np.concatenate(parts) if parts else np.full((1, 2), np.nan)
    return Line(shown.label, path[:, 0], path[:, 1], colour, notes=tuple(notes))


def _box_path(middle: float, box: Box) -> np.ndarray:
    """Points (n, 2) of a box plot: whisker, box, median, whisker; NaN lifts the pen."""
    left, right, lift = middle - _HALF, middle + _HALF, (np.nan, np.nan)
    cap_left, cap_right = middle - _HALF / 2, middle + _HALF / 2
    return np.array(
        [
            *((cap_left, box.low), (cap_right, box.low), lift),
            *((middle, box.low), (middle, box.lower), lift),
            *((left, box.lower), (right, box.lower), (right, box.upper), (left, box.upper), (left, box.lower), lift),
            *((left, box.median), (right, box.median), lift),
            *((middle, box.upper), (middle, box.high), lift),
            *((cap_left, box.high), (cap_right, box.high), lift),
        ]
    )


def _rmse_line(name: str, errors: Sequence[MapError], unit: str, colour: Colour, kind: str = "line") -> Line:
    """Error by pairs, with its interval as the note of each; NaN where it is below what can be measured."""
    x, y = np.array([e.pairs for e in errors], float), np.array([e.rmse for e in errors])
    return Line(name, x, y, colour, kind, notes=_rmse_notes(errors, unit))


def _rmse_stems(errors: Sequence[MapError]) -> tuple[np.ndarray, np.ndarray]:
    """The intervals as upright strokes; NaN lifts the pen."""
    ends = np.array([(*e.interval, np.nan) for e in errors])
    return np.repeat([float(e.pairs) for e in errors], 3), ends.ravel()


def _rmse_notes(errors: Sequence[MapError], unit: str) -> tuple[str, ...]:
    """What each error is, in words."""
    digits = _digits(unit)
    return tuple(
        f"{e.pairs} pairs: {e.rmse:{digits}} {unit}, 95 % interval {e.interval[0]:{digits}} to {e.interval[1]:{digits}}"
        if e.square > 0
        else f"{e.pairs} pairs: below what can be measured"
        for e in errors
    )


def _voxel_count(drawn: int, count: int) -> str:
    return f"{count} voxels" if drawn == count else f"{drawn} of {count} voxels"


def _axis_lines(columns: Mapping[str, np.ndarray], stem: str, names: Sequence[str]) -> list[Line]:
    """The three columns of `stem` over the volumes."""
    named = zip(names, "xyz", (RED, BLUE, GREEN), strict=True)
    return [_course(name, columns[f"{stem}_{axis}"], colour) for name, axis, colour in named]


def _course(name: str, values: np.ndarray, colour: Colour) -> Line:
    """Values over the volumes that have one, counted from 1."""
    known = np.flatnonzero(np.isfinite(values))
    return Line(name, known + 1.0, values[known], colour)


def _motion_chart(key: str, name: str, caption: str, y_title: str, unit: str, lines: Sequence[Line]) -> Chart:
    last = max((float(line.x[-1]) for line in lines if line.x.size), default=1.0)
    span = around([line.y for line in lines], spare_above=FOR_LEGEND)
    return Chart(key, name, caption, "Volume", y_title, "", unit, tuple(lines), (0.0, last + 1), span)
