"""The segmentations round a run: its tissue, atlas and marks, which nobody edits; regions, which no run deletes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..result import Result
from ..result.maps import Role
from ..series import LPS_FROM_RAS
from ..spatial.regions import Drawing
from .following import followed, is_laid, reference_of, set_reference, to_t1_space
from .hierarchy import ROLE_ATTRIBUTE, RUN_ATTRIBUTE, hierarchy, nodes_in, put_under
from .laid_regions import lay_on_run
from .segments import oriented_image, segment_ids, segment_name
from .shared_labelmap import add_shared
from .volumes import world_of

if TYPE_CHECKING:
    import slicer

PART_ATTRIBUTE = "ASLDenoise.segments"  # of a run's own segmentation; its value: tissue, atlas or marks
REGIONS_ATTRIBUTE = "ASLDenoise.regions"  # of a segmentation made for a user's regions; its value: the series' name
# A voxel is shown as a tissue where that tissue is at least half of it; readouts have thresholds of their own.
TISSUE_SHOWN_FROM = 0.5
_TISSUE_COLOURS = {"GM": (0.35, 0.75, 0.45), "WM": (0.95, 0.85, 0.55)}
_MARK_COLOURS = ((1.0, 0.35, 0.85), (1.0, 0.20, 0.15))
_REGION_COLOURS = ((0.40, 0.65, 1.0), (1.0, 0.55, 0.75), (0.70, 0.50, 0.95), (0.30, 0.85, 0.85), (1.0, 0.70, 0.30))


def add_tissue(
    result: Result, *, scene: slicer.vtkMRMLScene, name: str, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation with GM and WM (probability at least 0.5); hidden at first, outlines only.

    No selector offers it, so that the Segment Editor does not draw in it.
    """
    node = _segmentation(scene, name, reference, part="tissue")
    for label, volume in (("GM", result.tissue.gm), ("WM", result.tissue.wm)):
        mask = np.nan_to_num(volume.array) >= TISSUE_SHOWN_FROM
        _draw(node, {label: Drawing.cropped(mask, volume.geometry.affine_lps)}, [_TISSUE_COLOURS[label]])
    node.GetDisplayNode().SetVisibility(False)
    return node


def add_atlas(
    result: Result, *, scene: slicer.vtkMRMLScene, name: str, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode | None:
    """A segmentation with the regions of the run's atlases, as `add_tissue`; None where it had none."""
    drawings = {label: drawing for label, drawing in result.drawings.items() if label in result.atlas}
    if not drawings:
        return None
    node = _segmentation(scene, name, reference, part="atlas")
    for atlas in dict.fromkeys(result.atlas[label] for label in drawings):
        own = {label: drawing for label, drawing in drawings.items() if result.atlas[label] == atlas}
        added = add_shared(node, own, _REGION_COLOURS)
        for segment in added:
            _mark(node, segment)
        if not added:
            _draw(node, own)
    node.GetDisplayNode().SetVisibility(False)
    return node


def add_marks(
    result: Result, *, scene: slicer.vtkMRMLScene, name: str, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode | None:
    """A segmentation with what the run's masks mark, as `add_tissue`; None where they mark nothing."""
    masks = {key: volume for key, volume in result.maps.items() if result.kind(key).role is Role.MASK}
    marked = {
        result.kind(key).short: Drawing.cropped(np.nan_to_num(volume.array) > 0.5, volume.geometry.affine_lps)
        for key, volume in masks.items()
        if (np.nan_to_num(volume.array) > 0.5).any()
    }
    if not marked:
        return None
    node = _segmentation(scene, name, reference, part="marks")
    _draw(node, marked, _MARK_COLOURS)
    node.GetDisplayNode().SetVisibility(False)
    return node


def regions_node(
    result: Result,
    *,
    scene: slicer.vtkMRMLScene,
    parent: int,
    reference: slicer.vtkMRMLScalarVolumeNode,
) -> slicer.vtkMRMLSegmentationNode | None:
    """The segmentation that this series' regions are drawn in, made where the scene has none of a user's.

    Regions of the run that no segmentation of a user holds, as from a mask on disk, are drawn in it. It lies beside the
    runs and before their own segmentations, so that the Segment Editor chooses it by itself.

    Returns:
        It; None where the user has segmentations and nothing is missing in them.
    """
    stem, others = result.series.name, user_segmentations(scene)
    node = _made_for(stem, others)
    held = {segment_name(each, segment) for each in others for segment in segment_ids(each)}
    missing = {n: d for n, d in result.drawings.items() if n not in held and n not in result.atlas}
    if node is None and others and not missing:
        return None
    node = node or _make_for(stem, scene, parent, reference)
    _draw(node, missing)
    return node


def user_segmentations(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSegmentationNode]:
    """Segmentations that are no run's own, in the order of the scene."""
    import slicer

    tree = hierarchy(scene)

    def own(node: slicer.vtkMRMLSegmentationNode) -> bool:
        item = tree.GetItemByDataNode(node)
        folder = tree.GetItemParent(item) if item else 0
        return bool(node.GetAttribute(PART_ATTRIBUTE) or (folder and tree.GetItemAttribute(folder, RUN_ATTRIBUTE)))

    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene) if not own(node)]


def part_of(nodes: Iterable[slicer.vtkMRMLNode], part: str) -> slicer.vtkMRMLSegmentationNode | None:
    """A run's segmentation of that part (tissue or atlas) among nodes; None for none."""
    found = (node for node in nodes if node.IsA("vtkMRMLSegmentationNode"))
    return next((node for node in found if node.GetAttribute(PART_ATTRIBUTE) == part), None)


def take_up(
    scene: slicer.vtkMRMLScene,
    folder: int,
    *,
    series: str,
    parent: int,
    t1: slicer.vtkMRMLScalarVolumeNode | None,
    raw: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Before a run is removed: keep what a user drew in its segmentations or on its images.

    Segments that are not the run's own go into the user's segmentation of the series. Segmentations that were drawn on
    the run's T1 or maps refer to those of the new run from now on, and move with the T1 where that lies elsewhere.

    Args:
        scene, folder: the run that is to be removed.
        series: the series' name.
        parent: the item that the user's segmentation is put under.
        t1, raw: the new run's T1 (None without one) and raw map.
    """
    old = nodes_in(scene, folder)
    for node in old:
        if node.IsA("vtkMRMLSegmentationNode"):
            _move_strangers(scene, node, series, parent, raw if t1 is None else t1)
    for node in user_segmentations(scene):
        reference = reference_of(node)
        if is_laid(node) and node.GetParentTransformNode() in old:
            lay_on_run(node, t1)
            continue
        if reference not in old:
            continue
        if t1 is not None and followed(node, t1) == "t1":
            _follow(node, reference, t1)
            set_reference(node, t1)
        elif reference.GetAttribute(ROLE_ATTRIBUTE) != "t1":
            set_reference(node, raw)


def _made_for(
    series: str, segmentations: Iterable[slicer.vtkMRMLSegmentationNode]
) -> slicer.vtkMRMLSegmentationNode | None:
    """The segmentation among them that was made for the regions of a series."""
    return next((each for each in segmentations if each.GetAttribute(REGIONS_ATTRIBUTE) == series), None)


def _make_for(
    series: str, scene: slicer.vtkMRMLScene, parent: int, reference: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    """A new segmentation for the regions of a series."""
    node = _segmentation(scene, f"{series} regions", reference)
    node.SetAttribute(REGIONS_ATTRIBUTE, series)
    put_under(scene, parent, [node])
    return node


def _segmentation(
    scene: slicer.vtkMRMLScene, name: str, reference: slicer.vtkMRMLScalarVolumeNode, part: str = ""
) -> slicer.vtkMRMLSegmentationNode:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    set_reference(node, reference)
    node.GetDisplayNode().SetVisibility2DFill(False)
    node.GetDisplayNode().SetVisibility3D(False)
    if part:
        node.SetAttribute(PART_ATTRIBUTE, part)
        node.SetHideFromEditors(True)
    return node


def _draw(
    node: slicer.vtkMRMLSegmentationNode, drawings: dict[str, Drawing], colours: Iterable[tuple] = _REGION_COLOURS
) -> None:
    """Add segments; each marked as the run's own where the segmentation is."""
    colours = list(colours)
    for index, (label, drawing) in enumerate(drawings.items()):
        if not drawing.inside.any():
            continue
        colour = list(colours[index % len(colours)])
        segment = node.AddSegmentFromBinaryLabelmapRepresentation(oriented_image(drawing), label, colour)
        _mark(node, segment)


def _mark(node: slicer.vtkMRMLSegmentationNode, segment: str) -> None:
    """Mark a segment as the run's own, where its segmentation is."""
    part = node.GetAttribute(PART_ATTRIBUTE)
    if part:
        node.GetSegmentation().GetSegment(segment).SetTag(PART_ATTRIBUTE, part)


def _move_strangers(
    scene: slicer.vtkMRMLScene,
    node: slicer.vtkMRMLSegmentationNode,
    series: str,
    parent: int,
    reference: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Segments of a run's segmentation that the run did not make, into the user's own."""
    strangers = [segment for segment in segment_ids(node) if not _is_runs_own(node, segment)]
    if not strangers:
        return
    into = _made_for(series, user_segmentations(scene)) or _make_for(series, scene, parent, reference)
    for segment in strangers:
        into.GetSegmentation().CopySegmentFromSegmentation(node.GetSegmentation(), segment)


def _is_runs_own(node: slicer.vtkMRMLSegmentationNode, segment: str) -> bool:
    """Marked so; in scenes of earlier versions, which marked none, GM and WM."""
    import vtk

    tag = vtk.reference("")
    if node.GetSegmentation().GetSegment(segment).GetTag(PART_ATTRIBUTE, tag):
        return True
    return not node.GetAttribute(PART_ATTRIBUTE) and segment_name(node, segment) in _TISSUE_COLOURS


def _follow(
    node: slicer.vtkMRMLSegmentationNode,
    old: slicer.vtkMRMLScalarVolumeNode,
    new: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Move what was drawn on a T1 to where that T1 lies now; labelmaps are not resampled."""
    import slicer

    own = world_of(node)
    moved = np.linalg.inv(own) @ world_of(new) @ to_t1_space(old) @ own
    if np.allclose(moved, np.eye(4), atol=1e-3):
        return
    node.ApplyTransformMatrix(slicer.util.vtkMatrixFromArray(LPS_FROM_RAS @ moved @ LPS_FROM_RAS))
