"""The time line of a run as an MRML table: a row a pair, and in an attribute what was left out, of which slices."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..preparing.pairs import pair_members
from ..preparing.places import flags_at, words_of
from ..reporting.pair_rows import PairRow, pair_rows
from ..result import Result
from .columns import number_column, text_column
from .hierarchy import nodes_in

if TYPE_CHECKING:
    import slicer

COURSE_ATTRIBUTE = "ASLDenoise.course"  # of the table; its value: what its columns leave out
_PAIR, _VOLUMES, _MOTION, _POSITION = "Pair", "Volumes", "Pair motion (mm)", "Displacement (mm)"
_LEFT_OUT, _DECISION, _DELAY = "Left out (%)", "Decision", "Delay (s)"


@dataclass(frozen=True, eq=False)
class SceneCourse:
    """The time line as a table of the scene holds it.

    Args:
        rows: a pair each, in the order of the series.
        total: pairs of the series, also those that the run does not average.
        slices: of a pair.
        unit: of the perfusion.
        method: that looked for outliers.
        found: bool (N, K), what it left out.
        taken_out, put_back: bool (N, K), what the user decided for this run.
    """

    rows: tuple[PairRow, ...]
    total: int
    slices: int
    unit: str
    method: str
    found: np.ndarray
    taken_out: np.ndarray
    put_back: np.ndarray

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the pairs in the series, from 1."""
        return tuple(row.number for row in self.rows)

    def places(self, text: str, *, setting: str) -> np.ndarray:
        """Bool (N, K): the places a text names (`preparing.places.flags_at`)."""
        known = {"numbers": self.numbers, "total": self.total, "slices": self.slices}
        return flags_at(text, **known, setting=setting)


def add_course(result: Result, *, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLTableNode | None:
    """A table: a row a pair, with motion (mm), perfusion, percent left out and by whom; None without pairs to show."""
    import slicer

    rows = pair_rows(result)
    if not rows:
        return None
    report, numbers, unit = result.outliers, result.course.numbers, result.course.unit
    slices = result.series.geometry.size[2]
    nothing = np.zeros((len(rows), slices), bool)
    back = nothing.copy()
    for r in () if report is None else report.put_back:
        back[r.pair, slice(None) if r.slice is None else r.slice] = True
    found = nothing if report is None else report.flags if report.found is None else report.found
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    slicer.util.updateTableFromArray(node, [], [])
    node.AddColumn(number_column(_PAIR, (row.number for row in rows)))
    node.AddColumn(text_column(_VOLUMES, (row.volumes for row in rows)))
    node.AddColumn(number_column(_MOTION, (row.motion for row in rows)))
    node.AddColumn(number_column(_POSITION, (row.position for row in rows)))
    node.AddColumn(number_column(_perfusion(unit), (row.perfusion for row in rows)))
    node.AddColumn(number_column(_LEFT_OUT, (100 * row.left_out for row in rows)))
    node.AddColumn(text_column(_DECISION, (row.decision for row in rows)))
    if any(math.isfinite(row.delay) for row in rows):
        node.AddColumn(number_column(_DELAY, (row.delay for row in rows)))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    kept = {"unit": unit, "slices": slices, "total": len(pair_members(result.series))}
    kept |= {"method": "" if report is None else report.method, "found": words_of(found, numbers)}
    kept |= {"taken_out": words_of(nothing if report is None else report.taken_out, numbers)}
    node.SetAttribute(COURSE_ATTRIBUTE, json.dumps({**kept, "put_back": words_of(back, numbers)}))
    return node


def course_node(scene: slicer.vtkMRMLScene, folder: int) -> slicer.vtkMRMLTableNode | None:
    """The time line in a run's folder; None where it has none."""
    return next((node for node in nodes_in(scene, folder) if node.GetAttribute(COURSE_ATTRIBUTE)), None)


def read_course(node: slicer.vtkMRMLTableNode) -> SceneCourse:
    """The time line in a table.

    Raises:
        InputError: the table is none of ours, or was changed.
    """
    try:
        kept = json.loads(node.GetAttribute(COURSE_ATTRIBUTE) or "")
        unit = kept["unit"]
        titles = (_PAIR, _VOLUMES, _perfusion(unit), _MOTION, _POSITION, _LEFT_OUT, _DECISION)
        columns = [node.GetTable().GetColumnByName(title) for title in titles]
        delays = node.GetTable().GetColumnByName(_DELAY)  # of a series of several
        rows = tuple(_row(columns, delays, n) for n in range(columns[0].GetNumberOfValues()))
        numbers = [row.number for row in rows]
        known = {"numbers": numbers, "total": kept["total"], "slices": kept["slices"], "setting": "take-out"}
        flags = [flags_at(kept[name], **known) for name in ("found", "taken_out", "put_back")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"The table '{node.GetName()}' is no time line of a run, or was changed; run ASL Denoise again."
        raise InputError(what) from error
    return SceneCourse(rows, kept["total"], kept["slices"], unit, kept["method"], *flags)


def _row(columns: list, delays: object | None, n: int) -> PairRow:
    number, volumes, perfusion, motion, position, left_out, decision = (_value(column, n) for column in columns)
    lost = float(left_out) / 100
    known = (float(perfusion), float(motion), float(position))
    delay = math.nan if delays is None else float(_value(delays, n))
    share = math.nan if math.isnan(lost) else lost
    return PairRow(int(float(number)), str(volumes), *known, share, str(decision or ""), delay)


def _value(column: object, n: int) -> str:
    """As text: a saved table may come back with other types of columns."""
    text = column.GetVariantValue(n).ToString()
    return text if text.strip() else "nan" if column.IsNumeric() else ""


def _perfusion(unit: str) -> str:
    return f"Perfusion of the brain ({unit})"
