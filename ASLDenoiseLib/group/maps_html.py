"""The maps of a study and the means of its regions as parts of the page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..reporting.fragments import Column, TableRow, figure, table
from ..result.table import format_value
from .map_figures import map_figures
from .maps import GroupMaps

if TYPE_CHECKING:
    import pandas as pd

_OPEN = 60  # regions; a longer table is folded


def maps_html(found: GroupMaps) -> str:
    """The pictures of the maps with what was left out of them; empty where there is neither."""
    shown = "".join(figure(each.png, each.caption, each.alternative) for each in map_figures(found))
    told = "".join(f"<li class='warning'>{escape(note)}</li>" for note in found.notes)
    return shown + (f"<ul class='findings'>{told}</ul>" if told else "")


def regions_html(means: pd.DataFrame) -> str:
    """A table of the regions' means over participants; empty without regions.

    Args:
        means: of `region_tables.region_means`; of scans that are not set apart where it tells them apart.
    """
    if not len(means):
        return ""
    sound = "sound" in set(means["scans"])
    rows = means[means["scans"] == ("sound" if sound else "all")].to_dict("records")
    labels = ("Raw", "Processed", "SNR, raw", "SNR, processed", "Asymmetry, raw, %", "Asymmetry, processed, %")
    names = ("raw_mean", "processed_mean", "raw_snr", "processed_snr")
    names += ("asymmetry_raw_percent", "asymmetry_processed_percent")
    shown = [Column("n", number=True), *(Column(label, number=True) for label in labels)]
    lines = []
    for row in rows:
        cells = [f"{row['participants']:.0f}", *(_both(row[f"{name}_mean"], row[f"{name}_sd"]) for name in names)]
        left = f"; {row['left_out']:.0f} scans of low coverage left out" if row["left_out"] else ""
        lines.append(TableRow(str(row["region"]), cells, f"{row['atlas']}{left}"))
    units = ", ".join(dict.fromkeys(str(row["unit"]) for row in rows))
    lead = (
        f"Mean (SD) over participants, the sessions of one averaged first, in {units}"
        f"{', without the scans that are set apart' if sound else ''}. Asymmetry: 100 (L - R) / ((L + R) / 2). "
        "regions.tsv has every scan, region_means.tsv how the sessions agree."
    )
    body = f"<p class='sub'>{escape(lead)}</p>{table('Region', shown, lines)}"
    many = len(lines) > _OPEN
    return f"<details><summary>{len(lines)} regions</summary>{body}</details>" if many else body


def _both(mean: float, sd: float) -> str:
    return "n/a" if mean != mean else f"{format_value(mean)} ({format_value(sd)})"
