"""Pictures of widgets, off screen, with letters that can be read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from .proxy import cpp_of
from .pythonqt import PythonQtObject

FAMILY = "DejaVu Sans"
_DARK = {  # as Slicer's own dark style has them, near enough (Base/QTGUI/qSlicerStyle)
    QPalette.ColorRole.Window: "#323232",
    QPalette.ColorRole.WindowText: "#ffffff",
    QPalette.ColorRole.Base: "#3c3c3c",
    QPalette.ColorRole.AlternateBase: "#454545",
    QPalette.ColorRole.ToolTipBase: "#ffffdc",
    QPalette.ColorRole.ToolTipText: "#000000",
    QPalette.ColorRole.Text: "#ffffff",
    QPalette.ColorRole.Button: "#464646",
    QPalette.ColorRole.ButtonText: "#ffffff",
    QPalette.ColorRole.Light: "#646464",
    QPalette.ColorRole.Midlight: "#505050",
    QPalette.ColorRole.Dark: "#1e1e1e",
    QPalette.ColorRole.Mid: "#282828",
    QPalette.ColorRole.Highlight: "#4b6a91",
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.PlaceholderText: "#a0a0a0",
    QPalette.ColorRole.Link: "#8ab4f8",
}
_DIMMED = (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText)


def wear(*, dark: bool) -> None:
    """Give the application a light or a dark palette; the light one is Qt's own."""
    palette = QApplication.style().standardPalette()
    for role, colour in _DARK.items() if dark else ():
        palette.setColor(role, QColor(colour))
        if role in _DIMMED:
            palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#808080"))
    QApplication.setPalette(palette)
    for widget in QApplication.allWidgets():  # what has a style sheet of its own keeps the colours that it was made in
        sheet = widget.styleSheet()
        if sheet:
            widget.setStyleSheet("")
            widget.setStyleSheet(sheet)


def have_a_font() -> None:
    """One family everywhere, so that pictures compare: the system's, or the one that matplotlib brings along.

    The names of families are no proof of letters: fontconfig lists `Sans Serif` where there is no font at all.
    """
    if FAMILY not in QFontDatabase.families():
        place = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
        for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf"):
            QFontDatabase.addApplicationFont(str(place / name))
    QApplication.setFont(QFont(FAMILY, 9))


def photograph(widget: Any, path: str | Path, *, width: int = 400, height: int | None = None) -> Path:
    """Write a PNG of a widget at this width, as high as its contents need (or as said); returns the path.

    A widget that cannot be as narrow as that is pictured at its least width: measure the picture to find out.
    """
    cpp: QWidget = cpp_of(widget) if isinstance(widget, PythonQtObject) else widget
    cpp.resize(width, height or 10)
    cpp.show()
    for _ in range(3):  # height follows width, and text follows height
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        QApplication.processEvents()
        cpp.resize(QSize(width, height or _needed_height(cpp, width)))
    QApplication.processEvents()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not cpp.grab().save(str(path)):
        raise OSError(f"the picture could not be written to {path}")
    return Path(path)


def _needed_height(widget: QWidget, width: int) -> int:
    """As high as its contents, those that a scroll area hides included."""
    for area in widget.findChildren(QScrollArea):
        contents = area.widget()
        if contents is not None and contents.layout() is not None and area.isVisible():
            bar = area.verticalScrollBar().sizeHint().width()
            inside = contents.layout().totalHeightForWidth(max(width - bar, contents.minimumWidth()))
            return widget.height() - area.height() + max(inside, contents.layout().totalMinimumSize().height())
    layout = widget.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return widget.sizeHint().height()
