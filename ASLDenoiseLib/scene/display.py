"""The display of maps in Slicer: colours, window and legend of their kind, grey for others; and the views' layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import MapKind
from ..series import CBF_UNIT
from .headless import module_logic

if TYPE_CHECKING:
    import slicer

MAP_ATTRIBUTE = "ASLDenoise.map"  # of a map's node; its value: the key in Result.maps
OVERLAY_OPACITY = 0.55
RAW_VIEW = "ASLRaw"  # the slice view of the side-by-side layouts that shows the raw map, whatever the others show
# The least value that is drawn, but of differences, over the highest of the window. Zero and below, and NaN, are
# transparent; the voxels themselves are kept.
_SHOWN_ABOVE = 1e-5

# Slicer enlarges the numbers until they fill the legend, and its title with them: few numbers in a large one cover the
# picture.
_LEGEND_SIZE = (0.15, 0.38)  # of the view's width and height

# Red, green and blue 0..1, evenly from the lowest value to the highest, where Slicer's files are absent: Inferno
# (matplotlib, CC0); and blue over white to red with even lightness.
_ANCHORS = {
    "Inferno": (
        ".001 .042 .129 .238 .342 .441 .541 .640 .736 .822 .894 .947 .978 .988 .975 .948 .988",
        ".000 .028 .047 .037 .062 .099 .135 .171 .216 .275 .353 .449 .558 .675 .798 .917 .998",
        ".014 .141 .291 .396 .429 .432 .415 .381 .330 .266 .194 .115 .035 .065 .206 .411 .645",
    ),
    "DivergingBlueRed": (".03 .35 .96 .88 .58", ".19 .58 .96 .45 .04", ".58 .86 .96 .35 .10"),
}


def apply_kind(node: slicer.vtkMRMLScalarVolumeNode, kind: MapKind) -> None:
    """Give a map's node the colours, window, threshold and (where its scene has a colour logic) legend of its kind."""
    node.CreateDefaultDisplayNodes()  # none where it has one
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_node(node.GetScene(), kind.scene_colours).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*kind.window)
    display.SetInterpolate(True)
    # NaN compares false with any threshold, so thresholding is also what keeps 'not measured' transparent.
    display.AutoThresholdOff()
    display.SetThreshold(*_shown_range(node, kind.window))
    display.ApplyThresholdOn()
    logic = module_logic(node.GetScene(), "Colors")
    legend = None if logic is None else logic.AddDefaultColorLegendDisplayNode(node)
    if legend is not None:
        legend.SetTitleText(kind.title)
        legend.SetNumberOfLabels(kind.ticks)
        legend.SetLabelFormat("%.0f" if kind.unit == CBF_UNIT else "%.3g")
        legend.SetSize(*_LEGEND_SIZE)


def show_grey(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show an anatomical image in grey, from 0 to its 99.5th percentile (of finite, positive voxels)."""
    import slicer

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
    """Show the legends of the `shown` maps and hide all others: Slicer would draw them over one another.

    Call it when the layers are set: Slicer checks only then whether a legend's map is in a view.
    """
    import slicer

    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene):
        if node.GetAttribute(MAP_ATTRIBUTE):
            for legend in legends_of(node):
                legend.SetVisibility(node in shown)
    draw_legends(scene)


def draw_legends(scene: slicer.vtkMRMLScene) -> None:
    """Have every slice view check again which legends it draws, also those that are older than the view.

    vtkMRMLColorLegendDisplayableManager checks when a composite node says that a layer was changed by interaction,
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
    views: Mapping[str, slicer.vtkMRMLVolumeNode],
    opacity: float = OVERLAY_OPACITY,
    faded_from: tuple[slicer.vtkMRMLVolumeNode, float] | None = None,
) -> None:
    """Show `foreground` over `background` in every slice view, but in those whose tags are in `views` the map there.

    `faded_from` as of `lay_over`; the `views` show their maps unmixed.
    """
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        own = views.get(composite.GetLayoutName())
        mixed = None if own else faded_from
        lay_over(composite, background=background, foreground=own or foreground, opacity=opacity, faded_from=mixed)


def lay_over(
    composite: slicer.vtkMRMLSliceCompositeNode,
    *,
    background: slicer.vtkMRMLVolumeNode | None,
    foreground: slicer.vtkMRMLVolumeNode | None,
    opacity: float,
    faded_from: tuple[slicer.vtkMRMLVolumeNode, float] | None = None,
) -> None:
    """Set the layers of one slice view.

    `faded_from` is a map in a layer above the foreground, and the fraction (0..1) of the foreground in their mixture:
    each pixel is ``(1 - opacity) background + opacity ((1 - fraction) map + fraction foreground)``.
    """
    if faded_from is not None:
        upper, fraction = faded_from
        above = opacity * (1 - fraction)
        opacity = opacity * fraction / (1 - above)
    composite.SetBackgroundVolumeID(None if background is None else background.GetID())
    composite.SetForegroundVolumeID(None if foreground is None else foreground.GetID())
    composite.SetForegroundOpacity(opacity)
    top = composite.Layer_Last  # the first layer above background, foreground and label
    if faded_from is not None:
        composite.SetNthLayerVolumeID(top, upper.GetID())
        composite.SetNthLayerOpacity(top, above)
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
    lower = min(lowest, window[0]) - 1.0 if window[0] < 0 else float(f"{_SHOWN_ABOVE * window[1]:.3g}")
    return lower, max(highest, window[1]) + 1.0


def colour_node(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLColorNode:
    """Slicer's colour scale of that name, else one of 256 colours through `_ANCHORS`, made once a scene."""
    own = f"ASL {name}"
    existing = scene.GetFirstNode(name, "vtkMRMLColorNode") or scene.GetFirstNode(own, "vtkMRMLColorTableNode")
    if existing is not None:
        return existing
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", own)
    table.SetTypeToUser()
    table.SetNumberOfColors(256)
    known = [np.array(channel.split(), float) for channel in _ANCHORS[name]]
    for index, value in enumerate(np.linspace(0.0, 1.0, 256)):
        rgb = [float(np.interp(value, np.linspace(0.0, 1.0, levels.size), levels)) for levels in known]
        table.SetColor(index, f"{index}", *rgb, 1.0)
    return table
