"""The MRML scene: Slicer's own, or one of slicer-core where no Slicer runs."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..moving import remove_folder

if TYPE_CHECKING:
    import slicer

_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
}


@dataclass(eq=False)
class _SceneResources:
    """The objects that must outlive a scene of `make_scene`, which keeps none of them."""

    scene: slicer.vtkMRMLScene
    application: slicer.vtkSlicerApplicationLogic
    logics: dict[str, object]
    folder: Path


_open: list[_SceneResources] = []


def running_slicer() -> bool:
    """Whether a Slicer application with its own scene and logics runs, not plain slicer-core."""
    import slicer

    return getattr(slicer, "app", None) is not None


def make_scene() -> slicer.vtkMRMLScene:
    """Return a new scene, also set as `slicer.mrmlScene`, with the logics of `_LOGICS`.

    Inside a running Slicer it is the application's own scene, untouched. End a new one with `close_scene`, or leave
    it to the end of the process.
    """
    import slicer

    if running_slicer():
        return slicer.mrmlScene
    folder = Path(tempfile.mkdtemp(prefix="ASLDenoise-scene-"))
    application = slicer.vtkSlicerApplicationLogic()
    # Without these folders the colour logic prints an error a scene; the wheel has no file colour tables anyway.
    (folder / "share" / "ColorFiles").mkdir(parents=True)
    application.SetHomeDirectory(str(folder))
    application.SetShareDirectory("share")
    application.SetTemporaryPath(str(folder))
    scene = slicer.vtkMRMLScene()
    application.SetMRMLScene(scene)
    logics = {}
    for name, class_name in _LOGICS.items():
        logic = getattr(slicer, class_name)()
        logic.SetMRMLApplicationLogic(application)
        logic.SetMRMLScene(scene)
        application.SetModuleLogic(name, logic)
        logics[name] = logic
    _open.append(_SceneResources(scene, application, logics, folder))
    slicer.mrmlScene = scene
    return scene


def current_scene() -> slicer.vtkMRMLScene:
    """`slicer.mrmlScene`, else a new scene of `make_scene`."""
    import slicer

    scene = getattr(slicer, "mrmlScene", None)
    return make_scene() if scene is None else scene


def module_logic(scene: slicer.vtkMRMLScene, name: str) -> object | None:
    """The logic of a module ("Colors", "Sequences", ...) that serves `scene`, or None."""
    import slicer

    if running_slicer():
        module = getattr(slicer.modules, name.lower(), None)
        return None if module is None else module.logic()
    resources = _find(scene)
    return None if resources is None else resources.logics.get(name)


def application_logic(scene: slicer.vtkMRMLScene) -> object | None:
    """The application logic that serves `scene`, or None."""
    import slicer

    if running_slicer():
        return slicer.app.applicationLogic()
    resources = _find(scene)
    return None if resources is None else resources.application


def close_scene(scene: slicer.vtkMRMLScene) -> None:
    """End a scene of `make_scene`: nodes, logics and temporary files. Others are left alone."""
    import slicer

    resources = _find(scene)
    if resources is None:
        return
    _open.remove(resources)
    if getattr(slicer, "mrmlScene", None) is scene:
        slicer.mrmlScene = _open[-1].scene if _open else None
    scene.Clear(1)
    for name in reversed(list(resources.logics)):
        resources.application.SetModuleLogic(name, None)
        resources.logics.pop(name).SetMRMLApplicationLogic(None)
    resources.application.SetMRMLScene(None)
    remove_folder(resources.folder)


@contextmanager
def headless_scene() -> Iterator[slicer.vtkMRMLScene]:
    """`make_scene` for the length of a with statement."""
    scene = make_scene()
    try:
        yield scene
    finally:
        close_scene(scene)


def _find(scene: slicer.vtkMRMLScene) -> _SceneResources | None:
    return next((resources for resources in _open if resources.scene is scene), None)


@atexit.register
def _close_all() -> None:
    for resources in list(_open):
        close_scene(resources.scene)
