"""`slicer.app`: one application with a real scene and logics, a main window, settings and an event loop."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from . import surface
from .conversion import wrap
from .io_manager import qSlicerIOManager
from .layout_manager import qSlicerLayoutManager
from .modules import LOGICS, CoreModule, Modules, qSlicerModuleManager
from .signals import guarded
from .special_members import NotStoodIn


class ModuleSelector:
    """The tool bar's module selector: entering and leaving panels."""

    def __init__(self) -> None:
        self.selectedModule = "Welcome"

    def selectModule(self, name: str) -> None:
        """Leave the module that is shown, and enter another."""
        for chosen, act in ((self.selectedModule, "exit"), (name, "enter")):
            module = slicer.app.moduleManager().module(chosen)
            if module is not None and hasattr(module, "widgetRepresentation"):
                getattr(module.widgetRepresentation(), act)()
        self.selectedModule = name


class qSlicerMainWindow(QtWidgets.QMainWindow):
    initialWindowShown = QtCore.Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self._selector = ModuleSelector()

    def moduleSelector(self) -> ModuleSelector:
        return self._selector


class CommandOptions:
    noMainWindow = False
    testingEnabled = False


class Application:
    """The names of `slicer.app` that a panel may use; others are refused."""

    applicationName = mainApplicationName = "Slicer"
    os = {"Linux": "linux", "Darwin": "macosx", "Windows": "win"}.get(platform.system(), "linux")
    arch = "amd64"
    platform = f"{os}-{arch}"

    def __init__(self, *, testing: bool, main_window: bool) -> None:
        version = surface.slicer_version()
        self.applicationVersion = version
        self.majorVersion, self.minorVersion = (int(part) for part in version.split(".")[:2])
        self._testing = testing
        self._folder = Path(tempfile.mkdtemp(prefix="slicer-harness-"))
        self.temporaryPath = str(self._folder / "temporary")
        self.slicerHome = str(self._folder)
        Path(self.temporaryPath).mkdir()
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        scope = QtCore.QSettings.Scope.UserScope
        QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, scope, str(self._folder))
        self._make_scene()
        self._manager = qSlicerModuleManager({name: CoreModule(name, logic) for name, logic in self._logics.items()})
        self._io = qSlicerIOManager()
        self._layouts = qSlicerLayoutManager(self._logic, self._scene)
        self._window = qSlicerMainWindow() if main_window else None
        self._at_startup: list[Callable[[], None]] = []

    def _make_scene(self) -> None:
        self._logic = slicer.vtkSlicerApplicationLogic()
        (self._folder / "share" / "ColorFiles").mkdir(parents=True)  # the colour logic looks for it
        self._logic.SetHomeDirectory(str(self._folder))
        self._logic.SetShareDirectory("share")
        self._logic.SetTemporaryPath(self.temporaryPath)
        self._scene = slicer.vtkMRMLScene()
        self._logic.SetMRMLScene(self._scene)
        self._logics = {}
        for name, class_name in LOGICS.items():
            logic = self._logics[name] = getattr(slicer, class_name)()
            logic.SetMRMLApplicationLogic(self._logic)
            logic.SetMRMLScene(self._scene)
            self._logic.SetModuleLogic(name, logic)

    def _make_modules(self) -> Modules:
        """What becomes `slicer.modules`."""
        modules = Modules()
        for name in self._logics:
            setattr(modules, name.lower(), self._manager.module(name))
        return modules

    def _register(self, name: str, module: Any) -> None:
        self._manager._modules[name] = module
        self._manager.moduleLoaded.emit(name)

    def _close(self) -> None:
        """Take everything down, the scene first."""
        for module in self._manager._modules.values():
            if hasattr(module, "widgetRepresentation"):
                self._manager.moduleAboutToBeUnloaded.emit(module.objectName() or module.name)
            if module.path:
                sys.modules.pop(module.name, None)  # the next installation runs the file anew
        self._layouts.close()
        self._scene.Clear(1)
        for name in reversed(list(self._logics)):
            self._logic.SetModuleLogic(name, None)
            self._logics.pop(name).SetMRMLApplicationLogic(None)
        self._logic.SetMRMLScene(None)
        if self._window is not None:
            self._window.deleteLater()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- what a panel calls -------------------------------------------------------------------------------------

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._logic

    def layoutManager(self) -> Any:
        return wrap(self._layouts)

    def moduleManager(self) -> Any:
        return wrap(self._manager)

    def coreIOManager(self) -> Any:
        return wrap(self._io)

    ioManager = coreIOManager

    def testingEnabled(self) -> bool:
        return self._testing

    def commandOptions(self) -> CommandOptions:
        return CommandOptions()

    def processEvents(self, *_arguments: Any) -> None:
        QtWidgets.QApplication.processEvents()

    def userSettings(self) -> Any:
        import qt

        return qt.QSettings()

    settings = userSettings

    def topLevelWidgets(self) -> tuple:
        return wrap([w for w in QtWidgets.QApplication.topLevelWidgets() if w is self._window or w.isVisible()])

    def clipboard(self) -> Any:
        return wrap(QtWidgets.QApplication.clipboard())

    def setOverrideCursor(self, cursor: Any) -> None:
        import qt

        qt.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def startupEnvironment(self) -> Any:
        """The environment that the launcher was started in; a test was started in this one."""
        return wrap(QtCore.QProcessEnvironment.systemEnvironment())

    def pauseRender(self) -> None:
        self._logic.PauseRender()

    def resumeRender(self) -> None:
        self._logic.ResumeRender()

    def connect(self, signal: str, function: Callable[[], None]) -> bool:
        if signal.split("(")[0] not in surface.application_names():
            raise ValueError(f"Signal '{signal}' does not exist on qSlicerApplication object")
        if signal == "startupCompleted()":
            self._at_startup.append(function)
        return True

    def disconnect(self, signal: str, function: Callable[[], None]) -> bool:
        connected = function in self._at_startup
        if connected:
            self._at_startup.remove(function)
        return connected

    def _complete_startup(self) -> None:
        """Call back those that waited for the start to be over."""
        waiting, self._at_startup = self._at_startup, []
        for function in waiting:
            guarded(function)()

    def __getattr__(self, name: str) -> Any:
        if name in surface.application_names():
            raise NotStoodIn(f"Slicer has slicer.app.{name}, but the harness does not stand in for it yet.")
        raise AttributeError(f"{name} does not exist on qSlicerApplication object: a real Slicer does not list it")
