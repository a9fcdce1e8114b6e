"""Single members that differ between PySide6 and what PythonQt on Qt 5 was seen to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtGui

from . import dialogs
from .conversion import call, unwrap, wrap
from .members import connect_signal, disconnect_signal
from .proxy import cpp_of, surface_class
from .pythonqt import PythonQtObject
from .signals import guarded
from .special_members import method_of, registry, setter_of
from .tool_tips import rich_tool_tip

# --- every QObject --------------------------------------------------------------------------------------------------


@method_of("QObject")
def connect(self: PythonQtObject, signal: str, function: Callable[..., Any]) -> bool:
    return connect_signal(self, signal, function)


@method_of("QObject")
def disconnect(self: PythonQtObject, signal: str, function: Callable[..., Any] | None = None) -> bool:
    return disconnect_signal(self, signal, function)


@method_of("PythonQtObject", "QObject")
def className(self: PythonQtObject) -> str:
    return surface_class(type(self)).__name__


@method_of("QObject")
def inherits(self: PythonQtObject, name: str) -> bool:
    return any(base.__name__ == name for base in type(self).__mro__) or bool(cpp_of(self).inherits(name))


@method_of("QObject")
def findChildren(self: PythonQtObject, kind: Any = None, name: str | None = None) -> list[PythonQtObject]:
    """Children of a Qt class, or of a class by name; a list, as PythonQt's own decorator returns."""
    children = [wrap(child) for child in cpp_of(self).findChildren(QtCore.QObject)]
    return [child for child in children if _is_a(child, kind) and (name is None or cpp_of(child).objectName() == name)]


@method_of("QObject")
def findChild(self: PythonQtObject, kind: Any = None, name: str | None = None) -> PythonQtObject | None:
    return next(iter(findChildren(self, kind, name)), None)


def _is_a(child: PythonQtObject, kind: Any) -> bool:
    if kind is None:
        return True
    if isinstance(kind, str):
        return cpp_of(child).inherits(kind)
    return isinstance(cpp_of(child), kind._cpp_class)


@method_of("QObject")
def delete(self: PythonQtObject) -> None:
    import shiboken6

    shiboken6.delete(cpp_of(self))


# --- widgets --------------------------------------------------------------------------------------------------------


@setter_of("QWidget", "toolTip")
def set_tool_tip_property(self: PythonQtObject, text: Any) -> None:
    if not isinstance(text, str):
        raise ValueError(
            f"Property 'toolTip' of type 'QString' does not accept an object of type {type(text).__name__}"
        )
    cpp_of(self).setToolTip(rich_tool_tip(text))


@method_of("QWidget")
def setToolTip(self: PythonQtObject, text: str) -> None:
    set_tool_tip_property(self, text)


@method_of("QComboBox", "QMenu")
def addItem(self: PythonQtObject, *arguments: Any) -> None:
    """Any Python object may be an item's data, and comes back as it was."""
    cpp_of(self).addItem(*(a._cpp if isinstance(a, PythonQtObject) else a for a in arguments))


@method_of("QComboBox")
def findData(self: PythonQtObject, data: Any, *_rest: Any) -> int:
    box = cpp_of(self)
    return next((i for i in range(box.count()) if box.itemData(i) == data), -1)


@method_of("QDialog", "QMessageBox", "QFileDialog", "QProgressDialog", "ctkMessageBox", name="exec")
def exec_dialog(self: PythonQtObject) -> int:
    """Shown, and answered at once: a test has nobody who clicks. See `dialogs.answers`."""
    return dialogs.answer(self)


for _cls in ("QDialog", "QMessageBox", "QFileDialog", "QProgressDialog", "ctkMessageBox"):
    registry.methods[_cls, "exec_"] = exec_dialog


@method_of("QMenu", name="exec")
def exec_menu(self: PythonQtObject, *arguments: Any) -> Any:
    return dialogs.choose_action(self)


registry.methods["QMenu", "exec_"] = exec_menu


# --- timers, files, settings, printing --------------------------------------------------------------------------


@method_of("QTimer", name="static singleShot")
def single_shot(msec: int, function: Callable[..., Any]) -> None:
    QtCore.QTimer.singleShot(int(msec), guarded(function))


registry.methods["QTimer", "singleShot"] = lambda self, *arguments: single_shot(*arguments)


@method_of("QColor", name="name")
def color_name(self: PythonQtObject, form: int = 0) -> str:
    kind = QtGui.QColor.NameFormat
    return cpp_of(self).name(kind.HexArgb if int(form) else kind.HexRgb)


for _static in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):

    def _file_dialog(*arguments: Any, _kind: str = _static) -> str:
        return dialogs.chosen_path(_kind, arguments)

    registry.methods["QFileDialog", f"static {_static}"] = _file_dialog


@method_of("QFileDialog", name="static getOpenFileNames")
def get_open_file_names(*arguments: Any) -> tuple[str, ...]:
    path = dialogs.chosen_path("getOpenFileNames", arguments)
    return (path,) if path else ()


@method_of("QDesktopServices", name="static openUrl")
def open_url(url: PythonQtObject) -> bool:
    """Remembered, not opened: a test has no browser."""
    dialogs.opened_urls.append(cpp_of(url).toString())
    return True


for _static in ("critical", "information", "question", "warning"):

    def _message(*arguments: Any, _kind: str = _static) -> int:
        return dialogs.answer_text(_kind, arguments)

    registry.methods["QMessageBox", f"static {_static}"] = _message


_PAGE_SIZES = {"A4": QtGui.QPageSize.PageSizeId.A4, "Letter": QtGui.QPageSize.PageSizeId.Letter}


@method_of("QPrinter")
def setPageSize(self: PythonQtObject, size: Any) -> bool:
    """Qt 5 takes the printer's own enum, too."""
    kind = unwrap(size)
    return cpp_of(self).setPageSize(QtGui.QPageSize(_page_size(int(kind))) if isinstance(kind, int) else kind)


registry.methods["QPrinter", "setPaperSize"] = setPageSize


def _page_size(number: int) -> QtGui.QPageSize.PageSizeId:
    """Qt 5's numbers: 0 is A4, 2 Letter."""
    return _PAGE_SIZES[{0: "A4", 2: "Letter"}[number]]


@method_of("QPrinter")
def setPageMargins(self: PythonQtObject, *arguments: Any) -> Any:
    """Qt 5: left, top, right, bottom and QPrinter's unit (0 is millimetres)."""
    if len(arguments) == 5:
        left, top, right, bottom, unit = arguments
        if int(unit) != 0:
            raise ValueError("the harness knows margins in QPrinter.Millimeter alone")
        margins = QtCore.QMarginsF(left, top, right, bottom)
        return cpp_of(self).setPageMargins(margins, QtGui.QPageLayout.Unit.Millimeter)
    return call(cpp_of(self).setPageMargins, arguments, "setPageMargins()")
