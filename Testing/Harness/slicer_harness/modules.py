"""`slicer.modules` and the module manager: real logics of Slicer's own modules, and scripted modules from files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QVBoxLayout

from . import surface
from .conversion import wrap
from .proxy import cpp_of
from .stored import stored

# Module name, and the class of its logic in slicer-core.
LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Texts": "vtkSlicerTextsLogic",
}


class CoreModule:
    """One of Slicer's own modules: its name and its logic."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title, self.path, self._logic = name, name, "", logic

    def logic(self) -> Any:
        return self._logic


class qSlicerScriptedLoadableModule(QObject):
    """A scripted module: what it says of itself, where it is, and its one panel."""

    title = stored(str, "title", "")
    categories = stored("QStringList", "categories", [])
    dependencies = stored("QStringList", "dependencies", [])
    contributors = stored("QStringList", "contributors", [])
    helpText = stored(str, "helpText", "")
    acknowledgementText = stored(str, "acknowledgementText", "")
    associatedNodeTypes = stored("QStringList", "associatedNodeTypes", [])
    icon = stored(QIcon, "icon", QIcon())
    hidden = stored(bool, "hidden", False)
    index = stored(int, "index", -1)
    widgetRepresentationCreationEnabled = stored(bool, "widgetRepresentationCreationEnabled", True)
    path = Property(str, lambda self: self._path)
    name = Property(str, lambda self: self._name)

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self._path, self._name = path, Path(path).stem
        self._widget: Any = None

    def logic(self) -> Any:
        """A scripted module's C++ logic is empty."""
        return None

    def widgetRepresentation(self) -> Any:
        """The module's own panel, made when it is first asked for."""
        if self._widget is None:
            self._widget = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self) -> Any:
        frame = slicer.qSlicerScriptedLoadableModuleWidget()
        cpp = cpp_of(frame)
        QVBoxLayout(cpp)
        cpp.reload = lambda: self._instantiate(frame)
        cpp.setMRMLScene(slicer.mrmlScene)
        self._instantiate(frame)
        return cpp

    def _instantiate(self, frame: Any) -> None:
        """A new Python half in the frame, set up; `slicer.modules.<Name>Widget` is it from now on."""
        python = getattr(sys.modules[self._name], f"{self._name}Widget")(frame)
        cpp_of(frame).hold(python, self._name)
        setattr(slicer.modules, f"{self._name}Widget", python)
        python.setup()


class qSlicerModuleManager(QObject):
    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)

    def __init__(self, modules: dict[str, Any]) -> None:
        super().__init__()
        self._modules = modules

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)


class Modules:
    """`slicer.modules`: each by its name in lower case, and the instances that scripted modules leave there."""

    def __getattr__(self, name: str) -> Any:
        known = name in surface.module_names()
        why = "the harness does not stand in for it" if known else "no module of that name is loaded"
        raise AttributeError(f"module 'slicer.modules' has no attribute '{name}': {why}")


def load_scripted_module(path: Path) -> Any:
    """Run a module's file as the module factory does; returns the module object, which `slicer.modules` has, too."""
    name = path.stem
    sys.modules.pop(name, None)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    python = importlib.util.module_from_spec(spec)
    sys.modules[name] = python
    spec.loader.exec_module(python)
    module = wrap(qSlicerScriptedLoadableModule(str(path)))
    setattr(slicer.modules, f"{name}Instance", getattr(python, name)(module))
    setattr(slicer.modules, name.lower(), module)
    if hasattr(python, f"{name}FileReader"):
        cpp_of(slicer.app.ioManager()).register_reader(getattr(python, f"{name}FileReader"))
    slicer.app._register(name, cpp_of(module))
    slicer.app._complete_startup()
    return module
