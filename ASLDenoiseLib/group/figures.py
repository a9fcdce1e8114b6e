"""Figures of raw against processed, and of one measurement against another: box plots, and agreement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..reporting.plots import png_of
from .repeatability import Concordance
from .statistics import Comparison
from .words import change_text, t_text, wilcoxon_text, with_unit

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
        axis.set(title=one.readout.label, ylabel=with_unit(one.readout.label, unit), xlim=(0.5, 2.5))
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
    odd = np.array([who in apart for who in one.participants], bool)
    for chosen, colour, inside, strength in ((~odd, "0.35", "0.35", 0.35), (odd, APART_COLOUR, "white", 0.8)):
        ends = np.array(sets)[:, chosen]
        axis.plot(*_joined([1, 2], ends), color=colour, linewidth=0.7, alpha=strength)
        points = {"linestyle": "none", "marker": "o", "markersize": 4, "markerfacecolor": inside, "color": colour}
        axis.plot(np.repeat([1, 2], ends.shape[1]), ends.ravel(), **points)


def _joined(places: Sequence[float], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines through values (m, n) at m places, n of them, as one with gaps: a study may have thousands."""
    gap = np.full((1, values.shape[1]), np.nan)
    across = np.repeat(np.array([*places, np.nan])[None], values.shape[1], axis=0)
    return across.ravel(), np.concatenate([values, gap]).T.ravel()


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
        found = panel.found
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
        mean, difference = (with_unit(of, panel.unit) for of in ("mean of both", f"{panel.second} minus {panel.first}"))
        axis.set(title=panel.title, xlabel=mean, ylabel=difference)
        axis.tick_params(labelsize=8)
    return png_of(figure)
