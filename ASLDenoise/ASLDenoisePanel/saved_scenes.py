"""Opening a saved scene in the place of the one that is open, which is not thrown away unasked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _
from vtk import vtkCollection


def nodesWithFiles(scene) -> frozenset:
    """The IDs of the nodes of a scene whose data a file may hold."""
    return frozenset(node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLStorableNode", scene))


def unsavedIn(scene, opened=None) -> list[str]:
    """The names of what is lost when a scene is closed as it is.

    Args:
        scene: the scene.
        opened: where it was opened from a file, `nodesWithFiles` as they were then: changed is what is new since, or
            has other data, not what is looked at another way. None: as Slicer itself counts
            (qSlicerMainWindow::isSceneContentModifiedSinceRead), to which a look is a change.
    """
    data, nodes = vtkCollection(), vtkCollection()
    scene.GetStorableNodesModifiedSinceRead(data)
    found = [data.GetItemAsObject(number) for number in range(data.GetNumberOfItems())]
    if opened is None:
        scene.GetModifiedSinceRead(nodes)
        found += [nodes.GetItemAsObject(number) for number in range(nodes.GetNumberOfItems())]
    else:
        there = slicer.util.getNodesByClass("vtkMRMLStorableNode", scene)
        found += [node for node in there if node.GetID() not in opened and not node.GetHideFromEditors()]
        found = [node for node in found if not _madeToLookAt(node)]
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
