"""The display of maps in Slicer: colours, window and legend of their kind, grey for others; and the views' layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from ..result.maps import MapKind, Role
from ..series import CBF_UNIT
from .headless import module_logic

if TYPE_CHECKING:
    import slicer

MAP_ATTRIBUTE = "ASLDenoise.map"  # of a map's node; its value: the key in Result.maps
PAIR_ATTRIBUTE = "ASLDenoise.pair"  # of the node that shows a pair's difference; its value: the number of the pair
DERIVED_ATTRIBUTE = "ASLDenoise.derived"  # of a map's node that is made of others (`derived`); its value: which
SHORT_ATTRIBUTE = "ASLDenoise.short"  # of a map's node, derived or not: the title of its views
OVERLAY_OPACITY = 0.55
TITLE_ATTRIBUTE, TICKS_ATTRIBUTE = "ASLDenoise.title", "ASLDenoise.ticks"  # of a legend: those of its kind of map
_BELOW_NOTE = "blue: 0 or less"
# The least value that is drawn of a map that cannot be negative, over the highest of its window: zero and NaN are
# transparent; the voxels themselves are kept.
_SHOWN_ABOVE = 1e-5
_UNBOUNDED = 1e9

# Red, green and blue 0..1, evenly from the lowest value to the highest, where Slicer's files are absent: Inferno,
# Viridis, Magma and Cividis (matplotlib, CC0); and blue over white to red with even lightness.
_ANCHORS = {
    "Inferno": (
        ".001 .042 .129 .238 .342 .441 .541 .640 .736 .822 .894 .947 .978 .988 .975 .948 .988",
        ".000 .028 .047 .037 .062 .099 .135 .171 .216 .275 .353 .449 .558 .675 .798 .917 .998",
        ".014 .141 .291 .396 .429 .432 .415 .381 .330 .266 .194 .115 .035 .065 .206 .411 .645",
    ),
    "Viridis": (
        ".267 .282 .279 .259 .230 .199 .173 .149 .128 .121 .158 .246 .369 .516 .678 .846 .993",
        ".005 .095 .175 .252 .322 .388 .449 .508 .567 .626 .684 .739 .789 .831 .864 .887 .906",
        ".329 .417 .483 .525 .546 .555 .558 .557 .551 .533 .502 .452 .383 .294 .190 .100 .144",
    ),
    "Magma": (
        ".001 .040 .113 .212 .317 .415 .513 .614 .716 .817 .904 .961 .987 .996 .997 .992 .987",
        ".000 .031 .065 .062 .072 .110 .148 .182 .215 .256 .320 .418 .536 .654 .770 .884 .991",
        ".014 .134 .277 .419 .485 .505 .508 .499 .475 .436 .388 .360 .382 .446 .535 .640 .750",
    ),
    "Cividis": (
        ".000 .000 .103 .195 .264 .324 .381 .435 .489 .548 .609 .672 .736 .803 .871 .941 .996",
        ".135 .179 .220 .264 .308 .351 .395 .440 .485 .532 .580 .629 .681 .734 .790 .848 .909",
        ".305 .415 .436 .426 .423 .426 .436 .451 .471 .472 .464 .448 .424 .390 .343 .276 .218",
    ),
    "DivergingBlueRed": (".03 .35 .96 .88 .58", ".19 .58 .96 .45 .04", ".58 .86 .96 .35 .10"),
}


def apply_kind(node: slicer.vtkMRMLScalarVolumeNode, kind: MapKind) -> None:
    """Give a map's node the colours, window, threshold and (where its scene has a colour logic) legend of its kind.

    A mask has no legend, and its voxels are shown as they are.
    """
    node.CreateDefaultDisplayNodes()  # none where it has one
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(colour_node(node.GetScene(), kind.scene_colours, below=kind.below).GetID())
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(*kind.window)
    display.SetInterpolate(kind.role is not Role.MASK)
    # NaN compares false with any threshold, so thresholding is also what keeps 'not measured' transparent.
    display.AutoThresholdOff()
    display.SetThreshold(*_shown_range(node, kind))
    display.ApplyThresholdOn()
    logic = None if kind.role is Role.MASK else module_logic(node.GetScene(), "Colors")
    legend = None if logic is None else logic.AddDefaultColorLegendDisplayNode(node)
    if legend is not None:
        title = f"{kind.quantity} ({kind.unit}; {_BELOW_NOTE})" if kind.below else kind.title
        legend.SetTitleText(title)
        legend.SetNumberOfLabels(kind.ticks)
        legend.SetAttribute(TITLE_ATTRIBUTE, title)
        legend.SetAttribute(TICKS_ATTRIBUTE, str(kind.ticks))
        legend.SetLabelFormat("%.0f" if kind.unit == CBF_UNIT else "%.3g")


def copy_look(origin: slicer.vtkMRMLScalarVolumeNode, node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Give a map's node the colours, window, threshold and legend of another's."""
    node.CreateDefaultDisplayNodes()
    own, theirs = node.GetDisplayNode(), origin.GetDisplayNode()
    own.SetAndObserveColorNodeID(theirs.GetColorNodeID())
    own.AutoWindowLevelOff()
    own.SetWindowLevelMinMax(theirs.GetWindowLevelMin(), theirs.GetWindowLevelMax())
    own.SetInterpolate(theirs.GetInterpolate())
    own.AutoThresholdOff()
    # Voxels of the one may be lower than all of the other's; only what may not be drawn at all is above zero.
    lowest = theirs.GetLowerThreshold()
    own.SetThreshold(lowest if lowest > 0 else -_UNBOUNDED, _UNBOUNDED)
    own.SetApplyThreshold(theirs.GetApplyThreshold())
    logic = module_logic(node.GetScene(), "Colors")
    for legend in legends_of(origin) if logic is not None else ():
        copy = logic.AddDefaultColorLegendDisplayNode(node)
        copy.SetTitleText(legend.GetTitleText())
        copy.SetNumberOfLabels(legend.GetNumberOfLabels())
        copy.SetLabelFormat(legend.GetLabelFormat())
        for name in (TITLE_ATTRIBUTE, TICKS_ATTRIBUTE):
            copy.SetAttribute(name, legend.GetAttribute(name))


def is_map(node: slicer.vtkMRMLNode) -> bool:
    """Whether a node is a map of a run, one that is made of its maps, or a pair."""
    return any(node.GetAttribute(name) for name in (MAP_ATTRIBUTE, DERIVED_ATTRIBUTE, PAIR_ATTRIBUTE))


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


def set_layers(
    scene: slicer.vtkMRMLScene,
    *,
    background: slicer.vtkMRMLVolumeNode | None,
    foreground: slicer.vtkMRMLVolumeNode | None,
    apart: Collection[str] = (),
    opacity: float = OVERLAY_OPACITY,
) -> None:
    """Show `foreground` over `background` in every slice view but those whose tags are in `apart`."""
    import slicer

    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        if composite.GetLayoutName() not in apart:
            lay_over(composite, background=background, foreground=foreground, opacity=opacity)


def lay_over(
    composite: slicer.vtkMRMLSliceCompositeNode,
    *,
    background: slicer.vtkMRMLVolumeNode | None,
    foreground: slicer.vtkMRMLVolumeNode | None,
    opacity: float,
) -> None:
    """Set the layers of one slice view; a map in the layer above, of a scene of an earlier version, is taken away."""
    composite.SetBackgroundVolumeID(None if background is None else background.GetID())
    composite.SetForegroundVolumeID(None if foreground is None else foreground.GetID())
    composite.SetForegroundOpacity(opacity)
    top = composite.Layer_Last  # the first layer above background, foreground and label
    volume = composite.GetNthLayerVolume(top) if composite.GetNumberOfAdditionalLayers() else None
    if volume is not None and is_map(volume):  # a layer of the user's own stays
        composite.SetNthLayerVolumeID(top, None)


def shown_volumes(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLVolumeNode]:
    """The foregrounds of the slice views."""
    import slicer

    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    found = (scene.GetNodeByID(composite.GetForegroundVolumeID() or "") for composite in composites)
    return [node for node in found if node is not None]


def _shown_range(node: slicer.vtkMRMLScalarVolumeNode, kind: MapKind) -> tuple[float, float]:
    import slicer

    values = slicer.util.arrayFromVolume(node)
    values = values[np.isfinite(values)]
    low, high = kind.window
    if values.size:
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    lowest = low - _beyond(low) if kind.draws_zero else _SHOWN_ABOVE * kind.window[1]
    return float(f"{lowest:.6g}"), float(f"{high + _beyond(high):.6g}")  # as many digits as a saved scene keeps


def _beyond(value: float) -> float:
    """How much further than the voxels the range goes: none at its edge may fall out when it is saved or rounded."""
    return max(1.0, 1e-3 * abs(value))


def colour_node(scene: slicer.vtkMRMLScene, name: str, *, below: str = "") -> slicer.vtkMRMLColorNode:
    """A colour scale of 256 colours, made once a scene: Slicer's of that name, else through `_ANCHORS`.

    Args:
        scene: that holds it.
        name: of the scale.
        below: ``#RRGGBB`` in place of the lowest colour, which is that of all values below the window (and of those
            less than 1/256 of it above); empty for Slicer's own scale as it is.
    """
    existing = scene.GetFirstNode(name, "vtkMRMLColorNode")
    own = f"ASL {name}{', negative apart' if below else ''}"
    made = scene.GetFirstNode(own, "vtkMRMLColorTableNode")
    if made is not None or (existing is not None and not below):
        return made or existing
    colours = _sampled(name) if existing is None else table_of(existing)
    if below:
        colours[0] = [int(below[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    table = scene.AddNewNodeByClass("vtkMRMLColorTableNode", own)
    table.SetTypeToUser()
    table.SetNumberOfColors(256)
    for index, rgb in enumerate(colours):
        table.SetColor(index, f"{index}", *map(float, rgb), 1.0)
    return table


def table_of(colour: slicer.vtkMRMLColorNode) -> np.ndarray:
    """The 256 colours of a scale, lowest first, 0..1 (256, 3)."""
    table = colour.GetLookupTable()
    if table is not None and not colour.IsA("vtkMRMLProceduralColorNode"):
        count = table.GetNumberOfTableValues()
        places = np.linspace(0, count - 1, 256).round().astype(int)
        return np.array([table.GetTableValue(int(place))[:3] for place in places])
    function = colour.GetColorTransferFunction()
    return np.array([function.GetColor(x) for x in np.linspace(*function.GetRange(), 256)])


def _sampled(name: str) -> np.ndarray:
    known = [np.array(channel.split(), float) for channel in _ANCHORS[name]]
    values = np.linspace(0.0, 1.0, 256)
    return np.stack([np.interp(values, np.linspace(0.0, 1.0, levels.size), levels) for levels in known], axis=1)
