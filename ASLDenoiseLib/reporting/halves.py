"""Odd against even pairs in the report: the figures, and what they do not show."""

from __future__ import annotations

from html import escape

from ..result import Result
from .fragments import Column, TableRow, table


def halves_html(result: Result) -> str:
    """A row a kind of map; empty where a run did not compare the halves."""
    found = result.split_half
    if found is None:
        return ""
    shown = [Column(text, number=True) for text in ("r", "CCC", f"RMSE ({found.unit})", "2r/(1+r)")]
    lines = [
        TableRow(
            each.label[:1].upper() + each.label[1:],
            [f"{each.r:.3f}", f"{each.ccc:.3f}", f"{each.rmse:.3g}", f"{each.stepped_up:.3f}"],
        )
        for each in found.agreements
    ]
    what = (
        f"{found.odd} odd and {found.even} even pairs, denoised and audited apart, over {found.voxels} voxels of the "
        "brain. r: Pearson; CCC: Lin. Head motion, nuisances and outliers are the run's, found in all pairs."
    )
    return f"<p>{escape(what)}</p>{table('Map', shown, lines)}<p class='sub'>{escape(found.caveat)}</p>"
