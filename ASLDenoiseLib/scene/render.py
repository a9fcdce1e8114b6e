"""Pictures by Slicer's own slice logics: CBF over the T1, a row a map; and slice views as they are set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..result.maps import DENOISED, RAW
from .canvas import GREY, Canvas
from .display import MAP_ATTRIBUTE, OVERLAY_OPACITY, RAW_VIEW, legends_of
from .headless import application_logic
from .layouts import PROCESSED_VIEW
from .present import ROLE_ATTRIBUTE, PresentedNodes
from .volumes import array_from_matrix, volume_from_node

if TYPE_CHECKING:
    import slicer

VIEWS = ("axial", "coronal", "sagittal")
_NORMAL = {"axial": 2, "coronal": 1, "sagittal": 0}  # the RAS axis a view looks along
_PLACES = {"axial": (0.38, 0.54, 0.68), "coronal": (0.5,), "sagittal": (0.42,)}  # off the midline: a hemisphere
_MARGIN = 8.0  # mm shown around the map
_HEADER, _LABEL, _BAR, _GAP = 58, 30, 124, 4  # pixels


@dataclass(frozen=True)
class _Shot:
    """One slice: the view, where along its normal (RAS mm), and the box (RAS mm, 3x2) that must be in sight."""

    view: str
    offset: float
    box: np.ndarray


def render_overlay(
    source: PresentedNodes | slicer.vtkMRMLScene,
    path: str | Path,
    *,
    maps: Sequence[str] = (RAW, DENOISED),
    views: Sequence[str] = VIEWS,
    slices: Mapping[str, Sequence[float]] | None = None,
    size: int = 300,
    opacity: float = OVERLAY_OPACITY,
    title: str = "",
) -> Path:
    """Write a PNG: a row a map (raw above denoised, same window), a column a slice, over the T1 (else M0, else black).

    Axial and coronal slices are in radiological convention (the patient's right on the left); letters say so. What
    was not measured (NaN) and what is at or below zero shows the background. No OpenGL is needed.

    Args:
        source: what `present` returned, or a scene that holds presented maps (the first run's).
        path: where the PNG goes; replaced only once it is complete.
        maps: keys of `Result.maps`, top to bottom; those absent are left out.
        views: of axial, coronal, sagittal.
        slices: RAS mm along each view's normal (axial: superior); by default spread over where the map has values.
        size: width and height of a tile, pixels.
        opacity: of the map over the background, 0..1.
        title: the upper line; by default the series and map.

    Raises:
        InputError: no such map or view, or the folder does not exist.
    """
    chosen, background = _volumes(source, maps)
    if unknown := [view for view in views if view not in VIEWS]:
        raise InputError(f"There is no view '{unknown[0]}'; use axial, coronal and sagittal.")
    if not Path(path).parent.is_dir():
        raise InputError(f"The folder '{Path(path).parent}' does not exist; make it or save elsewhere.")
    first = chosen[0]
    box = _box(first)
    shots = [_Shot(view, offset, box) for view in views for offset in _offsets(view, box, slices)]
    canvas = Canvas.black(
        _GAP + len(shots) * (size + _GAP) + _BAR, _HEADER + len(chosen) * (size + _LABEL + _GAP) + _GAP
    )
    canvas.write(title or f"{first.GetName().split('_desc-')[0]}: CBF over {_background_name(background)}", 12, 20)
    canvas.write(f"Research use only. Transparent: {_transparent(chosen)}.", 12, 43, size=13, colour=GREY)
    with _slice_logic(first.GetScene()) as logic:
        for row, node in enumerate(chosen):
            top = _HEADER + row * (size + _LABEL + _GAP)
            canvas.write(node.GetDescription() or node.GetName(), 12, top + _LABEL // 2, size=17)
            _set_layers(logic, background, node, opacity)
            for column, shot in enumerate(shots):
                left = _GAP + column * (size + _GAP)
                canvas.paste(_slice_image(logic, shot, size), left, top + _LABEL)
                _write_letters(canvas, logic, shot, left, top + _LABEL, size)
            _draw_bar(canvas, node, canvas.pixels.shape[1] - _BAR, top + _LABEL, size)
    return canvas.save(path)


def render_views(
    scene: slicer.vtkMRMLScene, path: str | Path, *, views: Sequence[str] = (RAW_VIEW, PROCESSED_VIEW), size: int = 480
) -> Path:
    """Write a PNG of slice views side by side as they are set up: place, zoom, layers, opacities, visible legends.

    Args:
        scene: has the views (`layouts`, or a desktop).
        path: where the PNG goes; replaced only once it is complete.
        views: their tags, left to right.
        size: width and height of a view, pixels.

    Raises:
        InputError: the scene has no such view, or the folder does not exist.
    """
    nodes = [_view_of(scene, tag) for tag in views]
    canvas = Canvas.black(_GAP + len(nodes) * (size + _BAR + _GAP), _HEADER + size + _GAP)
    for column, view in enumerate(nodes):
        left = _GAP + column * (size + _BAR + _GAP)
        with _slice_logic(scene, view) as logic, _sized(view, size):
            canvas.paste(_pixels(logic, size), left, _HEADER)
            composite = logic.GetSliceCompositeNode()
            node = scene.GetNodeByID(composite.GetForegroundVolumeID() or "")
            canvas.write(_named(composite), left + 8, _HEADER - 14, size=17)
            _write_sides(canvas, logic, left, _HEADER, size)
        if node is not None and any(legend.GetVisibility() for legend in legends_of(node)):
            _draw_bar(canvas, node, left + size, _HEADER, size)
    canvas.write("Research use only.", 12, 20, size=13, colour=GREY)
    return canvas.save(path)


def _view_of(scene: slicer.vtkMRMLScene, tag: str) -> slicer.vtkMRMLSliceNode:
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        if node.GetLayoutName() == tag:
            return node
    raise InputError(f"The scene has no slice view '{tag}'; show the maps side by side first.")


def _named(composite: slicer.vtkMRMLSliceCompositeNode) -> str:
    """The maps a view shows, by their names for people."""
    layers = [composite.GetNthLayerVolume(index) for index in (composite.LayerForeground, composite.Layer_Last)]
    return ", faded with ".join(node.GetDescription() or node.GetName() for node in layers if node is not None)


@contextmanager
def _sized(view: slicer.vtkMRMLSliceNode, size: int) -> Iterator[None]:
    """The view as a square of `size` pixels that holds what it showed; as it was afterwards."""
    dimensions, extent = tuple(view.GetDimensions()), tuple(view.GetFieldOfView())
    view.SetDimensions(size, size, 1)
    view.SetFieldOfView(max(extent[:2]), max(extent[:2]), extent[2])
    view.UpdateMatrices()
    try:
        yield
    finally:
        view.SetDimensions(*dimensions)
        view.SetFieldOfView(*extent)
        view.UpdateMatrices()


def _volumes(
    source: PresentedNodes | slicer.vtkMRMLScene, keys: Sequence[str]
) -> tuple[list[slicer.vtkMRMLScalarVolumeNode], slicer.vtkMRMLScalarVolumeNode | None]:
    """The maps asked for, in that order, and the background."""
    if isinstance(source, PresentedNodes):
        found, roles = source.maps, {"t1": source.t1, "m0": source.m0}
    else:
        import slicer

        found, roles = {}, {}
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", source):
            found.setdefault(node.GetAttribute(MAP_ATTRIBUTE), node)
            roles.setdefault(node.GetAttribute(ROLE_ATTRIBUTE), node)
    chosen = [found[key] for key in keys if key in found]
    if not chosen:
        raise InputError(f"The scene holds none of the maps {', '.join(keys)}; run ASL Denoise first.")
    return chosen, roles.get("t1") or roles.get("m0")


def _background_name(background: slicer.vtkMRMLScalarVolumeNode | None) -> str:
    return "nothing" if background is None else "M0" if background.GetAttribute(ROLE_ATTRIBUTE) == "m0" else "T1"


def _transparent(chosen: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> str:
    """In words, which voxels of the maps are not drawn."""
    hidden = any(node.GetDisplayNode().GetLowerThreshold() > 0 for node in chosen)
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
def _slice_logic(
    scene: slicer.vtkMRMLScene, view: slicer.vtkMRMLSliceNode | None = None
) -> Iterator[slicer.vtkMRMLSliceLogic]:
    """The slice logic of a `view`; else one with view nodes of its own. What was made for it is gone afterwards."""
    import slicer

    application = application_logic(scene)
    serving = application.GetSliceLogic(view) if view is not None and application is not None else None
    if serving is not None:
        yield serving
        return
    before = {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)
    try:
        if view is None:
            logic.AddSliceNode("ASLDenoisePicture")
        else:
            logic.SetSliceNode(view)
        yield logic
    finally:
        logic.SetMRMLScene(None)
        after = [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]
        for identifier in reversed(after):
            node = scene.GetNodeByID(identifier) if identifier not in before else None
            if node is not None:
                scene.RemoveNode(node)


def _set_layers(
    logic: slicer.vtkMRMLSliceLogic,
    background: slicer.vtkMRMLScalarVolumeNode | None,
    node: slicer.vtkMRMLScalarVolumeNode,
    opacity: float,
) -> None:
    composite = logic.GetSliceCompositeNode()
    composite.SetBackgroundVolumeID((background or node).GetID())
    composite.SetForegroundVolumeID(node.GetID() if background is not None else None)
    composite.SetForegroundOpacity(opacity)


def _slice_image(logic: slicer.vtkMRMLSliceLogic, shot: _Shot, size: int) -> np.ndarray:
    """The slice of a shot, RGB uint8 (size, size, 3), row 0 at the top."""
    node = logic.GetSliceNode()
    node.SetOrientation(shot.view.capitalize())
    node.SetDimensions(size, size, 1)
    in_plane = [axis for axis in range(3) if axis != _NORMAL[shot.view]]
    extent = float(max(np.ptp(shot.box[axis]) for axis in range(3))) + 2 * _MARGIN  # one scale for all tiles
    centre = shot.box.mean(axis=1)
    centre[_NORMAL[shot.view]] = shot.offset
    matrix = node.GetSliceToRAS()
    for axis in (*in_plane, _NORMAL[shot.view]):
        matrix.SetElement(axis, 3, float(centre[axis]))
    node.SetFieldOfView(extent, extent, 1.0)
    node.UpdateMatrices()
    return _pixels(logic, size)


def _pixels(logic: slicer.vtkMRMLSliceLogic, size: int) -> np.ndarray:
    """What a slice logic blends, RGB uint8 (size, size, 3), row 0 at the top; black where it has no volume."""
    from vtk.util.numpy_support import vtk_to_numpy

    if logic.GetImageDataConnection() is None:
        return np.zeros((size, size, 3), dtype=np.uint8)
    producer = logic.GetImageDataConnection().GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(logic.GetImageDataConnection().GetIndex())
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(size, size, -1)[::-1]
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:4] / 255.0  # over black, as a slice view shows it
    return np.round(pixels[..., :3] * alpha).astype(np.uint8)


def _write_letters(
    canvas: Canvas, logic: slicer.vtkMRMLSliceLogic, shot: _Shot, left: int, top: int, size: int
) -> None:
    """The sides of the patient, and where the slice lies."""
    _write_sides(canvas, logic, left, top, size)
    axis = _NORMAL[shot.view]
    side = "RAS"[axis] if shot.offset >= 0 else "LPI"[axis]
    canvas.write(
        f"{side} {abs(shot.offset):.0f} mm", left + size - 6, top + size - 12, size=12, colour=GREY, align="right"
    )


def _write_sides(canvas: Canvas, logic: slicer.vtkMRMLSliceLogic, left: int, top: int, size: int) -> None:
    """The sides of the patient, from the directions the slice really has."""
    matrix = array_from_matrix(logic.GetSliceNode().GetSliceToRAS())
    middle_x, middle_y = left + size // 2, top + size // 2
    canvas.write(_letter(-matrix[:3, 0]), left + 6, middle_y, size=15)
    canvas.write(_letter(matrix[:3, 0]), left + size - 6, middle_y, size=15, align="right")
    canvas.write(_letter(matrix[:3, 1]), middle_x, top + 12, size=15, align="centre")
    canvas.write(_letter(-matrix[:3, 1]), middle_x, top + size - 12, size=15, align="centre")


def _letter(direction: np.ndarray) -> str:
    """The patient side a direction (RAS) points at most."""
    axis = int(np.argmax(np.abs(direction)))
    return "RAS"[axis] if direction[axis] > 0 else "LPI"[axis]


def _draw_bar(canvas: Canvas, node: slicer.vtkMRMLScalarVolumeNode, left: int, top: int, height: int) -> None:
    """The colour scale with its window's numbers and the unit, from the display node and legend themselves."""
    display = node.GetDisplayNode()
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    table = _colours(display.GetColorNode())
    bar_top, bar_height, width = top + 52, height - 76, 22
    rows = np.linspace(len(table) - 1, 0, bar_height).round().astype(int)
    canvas.paste(np.repeat(table[rows][:, None], width, axis=1), left + 14, bar_top)
    legend = next(iter(legends_of(node)), None)
    title = legend.GetTitleText() if legend is not None else ""
    name, _, unit = title.partition(" (")
    canvas.write(name, left + 10, top + 12, size=15)
    canvas.write(unit.rstrip(")"), left + 10, top + 31, size=13, colour=GREY)
    count = legend.GetNumberOfLabels() if legend is not None else 2
    for value in np.linspace(low, high, count):
        y = round(bar_top + (high - value) / (high - low) * (bar_height - 1))
        canvas.paste(np.full((1, 5, 3), 255, dtype=np.uint8), left + 14 + width, y)
        canvas.write(f"{value:.0f}", left + 24 + width, y, size=14)


def _colours(colour: slicer.vtkMRMLColorNode) -> np.ndarray:
    """The 256 colours of a scale, lowest first, uint8 (256, 3)."""
    table = colour.GetLookupTable()
    if table is not None and not colour.IsA("vtkMRMLProceduralColorNode"):
        count = table.GetNumberOfTableValues()
        values = [table.GetTableValue(i)[:3] for i in np.linspace(0, count - 1, 256).round().astype(int)]
    else:
        function = colour.GetColorTransferFunction()
        values = [function.GetColor(x) for x in np.linspace(*function.GetRange(), 256)]
    return np.round(255 * np.array(values)).astype(np.uint8)
