"""Pictures of widgets, off screen, with letters that can be read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QWidget

from .proxy import cpp_of
from .pythonqt import PythonQtObject

FAMILY = "DejaVu Sans"


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
    layout = widget.layout()
    if layout is not None and layout.hasHeightForWidth():
        return layout.totalHeightForWidth(width)
    return widget.sizeHint().height()
