"""Pictures for the report: the maps side by side at one window, and how raw and processed agree.

Drawn through matplotlib's figure objects, not pyplot: nothing is shared with a host program's own figures.
Axial slices in radiological convention: the patient's right is on the left of the picture, anterior is up.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..measuring.agreement import Agreement
from ..result import Result
from ..result.maps import BELOW_ZERO, RESIDUAL, USED_ATT, MapKind, Role, keys_of, kind_of, named
from ..series import Geometry, Volume
from .voxelwise import SeriesMap, gm_agreement, masks_of, processed_map, raw_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panel = tuple[str, np.ndarray, str, tuple[float, float], str]  # label, array (K, J, I), colours, window, unit
_NOT_MEASURED = "#4a4a4a"
_LEGEND = "Grey: not measured. Blue: below 0."
_GAP = 0.08  # of a slice's width, between slices
_BINS = (-4 / 9, 14 / 9)  # of the histogram, over the highest value of the window of maps


def montage_png(result: Result, *, slices: int = 6) -> bytes:
    """Raw, processed and compared maps at one window, their difference, the SD of the error, and arrival times used.

    Args:
        result: a run with its raw map.
        slices: how many axial slices, in columns, evenly over the brain.

    Returns:
        A PNG. NaN is grey, perfusion below 0 blue; other values beyond the window take its end colours, as the colour
        bar's arrows say.
    """
    raw, final = result.raw, result.on_series
    compared = keys_of(Role.COMPARISON, Role.UNCORRECTED, maps=result.maps)
    shown = [key for key in dict.fromkeys((raw, final, *compared)) if key in result.maps]
    panels = [panel(result.kind(key), result.maps[key].array) for key in shown]
    if final != raw:
        difference = result.maps[raw].array - result.maps[final].array
        residual = named(RESIDUAL, result.maps)
        panels.append(panel(result.kind(residual), difference, kind_of(residual, [raw, final]).label))
    uncertainty = uncertainty_key(result)
    if uncertainty:
        panels.append(panel(result.kind(uncertainty), result.maps[uncertainty].array))
    if USED_ATT in result.maps:
        panels.append(panel(result.kind(USED_ATT), result.maps[USED_ATT].array))
    return map_panels(panels, result.tissue.brain, slices=slices)


def panel(kind: MapKind, array: np.ndarray, label: str = "") -> Panel:
    """A row of slices as its kind of map is shown, under the kind's name or another `label`."""
    return (label or kind.label, array, kind.colours, kind.window, kind.unit)


def uncertainty_key(result: Result) -> str | None:
    """The key of the map of errors on the grid of the series: of the denoised map, else of the mean; None without."""
    there = [key for key in keys_of(Role.UNCERTAINTY, maps=result.maps) if key in result.maps]
    return next((key for key in there if result.maps[key].geometry.matches(result.series.geometry)), None)


def map_panels(
    panels: Sequence[Panel], brain: Volume, *, slices: int = 6, size: float = 1.45, legend: str = _LEGEND
) -> bytes:
    """Rows of axial slices (see `panel`), every array on the grid of `brain`; a cell is `size` inches.

    `legend` says what grey and other colours beyond the scale stand for.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    columns, box = _slices_and_box(brain, slices)
    step_x, step_y = _in_plane_spacing(brain.geometry)
    height_of_cell = size * (box[0].stop - box[0].start) * step_y / ((box[1].stop - box[1].start) * step_x)
    figsize = (size * len(columns) + 1.9, height_of_cell * len(panels) + 0.75)
    figure = Figure(figsize=figsize, facecolor="black", layout="constrained")
    axes = figure.subplots(len(panels), squeeze=False)[:, 0]  # to lay out axes takes long, so that a row has but one
    for axis, (label, array, colours, window, unit) in zip(axes, panels, strict=True):
        image, scale = radiological(array, brain.geometry), ScalarMappable(Normalize(*window), _colour_map(colours))
        _show_slices(axis, [image[k][box] for k in columns], scale, aspect=step_y / step_x)
        axis.set_ylabel(textwrap.fill(label, 16), color="white", fontsize=8)
        bar = figure.colorbar(scale, ax=axis, extend="both", fraction=0.03, pad=0.01, aspect=12)
        bar.set_label(unit, color="white", fontsize=7)
        bar.ax.tick_params(colors="white", labelsize=7)
        bar.outline.set_edgecolor("0.6")
    _letter_sides(axes[0], len(columns))
    title = "Axial, radiological: the patient's right (R) is on the left."
    figure.suptitle(f"{title} {legend}", color="white", fontsize=8)
    return png_of(figure)


def agreement_png(result: Result) -> bytes | None:
    """Histograms of GM and WM perfusion, and the Bland-Altman plot of raw against processed in GM voxels.

    Bland and Altman (Lancet 1986;327:307): difference against mean, bias, and the 1.96 SD limits of agreement.
    Voxels are those of the readouts; a super-resolved map is averaged to the acquired ones.

    Returns:
        A PNG; None where no voxel of the readouts' grey matter has a finite raw CBF.
    """
    from matplotlib.figure import Figure

    raw, processed, masks = raw_map(result), processed_map(result), masks_of(result)
    if not np.isfinite(raw.volume.array[masks["GM"]]).any():
        return None
    agreement = gm_agreement(result)
    figure = Figure(figsize=(8.6 if agreement is not None else 4.5, 3.4), layout="constrained")
    axes = figure.subplots(1, 2 if agreement is not None else 1, squeeze=False)[0]
    _histogram(axes[0], masks, [raw] if processed is None else [raw, processed], result.kind(result.raw))
    if agreement is not None:
        _bland_altman(axes[1], agreement, result.unit)
    return png_of(figure)


def radiological(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Reorder (K, J, I) to the nearest axial view: first axis towards superior, rows to posterior, columns to left.

    The array axis nearest each anatomical axis is taken (nibabel's `io_orientation`) and flipped where needed; nothing
    is interpolated, so an oblique acquisition is shown in its own planes.
    """
    from nibabel import orientations

    now = orientations.io_orientation(geometry.affine_ras)
    change = orientations.ornt_transform(now, orientations.axcodes2ornt(("L", "P", "S")))
    return orientations.apply_orientation(array.transpose(2, 1, 0), change).transpose(2, 1, 0)


def _in_plane_spacing(geometry: Geometry) -> tuple[float, float]:
    """mm a column (left-right) and a row (front-back) of the radiological view."""
    from nibabel import orientations

    axes = orientations.io_orientation(geometry.affine_ras)[:, 0]
    spacing = dict(zip(axes.tolist(), geometry.spacing, strict=True))
    return spacing[0], spacing[1]


def _slices_and_box(brain: Volume, count: int) -> tuple[list[int], tuple[slice, slice]]:
    """Axial slices evenly over the middle four fifths of the brain, and its in-plane box with a small margin."""
    inside = radiological(brain.array > 0.5, brain.geometry)
    if not inside.any():
        inside = np.ones_like(inside)
    where = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    low, high = where[0][0], where[0][-1]
    margin = (high - low) / 10
    chosen = sorted({round(k) for k in np.linspace(low + margin, high - margin, count)})
    box = tuple(slice(max(0, w[0] - 2), min(n, w[-1] + 3)) for w, n in zip(where[1:], inside.shape[1:], strict=True))
    return chosen, box


def _colour_map(name: str):
    from matplotlib import colormaps

    under = BELOW_ZERO if name == MapKind.colours else None
    return colormaps[name].with_extremes(bad=_NOT_MEASURED, under=under)


def _show_slices(axis, images: Sequence[np.ndarray], scale, *, aspect: float) -> None:
    """Images (J, I) beside each other in the colours of a scale, with black between them."""
    height, width = images[0].shape
    coloured = [scale.to_rgba(np.ma.masked_invalid(image)) for image in images]
    between = np.broadcast_to((0.0, 0.0, 0.0, 1.0), (height, max(1, round(_GAP * width)), 4))
    row = [part for each in coloured for part in (each, between)][:-1]
    axis.imshow(np.concatenate(row, axis=1), aspect=aspect, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    for edge in axis.spines.values():
        edge.set_visible(False)


def _letter_sides(axis, count: int) -> None:
    """R and L at the patient's sides in the first of `count` images: columns run towards the patient's left."""
    style = {"transform": axis.transAxes, "color": "white", "va": "top", "fontsize": 8, "weight": "bold"}
    for x, letter, align in ((0.03, "R", "left"), (0.95, "L", "right")):
        axis.text(x / count, 0.97, letter, ha=align, **style)


def _histogram(axis, masks: Mapping[str, np.ndarray], maps: Sequence[SeriesMap], kind: MapKind) -> None:
    """Voxels a bin of perfusion, GM and WM, raw dashed under processed; tails beyond the bins are counted in words."""
    bins = np.linspace(*np.array(_BINS) * kind.window[1], 61)
    beyond = 0
    for tissue, colour in (("GM", "#b5282e"), ("WM", "#1f6fb2")):
        for shown, label, style in zip(maps, ("raw", maps[-1].label.lower()), ("--", "-"), strict=False):
            values = shown.volume.array[masks[tissue]]
            values = values[np.isfinite(values)]
            beyond += int(np.sum((values < bins[0]) | (values > bins[-1])))
            axis.hist(values, bins=bins, histtype="step", color=colour, linestyle=style, label=f"{tissue}, {label}")
    axis.set(xlabel=kind.title, ylabel="voxels", title=f"{kind.quantity} in grey and white matter")
    axis.axvline(0, color="0.7", linewidth=0.8)
    title = f"{beyond} values beyond the axis" if beyond else None
    axis.legend(fontsize=7, frameon=False, title=title, title_fontsize=7)


def _bland_altman(axis, agreement: Agreement, unit: str) -> None:
    bias, (lower, upper) = agreement.bias, agreement.limits
    axis.plot(agreement.mean, agreement.difference, ".", markersize=1.5, color="#444444", alpha=0.35, rasterized=True)
    for value, style, name in (
        (bias, "-", f"bias {bias:+.3g}"),
        (upper, "--", f"+1.96 SD {upper:+.3g}"),
        (lower, "--", f"-1.96 SD {lower:+.3g}"),
    ):
        axis.axhline(value, color="#b5282e", linestyle=style, linewidth=1, label=name)
    axis.set(
        xlabel=f"mean of raw and processed ({unit})",
        ylabel=f"processed minus raw ({unit})",
        title=f"Agreement in {agreement.count} GM voxels (Bland-Altman)",
    )
    axis.legend(fontsize=7, frameon=False)


def png_of(figure: Figure) -> bytes:
    """A drawn figure as PNG, with labels at the report's sizes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for axis in figure.axes:
        axis.title.set_fontsize(9)
        axis.xaxis.label.set_fontsize(8)
        axis.yaxis.label.set_fontsize(8)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, dpi=110, format="png", facecolor=figure.get_facecolor())
    return buffer.getvalue()
