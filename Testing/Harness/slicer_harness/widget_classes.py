"""The classes of `ctk` and of Slicer: proxies round the stand-ins written here."""

from __future__ import annotations

import types

from . import (
    ctk_boxes,
    ctk_numbers,
    ctk_paths,
    io_manager,
    layout_manager,
    modules,
    mrml_widgets,
    node_combo_box,
    plot_widgets,
    surface,
)
from .application import qSlicerMainWindow
from .pythonqt import make_class
from .qt_module import empty_module, open_class

_PLACES = (
    *(ctk_boxes, ctk_numbers, ctk_paths, io_manager, layout_manager, modules, mrml_widgets, node_combo_box),
    plot_widgets,
)
# Met as parts of listed widgets, never made by a panel.
_PARTS = ("ctkDoubleSlider", "ctkDoubleSpinBox")


def stand_ins() -> dict[str, type]:
    """The PySide6 classes that stand in for CTK's and Slicer's, by name."""
    found = {"qSlicerMainWindow": qSlicerMainWindow}
    for place in _PLACES:
        own = {name: cls for name, cls in vars(place).items() if isinstance(cls, type)}
        found |= {name: cls for name, cls in own.items() if name.startswith(("ctk", "qMRML", "qSlicer"))}
    return found


def build(qt: types.ModuleType) -> tuple[types.ModuleType, dict[str, type]]:
    """The `ctk` module, and by name the classes that live on `slicer`, on the classes of `qt`."""
    ctk, of_slicer, classes = empty_module("ctk"), {}, stand_ins()
    for name, own in surface.classes().items():
        if name.startswith("qt."):
            continue
        made = make_class(name, classes[own.short], (qt.QWidget if own.inherits == "qt.QWidget" else qt.QObject,))
        if name.startswith("ctk."):
            setattr(ctk, own.short, made)
        else:
            of_slicer[own.short] = made
    for name in _PARTS:
        open_class(classes[name], qt.QWidget)
    return ctk, of_slicer
