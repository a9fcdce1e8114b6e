"""The names of an atlas's labels: BIDS ``_dseg.tsv``, and the colour tables of Slicer, FreeSurfer and ITK-SNAP."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InputError
from ..files import read_text

_SNAP = re.compile(r'^\s*(\d+)(?:\s+[\d.]+){6}\s+"(.*)"\s*$')  # ITK-SNAP: number, colours, switches, "name"
_TABLE = re.compile(r"^\s*(\d+)\s+(\S+)(?:\s+[\d.]+){3,4}\s*$")  # Slicer, FreeSurfer: number name red green blue alpha


def atlas_names(path: Path) -> dict[int, str]:
    """Label to name.

    Raises:
        InputError: there is no such file, or it names no label.
    """
    lines = [line for line in read_text(path, what="table of names").splitlines() if line.strip()]
    found = _tabular(lines) or _colour_table(lines)
    if not found:
        raise InputError(
            f"{path} names no label; give a table with the columns index and name, or a colour table "
            "(number, name, red, green, blue, alpha)."
        )
    return found


def _tabular(lines: list[str]) -> dict[int, str]:
    """Tab- or comma-separated lines under a heading that holds index and name."""
    separator = "\t" if lines and "\t" in lines[0] else ","
    head = [cell.strip().lower() for cell in lines[0].split(separator)] if lines else []
    number = next((head.index(word) for word in ("index", "label", "id", "labelvalue") if word in head), None)
    name = next((head.index(word) for word in ("name", "region", "label name", "abbreviation") if word in head), None)
    if number is None or name is None:
        return {}
    rows = [line.split(separator) for line in lines[1:]]
    return {
        int(row[number]): row[name].strip()
        for row in rows
        if len(row) > max(number, name) and row[number].strip().isdigit() and row[name].strip()
    }


def _colour_table(lines: list[str]) -> dict[int, str]:
    found = {}
    for line in lines:
        match = _SNAP.match(line) or _TABLE.match(line)
        if match and not line.lstrip().startswith("#"):
            found[int(match[1])] = match[2].replace("_", " ").strip()
    return {number: name for number, name in found.items() if number}
