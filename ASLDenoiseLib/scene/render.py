"""A picture by Slicer's own slice logic: CBF over the T1, a row a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..result.maps import DENOISED, DENOISED_ATT, RAW, RAW_ATT, is_relative, named, of_several_delays
from .canvas import GREY, Canvas
from .choose import series_of
from .display import OVERLAY_OPACITY, TICKS_ATTRIBUTE, TITLE_ATTRIBUTE, lay_over, legends_of, table_of
from .headless import application_logic
from .hierarchy import node_ids, remove_added
from .layouts import MapNodes
from .volumes import volume_from_node

if TYPE_CHECKING:
    import slicer

VIEWS = ("axial", "coronal", "sagittal")
_NORMAL = {"axial": 2, "coronal": 1, "sagittal": 0}  # the RAS axis a view looks along
_PLACES = {"axial": (0.38, 0.54, 0.68), "coronal": (0.5,), "sagittal": (0.42,)}  # off the midline: a hemisphere
_MARGIN = 8.0  # mm shown around the map
_HEADER, _LABEL, _BAR, _GAP = 58, 30, 124, 4  # pixels


@dataclass(frozen=True)
class _Slice:
    """One slice: the view, its offset along the normal (RAS mm), and the box (RAS mm, 3x2) that the view must hold."""

    view: str
    offset: float
    box: np.ndarray


def render_overlay(
    nodes: MapNodes,
    path: str | Path,
    *,
    maps: Sequence[str] = (RAW, DENOISED, RAW_ATT, DENOISED_ATT),
    views: Sequence[str] = VIEWS,
    slices: Mapping[str, Sequence[float]] | None = None,
    size: int = 300,
    opacity: float = OVERLAY_OPACITY,
    title: str = "",
) -> Path:
    """Write a PNG: a row a map (raw above denoised, same window), a column a slice, over the T1 (else M0, else black).

    Arrival times follow, where the run fitted them.

    Axial and coronal slices are in radiological convention (the patient's right on the left); letters say so. What
    was not measured (NaN) shows the background, perfusion below zero is blue. No OpenGL is needed.

    Args:
        nodes: of the run, as `present.present` or `choose.nodes_of` gives them.
        path: where the PNG goes; replaced only once it is complete.
        maps: keys of `Result.maps`, top to bottom, or of the maps of CBF in whose place they are; those absent are left
            out.
        views: of axial, coronal, sagittal.
        slices: RAS mm along each view's normal (axial: superior); by default spread over where the map has values.
        size: width and height of a tile, pixels.
        opacity: of the map over the background, 0..1.
        title: the upper line; by default the series and map.

    Raises:
        InputError: no such map or view, or the folder does not exist.
    """
    keys, background = [named(key, nodes.maps) for key in maps], nodes.t1 or nodes.m0
    chosen = [nodes.maps[key] for key in keys if key in nodes.maps]
    if not chosen:
        raise InputError(f"The scene holds none of the maps {', '.join(maps)}; run ASL Denoise first.")
    if unknown := [view for view in views if view not in VIEWS]:
        raise InputError(f"There is no view '{unknown[0]}'; use axial, coronal and sagittal.")
    if not Path(path).parent.is_dir():
        raise InputError(f"The folder '{Path(path).parent}' does not exist; make it or save elsewhere.")
    first = chosen[0]
    box = _box(first)
    tiles = [_Slice(view, offset, box) for view in views for offset in _offsets(view, box, slices)]
    canvas = Canvas.black(
        _GAP + len(tiles) * (size + _GAP) + _BAR, _HEADER + len(chosen) * (size + _LABEL + _GAP) + _GAP
    )
    over = "" if background is None else " over M0" if background is nodes.m0 else " over T1"
    what = "relative perfusion (not CBF)" if is_relative(nodes.maps) else "CBF"
    what += " and arrival time" if of_several_delays(nodes.maps) else ""
    canvas.write(title or f"{series_of(first, nodes.maps)}: {what}{over}", 12, 20)
    canvas.write(f"Research use only. Transparent: {_transparent(chosen)}.", 12, 43, size=13, colour=GREY)
    with _slice_logic(first.GetScene()) as logic:
        for row, node in enumerate(chosen):
            top = _HEADER + row * (size + _LABEL + _GAP)
            canvas.write(node.GetDescription() or node.GetName(), 12, top + _LABEL // 2, size=17)
            behind, shown = (node, None) if background is None else (background, node)
            lay_over(logic.GetSliceCompositeNode(), background=behind, foreground=shown, opacity=opacity)
            for column, tile in enumerate(tiles):
                left = _GAP + column * (size + _GAP)
                canvas.paste(_slice_image(logic, tile, size), left, top + _LABEL)
                _write_letters(canvas, logic, tile, left, top + _LABEL, size)
            _draw_bar(canvas, node, canvas.pixels.shape[1] - _BAR, top + _LABEL, size)
    return canvas.save(path)


def _transparent(chosen: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> str:
    """In words, which voxels of the maps are not drawn."""
    shown = [node.GetDisplayNode() for node in chosen]
    hidden = any(display.GetApplyThreshold() and display.GetLowerThreshold() > 0 for display in shown)
    return "not measured, or not above 0" if hidden else "not measured"


def _box(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """RAS limits (3, 2), mm, of where the map is measured and not exactly zero, else of the whole grid."""
    volume = volume_from_node(node)
    measured = np.isfinite(volume.array) & (volume.array != 0)
    places = np.argwhere(measured if measured.any() else np.ones_like(measured))[:, ::-1]
    points = volume.geometry.affine_ras @ np.c_[places, np.ones(len(places))].T
    return np.stack([points[:3].min(axis=1), points[:3].max(axis=1)], axis=1)


def _offsets(view: str, box: np.ndarray, slices: Mapping[str, Sequence[float]] | None) -> list[float]:
    if slices is not None and view in slices:
        return [float(offset) for offset in slices[view]]
    low, high = box[_NORMAL[view]]
    return [float(low + place * (high - low)) for place in _PLACES[view]]


@contextmanager
def _slice_logic(scene: slicer.vtkMRMLScene) -> Iterator[slicer.vtkMRMLSliceLogic]:
    """A slice logic with view nodes of its own, which are gone afterwards."""
    import slicer

    before = set(node_ids(scene))
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application_logic(scene))
    logic.SetMRMLScene(scene)
    try:
        logic.AddSliceNode("ASLDenoisePicture")
        yield logic
    finally:
        logic.SetMRMLScene(None)
        remove_added(scene, before)


def _slice_image(logic: slicer.vtkMRMLSliceLogic, tile: _Slice, size: int) -> np.ndarray:
    """The slice of a tile, RGB uint8 (size, size, 3), row 0 at the top."""
    from vtk.util.numpy_support import vtk_to_numpy

    node = logic.GetSliceNode()
    node.SetOrientation(tile.view.capitalize())
    node.SetDimensions(size, size, 1)
    in_plane = [axis for axis in range(3) if axis != _NORMAL[tile.view]]
    extent = float(max(np.ptp(tile.box[axis]) for axis in range(3))) + 2 * _MARGIN  # one scale for all tiles
    centre = tile.box.mean(axis=1)
    centre[_NORMAL[tile.view]] = tile.offset
    matrix = node.GetSliceToRAS()
    for axis in (*in_plane, _NORMAL[tile.view]):
        matrix.SetElement(axis, 3, float(centre[axis]))
    node.SetFieldOfView(extent, extent, 1.0)
    node.UpdateMatrices()
    producer = logic.GetImageDataConnection().GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(logic.GetImageDataConnection().GetIndex())
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(size, size, -1)[::-1]
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:4] / 255.0  # over black, as a slice view shows it
    return np.round(pixels[..., :3] * alpha).astype(np.uint8)


def _write_letters(
    canvas: Canvas, logic: slicer.vtkMRMLSliceLogic, tile: _Slice, left: int, top: int, size: int
) -> None:
    """The sides of the patient, from the directions the slice really has, and where the slice lies."""
    import slicer

    matrix = slicer.util.arrayFromVTKMatrix(logic.GetSliceNode().GetSliceToRAS())
    middle_x, middle_y = left + size // 2, top + size // 2
    canvas.write(_letter(-matrix[:3, 0]), left + 6, middle_y, size=15)
    canvas.write(_letter(matrix[:3, 0]), left + size - 6, middle_y, size=15, align="right")
    canvas.write(_letter(matrix[:3, 1]), middle_x, top + 12, size=15, align="centre")
    canvas.write(_letter(-matrix[:3, 1]), middle_x, top + size - 12, size=15, align="centre")
    axis = _NORMAL[tile.view]
    place = f"{('RAS' if tile.offset >= 0 else 'LPI')[axis]} {abs(tile.offset):.0f} mm"
    canvas.write(place, left + size - 6, top + size - 12, size=12, colour=GREY, align="right")


def _letter(direction: np.ndarray) -> str:
    """The patient side a direction (RAS) points at most."""
    axis = int(np.argmax(np.abs(direction)))
    return "RAS"[axis] if direction[axis] > 0 else "LPI"[axis]


def _draw_bar(canvas: Canvas, node: slicer.vtkMRMLScalarVolumeNode, left: int, top: int, height: int) -> None:
    """The colour scale with its window's numbers and the unit, from the display node and legend themselves."""
    display = node.GetDisplayNode()
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    table = np.round(255 * table_of(display.GetColorNode())).astype(np.uint8)
    bar_top, bar_height, width = top + 52, height - 76, 22
    rows = np.linspace(len(table) - 1, 0, bar_height).round().astype(int)
    canvas.paste(np.repeat(table[rows][:, None], width, axis=1), left + 14, bar_top)
    legend = next(iter(legends_of(node)), None)
    title = legend.GetAttribute(TITLE_ATTRIBUTE) or legend.GetTitleText() if legend is not None else ""
    name, _, unit = title.partition(" (")
    unit, _, note = unit.rstrip(")").partition("; ")
    canvas.write(name, left + 10, top + 12, size=15)
    canvas.write(unit, left + 10, top + 31, size=13, colour=GREY)
    if note:
        canvas.paste(np.full((10, width, 3), table[0], dtype=np.uint8), left + 14, bar_top + bar_height + 5)
        canvas.write(note.partition(": ")[2], left + 24 + width, bar_top + bar_height + 12, size=13)
    count = 2 if legend is None else int(legend.GetAttribute(TICKS_ATTRIBUTE) or legend.GetNumberOfLabels())
    for value in np.linspace(low, high, count):
        y = round(bar_top + (high - value) / (high - low) * (bar_height - 1))
        canvas.paste(np.full((1, 5, 3), 255, dtype=np.uint8), left + 14 + width, y)
        canvas.write(f"{value:.3g}" if abs(value) > 1e-6 * high else "0", left + 24 + width, y, size=14)
