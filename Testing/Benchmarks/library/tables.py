"""Figures as markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Row = Mapping[str, float]
_FINE = ("SSIM", "CCC", "NMAE", "r", "coverage")


def number(name: str, value: float) -> str:
    """A figure as text; those that live between 0 and 1 with three decimals."""
    if not np.isfinite(value):
        return "-"
    return f"{value:.3f}" if any(name.startswith(f) for f in _FINE) else f"{value:.2f}"


def by(values: Iterable[float], times: str = "x") -> str:
    """Sizes, as 3.4x3.4x5."""
    return times.join(f"{value:g}" for value in values)


def answer(holds: bool | None) -> str:
    """Whether what was asked was found; None where it could not be told."""
    return {True: "yes", False: "**no**", None: "-"}[holds]


def mean_row(rows: Iterable[Row]) -> dict[str, float]:
    """The mean of each figure over cases; cases without it are left out."""
    rows = list(rows)
    means = {}
    for name in rows[0]:
        values = [r[name] for r in rows if np.isfinite(r.get(name, np.nan))]
        means[name] = float(np.mean(values)) if values else float("nan")
    return means


def table(rows: Mapping[str, Row], *, first: str = "method") -> str:
    """One line a row name, one column a figure of the first row."""
    names = list(next(iter(rows.values())))
    body = ([label, *(number(n, row.get(n, float("nan"))) for n in names)] for label, row in rows.items())
    return text_table([first, *names], body)


def mean_table(rows: Mapping[str, Iterable[Row]]) -> str:
    """The same of the mean over each method's rows."""
    return table({name: mean_row(each) for name, each in rows.items()})


def text_table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table of words."""
    rule = "|---" * len(head) + "|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(cells) + " |" for cells in body)])
