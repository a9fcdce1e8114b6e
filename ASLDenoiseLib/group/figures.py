"""The figures of a study, each a PNG: box plots, agreement, sessions against participants, and scanners."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.plots import png_of
from .repeatability import Concordance, Repeatability
from .statistics import Comparison
from .words import change_text, t_text, wilcoxon_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RAW_COLOUR, PROCESSED_COLOUR, APART_COLOUR = "#8a8a8a", "#1f6fb2", "#b00020"
FEWEST_OF_A_NOTCH = 6  # participants; with fewer, a box is a drawing of hardly more numbers than there are points
_NOTCH = 1.57  # IQR / sqrt(n) to either side of the median (McGill, Tukey & Larsen 1978, Am Stat 32:12)


@dataclass(frozen=True)
class AgreementPanel:
    """A Bland-Altman plot.

    Args:
        title: what is compared.
        found: how it agrees.
        unit: of both.
        first, second: what is subtracted from what, in words.
    """

    title: str
    found: Concordance
    unit: str
    first: str
    second: str


@dataclass(frozen=True)
class Spread:
    """How a figure repeats, raw and processed, for the chart of spreads; `processed` None where nothing was."""

    label: str
    raw: Repeatability
    processed: Repeatability | None


def notch(values: np.ndarray) -> tuple[float, float]:
    """The median's notch: from it 1.57 IQR / sqrt(n) to either side (McGill 1978).

    Where the notches of two boxes do not overlap, their medians differ at about the 5 % level, of groups that are
    independent; of pairs the tests tell more.
    """
    low, middle, high = np.percentile(values, (25, 50, 75))
    half = _NOTCH * (high - low) / np.sqrt(len(values))
    return float(middle - half), float(middle + half)


def box_png(
    compared: Sequence[Comparison],
    *,
    units: Mapping[str, str],
    apart: Collection[str] = (),
    without: Sequence[Comparison] = (),
    processed: str = "processed",
) -> bytes:
    """Raw beside processed, a panel a readout: notched boxes, a line a participant, and the tests beneath.

    Args:
        compared: by participants.
        without: the same without the scans that are set apart, whose tests are told as well.
        units: of the readouts, by their names.
        apart: participants with a scan that is set apart, which are drawn red and hollow.
        processed: what the processed map is called.

    Returns:
        A PNG. With fewer than six participants there are points alone.
    """
    from matplotlib.figure import Figure

    sound = {one.readout.name: one for one in without}
    figure = Figure(figsize=(4.3 * len(compared), 5.0 if without else 4.4), layout="constrained")
    for axis, one in zip(figure.subplots(1, len(compared), squeeze=False)[0], compared, strict=True):
        _boxes(axis, one, apart)
        unit = units.get(one.readout.name, "")
        axis.set(title=one.readout.label, ylabel=f"{one.readout.label}{f' ({unit})' if unit else ''}", xlim=(0.5, 2.5))
        axis.set_xticks([1, 2], ["raw", processed])
        told = [f"n = {one.test.n} participants", *_tests(one, unit)]
        if one.readout.name in sound:
            other = sound[one.readout.name]
            told += [f"without scans set apart, n = {other.test.n}:", *_tests(other, unit)]
        if one.test.n < FEWEST_OF_A_NOTCH:
            told.insert(1, "too few for boxes: points alone")
        axis.set_xlabel("\n".join(told))
        axis.tick_params(labelsize=8)
    return png_of(figure)


def _tests(one: Comparison, unit: str) -> tuple[str, ...]:
    if not np.isfinite(one.test.t):
        return ("too few, or too alike, to test",)
    return f"change {change_text(one.test, unit)}", t_text(one.test), wilcoxon_text(one.test)


def _boxes(axis: Axes, one: Comparison, apart: Collection[str]) -> None:
    sets = [one.raw, one.processed]
    if len(one.raw) >= FEWEST_OF_A_NOTCH:
        drawn = axis.boxplot(
            sets,
            positions=[1, 2],
            widths=0.5,
            notch=True,
            usermedians=[float(np.median(values)) for values in sets],
            conf_intervals=[notch(values) for values in sets],
            patch_artist=True,
            showfliers=False,  # every participant is drawn anyway
            medianprops={"color": "black"},
        )
        for box, colour in zip(drawn["boxes"], (RAW_COLOUR, PROCESSED_COLOUR), strict=True):
            box.set(facecolor=colour, alpha=0.35)
    for who, before, after in zip(one.participants, one.raw, one.processed, strict=True):
        odd = who in apart
        colour, inside = (APART_COLOUR, "white") if odd else ("0.35", "0.35")
        axis.plot([1, 2], [before, after], color=colour, linewidth=0.7, alpha=0.8 if odd else 0.35)
        face = {"markerfacecolor": inside, "color": colour, "markersize": 4, "linestyle": "none", "marker": "o"}
        axis.plot([1, 2], [before, after], **face)


def agreement_png(panels: Sequence[AgreementPanel], *, apart: Collection[str] = ()) -> bytes:
    """Bland-Altman plots side by side, with bias, limits of agreement and Lin's concordance.

    Args:
        panels: two a row.
        apart: labels of scans, or of participants, that are drawn red and hollow.
    """
    from matplotlib.figure import Figure

    rows = -(-len(panels) // 2)
    figure = Figure(figsize=(8.6, 3.5 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis, panel in zip(axes, panels, strict=False):
        found, unit = panel.found, f" ({panel.unit})" if panel.unit else ""
        agreement = found.agreement
        odd = np.array([label in apart for label in found.labels], bool)
        style = {"linestyle": "none", "marker": "o", "markersize": 4}
        axis.plot(agreement.mean[~odd], agreement.difference[~odd], color="0.35", **style)
        axis.plot(agreement.mean[odd], agreement.difference[odd], color=APART_COLOUR, markerfacecolor="white", **style)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        if agreement.count > 2:
            lower, upper = agreement.limits
            for value, dashes, name in (
                (agreement.bias, "-", f"bias {agreement.bias:+.3g}"),
                (upper, "--", f"+1.96 SD {upper:+.3g}"),
                (lower, "--", f"-1.96 SD {lower:+.3g}"),
            ):
                axis.axhline(value, color=PROCESSED_COLOUR, linestyle=dashes, linewidth=1, label=name)
            legend = {"title": f"CCC {found.ccc:.3f}, n = {agreement.count}", "title_fontsize": 7, "fontsize": 7}
            axis.legend(**legend, loc="best", framealpha=0.8, edgecolor="none")
        axis.set(title=panel.title, xlabel=f"mean of both{unit}", ylabel=f"{panel.second} minus {panel.first}{unit}")
        axis.tick_params(labelsize=8)
    return png_of(figure)


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
    people = sorted(set(participants), key=lambda who: _mean_of(who, participants, next(iter(sets.values()))))
    for axis, (name, values), colour in zip(axes, sets.items(), (RAW_COLOUR, PROCESSED_COLOUR), strict=False):
        for place, who in enumerate(people):
            own = [n for n, other in enumerate(participants) if other == who]
            shown = values[own]
            axis.plot([place] * len(own), shown, color=colour, linewidth=1.2, alpha=0.6)
            for n in own:
                odd = (who, sessions[n] if len(sessions) else "") in apart
                look = {"color": APART_COLOUR, "markerfacecolor": "white"} if odd else {"color": colour}
                axis.plot(place, values[n], "o", markersize=4.5, **look)
        axis.set_xticks(range(len(people)), people, rotation=90 if len(people) > 14 else 0)
        axis.set(title=name, xlabel="participant, by the mean of raw", xlim=(-0.7, len(people) - 0.3))
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel(title)
    return png_of(figure)


def _mean_of(who: str, participants: Sequence[str], values: np.ndarray) -> float:
    own = np.array([v for p, v in zip(participants, values, strict=True) if p == who and np.isfinite(v)])
    return float(own.mean()) if own.size else float("inf")


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
