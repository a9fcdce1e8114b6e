"""Opening and saving scenes, and files by scripted readers, behind the names of qSlicerCoreIOManager; no other kind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox

from . import dialogs
from .special_members import NotStoodIn

_VOLUMES = 0.57  # what qSlicerVolumesReader, which is not here, claims of .nii.gz
_ERROR = 1  # as vtkMRMLMessageCollection counts


class ScriptedReader:
    """Of qSlicerScriptedFileReader what its Python half is given (Base/QTCore/qSlicerFileReader.h)."""

    def __init__(self, python: type) -> None:
        self.loadedNodes: list[str] = []
        self._messages = slicer.vtkMRMLMessageCollection()
        self.python = python(self)

    def userMessages(self) -> Any:
        return self._messages

    def confidence(self, path: str) -> float:
        """As Slicer takes it: what is no float counts as none."""
        given = self.python.canLoadFileConfidence(path)
        return given if type(given) is float else 0.0


class qSlicerIOManager(QObject):
    newFileLoaded = Signal(object)
    fileSaved = Signal(object)
    defaultSceneFileType = "MRML Scene (.mrml)"

    def __init__(self) -> None:
        super().__init__()
        self._readers: dict[str, ScriptedReader] = {}

    def register_reader(self, python: type) -> None:
        """As qSlicerScriptedLoadableModule::registerIO does for a module that has a class of that name."""
        reader = ScriptedReader(python)
        self._readers[reader.python.fileType()] = reader

    def registeredFileReaderCount(self, kind: str) -> int:
        return int(kind in self._readers)

    def fileType(self, name: str) -> str:
        if str(name).lower().endswith((".mrb", ".mrml")):
            return "SceneFile"
        sure = {kind: reader.confidence(str(name)) for kind, reader in self._readers.items()}
        best = max(sure, key=sure.__getitem__, default="NoFile")
        return best if sure.get(best, 0.0) > _VOLUMES else "NoFile"

    def loadNodes(self, kind: str, properties: dict, loaded: Any = None, messages: Any = None) -> bool:
        if kind in self._readers:
            return self._read(self._readers[kind], properties, loaded, messages)
        _scenes_alone(kind)
        path, scene = str(properties["fileName"]), slicer.mrmlScene
        bundled = path.endswith(".mrb")
        if not Path(path).is_file():
            if messages is not None:
                messages.AddMessage(_ERROR, f"no such file: {path}")
            return False
        if bundled:
            folder = tempfile.mkdtemp(dir=slicer.app.temporaryPath)
            slicer.app.applicationLogic().Unzip(path, folder)
            path = str(next(Path(folder).rglob("*.mrml")))
        scene.SetURL(path)
        if properties.get("clear"):
            scene.Connect()
        else:
            scene.Import()
        if bundled:
            scene.SetStorableNodesModifiedSinceRead()  # as vtkMRMLScene::ReadFromMRB: the bundle is no file of a node
        return True

    def _read(self, reader: ScriptedReader, properties: dict, loaded: Any, messages: Any) -> bool:
        reader.userMessages().ClearMessages()
        done = reader.confidence(str(properties["fileName"])) > 0 and reader.python.load(dict(properties)) is True
        if messages is not None:
            messages.AddMessages(reader.userMessages())
        for node_id in reader.loadedNodes if done and loaded is not None else ():
            loaded.AddItem(slicer.mrmlScene.GetNodeByID(node_id))
        return done

    def openSaveDataDialog(self) -> bool:
        """Whether the user has saved: a test answers it as a message box, by default with OK."""
        return dialogs.answer_text("qSlicerSaveDataDialog", (None, "Save", "")) == QMessageBox.StandardButton.Ok.value

    def saveNodes(self, kind: str, properties: dict, _messages: Any = None, scene: Any = None) -> bool:
        _scenes_alone(kind)
        path, scene = str(properties["fileName"]), scene or slicer.mrmlScene
        if path.endswith(".mrb"):
            return bool(scene.WriteToMRB(path))
        scene.SetURL(path)
        return bool(scene.Commit(path))


def _scenes_alone(kind: str) -> None:
    if kind != "SceneFile":
        raise NotStoodIn(f"Slicer loads and saves {kind}, but the harness does scenes and scripted readers alone.")
