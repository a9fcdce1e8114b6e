"""The widget classes that live on `slicer`, as proxies; those without a stand-in say so when they are made."""

from __future__ import annotations

import types

from . import io_manager, layout_manager, modules, mrml_widgets, node_combo_box, node_combo_boxes, surface
from .application import qSlicerMainWindow
from .pythonqt import make_class

_UNLISTED = ("qMRMLSliceControllerWidget", "qMRMLTableWidget")


def stand_ins() -> dict[str, type]:
    """The PySide6 classes, by name."""
    found = {"qSlicerMainWindow": qSlicerMainWindow}
    for place in (io_manager, layout_manager, modules, mrml_widgets, node_combo_box, node_combo_boxes):
        found |= {
            name: cls
            for name, cls in vars(place).items()
            if name.startswith(("qMRML", "qSlicer")) and type(cls) is not str
        }
    return found


def build(qt: types.ModuleType) -> dict[str, type]:
    """Proxy classes by name."""
    from .qt_module import open_class

    classes = stand_ins()
    made = {}
    for name, own in surface.classes().items():
        if name.startswith("slicer."):
            base = qt.QWidget if own.inherits == "qt.QWidget" else qt.QObject
            made[own.short] = make_class(name, classes.get(own.short), (base,))
    for name in _UNLISTED:  # met as parts of listed widgets, never made by a panel
        open_class(classes[name], qt.QWidget)
    return made
