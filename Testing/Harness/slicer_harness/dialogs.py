"""Dialogs that a test answers: nothing blocks, everything that was asked and said is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6 import QtWidgets

from .conversion import wrap
from .proxy import cpp_of
from .pythonqt import PythonQtObject


@dataclass(frozen=True)
class Shown:
    """A dialog as the user would have seen it."""

    kind: str
    text: str
    title: str = ""
    details: str = ""


shown: list[Shown] = []
"""Every dialog so far, oldest first."""

opened_urls: list[str] = []
"""What QDesktopServices was asked to open."""

paths: list[str] = []
"""Answers to file dialogs, taken in order; empty where the user would have cancelled."""

_answers: list[Callable[[QtWidgets.QDialog], int] | int] = []
_actions: list[str] = []


def answers(*values: Any) -> None:
    """What the next dialogs return: a button (`qt.QMessageBox.Yes`), or a function of the dialog's proxy."""
    _answers.extend(values)


def actions(*texts: str) -> None:
    """Which entry the next pop-up menus trigger, by text."""
    _actions.extend(texts)


def forget() -> None:
    """No dialog was shown and none will be answered."""
    for kept in (shown, opened_urls, paths, _answers, _actions):
        kept.clear()


def answer(dialog: PythonQtObject) -> int:
    """The next answer; without one a message box takes its default, any other dialog is rejected."""
    cpp = cpp_of(dialog)
    is_box = isinstance(cpp, QtWidgets.QMessageBox)
    text = cpp.text() if is_box else " / ".join(label.text() for label in cpp.findChildren(QtWidgets.QLabel))
    details = cpp.detailedText() if is_box else ""
    shown.append(Shown(type(dialog).__name__, text, cpp.windowTitle(), details))
    if _answers:
        value = _answers.pop(0)
        return int(value(dialog) if callable(value) else value)
    if is_box:
        default = cpp.defaultButton()
        return int(cpp.standardButton(default).value if default else QtWidgets.QMessageBox.StandardButton.Cancel.value)
    return int(QtWidgets.QDialog.DialogCode.Rejected)


def answer_text(kind: str, arguments: tuple) -> int:
    """The static message boxes: `information(parent, title, text)`."""
    title, text = (*arguments[1:3], "", "")[:2]
    shown.append(Shown(kind, str(text), str(title)))
    if _answers:
        value = _answers.pop(0)
        return int(value(None) if callable(value) else value)
    return int(QtWidgets.QMessageBox.StandardButton.Ok.value)


def chosen_path(kind: str, arguments: tuple) -> str:
    shown.append(Shown(kind, " / ".join(str(a) for a in arguments[1:] if isinstance(a, str))))
    return paths.pop(0) if paths else ""


def choose_action(menu: PythonQtObject) -> Any:
    """Trigger the entry that the test named; None where it named none."""
    entries = [a for a in cpp_of(menu).actions() if not a.isSeparator()]
    shown.append(Shown("QMenu", " / ".join(a.text() for a in entries)))
    if not _actions:
        return None
    wanted = _actions.pop(0)
    action = next(a for a in entries if a.text() == wanted)
    action.trigger()
    return wrap(action)
