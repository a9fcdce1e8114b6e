"""Figures of sessions against participants, and of scanners."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..reporting.plots import png_of
from .figures import APART_COLOUR, PROCESSED_COLOUR, RAW_COLOUR
from .repeatability import Repeatability

_MOST_NAMED = 40  # participants whose labels have room


@dataclass(frozen=True)
class Spread:
    """How a figure repeats, raw and processed, for the chart of spreads; `processed` None where nothing was."""

    label: str
    raw: Repeatability
    processed: Repeatability | None = None


def sessions_png(
    participants: Sequence[str],
    sets: Mapping[str, np.ndarray],
    *,
    title: str,
    apart: Collection[tuple[str, str]] = (),
    sessions: Sequence[str] = (),
) -> bytes:
    """The sessions of each participant, raw and processed, participants by their mean.

    Args:
        participants: (n,) whose each scan is.
        sets: ``raw`` and ``processed``, (n,) a scan.
        title: figure and unit.
        apart: participant and session of scans that are drawn red and hollow.
        sessions: (n,) which session each scan is.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    whose = np.array(participants)
    people = _by_mean(whose, next(iter(sets.values())))
    at = np.array([people[who] for who in participants], float)
    of = sessions if len(sessions) else [""] * len(participants)
    odd = np.array([pair in apart for pair in zip(participants, of, strict=True)], bool)
    order = np.argsort(at, kind="stable")
    gaps = np.flatnonzero(np.diff(at[order])) + 1
    for axis, (name, values), colour in zip(axes, sets.items(), (RAW_COLOUR, PROCESSED_COLOUR), strict=False):
        x, y = (np.insert(each[order], gaps, np.nan) for each in (at, values))
        axis.plot(x, y, color=colour, linewidth=1.2, alpha=0.6)
        for chosen, look in ((~odd, {"color": colour}), (odd, {"color": APART_COLOUR, "markerfacecolor": "white"})):
            axis.plot(at[chosen], values[chosen], "o", markersize=4.5, **look)
        if len(people) <= _MOST_NAMED:
            axis.set_xticks(range(len(people)), people, rotation=90 if len(people) > 14 else 0)
        axis.set(title=name, xlabel="participant, by the mean of raw", xlim=(-0.7, len(people) - 0.3))
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel(title)
    return png_of(figure)


def _by_mean(whose: np.ndarray, values: np.ndarray) -> dict[str, int]:
    """The place of each participant by their mean, those without one last."""
    names, index = np.unique(whose, return_inverse=True)
    known = np.isfinite(values)
    total = np.bincount(index[known], values[known], len(names))
    count = np.bincount(index[known], minlength=len(names))
    means = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    return {str(names[n]): place for place, n in enumerate(np.argsort(means, kind="stable"))}


def spreads_png(spreads: Sequence[Spread]) -> bytes:
    """Spread within and between participants, % of the mean: a row a figure, raw over processed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 0.9 + 0.42 * len(spreads)), layout="constrained")
    axis = figure.subplots()
    for row, spread in enumerate(spreads):
        for found, colour, place in ((spread.raw, RAW_COLOUR, -0.17), (spread.processed, PROCESSED_COLOUR, 0.17)):
            if found is None:
                continue
            at = row + place
            axis.plot([found.within_cv, found.between_cv], [at, at], color=colour, linewidth=1, alpha=0.6)
            axis.plot(found.within_cv, at, "o", color=colour, markersize=5)
            axis.plot(found.between_cv, at, "D", color=colour, markerfacecolor="white", markersize=5)
            right = np.nanmax([found.within_cv, found.between_cv])
            if np.isfinite(found.icc):
                beside = {"textcoords": "offset points", "va": "center", "fontsize": 7}
                axis.annotate(f"ICC {found.icc:.2f}", (right, at), (6, 0), **beside)
    axis.set_yticks(range(len(spreads)), [spread.label for spread in spreads])
    axis.set(ylim=(len(spreads) - 0.5, -0.6), xlabel="SD, % of the mean")
    axis.set_xlim(0, axis.get_xlim()[1] * 1.12)
    keys = [
        axis.plot([], [], mark, color="0.2", markerfacecolor=inside, markersize=5, label=label)[0]
        for mark, inside, label in (("o", "0.2", "within a participant"), ("D", "white", "between participants"))
    ]
    keys += [
        axis.plot([], [], color=colour, linewidth=2, label=label)[0]
        for colour, label in ((RAW_COLOUR, "raw"), (PROCESSED_COLOUR, "processed"))
    ]
    axis.legend(handles=keys, fontsize=7, frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))
    axis.tick_params(labelsize=8)
    return png_of(figure)


def strips_png(
    groups: Sequence[str], columns: Mapping[str, Sequence[np.ndarray]], *, apart: Sequence[bool] | None = None
) -> bytes:
    """Every scan as a point, by the scanner it is of, a panel a figure.

    Args:
        groups: (n,) the scanner of each scan, in words.
        columns: by title, one or two arrays (n,): raw and processed, or one figure of the scan.
        apart: (n,) whether a scan is set apart, and drawn red and hollow.
    """
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(sorted(groups)))
    odd = np.zeros(len(groups), bool) if apart is None else np.asarray(apart, bool)
    rows = -(-len(columns) // 2)
    figure = Figure(figsize=(8.6, 2.7 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for axis in axes[len(columns) :]:
        axis.set_visible(False)
    member = {name: np.array([group == name for group in groups]) for name in names}
    for axis, (title, sets) in zip(axes, columns.items(), strict=False):
        for n, name in enumerate(names):
            for values, colour, place in zip(sets, _colours(sets), _places(sets), strict=True):
                inside = member[name]
                spread = np.resize(np.linspace(-0.08, 0.08, 5), int(inside.sum()))
                x, y, hollow = n + place + spread, values[inside], odd[inside]
                style = {"linestyle": "none", "marker": "o", "markersize": 3.5}
                axis.plot(x[~hollow], y[~hollow], color=colour, alpha=0.7, **style)
                axis.plot(x[hollow], y[hollow], color=APART_COLOUR, markerfacecolor="white", **style)
                if np.isfinite(y).any():
                    middle = float(np.nanmedian(y))
                    axis.plot([n + place - 0.15, n + place + 0.15], [middle, middle], color="black", linewidth=1.5)
        axis.set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names])
        axis.set(title=title, xlim=(-0.6, len(names) - 0.4))
        axis.tick_params(labelsize=7)
    return png_of(figure)


def _colours(sets: Sequence[np.ndarray]) -> tuple[str, ...]:
    return (RAW_COLOUR, PROCESSED_COLOUR) if len(sets) == 2 else ("0.35",)


def _places(sets: Sequence[np.ndarray]) -> tuple[float, ...]:
    return (-0.18, 0.18) if len(sets) == 2 else (0.0,)
