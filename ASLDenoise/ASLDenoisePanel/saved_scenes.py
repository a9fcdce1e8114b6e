"""Opening a saved scene in the place of the one that is open, which is not thrown away unasked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _
from vtk import vtkCollection


def stampsOf(scene) -> dict:
    """What the data in a scene are like, and the name, by the IDs of their nodes; another stamp is other data.

    Slicer's own mark serves for files alone: a scene that comes from a bundle has all its nodes marked as modified
    (vtkMRMLScene::ReadFromMRB).
    """
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene)
    nodes = slicer.util.getNodesByClass("vtkMRMLStorableNode", scene)
    nodes = [node for node in nodes if not node.GetHideFromEditors() and not _madeToLookAt(node)]
    browsed = {node.GetID() for node in nodes for each in browsers if each.IsProxyNode(node.GetID())}
    return {node.GetID(): (_stamp(node), node.GetName()) for node in nodes if node.GetID() not in browsed}


def unsavedIn(scene, opened=None) -> list[str]:
    """The names of what is lost when a scene is closed as it is.

    Args:
        scene: the scene.
        opened: where it was opened from a file, or saved since, `stampsOf` it as they were then: changed is what has
            other data since, is new or gone, not what is looked at another way. None: as Slicer itself counts
            (qSlicerMainWindow::isSceneContentModifiedSinceRead), to which a look is a change.
    """
    if opened is not None:
        now = stampsOf(scene)
        other = [key for key in {**now, **opened} if opened.get(key, ("",))[0] != now.get(key, ("",))[0]]
        return [{**opened, **now}[key][1] or key for key in other if _isUnsaved(scene.GetNodeByID(key))]
    data, nodes = vtkCollection(), vtkCollection()
    scene.GetStorableNodesModifiedSinceRead(data)
    scene.GetModifiedSinceRead(nodes)
    found = [each.GetItemAsObject(number) for each in (data, nodes) for number in range(each.GetNumberOfItems())]
    return list(dict.fromkeys(node.GetName() or node.GetID() or node.GetClassName() for node in found))


def mayClose(scene, opened, title) -> bool:
    """Whether a scene may be closed: nothing is lost, or the user says so, or has saved it.

    Args:
        scene, opened: as `unsavedIn`.
        title: what is opened in its place.
    """
    changes = unsavedIn(scene, opened)
    if not changes:
        return True
    text = _("The scene has changes that are not saved. It is closed when {title} is opened: save it before?")
    answer = slicer.util.messageBox(
        text.format(title=title),
        windowTitle=_("Save before closing scene?"),
        icon=qt.QMessageBox.Question,
        standardButtons=qt.QMessageBox.Save | qt.QMessageBox.Discard | qt.QMessageBox.Cancel,
        detailedText="\n".join([_("Changed:"), *(f"- {name}" for name in changes)]),
    )
    if answer == qt.QMessageBox.Save:
        return bool(slicer.util.openSaveDataDialog())
    return answer == qt.QMessageBox.Discard


def problemOf(path) -> str:
    """Why a bundle cannot be a scene, before another is closed for it; empty where it can be."""
    try:
        with zipfile.ZipFile(path) as bundle:
            whole = any(name.lower().endswith(".mrml") for name in bundle.namelist())
    except (OSError, zipfile.BadZipFile):
        whole = False
    return (
        ""
        if whole
        else _("{file} is no scene, or only a part of one: run the scan again.").format(file=Path(path).name)
    )


def openInPlace(path) -> None:
    """Close the scene and open a saved one.

    Raises:
        RuntimeError: it could not be opened, or not all of it.
    """
    with slicer.util.WaitCursor():
        slicer.util.loadScene(str(path), {"clear": True})


def _madeToLookAt(node) -> bool:
    """Whether it is an image that the panel makes of others, to show it."""
    from ASLDenoiseLib.scene.display import DERIVED_ATTRIBUTE, PAIR_ATTRIBUTE

    return any(node.GetAttribute(name) for name in (DERIVED_ATTRIBUTE, PAIR_ATTRIBUTE))


def _stamp(node) -> tuple:
    """What of a node its file would hold, as numbers and words that differ where that does."""
    if node.IsA("vtkMRMLSegmentationNode"):
        drawn, kind = node.GetSegmentation(), node.GetSegmentation().GetSourceRepresentationName()
        segments = [(key, drawn.GetSegment(key)) for key in drawn.GetSegmentIDs()]
        shapes = [(key, segment.GetName(), segment.GetRepresentation(kind)) for key, segment in segments]
        return tuple((key, name, None if shape is None else shape.GetMTime()) for key, name, shape in shapes)
    if node.IsA("vtkMRMLTransformNode") and node.IsLinear():
        return tuple(slicer.util.arrayFromTransformMatrix(node).ravel().tolist())
    if node.IsA("vtkMRMLVolumeNode"):
        data = node.GetImageData()
        return (*node.GetOrigin(), *node.GetSpacing(), None if data is None else data.GetMTime())
    if node.IsA("vtkMRMLTableNode"):
        return (None if node.GetTable() is None else node.GetTable().GetMTime(),)
    return (node.GetText(),) if node.IsA("vtkMRMLTextNode") else (node.GetMTime(),)


def _isUnsaved(node) -> bool:
    """Whether no file holds it as it is; one that is gone from the scene is in none that is saved now."""
    return node is None or node.GetModifiedSinceRead()
