"""The course of a series as a picture: head motion above, what was left out of the mean below."""

from __future__ import annotations

import numpy as np

from ..result import Result
from .pair_rows import left_out
from .plots import png_of

_COLOURS = ("#b5282e", "#1f6fb2", "#3a8f4c")


def timeline_png(result: Result) -> bytes | None:
    """Shifts (mm), turns (degrees) and framewise displacement (mm) a volume; left-out slices a pair. PNG, or None.

    None where there is nothing to show: motion unknown and nothing left out.
    """
    from matplotlib.figure import Figure

    lost = left_out(result)
    any_lost = lost is not None and bool(result.outliers.rejections)
    panels = 3 * (result.motion is not None) + any_lost
    if not panels:
        return None
    figure = Figure(figsize=(8.6, 1.35 * panels + 0.4), layout="constrained")
    axes = list(figure.subplots(panels, 1, squeeze=False)[:, 0])
    if result.motion is not None:
        _motion(axes, result)
    if any_lost:
        _left_out(axes[-1], result, lost)
    return png_of(figure)


def _motion(axes: list, result: Result) -> None:
    columns = result.motion.columns
    volumes = np.arange(1, len(result.series.context) + 1)
    known = np.isfinite(columns["displacement"])
    for axis, stem, unit in ((axes[0], "trans", "shift (mm)"), (axes[1], "rot", "turn (degrees)")):
        for name, colour in zip("xyz", _COLOURS, strict=True):
            axis.plot(volumes[known], columns[f"{stem}_{name}"][known], color=colour, linewidth=1, label=f"LPS {name}")
        axis.set_ylabel(unit)
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes[0].legend(fontsize=7, frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    framewise = columns["framewise_displacement"]
    axes[2].plot(volumes[known], framewise[known], color="#444444", linewidth=1)
    axes[2].set(ylabel="between\nvolumes (mm)", xlabel="volume", ylim=(0, None))
    for axis in axes[:3]:
        axis.set_xlim(0.5, len(volumes) + 0.5)
        axis.xaxis.get_major_locator().set_params(integer=True)


def _left_out(axis, result: Result, lost: np.ndarray) -> None:
    """Slices upwards, pairs to the right; darker is more of the slice left out, red by the method, blue by the user."""
    flags, taken = result.outliers.flags, result.outliers.taken_out
    count, slices = flags.shape
    shown = {"vmin": 0, "vmax": 1, "interpolation": "nearest", "origin": "lower", "aspect": "auto"}
    extent = (0.5, count + 0.5, 0.5, slices + 0.5)
    axis.imshow(np.where(flags, np.maximum(lost, 0.2), 0.0).T, cmap="Reds", extent=extent, **shown)
    by_user = np.ma.masked_array(np.ones(flags.shape), ~taken)
    axis.imshow(by_user.T, cmap="Blues", extent=extent, **shown)
    axis.set(xlabel="pair", ylabel="left out:\nslice")
    numbers = range(1, count + 1) if result.course is None else result.course.numbers
    if list(numbers) != [*range(1, count + 1)]:
        places = range(0, count, max(1, count // 12))
        axis.set_xticks([n + 1 for n in places], [str(numbers[n]) for n in places])
