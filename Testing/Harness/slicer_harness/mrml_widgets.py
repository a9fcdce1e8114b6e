"""Slicer's widgets that hold a scene: the plain one, and the frame round a module's panel."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QWidget


class qMRMLWidget(QWidget):
    """A widget that hands its scene on to those inside it."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The frame round a scripted module's widget; `self()` is the Python object inside."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._python: Any = None
        self._entered = False
        self._module_name = ""

    isEntered = Property(bool, lambda self: self._entered)
    moduleName = Property(str, lambda self: self._module_name)

    def hold(self, python: Any, module_name: str) -> None:
        """Keep the Python widget that lives in this frame."""
        self._python, self._module_name = python, module_name

    def self(self) -> Any:
        return self._python

    def enter(self) -> None:
        self._entered = True
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        self._entered = False
        if hasattr(self._python, "exit"):
            self._python.exit()

    def reload(self) -> None:
        import slicer

        slicer.util.reloadScriptedModule(self._module_name)
