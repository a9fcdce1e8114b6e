"""How maps look in Slicer: colours, window and legend of their kind, in grey what has none; and the views' layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import MapKind
from .headless import module_logic

if TYPE_CHECKING:
    import slicer

MAP_ATTRIBUTE = "ASLDenoise.map"  # of a map's node; its value: the key in Result.maps
OVERLAY_OPACITY = 0.55
RAW_VIEW = "ASLRaw"  # the slice view of the side-by-side layouts that shows the raw map, whatever the others show
# The least CBF (ml/100g/min) that is drawn, but of differences. Zero and below, and NaN, are transparent; the voxels
# themselves are kept.
_SHOWN_ABOVE = 1e-3

# Slicer enlarges the numbers until they fill the legend, and its title with them: few numbers in a large one cover the
# picture.
_LEGEND_SIZE = (0.15, 0.38)  # of the view's width and height

# Value 0..1 and its red, green, blue 0..1, where Slicer's files are absent: Inferno (matplotlib, CC0); and blue over
# white to red with even lightness.
_INFERNO = (
    (0.0000, 0.001, 0.000, 0.014),
    (0.0625, 0.042, 0.028, 0.141),
    (0.1250, 0.129, 0.047, 0.291),
    (0.1875, 0.238, 0.037, 0.396),
    (0.2500, 0.342, 0.062, 0.429),
    (0.3125, 0.441, 0.099, 0.432),
    (0.3750, 0.541, 0.135, 0.415),
    (0.4375, 0.640, 0.171, 0.381),
    (0.5000, 0.736, 0.216, 0.330),
    (0.5625, 0.822, 0.275, 0.266),
    (0.6250, 0.894, 0.353, 0.194),
    (0.6875, 0.947, 0.449, 0.115),
    (0.7500, 0.978, 0.558, 0.035),
    (0.8125, 0.988, 0.675, 0.065),
    (0.8750, 0.975, 0.798, 0.206),
    (0.9375, 0.948, 0.917, 0.411),
    (1.0000, 0.988, 0.998, 0.645),
)
_DIVERGING = (
    (0.0, 0.03, 0.19, 0.58),
    (0.25, 0.35, 0.58, 0.86),
    (0.5, 0.96, 0.96, 0.96),
    (0.75, 0.88, 0.45, 0.35),
    (1.0, 0.58, 0.04, 0.10),
)
_ANCHORS = {"Inferno": _INFERNO, "DivergingBlueRed": _DIVERGING}


def apply_kind(node: slicer.vtkMRMLScalarVolumeNode, kind: MapKind) -> None:
    """Give a map's node of a scene the colours, fixed window, threshold and colour legend of its kind."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_node(node.GetScene(), kind.scene_colours).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*kind.window)
    display.SetInterpolate(True)
    # NaN compares false with any threshold, so thresholding is also what keeps 'not measured' transparent.
    display.AutoThresholdOff()
    display.SetThreshold(*_shown_range(node, kind.window))
    display.ApplyThresholdOn()
    _add_legend(node, kind)


def _add_legend(node: slicer.vtkMRMLScalarVolumeNode, kind: MapKind) -> None:
    """A colour legend beside the slice; none where no colour logic serves the scene."""
    logic = module_logic(node.GetScene(), "Colors")
    legend = None if logic is None else logic.AddDefaultColorLegendDisplayNode(node)
    if legend is None:
        return
    legend.SetTitleText(kind.title)
    legend.SetNumberOfLabels(kind.ticks)
    legend.SetLabelFormat("%.0f")
    legend.SetSize(*_LEGEND_SIZE)


def show_grey(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show an anatomical image in grey, from 0 to its 99.5th percentile (of finite, positive voxels)."""
    import slicer

    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    values = slicer.util.arrayFromVolume(node)
    values = values[np.isfinite(values) & (values > 0)]
    if values.size:
        node.GetDisplayNode().AutoWindowLevelOff()
        node.GetDisplayNode().SetWindowLevelMinMax(0.0, float(np.percentile(values, 99.5)))


def legends_of(node: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLColorLegendDisplayNode]:
    """The colour legends of a volume node."""
    displays = (node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes()))
    return [display for display in displays if display is not None and display.IsA("vtkMRMLColorLegendDisplayNode")]


def only_legends_of(scene: slicer.vtkMRMLScene, shown: Collection[slicer.vtkMRMLScalarVolumeNode]) -> None:
    """The legends of the `shown` maps on, those of all other maps off: Slicer would draw them over one another.

    To be called when the layers are set: Slicer looks only then whether a legend's map is in a view.
    """
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene):
        if node.GetAttribute(MAP_ATTRIBUTE):
            for legend in legends_of(node):
                legend.SetVisibility(node in shown)
    draw_legends(scene)


def draw_legends(scene: slicer.vtkMRMLScene) -> None:
    """Have every slice view look again which legends it draws, also those that were there before the view was made.

    vtkMRMLColorLegendDisplayableManager does so when a composite node says that a layer was changed by interaction,
    not when the layer is changed by a program.
    """
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        before = composite.GetInteractionFlags()
        composite.SetInteractionFlags(composite.ForegroundVolumeFlag)
        composite.Modified()
        composite.SetInteractionFlags(before)


def set_layers(
    scene: slicer.vtkMRMLScene,
    *,
    background: slicer.vtkMRMLVolumeNode | None,
    foreground: slicer.vtkMRMLVolumeNode | None,
    raw: slicer.vtkMRMLVolumeNode | None = None,
    opacity: float = OVERLAY_OPACITY,
) -> None:
    """Show `foreground` over `background` in every slice view the scene has; no view, no change.

    The raw view of the side-by-side layouts shows `raw` instead, where that is given.
    """
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        always_raw = raw is not None and composite.GetLayoutName() == RAW_VIEW
        lay_over(composite, background=background, foreground=raw if always_raw else foreground, opacity=opacity)


def lay_over(
    composite: slicer.vtkMRMLSliceCompositeNode,
    *,
    background: slicer.vtkMRMLVolumeNode | None,
    foreground: slicer.vtkMRMLVolumeNode | None,
    opacity: float,
    on_top: tuple[slicer.vtkMRMLVolumeNode, float] | None = None,
) -> None:
    """The layers of one slice view; `on_top` is a map of ours above the foreground and its opacity."""
    composite.SetBackgroundVolumeID(None if background is None else background.GetID())
    composite.SetForegroundVolumeID(None if foreground is None else foreground.GetID())
    composite.SetForegroundOpacity(opacity)
    top = composite.Layer_Last  # the first layer above background, foreground and label
    if on_top is not None:
        composite.SetNthLayerVolumeID(top, on_top[0].GetID())
        composite.SetNthLayerOpacity(top, on_top[1])
        return
    volume = composite.GetNthLayerVolume(top) if composite.GetNumberOfAdditionalLayers() else None
    if volume is not None and volume.GetAttribute(MAP_ATTRIBUTE):  # a layer of the user's own stays
        composite.SetNthLayerVolumeID(top, None)


def _shown_range(node: slicer.vtkMRMLScalarVolumeNode, window: tuple[float, float]) -> tuple[float, float]:
    import slicer

    values = slicer.util.arrayFromVolume(node)
    values = values[np.isfinite(values)]
    lowest, highest = (float(values.min()), float(values.max())) if values.size else window
    # One unit wider than the voxels: a float32 voxel at the very edge must not fall out of a range kept in double.
    lower = min(lowest, window[0]) - 1.0 if window[0] < 0 else _SHOWN_ABOVE
    return lower, max(highest, window[1]) + 1.0


def colour_node(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLColorNode:
    """Slicer's colour scale of that name, else the same made here."""
    return scene.GetFirstNode(name, "vtkMRMLColorNode") or _table(scene, f"ASL {name}", _ANCHORS[name])


def _table(
    scene: slicer.vtkMRMLScene, name: str, anchors: tuple[tuple[float, float, float, float], ...]
) -> slicer.vtkMRMLColorTableNode:
    """A 256-entry table through `anchors`, made once a scene."""
    existing = scene.GetFirstNode(name, "vtkMRMLColorTableNode")
    if existing is not None:
        return existing
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", name)
    table.SetTypeToUser()
    table.SetNumberOfColors(256)
    places = np.array(anchors)
    for index, value in enumerate(np.linspace(0.0, 1.0, 256)):
        rgb = [float(np.interp(value, places[:, 0], places[:, channel])) for channel in (1, 2, 3)]
        table.SetColor(index, f"{index}", *rgb, 1.0)
    return table
