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


def mean_row(rows: Iterable[Row]) -> dict[str, float]:
    """The mean of each figure over cases; cases without it are left out."""
    rows = list(rows)
    means = {}
    for name in rows[0]:
        values = [r[name] for r in rows if np.isfinite(r.get(name, np.nan))]
        means[name] = float(np.mean(values)) if values else float("nan")
    return means


def table(rows: Mapping[str, Row], *, first: str = "method") -> list[str]:
    """One line a row name, one column a figure of the first row."""
    names = list(next(iter(rows.values())))
    lines = [f"| {first} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    return lines + [
        f"| {name} | " + " | ".join(number(n, row.get(n, float("nan"))) for n in names) + " |"
        for name, row in rows.items()
    ]


def text_table(head: Sequence[str], body: Iterable[Sequence[str]]) -> list[str]:
    """A table of words."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(cells) + " |" for cells in body]
