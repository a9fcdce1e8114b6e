"""Loading and saving through the real storage nodes, behind the names of qSlicerCoreIOManager."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QObject, Signal

_TYPES = {
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".seq.nrrd": "SequenceFile",
    ".nii.gz": "VolumeFile",
    ".nii": "VolumeFile",
    ".nrrd": "VolumeFile",
    ".tsv": "TableFile",
    ".csv": "TableFile",
}


class qSlicerIOManager(QObject):
    newFileLoaded = Signal(object)
    fileSaved = Signal(object)
    defaultSceneFileType = "MRML Scene (.mrml)"

    def fileType(self, name: str) -> str:
        return next((kind for end, kind in _TYPES.items() if str(name).lower().endswith(end)), "NoFile")

    def loadNodes(self, kind: str, properties: dict, loaded: Any = None, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if not Path(path).is_file():
            if messages is not None:
                messages.AddMessage(slicer.vtkMRMLMessageCollection.ErrorEvent if False else 1, f"no such file: {path}")
            return False
        loader = {
            "VolumeFile": self._volume,
            "SequenceFile": self._sequence,
            "SegmentationFile": self._segmentation,
            "TableFile": self._table,
            "SceneFile": self._scene,
        }[kind]
        nodes = loader(path, properties)
        for node in nodes:
            if properties.get("name"):
                node.SetName(properties["name"])
            if loaded is not None:
                loaded.AddItem(node)
        return bool(nodes) or kind == "SceneFile"

    def _named(self, path: str) -> str:
        return Path(path).name.split(".")[0]

    def _volume(self, path: str, properties: dict) -> list[Any]:
        options = 1 if properties.get("labelmap") else 0
        node = slicer.modules.volumes.logic().AddArchetypeVolume(path, self._named(path), options)
        return [] if node is None else [node]

    def _sequence(self, path: str, properties: dict) -> list[Any]:
        scene = slicer.mrmlScene
        node = scene.AddNewNodeByClass("vtkMRMLSequenceNode", self._named(path))
        storage = slicer.vtkMRMLVolumeSequenceStorageNode()
        storage.SetFileName(path)
        if not storage.ReadData(node):
            scene.RemoveNode(node)
            return []
        browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{node.GetName()} browser")
        browser.SetAndObserveMasterSequenceNodeID(node.GetID())
        slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
        return [node]

    def _stored(self, path: str, node_class: str) -> list[Any]:
        node = slicer.mrmlScene.AddNewNodeByClass(node_class, self._named(path))
        node.AddDefaultStorageNode(path)
        if not node.GetStorageNode().ReadData(node):
            slicer.mrmlScene.RemoveNode(node)
            return []
        return [node]

    def _segmentation(self, path: str, properties: dict) -> list[Any]:
        return self._stored(path, "vtkMRMLSegmentationNode")

    def _table(self, path: str, properties: dict) -> list[Any]:
        return self._stored(path, "vtkMRMLTableNode")

    def _scene(self, path: str, properties: dict) -> list[Any]:
        scene = slicer.mrmlScene
        if path.endswith(".mrb"):
            folder = tempfile.mkdtemp(dir=slicer.app.temporaryPath)
            slicer.app.applicationLogic().Unzip(path, folder)
            path = str(next(Path(folder).rglob("*.mrml")))
        scene.SetURL(path)
        if properties.get("clear"):
            scene.Connect()
        else:
            scene.Import()
        return []

    def saveNodes(self, kind: str, properties: dict, messages: Any = None, scene: Any = None) -> bool:
        path, scene = str(properties["fileName"]), scene or slicer.mrmlScene
        if kind == "SceneFile" and path.endswith(".mrb"):
            return bool(scene.WriteToMRB(path))
        if kind == "SceneFile":
            scene.SetURL(path)
            return bool(scene.Commit(path))
        node = scene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode(path)
        node.GetStorageNode().SetFileName(path)
        return bool(node.GetStorageNode().WriteData(node))

    def fileWriterFileType(self, node: Any) -> str:
        return "VolumeFile" if node.IsA("vtkMRMLVolumeNode") else "NodeFile"
