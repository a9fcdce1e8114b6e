"""The guess which loaded nodes are the inputs, for selectors that the user has not touched."""

from __future__ import annotations

import math
import re

import slicer

from ASLDenoiseLib.scene.series import M0_ROLE, first_volume, volume_count

SERIES_CLASSES = ("vtkMRMLSequenceNode", "vtkMRMLMultiVolumeNode")
_T1_NAME = re.compile(r"(?<![a-z0-9])(t1w?|mp-?rage|mp2rage|spgr|bravo|tfe|anat)(?![a-z0-9])|t1w|mprage", re.I)
_NOT_T1_NAME = re.compile(r"t1[-_ ]?map|r1map|asl|cbf|perf|pcasl", re.I)
_M0_NAME = re.compile(r"(?<![a-z0-9])m0(scan)?(?![a-z0-9])|m0scan|calib", re.I)
_COARSEST_T1 = 8.0  # mm^3 a voxel: a T1 is finer than any ASL series


def newestSeries(scene):
    """The series that was loaded last: a sequence of at least two images, or a multi-volume; None for none."""
    nodes = [node for name in SERIES_CLASSES for node in slicer.util.getNodesByClass(name, scene)]
    usable = [node for node in nodes if volume_count(node) > 1 and _holdsImages(node)]
    return max(usable, key=_age, default=None)


def likelyT1(scene):
    """The volume whose name and voxels are those of a T1, the newest of several; None where there is none."""
    found = [
        node
        for node in _ownVolumes(scene)
        if _T1_NAME.search(node.GetName() or "")
        and not _NOT_T1_NAME.search(node.GetName() or "")
        and math.prod(node.GetSpacing()) <= _COARSEST_T1
        and min(node.GetImageData().GetDimensions()) > 8
    ]
    return max(found, key=_age, default=None)


def likelyM0(scene, series):
    """The M0 that the series names, else a volume named so on its grid; None where there is none."""
    if series is None:
        return None
    if series.GetNodeReference(M0_ROLE) is not None:
        return series.GetNodeReference(M0_ROLE)
    first = first_volume(series)
    size = first.GetImageData().GetDimensions() if first is not None else ()
    named = [node for node in _ownVolumes(scene) if _M0_NAME.search(node.GetName() or "")]
    found = [node for node in named if node.GetImageData().GetDimensions() == size]
    return max(found, key=_age, default=None)


def likelySegmentation(scene):
    """The only segmentation that the user made or loaded; None where there is none, or more than one."""
    found = [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene) if not _isOutput(node)]
    return found[0] if len(found) == 1 and found[0].GetSegmentation().GetNumberOfSegments() else None


def madeVolumes(scene) -> list:
    """The volumes that are no input of a run: results of one, and what a sequence shows."""
    shown = _shown(scene)
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    return [node for node in volumes if node in shown or _isOutput(node)]


def _shown(scene) -> set:
    """The volumes by which sequences show their images."""
    return {
        browser.GetProxyNode(browser.GetMasterSequenceNode())
        for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene)
        if browser.GetMasterSequenceNode() is not None
    }


def _ownVolumes(scene) -> list:
    """Volumes with voxels that are neither results of a run nor what a sequence shows."""
    shown = _shown(scene)
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    return [
        node
        for node in volumes
        if not node.IsA("vtkMRMLLabelMapVolumeNode")
        and node not in shown
        and not _isOutput(node)
        and node.GetImageData() is not None
        and node.GetImageData().GetNumberOfPoints() > 0
    ]


def _isOutput(node) -> bool:
    """Whether the node is the output of a run."""
    from ASLDenoiseLib.scene.hierarchy import RUN_ATTRIBUTE, hierarchy
    from ASLDenoiseLib.scene.present import MAP_ATTRIBUTE

    if node.GetAttribute(MAP_ATTRIBUTE):
        return True
    tree = hierarchy(node.GetScene())
    item = tree.GetItemByDataNode(node) if tree is not None else 0
    folder = tree.GetItemParent(item) if item else 0
    return bool(folder and tree.GetItemAttribute(folder, RUN_ATTRIBUTE))


def _holdsImages(node) -> bool:
    if not node.IsA("vtkMRMLSequenceNode"):
        return True
    first = node.GetNthDataNode(0)
    return first is not None and first.IsA("vtkMRMLScalarVolumeNode")


def _age(node) -> int:
    """The place of a node in its scene: later ones were added later."""
    scene = node.GetScene()
    return next(i for i in range(scene.GetNumberOfNodes()) if scene.GetNthNode(i) is node)
