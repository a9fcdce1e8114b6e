"""The network adapted to the scan, in the report: what was measured before and after, and what was asked."""

from __future__ import annotations

import math
from html import escape

from ..result import Result
from ..verdict import Figure
from .fragments import Column, TableRow, table

_HOW = (
    "One gain for each channel of the network was learned from the noise of random halves of this scan's own pairs. "
    "Other pairs said when to stop, and others again judged it, whose own noise is taken off the error."
)


def adaptation_html(result: Result) -> str:
    """The sentence and a row a figure; empty where a run did not adapt its network."""
    found = result.adaptation
    if found is None:
        return ""
    return f"<p>{escape(found.sentence)}</p>{figures_html(found.verdict.figures)}<p class='sub'>{escape(_HOW)}</p>"


def figures_html(figures: tuple[Figure, ...]) -> str:
    """Figures of a verdict as a table."""
    shown = [Column("Before", number=True), Column("After", number=True), Column("Standard error", number=True)]
    shown += [Column("Unit"), Column("Asked"), Column("Met")]
    lines = [
        TableRow(
            figure.label[:1].upper() + figure.label[1:],
            [*map(_number, (figure.before, figure.after, figure.error)), figure.unit, figure.asked, _met(figure)],
        )
        for figure in figures
    ]
    return table("Figure", shown, lines)


def _met(figure: Figure) -> str:
    return "yes" if figure.met else "no"


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "n/a"
