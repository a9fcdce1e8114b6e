"""One segment in one map of a run, as Slicer's Segment Statistics asks for it: the figures of the Regions section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choose import RunNodes, nodes_of, runs_in
from .hierarchy import hierarchy
from .live_regions import MapFigures, RegionReader
from .segments import segment_ids

if TYPE_CHECKING:
    import slicer

# SegmentStatisticsLogic.computeStatistics hands on a hardened copy of a segmentation under a transform.
_COPY_BEFORE, _COPY_AFTER = "_tmp_", "_transformedForSegmentStatistics"


def segment_figures(
    node: slicer.vtkMRMLSegmentationNode, segment: str, volume: slicer.vtkMRMLScalarVolumeNode
) -> MapFigures | None:
    """A segment's figures in a map, by fractions of voxels and through T1-to-ASL where it follows the T1.

    Args:
        node: the segmentation, or the copy of it that Segment Statistics makes.
        segment: its ID.
        volume: the map.

    Returns:
        None where the volume is no map of a run, or the segment is empty or does not reach it.
    """
    run, original = run_of(volume), _original_of(node, segment)
    if run is None or original is None or segment not in segment_ids(original):
        return None
    return RegionReader(run).figures_in(original, segment, volume)


def run_of(volume: slicer.vtkMRMLScalarVolumeNode) -> RunNodes | None:
    """The run whose map a volume is."""
    scene = volume.GetScene()
    if scene is None:
        return None
    tree = hierarchy(scene)
    folder = tree.GetItemParent(tree.GetItemByDataNode(volume))
    runs = (nodes_of(scene, run) for run in runs_in(scene) if run.folder == folder)
    return next((nodes for nodes in runs if any(each is volume for each in nodes.maps.values())), None)


def _original_of(node: slicer.vtkMRMLSegmentationNode, segment: str) -> slicer.vtkMRMLSegmentationNode | None:
    """The segmentation of which a node is a copy, which knows what it was drawn on; None where that is not certain."""
    import slicer

    name = node.GetName() or ""
    if not (name.startswith(_COPY_BEFORE) and name.endswith(_COPY_AFTER)):
        return node
    name = name[len(_COPY_BEFORE) : -len(_COPY_AFTER)]
    others = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", node.GetScene())
    found = [each for each in others if each.GetName() == name and each.GetParentTransformNode() is not None]
    found = [each for each in found if segment in segment_ids(each)]
    return found[0] if len(found) == 1 else None
