"""Regions that were drawn on a T1, shown where they are measured: on that T1 as a run has laid it on the series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .following import followed, is_laid, of_run, reference_of, set_reference

if TYPE_CHECKING:
    import slicer

_DRAWN_ON = "ASLDenoise.drawnOn"  # reference of a segmentation that is laid: the image it was drawn on


def lay_on_run(node: slicer.vtkMRMLSegmentationNode, t1: slicer.vtkMRMLScalarVolumeNode | None) -> bool:
    """Put a user's segmentation that follows the T1 under the transform by which a run shows its T1; others stay.

    Its voxels stay those of the T1: outline, brush and measurement agree while a run is shown, and a run that lays the
    T1 elsewhere takes it along. What the user has put under a transform, and what lies on a run's images already,
    stays where it is. One that no longer follows the T1 goes back.

    Args:
        node: the segmentation.
        t1: the run's own copy of the T1; None of a run without one.

    Returns:
        Whether what follows the T1 is shown where it is measured.
    """
    there = None if t1 is None or t1.GetScene() is None else t1.GetParentTransformNode()
    if there is None or followed(node, t1) != "t1":
        release(node)
        return True
    if is_laid(node):
        if node.GetParentTransformNode() is not there:
            _lay(node, t1)
        return True
    reference = reference_of(node)
    if reference is not None and of_run(reference):
        return True  # drawn over a run's images, which lie on the series
    if node.GetParentTransformNode() is not None:
        return False
    if reference is not None:
        node.SetNodeReferenceID(_DRAWN_ON, reference.GetID())
    _lay(node, t1)
    return True


def release(node: slicer.vtkMRMLSegmentationNode) -> None:
    """Take a segmentation that `lay_on_run` has laid back to where it was drawn."""
    if not is_laid(node):
        return
    node.SetAndObserveTransformNodeID(None)
    drawn_on = node.GetNodeReference(_DRAWN_ON)
    if drawn_on is not None:
        set_reference(node, drawn_on)


def _lay(node: slicer.vtkMRMLSegmentationNode, t1: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Under the transform above the run's T1, which is what the Segment Editor takes intensities from then."""
    node.SetAndObserveTransformNodeID(t1.GetParentTransformNode().GetID())
    set_reference(node, t1)
