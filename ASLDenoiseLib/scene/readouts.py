"""The readouts of a run as an MRML table, and back from it: rows for a panel, text and TSV as the shell gives them."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import InputError
from ..result import Result
from ..result.adaptation import ScanAdaptation
from ..result.maps import SMOOTHED, Role, kind_of, named, raw_of
from ..result.split_half import SplitHalf
from ..result.table import Row, columns, percent_change, rows, rows_sheet, rows_text, rows_tsv, short_first
from ..software import NAME, own_version
from .columns import number_column, text_column

if TYPE_CHECKING:
    import slicer

    from ..preparing.series_fit import SeriesFit

READOUTS_ATTRIBUTE = "ASLDenoise.readouts"  # of the table; its value: what a table of labels and numbers leaves out
_LABEL, _UNIT, _CHANGE = "Readout", "Unit", "Change (%)"


def add_readouts(result: Result, *, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLTableNode:
    """A table: a row a readout; columns Readout, Unit, one a judged map by its label (raw and processed first), and
    Change (%) of processed against raw (NaN where raw is zero or either was not measured)."""
    import slicer

    keys, table = columns(result), rows(result)
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    slicer.util.updateTableFromArray(node, [], [])
    node.AddColumn(text_column(_LABEL, (row.label for row in table)))
    node.AddColumn(text_column(_UNIT, (row.unit for row in table)))
    for index, key in enumerate(keys):
        node.AddColumn(number_column(result.kind(key).label, (row.values[index] for row in table)))
    compared = result.processed if result.raw in keys and result.processed in keys else None
    if compared is not None:
        node.AddColumn(number_column(_CHANGE, (row.change for row in table)))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    left_out = {"keys": keys, "processed": compared, "names": [row.name for row in table]}
    left_out["values"] = [[_plain(value) for value in row.values] for row in table]
    left_out["labels"] = [result.kind(key).label for key in keys]
    left_out["pairs"] = [result.pairs.get(role, "") for role in (Role.RAW, Role.PROCESSED)]
    left_out |= {"series": result.series.name, "model": str((result.model or {}).get("name", ""))}
    left_out["fit"] = None if result.fit is None else result.fit.to_plain()
    left_out["adaptation"] = None if result.adaptation is None else result.adaptation.to_plain()
    left_out["audit"] = "" if result.audit is None else result.audit.sentence
    left_out["split_half"] = None if result.split_half is None else result.split_half.to_plain()
    node.SetAttribute(READOUTS_ATTRIBUTE, json.dumps(left_out))
    return node


def is_readouts(node: slicer.vtkMRMLNode) -> bool:
    """Whether a node is a table of readouts."""
    return node.IsA("vtkMRMLTableNode") and bool(node.GetAttribute(READOUTS_ATTRIBUTE))


def readout_rows(node: slicer.vtkMRMLTableNode) -> tuple[Row, ...]:
    """Every readout of the table with three values: raw, what the run was for (NaN where it only averaged), and the
    raw map blurred to the same noise (NaN where it was not made); those of a short table first.

    Raises:
        InputError: the table is none of ours, or was changed.
    """
    keys, processed, table = _read(node)
    shown = (raw_of(keys), processed, named(SMOOTHED, keys))
    places = [keys.index(key) if key in keys else None for key in shown]
    return tuple(
        replace(row, values=tuple(math.nan if place is None else row.values[place] for place in places))
        for row in short_first(table)
    )


def readouts_sheet(node: slicer.vtkMRMLTableNode, *, patient: str = "", run: str = "") -> str:
    """The table as tab-separated text for a spreadsheet, under patient, series and run. Raises as `readout_rows`."""
    keys, processed, table = _read(node)
    heading = [("Patient", patient or "n/a"), ("Series", series_name(node)), ("Run", run or "n/a")]
    heading.append(("Software", f"{NAME} {own_version()}, for research use only"))
    labels = _labels(node, keys)
    return rows_sheet(heading, labels, short_first(table), changes=processed in keys)


def series_name(node: slicer.vtkMRMLTableNode) -> str:
    """The name of the series that the readouts are of."""
    stored = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE))
    return stored.get("series") or (node.GetName() or "").removesuffix(" readouts")


def file_stem(node: slicer.vtkMRMLTableNode, *, patient: str = "") -> str:
    """What the names of files of this run begin with: patient, series and model, without a blank."""
    name = series_name(node)
    model = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("model", "")
    parts = [part for part in (patient if patient not in name else "", name, model) if part]
    return "_".join(re.sub(r"[^\w.-]+", "-", part).strip("-") for part in parts)


def fit_in(node: slicer.vtkMRMLTableNode) -> SeriesFit | None:
    """Whether the T1 of the run belongs to its series; None where the run had no T1, or did not look."""
    from ..preparing.series_fit import SeriesFit

    plain = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("fit")
    return None if plain is None else SeriesFit.from_plain(plain)


def pairs_in(node: slicer.vtkMRMLTableNode) -> tuple[str, str]:
    """In words, the pairs that raw and processed maps of the run average; empty where both have the same."""
    raw, processed = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("pairs", ("", ""))
    return raw, processed


def audit_sentence(node: slicer.vtkMRMLTableNode) -> str:
    """What the residual audit of the run found; empty where none was made."""
    return json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("audit", "")


def adaptation_in(node: slicer.vtkMRMLTableNode) -> ScanAdaptation | None:
    """Whether the network of the run was adapted to its scan; None where that was not asked, or not tried."""
    plain = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("adaptation")
    return None if plain is None else ScanAdaptation.from_plain(plain)


def split_half_of(node: slicer.vtkMRMLTableNode) -> SplitHalf | None:
    """How odd and even pairs of the run agree; None where that was not asked, or could not be told."""
    plain = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("split_half")
    return None if plain is None else SplitHalf.from_plain(plain)


def readouts_text(node: slicer.vtkMRMLTableNode) -> str:
    """The table as the shell prints it, without the findings. Raises as `readout_rows`."""
    keys, processed, table = _read(node)
    return rows_text(_labels(node, keys), table, changes=processed in keys)


def readouts_tsv(node: slicer.vtkMRMLTableNode) -> str:
    """The table as the shell's ``*_readouts.tsv``, to the last digit. Raises as `readout_rows`."""
    keys, _, table = _read(node)
    return rows_tsv(keys, table)


def _labels(node: slicer.vtkMRMLTableNode, keys: list[str]) -> list[str]:
    """Of the maps, as the run named them; older scenes hold only what they are."""
    stored = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE)).get("labels")
    return stored or [kind_of(key, keys).label for key in keys]


def _read(node: slicer.vtkMRMLTableNode) -> tuple[list[str], str | None, tuple[Row, ...]]:
    """Keys of the maps, that of the processed one, and the rows. A saved table holds six digits; the attribute, all."""
    if not is_readouts(node):
        raise InputError(f"'{node.GetName()}' is not a table of readouts; select the one of a run.")
    left_out = json.loads(node.GetAttribute(READOUTS_ATTRIBUTE))
    keys, processed, names = left_out["keys"], left_out["processed"], left_out["names"]
    labels, units = (_column(node, title) for title in (_LABEL, _UNIT))
    if not len(labels) == len(units) == len(names):
        raise InputError(f"The table '{node.GetName()}' was changed; run ASL Denoise again for its readouts.")
    where, raw = {key: index for index, key in enumerate(keys)}, raw_of(keys)
    found = []
    for name, label, unit, stored in zip(names, labels, units, left_out["values"], strict=True):
        values = tuple(math.nan if value is None else float(value) for value in stored)
        change = math.nan
        if raw in where and processed in where:
            change = percent_change(values[where[raw]], values[where[processed]])
        found.append(Row(name, label, unit, "", values, change))
    return keys, processed, tuple(found)


def _plain(value: float) -> float | str | None:
    """JSON has neither NaN nor infinity."""
    return None if math.isnan(value) else value if math.isfinite(value) else str(value)


def _column(node: slicer.vtkMRMLTableNode, title: str) -> list[str]:
    column = node.GetTable().GetColumnByName(title)
    return [] if column is None else [str(column.GetValue(row)) for row in range(column.GetNumberOfValues())]
