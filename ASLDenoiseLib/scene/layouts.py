"""Raw and processed side by side, with or without a plot, in layouts that every Slicer knows.

A saved scene keeps the number of its layout, not what it is, so both are Slicer's own: side by side (Red and Yellow),
and four-up with a plot (Red above Green, the plot, Yellow). All views are axial while one is shown; what they were
before is kept on their nodes, so that the way back is there in a saved scene, too. All works on the scene alone:
Slicer's layout manager follows the layout node, and what views it has not made yet are put into the scene for it to
find.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from .display import OVERLAY_OPACITY, SHORT_ATTRIBUTE, lay_over
from .legends import only_legends_of, size_of
from .place import Place, copy_place, keep_zoom, matrix_of, set_matrix, settle, zoom_of

if TYPE_CHECKING:
    import slicer

RAW_VIEW = "Red"  # shows the raw map in both layouts
PLOT_VIEW = "PlotView1"
SIDE_BY_SIDE, WITH_PLOT = 29, 37  # vtkMRMLLayoutNode: SlicerLayoutSideBySideView, SlicerLayoutFourUpPlotView
_BESIDE = {SIDE_BY_SIDE: ("Yellow",), WITH_PLOT: ("Green", "Yellow")}  # the views of the other maps
_RETIRED = {7301: SIDE_BY_SIDE, 7302: WITH_PLOT}  # numbers of our own, in scenes of earlier versions
_PASSING = (0, 14, 98)  # none yet; of a scene that closes or opens; one view of the layout alone, for a while
_SHOWN, _BEFORE, _VIEW_BEFORE = "ASLDenoise.layout", "ASLDenoise.layoutBefore", "ASLDenoise.viewBefore"
_ORIENTATION = "Axial"
_OWN_VIEWS = {"Red": ("Axial", "R"), "Green": ("Coronal", "G"), "Yellow": ("Sagittal", "Y")}


Titled = tuple[str, "slicer.vtkMRMLScalarVolumeNode"]  # the title of a view, and the map in it


class MapNodes(Protocol):
    """The nodes of a run, as `present.present` or `choose.nodes_of` gives them."""

    maps: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    t1: slicer.vtkMRMLScalarVolumeNode | None
    m0: slicer.vtkMRMLScalarVolumeNode | None


def show_side_by_side(
    shown: Sequence[Titled],
    background: slicer.vtkMRMLScalarVolumeNode | None,
    place: Place,
    *,
    chart: slicer.vtkMRMLPlotChartNode | None = None,
    opacity: float = OVERLAY_OPACITY,
) -> None:
    """Show maps over `background` in linked axial views at the slice and zoom of the Red view, each with its legend.

    Args:
        shown: the raw map, that beside it and, below a chart, a third; without that the background stands there alone.
        background: the T1 or M0, or None.
        place: where the brain is.
        chart: shown at the top right, raw and processed then stand one above the other.
        opacity: of the maps over the background, 0..1.
    """
    scene = shown[0][1].GetScene()
    number = SIDE_BY_SIDE if chart is None else WITH_PLOT
    tags = (RAW_VIEW, *_BESIDE[number])
    _change_layout(scene, number)
    composites = [_view(scene, "vtkMRMLSliceCompositeNode", tag) for tag in tags]
    _set_up_views(scene, tags)
    show_in_layout(scene, shown, background, opacity)
    for composite in composites:
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    settle(scene, place, tags)
    if chart is not None:
        _view(scene, "vtkMRMLPlotViewNode", PLOT_VIEW).SetPlotChartNodeID(chart.GetID())


def show_in_layout(
    scene: slicer.vtkMRMLScene,
    shown: Sequence[Titled],
    background: slicer.vtkMRMLScalarVolumeNode | None,
    opacity: float,
) -> None:
    """Show maps in the views of our layout that is shown, each under its title; arguments as of `show_side_by_side`."""
    tags = tags_shown(scene)
    for place, tag in enumerate(tags):
        title, volume = (
            shown[place] if place < len(shown) else ("" if background is None else background.GetName(), None)
        )
        composite = _view(scene, "vtkMRMLSliceCompositeNode", tag)
        lay_over(composite, background=background, foreground=volume, opacity=opacity)
        _view(scene, "vtkMRMLSliceNode", tag).SetLayoutLabel(title)
    only_legends_of(scene, [volume for _, volume in shown[: len(tags)]])


def retitle(scene: slicer.vtkMRMLScene) -> None:
    """Title the views of our layout by what is in them, where the user has chosen something else there."""
    for tag in tags_shown(scene):
        composite = _view(scene, "vtkMRMLSliceCompositeNode", tag)
        shown = composite.GetForegroundVolumeID() or composite.GetBackgroundVolumeID()
        volume = scene.GetNodeByID(shown or "")
        title = "" if volume is None else volume.GetAttribute(SHORT_ATTRIBUTE) or volume.GetName()
        _view(scene, "vtkMRMLSliceNode", tag).SetLayoutLabel(title)


def leave_layout(scene: slicer.vtkMRMLScene) -> None:
    """Restore the layout and views that were shown before one of ours; nothing happens where none of ours is shown."""
    node = layout_node(scene)
    if node is None or not is_ours(scene):
        return
    before = int(node.GetAttribute(_BEFORE) or node.SlicerLayoutFourUpView)
    was_modifying = node.StartModify()
    node.RemoveAttribute(_SHOWN)
    node.SetViewArrangement(before)
    node.EndModify(was_modifying)
    _restore_views(scene)


def tidy_after_user(scene: slicer.vtkMRMLScene) -> bool:
    """Restore the views where the user has left ours through Slicer's own choice of layouts; whether that was so."""
    node = layout_node(scene)
    if node is None or not node.GetAttribute(_SHOWN) or is_ours(scene) or node.GetViewArrangement() in _PASSING:
        return False
    node.RemoveAttribute(_SHOWN)
    _restore_views(scene)
    return True


def is_ours(scene: slicer.vtkMRMLScene) -> bool:
    """Whether raw and processed are side by side at this moment."""
    node = layout_node(scene)
    return node is not None and node.GetAttribute(_SHOWN) == str(node.GetViewArrangement())


def tags_shown(scene: slicer.vtkMRMLScene) -> tuple[str, ...]:
    """The slice views of our layout that is shown, that of the raw map first; empty where none of ours is."""
    if not is_ours(scene):
        return ()
    return (RAW_VIEW, *_BESIDE[layout_node(scene).GetViewArrangement()])


def retired_layout(scene: slicer.vtkMRMLScene) -> int | None:
    """The layout to show in place of one of an earlier version, which a scene saved with it still asks for."""
    node = layout_node(scene)
    return None if node is None else _RETIRED.get(node.GetViewArrangement())


def layout_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLLayoutNode | None:
    """The scene's layout node, or None without a desktop."""
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _change_layout(scene: slicer.vtkMRMLScene, number: int) -> None:
    """Have the layout shown, and remember the one before; a scene without a desktop gets what one would make."""
    import slicer

    node = layout_node(scene)
    if node is None:
        logic = slicer.vtkMRMLLayoutLogic()
        logic.SetMRMLScene(scene)
        node = layout_node(scene)
        node.SetViewArrangement(node.SlicerLayoutFourUpView)
        logic.SetMRMLScene(None)
    if not is_ours(scene):
        before = node.GetViewArrangement()
        node.SetAttribute(_BEFORE, str(node.SlicerLayoutFourUpView if before in _RETIRED else before))
    was_modifying = node.StartModify()  # nobody is to see the one without the other
    node.SetAttribute(_SHOWN, str(number))
    node.SetViewArrangement(number)
    node.EndModify(was_modifying)


def _set_up_views(scene: slicer.vtkMRMLScene, tags: tuple[str, ...]) -> None:
    """Make the views axial at the slice and zoom of the first; keep what they were before."""
    views = [_view(scene, "vtkMRMLSliceNode", tag) for tag in tags]
    for tag, view in zip(tags, views, strict=True):
        if not view.GetAttribute(_VIEW_BEFORE):
            composite = _view(scene, "vtkMRMLSliceCompositeNode", tag)
            before = {
                "matrix": matrix_of(view),
                "zoom": list(view.GetFieldOfView()),
                "size": size_of(view),
                "label": view.GetLayoutLabel() or "",
                "axial": view.GetOrientation() == _ORIENTATION,
                "linked": [composite.GetLinkedControl(), composite.GetHotLinkedControl()],
            }
            view.SetAttribute(_VIEW_BEFORE, json.dumps(before))
    views[0].SetOrientation(_ORIENTATION)
    zoom = zoom_of(views[0])
    for view in views:
        keep_zoom(view, zoom)
    for view in views[1:]:
        copy_place(views[0], view)


def _restore_views(scene: slicer.vtkMRMLScene) -> None:
    """Views as they were before one of our layouts; one that was axial stays at the slice that it shows now."""
    import slicer

    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        if not view.GetAttribute(_VIEW_BEFORE):
            continue
        before = json.loads(view.GetAttribute(_VIEW_BEFORE))
        view.RemoveAttribute(_VIEW_BEFORE)
        view.SetLayoutLabel(before["label"])
        if before["axial"]:
            keep_zoom(view, zoom_of(view))
        else:
            set_matrix(view, before["matrix"])
            view.SetFieldOfView(*before["zoom"])
            keep_zoom(view, [*before["zoom"][:2], *before.get("size", size_of(view))])
        composite = _view(scene, "vtkMRMLSliceCompositeNode", view.GetLayoutName())
        composite.SetLinkedControl(before["linked"][0])
        composite.SetHotLinkedControl(before["linked"][1])


def _view(scene: slicer.vtkMRMLScene, kind: str, tag: str) -> slicer.vtkMRMLNode:
    """The view, composite or plot view node of that tag, added as a layout would where the scene has none."""
    import slicer

    for node in slicer.util.getNodesByClass(kind, scene):
        if node.GetSingletonTag() == tag or (kind == "vtkMRMLSliceCompositeNode" and node.GetLayoutName() == tag):
            return node
    node = scene.CreateNodeByClass(kind)
    node.SetLayoutName(tag)
    node.SetName(tag)
    if kind == "vtkMRMLSliceNode":
        orientation, label = _OWN_VIEWS[tag]
        node.SetLayoutLabel(label)
        node.SetDefaultOrientation(orientation)
        node.SetOrientation(orientation)
    added = scene.AddNode(node)
    node.UnRegister(None)
    return added
