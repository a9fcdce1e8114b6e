"""Opening and saving scenes behind the names of qSlicerCoreIOManager; no other kind of file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QObject, Signal

from .special_members import NotStoodIn

_ERROR = 1  # as vtkMRMLMessageCollection counts


class qSlicerIOManager(QObject):
    newFileLoaded = Signal(object)
    fileSaved = Signal(object)
    defaultSceneFileType = "MRML Scene (.mrml)"

    def fileType(self, name: str) -> str:
        return "SceneFile" if str(name).lower().endswith((".mrb", ".mrml")) else "NoFile"

    def loadNodes(self, kind: str, properties: dict, _loaded: Any = None, messages: Any = None) -> bool:
        _scenes_alone(kind)
        path, scene = str(properties["fileName"]), slicer.mrmlScene
        if not Path(path).is_file():
            if messages is not None:
                messages.AddMessage(_ERROR, f"no such file: {path}")
            return False
        if path.endswith(".mrb"):
            folder = tempfile.mkdtemp(dir=slicer.app.temporaryPath)
            slicer.app.applicationLogic().Unzip(path, folder)
            path = str(next(Path(folder).rglob("*.mrml")))
        scene.SetURL(path)
        if properties.get("clear"):
            scene.Connect()
        else:
            scene.Import()
        return True

    def saveNodes(self, kind: str, properties: dict, _messages: Any = None, scene: Any = None) -> bool:
        _scenes_alone(kind)
        path, scene = str(properties["fileName"]), scene or slicer.mrmlScene
        if path.endswith(".mrb"):
            return bool(scene.WriteToMRB(path))
        scene.SetURL(path)
        return bool(scene.Commit(path))


def _scenes_alone(kind: str) -> None:
    if kind != "SceneFile":
        raise NotStoodIn(f"Slicer loads and saves {kind}, but the harness does scenes alone.")
