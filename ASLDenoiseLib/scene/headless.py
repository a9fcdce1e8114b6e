"""The scene the rest of this room works on: Slicer's own, or one made here from slicer-core where no Slicer runs."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
    """What must outlive a scene made here; the scene itself holds none of it."""

    scene: slicer.vtkMRMLScene
    application: slicer.vtkSlicerApplicationLogic
    logics: dict[str, object]
    folder: Path


_held: list[_SceneResources] = []


def running_slicer() -> bool:
    """Whether this is inside a Slicer application, with its own scene and logics, and not plain slicer-core."""
    import slicer

    return getattr(slicer, "app", None) is not None


def make_scene() -> slicer.vtkMRMLScene:
    """A scene with its Colors, Volumes, Segmentations, SubjectHierarchy and Sequences logics, as `slicer.mrmlScene`.

    Inside a running Slicer this is the application's own scene, untouched. Elsewhere the scene is new; end it with
    `close_scene`, or leave it to the end of the process.
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
    _held.append(_SceneResources(scene, application, logics, folder))
    slicer.mrmlScene = scene
    return scene


def current_scene() -> slicer.vtkMRMLScene:
    """`slicer.mrmlScene`; made by `make_scene` where there is none yet."""
    import slicer

    scene = getattr(slicer, "mrmlScene", None)
    return make_scene() if scene is None else scene


def module_logic(scene: slicer.vtkMRMLScene, name: str) -> object | None:
    """The logic of a module ("Colors", "Sequences", ...) that serves `scene`, or None."""
    import slicer

    if running_slicer():
        module = getattr(slicer.modules, name.lower(), None)
        return None if module is None else module.logic()
    held = _find(scene)
    return None if held is None else held.logics.get(name)


def application_logic(scene: slicer.vtkMRMLScene) -> object | None:
    """The application logic that serves `scene`, or None."""
    import slicer

    if running_slicer():
        return slicer.app.applicationLogic()
    held = _find(scene)
    return None if held is None else held.application


def close_scene(scene: slicer.vtkMRMLScene) -> None:
    """Take down a scene made by `make_scene`: nodes, logics and temporary files. Others are left alone."""
    import slicer

    held = _find(scene)
    if held is None:
        return
    _held.remove(held)
    if getattr(slicer, "mrmlScene", None) is scene:
        slicer.mrmlScene = _held[-1].scene if _held else None
    scene.Clear(1)
    for name in reversed(list(held.logics)):
        held.application.SetModuleLogic(name, None)
        held.logics.pop(name).SetMRMLApplicationLogic(None)
    held.application.SetMRMLScene(None)
    shutil.rmtree(held.folder, ignore_errors=True)


@contextmanager
def headless_scene() -> Iterator[slicer.vtkMRMLScene]:
    """`make_scene` for the length of a with statement."""
    scene = make_scene()
    try:
        yield scene
    finally:
        close_scene(scene)


def _find(scene: slicer.vtkMRMLScene) -> _SceneResources | None:
    return next((held for held in _held if held.scene is scene), None)


@atexit.register
def _close_all() -> None:
    for held in list(_held):
        close_scene(held.scene)
