"""The course of a series as tables: head motion a volume, and what was left out a pair and slice."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..result import Result
from ..result.table import tsv_text

_MOTION_COLUMNS = {
    "trans": ("mm", "Shift of the centre of the brain along {axis} from the reference, the median pose"),
    "rot": ("degrees", "Turn of the head about {axis} (rotation vector) from the reference"),
    "framewise_displacement": ("mm", "Mean displacement over the brain from the control or label before"),
    "displacement": ("mm", "Mean displacement over the brain from the reference"),
    "pair_motion": ("mm", "Mean displacement over the brain between the control and the label of the pair"),
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
    """A row for each pair, or slice of a pair, that was left out, and why; counted from 1; 'all' is every slice.

    Empty where no outliers were looked for.
    """
    if result.outliers is None:
        return ""
    rows = (
        (r.pair + 1, "all" if r.slice is None else r.slice + 1, r.reason, r.value, r.threshold)
        for r in result.outliers.rejections
    )
    return tsv_text([("pair", "slice", "reason", "value", "threshold"), *(map(_cell, row) for row in rows)])


def left_out(result: Result) -> np.ndarray | None:
    """The fraction of each slice of each pair that is not in the mean, 0..1 (pairs, slices).

    It is 0 where nothing was rejected. None where no outliers were looked for.
    """
    report = result.outliers
    if report is None:
        return None
    lost = 1 - report.weights.reshape(*report.flags.shape, -1).mean(axis=2)
    return np.where(report.flags, lost, 0.0)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "n/a" if math.isnan(value) else f"{float(value):.6g}"
