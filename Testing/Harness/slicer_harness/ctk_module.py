"""The `ctk` module: every listed CTK class; those without a stand-in here say so when they are made."""

from __future__ import annotations

import types

from . import ctk_buttons, ctk_numbers, ctk_paths, surface
from .pythonqt import make_class


def stand_ins() -> dict[str, type]:
    """The PySide6 classes that stand in for CTK's, by name."""
    found = {}
    for module in (ctk_buttons, ctk_numbers, ctk_paths):
        found |= {name: cls for name, cls in vars(module).items() if name.startswith("ctk") and isinstance(cls, type)}
    return found


def build(qt: types.ModuleType) -> types.ModuleType:
    """A fresh `ctk` module on the classes of `qt`."""
    module, classes = types.ModuleType("ctk", "Stand-in for Slicer's ctk module."), stand_ins()
    for name in surface.classes():
        if name.startswith("ctk."):
            short = name.split(".")[1]
            setattr(module, short, make_class(name, classes.get(short), (qt.QWidget,)))
    return module
