"""Puts the stand-ins where a module looks for them, and takes them away again."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

_MISSING = object()
_SLICER_MODULES = {
    "i18n": "translations",
    "packaging": "packaging",
    "ScriptedLoadableModule": "scripted_module",
    "parameterNodeWrapper": "parameter_node",
}


def why_absent() -> str:
    """What the harness lacks here, in words; empty where it can run."""
    for module, package in (("PySide6.QtWidgets", "PySide6-Essentials"), ("slicer", "slicer-core")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        try:
            importlib.import_module(module)
        except ImportError as error:
            return f"the Slicer harness needs {package} ({error})"
    return ""


@dataclass
class Desktop:
    """A Slicer that is not one: its application, `qt` and `ctk`."""

    app: Any
    qt: Any
    ctk: Any


@contextmanager
def installed(*, testing: bool = False, main_window: bool = True) -> Iterator[Desktop]:
    """Have `qt`, `ctk` and the application's half of `slicer` for the length of a with statement.

    Args:
        testing: as Slicer's `--testing`: message boxes are then logged and not shown.
        main_window: whether there is one; without it, information and warnings are not shown.
    """
    import slicer

    qt_application()
    kept, app, path = _Kept(), None, list(sys.path)
    try:
        classes = _classes()
        kept.module("qt", classes.qt)
        kept.module("ctk", classes.ctk)
        for name, cls in classes.slicer.items():
            kept.attribute(slicer, name, cls)
        from .application import Application

        app = Application(testing=testing, main_window=main_window)
        kept.attribute(slicer, "app", app)
        kept.attribute(slicer, "mrmlScene", app.mrmlScene())
        kept.attribute(slicer, "modules", app._make_modules())
        kept.attribute(slicer, "selfTests", {})
        for name, source in _SLICER_MODULES.items():
            kept.module(f"slicer.{name}", importlib.import_module(f"slicer_harness.{source}"))
        yield Desktop(app, classes.qt, classes.ctk)
    finally:
        if app is not None:
            app._close()
        kept.restore()
        sys.path[:] = path


def qt_application() -> Any:
    """The one QApplication of the process, off screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from .photograph import have_a_font

    application = QApplication.instance() or QApplication(["slicer-harness"])
    application.setOrganizationName("slicer.org")
    application.setApplicationName("Slicer")
    have_a_font()
    return application


@dataclass
class _Classes:
    qt: Any
    ctk: Any
    slicer: dict[str, type]


@cache
def _classes() -> _Classes:
    """The widget classes, made once: modules that imported them keep them from one installation to the next."""
    from . import qt_module, ui_loader, widget_classes

    qt = qt_module.build()
    ui_loader.offer(widget_classes.stand_ins())
    return _Classes(qt, *widget_classes.build(qt))


class _Kept:
    """What was there before, so that it comes back."""

    def __init__(self) -> None:
        self._modules: dict[str, Any] = {}
        self._attributes: list[tuple[Any, str, Any]] = []

    def module(self, name: str, module: Any) -> None:
        self._modules.setdefault(name, sys.modules.get(name))
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            self.attribute(sys.modules[parent], child, module)

    def attribute(self, owner: Any, name: str, value: Any) -> None:
        self._attributes.append((owner, name, getattr(owner, name, _MISSING)))
        setattr(owner, name, value)

    def restore(self) -> None:
        for owner, name, value in reversed(self._attributes):
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        for name, module in self._modules.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
