"""Raw and processed side by side in linked slice views, with or without a plot: the layouts and the views' set-up.

The layouts' XML is made without Slicer. The rest works on the scene alone: Slicer's layout manager follows the layout
node, and what views it has not made yet are put into the scene for it to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from .display import OVERLAY_OPACITY, RAW_VIEW, draw_legends, lay_over, only_legends_of
from .headless import application_logic

if TYPE_CHECKING:
    import slicer

PROCESSED_VIEW = "ASLProcessed"
PLOT_VIEW = "PlotView1"  # Slicer's own first plot view
SIDE_BY_SIDE, WITH_PLOT = 7301, 7302  # numbers of ours; Slicer's own stay below 100
ORIENTATION = "Axial"
_GROUP = 73  # links act within a group, so that Slicer's own views keep their place and zoom
_BEFORE = "ASLDenoise.layoutBefore"
_FALLBACK_SIZE = (500, 500)  # pixels, of a view that was never drawn
_LABELS = {RAW_VIEW: ("Raw", "#8C8C8C"), PROCESSED_VIEW: ("Processed", "#4D8FCC")}


class MapNodes(Protocol):
    """The nodes of a run, as `present.present` or `choose.nodes_of` gives them."""

    maps: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    t1: slicer.vtkMRMLScalarVolumeNode | None
    m0: slicer.vtkMRMLScalarVolumeNode | None


def side_by_side_xml() -> str:
    """The layout with raw on the left and processed on the right."""
    return tostring(_slice_views(Element("layout", type="horizontal", split="true")), encoding="unicode")


def with_plot_xml() -> str:
    """The layout with raw above processed on the left and a plot on the right."""
    layout = Element("layout", type="horizontal", split="true")
    _slice_views(SubElement(SubElement(layout, "item", splitSize="400"), "layout", type="vertical", split="true"))
    _add_view(SubElement(layout, "item", splitSize="600"), "vtkMRMLPlotViewNode", PLOT_VIEW, viewlabel="P")
    return tostring(layout, encoding="unicode")


def register_layouts(scene: slicer.vtkMRMLScene) -> bool:
    """Add both layouts to the scene's layout node; False where there is none (no desktop).

    Call it before a saved scene that used them is opened: MRML saves the number of a layout, not its description.
    Called afterwards, it shows the layout that could not be shown.
    """
    node = layout_node(scene)
    if node is None:
        return False
    for number, text in ((SIDE_BY_SIDE, side_by_side_xml()), (WITH_PLOT, with_plot_xml())):
        if not node.AddLayoutDescription(number, text):
            node.SetLayoutDescription(number, text)
    if is_ours(scene):
        node.SetViewArrangement(node.GetViewArrangement())
    return True


def show_side_by_side(
    left: slicer.vtkMRMLScalarVolumeNode,
    right: slicer.vtkMRMLScalarVolumeNode,
    background: slicer.vtkMRMLScalarVolumeNode | None,
    *,
    chart: slicer.vtkMRMLPlotChartNode | None = None,
    opacity: float = OVERLAY_OPACITY,
) -> None:
    """Show two maps over `background` in linked axial views, fitted to the left one, each with its legend.

    Args:
        left, right: the raw map and another.
        background: the T1 or M0, or None.
        chart: shown beside the two views, which then stand one above the other.
        opacity: of both maps over the background, 0..1.
    """
    scene = left.GetScene()
    if register_layouts(scene):
        node = layout_node(scene)
        if not is_ours(scene):
            node.SetAttribute(_BEFORE, str(node.GetViewArrangement()))
        node.SetViewArrangement(SIDE_BY_SIDE if chart is None else WITH_PLOT)
    for tag, volume in ((RAW_VIEW, left), (PROCESSED_VIEW, right)):
        _view(scene, "vtkMRMLSliceNode", tag)
        composite = _view(scene, "vtkMRMLSliceCompositeNode", tag)
        lay_over(composite, background=background, foreground=volume, opacity=opacity)
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    only_legends_of(scene, (left, right))
    fit_views(scene, left)
    if chart is not None:
        _view(scene, "vtkMRMLPlotViewNode", PLOT_VIEW).SetPlotChartNodeID(chart.GetID())


def leave_layout(scene: slicer.vtkMRMLScene) -> None:
    """Restore the layout that was shown before one of ours; nothing happens where none of ours is shown."""
    node = layout_node(scene)
    if node is None or not is_ours(scene):
        return
    before = node.GetAttribute(_BEFORE)
    node.SetViewArrangement(int(before) if before else node.SlicerLayoutFourUpView)


def is_ours(scene: slicer.vtkMRMLScene) -> bool:
    """Whether raw and processed are side by side at this moment."""
    node = layout_node(scene)
    return node is not None and node.GetViewArrangement() in (SIDE_BY_SIDE, WITH_PLOT)


def fit_views(scene: slicer.vtkMRMLScene, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Make both views axial, fit them to `volume` and draw their legends.

    Call it once more when the views have their size: a desktop lays new widgets out only after its event loop ran.
    """
    for tag in (RAW_VIEW, PROCESSED_VIEW):
        view = _view(scene, "vtkMRMLSliceNode", tag)
        view.SetOrientation(ORIENTATION)
        _fit(view, volume)
    draw_legends(scene)


def layout_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLLayoutNode | None:
    """The scene's layout node, or None without a desktop."""
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _view(scene: slicer.vtkMRMLScene, kind: str, tag: str) -> slicer.vtkMRMLNode:
    """The view, composite or plot view node of that tag, added as a layout would where the scene has none."""
    import slicer

    for node in slicer.util.getNodesByClass(kind, scene):
        if node.GetSingletonTag() == tag:
            return node
    node = scene.CreateNodeByClass(kind)
    node.SetLayoutName(tag)
    node.SetName(tag)
    if kind == "vtkMRMLSliceNode":
        label, colour = _LABELS[tag]
        node.SetLayoutLabel(label)
        node.SetLayoutColor(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
        node.SetViewGroup(_GROUP)
        node.SetDefaultOrientation(ORIENTATION)
    added = scene.AddNode(node)
    node.UnRegister(None)
    return added


def _fit(view: slicer.vtkMRMLSliceNode, volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Fit a view to a volume by its slice logic, or where none serves it, in the same way by the volume's bounds."""
    application = application_logic(view.GetScene())
    logic = None if application is None else application.GetSliceLogic(view)
    width, height = (max(n, 1) for n in view.GetDimensions()[:2])
    if min(width, height) < 10:
        width, height = _FALLBACK_SIZE
    if logic is not None:
        logic.FitSliceToVolume(volume, width, height)
        return
    bounds = [0.0] * 6
    volume.GetRASBounds(bounds)
    low, high = np.array(bounds[::2]), np.array(bounds[1::2])
    pixel = max((high[0] - low[0]) / width, (high[1] - low[1]) / height)
    for axis, value in enumerate((low + high) / 2):
        view.GetSliceToRAS().SetElement(axis, 3, float(value))
    view.SetSliceOrigin(0.0, 0.0, 0.0)
    view.SetFieldOfView(pixel * width, pixel * height, view.GetFieldOfView()[2])
    view.UpdateMatrices()


def _slice_views(layout: Element) -> Element:
    """The layout, with its two slice views put in."""
    for tag, (label, colour) in _LABELS.items():
        properties = {"orientation": ORIENTATION, "viewlabel": label, "viewcolor": colour, "viewgroup": str(_GROUP)}
        _add_view(SubElement(layout, "item"), "vtkMRMLSliceNode", tag, **properties)
    return layout


def _add_view(item: Element, kind: str, tag: str, **properties: str) -> None:
    view = SubElement(item, "view", {"class": kind, "singletontag": tag})
    for name, value in properties.items():
        SubElement(view, "property", name=name, action="default").text = value
