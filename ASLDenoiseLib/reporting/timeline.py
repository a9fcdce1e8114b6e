"""The course of a series as tables: head motion a volume, and what was left out a pair and slice."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..result import Result
from ..result.table import tsv_text
from .pair_rows import decided, pair_rows

_MOTION_COLUMNS = {
    "trans": ("mm", "Shift of the centre of the brain along {axis} from the reference, the median pose"),
    "rot": ("degrees", "Turn of the head about {axis} (rotation vector) from the reference"),
    "framewise_displacement": ("mm", "Mean displacement over the brain from the control or label before"),
    "displacement": ("mm", "Mean displacement over the brain from the reference"),
    "pair_motion": ("mm", "Mean displacement over the brain between the control and the label of the pair"),
}
_COURSE_COLUMNS = {
    "pair": "Number of the pair in the series, from 1",
    "volumes": "Its control and label, or its difference, by their places in the series, from 0",
    "perfusion": "Mean perfusion of the brain in this pair alone, after motion was corrected",
    "perfusion_unit": "Of perfusion",
    "delay": "Post-labelling delay of the pair, of PASL its inversion time; perfusion is by that delay alone",
    "pair_motion": "Mean displacement over the brain between control and label",
    "displacement": "Mean displacement over the brain of the pair from the reference",
    "left_out": "Share of the pair that is not in the mean, 0 to 1",
    "decision": "Left out by the method, taken out by the user, or put back by the user; n/a of a pair that is in the "
    "mean as a matter of course",
}
_AXES = {"x": "LPS x (to the left)", "y": "LPS y (to the back)", "z": "LPS z (upwards)"}


def motion_tsv(result: Result) -> str:
    """A row a volume as BIDS tabular text; n/a for volumes that are neither control nor label, or were not chosen.

    Empty where motion was not estimated.
    """
    if result.motion is None:
        return ""
    columns = {"volume_type": [kind.value for kind in result.series.context], **result.motion.columns}
    rows = zip(*columns.values(), strict=True)
    return tsv_text([columns, *(map(_cell, row) for row in rows)])


def motion_columns(result: Result) -> dict[str, Mapping[str, str]]:
    """The description and unit of each column of `motion_tsv`, for the JSON beside it."""
    described = {"volume_type": {"Description": "What the volume is, as in aslcontext.tsv"}}
    for name in result.motion.columns if result.motion is not None else ():
        stem, _, axis = name.rpartition("_")
        unit, text = _MOTION_COLUMNS.get(stem) or _MOTION_COLUMNS[name]
        described[name] = {"Description": text.format(axis=_AXES.get(axis, "")), "Units": unit}
    return described


def outliers_tsv(result: Result) -> str:
    """A row for each pair, or slice of a pair, that was left out or put back, why and by whom; 'all' is every slice.

    Counted from 1, pairs as in the series. Empty where no outliers were looked for.
    """
    report = result.outliers
    if report is None:
        return ""
    rows = (
        (r.called, "all" if r.slice is None else r.slice + 1, r.reason, r.value, r.threshold, decision)
        for r, decision in decided(result)
    )
    return tsv_text([("pair", "slice", "reason", "value", "threshold", "decision"), *(map(_cell, row) for row in rows)])


def course_tsv(result: Result) -> str:
    """A row a pair as BIDS tabular text: perfusion, motion, what is not in the mean and by whom; empty without any."""
    rows = pair_rows(result)
    unit = "" if result.course is None else result.course.unit
    names = _course_names(result)
    lines = []
    for r in rows:
        own = (r.number, r.volumes, r.perfusion, unit, r.delay, r.motion, r.position, r.left_out, r.decision or "n/a")
        lines.append(_cell(cell) for name, cell in zip(_COURSE_COLUMNS, own, strict=True) if name in names)
    return tsv_text([names, *lines]) if rows else ""


def course_columns(result: Result) -> dict[str, Mapping[str, str]]:
    """The description and unit of each column of `course_tsv`, for the JSON beside it."""
    described = {name: {"Description": _COURSE_COLUMNS[name]} for name in _course_names(result)}
    for name, unit in (("pair_motion", "mm"), ("displacement", "mm"), ("delay", "s")):
        if name in described:
            described[name]["Units"] = unit
    return described


def _course_names(result: Result) -> tuple[str, ...]:
    """The columns of `course_tsv`: delays are one of a series that has several."""
    several = any(math.isfinite(row.delay) for row in pair_rows(result))
    return tuple(name for name in _COURSE_COLUMNS if several or name != "delay")


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "n/a" if math.isnan(value) else f"{float(value):.6g}"
