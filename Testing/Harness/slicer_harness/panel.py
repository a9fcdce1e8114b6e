"""A module's panel, opened as Slicer opens it, and the means to drive it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QEvent, QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from .proxy import cpp_of
from .signals import SlotError, errors


@dataclass
class Panel:
    """An open panel.

    Attributes:
        module: the object in `slicer.modules`.
        frame: the qSlicerScriptedLoadableModuleWidget round the panel.
        opened_in: seconds from importing the file to the end of `enter`.
    """

    module: Any
    frame: Any
    opened_in: float

    @property
    def widget(self) -> Any:
        """The Python widget; another one after a reload."""
        return self.frame.self()

    @property
    def ui(self) -> Any:
        return self.widget.ui

    def close(self) -> None:
        """Leave the module and have it unloaded."""
        import slicer

        if self.frame.isEntered:
            self.frame.exit()
        slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.module.name)


def open_panel(path: str | Path, *, enter: bool = True) -> Panel:
    """Import a module's file afresh, make its panel and enter it."""
    from .conversion import wrap
    from .modules import load_scripted_module

    start = time.perf_counter()
    module = load_scripted_module(Path(path))
    frame = wrap(module.widgetRepresentation())
    if enter:
        frame.enter()
    return Panel(module, frame, time.perf_counter() - start)


def process_events(until: Callable[[], bool] | None = None, *, timeout: float = 10.0) -> bool:
    """Run the event loop until something is so; returns whether it was within `timeout` seconds.

    Without a condition, what is waiting is done once.
    """
    _once()
    if until is None:
        return True
    end = time.monotonic() + timeout
    while not until():
        if time.monotonic() > end:
            return False
        _once()
        time.sleep(0.002)
    return True


def _once() -> None:
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # what a running event loop would delete


def drop(widget: Any, *paths: str | Path) -> bool:
    """Drag files or folders onto a widget and drop them; returns whether it took both the drag and the drop."""
    cpp, data = cpp_of(widget), QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place, how = QPointF(5, 5), Qt.DropAction.CopyAction
    pressed = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    for event in (QDragEnterEvent(place.toPoint(), how, data, *pressed), QDropEvent(place, how, data, *pressed)):
        event.ignore()
        QApplication.sendEvent(cpp, event)
        if not event.isAccepted():
            return False
    return True


class Heartbeat:
    """The longest time, in seconds, for which the event loop did not come round; a QTimer measures it."""

    def __init__(self, interval_ms: int = 5) -> None:
        self._clock, self._timer, self._last = QElapsedTimer(), QTimer(), 0
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._beat)
        self.longest = 0.0

    def _beat(self) -> None:
        now = self._clock.elapsed()
        self.longest = max(self.longest, (now - self._last) / 1000.0)
        self._last = now

    def __enter__(self) -> Heartbeat:
        self._clock.start()
        self._last = 0
        self._timer.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._beat()
        self._timer.stop()


@contextmanager
def slot_errors() -> Iterator[list[SlotError]]:
    """What slots, event handlers and VTK observers raise within; Slicer would only print it."""
    outer, errors.found = errors.found, []
    hook, sys.excepthook = sys.excepthook, lambda _kind, error, _trace: errors.record(error)  # VTK prints through it
    try:
        yield errors.found
    finally:
        errors.found, sys.excepthook = outer, hook


def save_scene(path: str | Path) -> Path:
    """Save the scene as a bundle."""
    import slicer

    if not slicer.util.saveScene(str(path)):
        raise OSError(f"the scene could not be saved to {path}")
    return Path(path)


def close_scene() -> None:
    """File > Close scene: with the events that a module observes."""
    import slicer

    slicer.mrmlScene.Clear(0)
    process_events()


def reopen_scene(path: str | Path) -> None:
    """Close the scene and open a saved one."""
    import slicer

    close_scene()
    slicer.util.loadScene(str(path))
    process_events()
