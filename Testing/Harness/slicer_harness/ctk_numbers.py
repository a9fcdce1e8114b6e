"""CTK's widgets for numbers."""

from __future__ import annotations

import enum
import math

from PySide6.QtCore import Property, Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from .stored import passed_on, stored

STEPS = 10_000


class ctkDoubleSpinBox(QDoubleSpinBox):
    """As much of it as a slider widget needs."""

    decimalsChanged = Signal(int)

    def setDecimals(self, decimals: int) -> None:
        changed = decimals != self.decimals()
        super().setDecimals(decimals)
        if changed:
            self.decimalsChanged.emit(decimals)


class ctkDoubleSlider(QWidget):
    """A slider over doubles, as much of it as a slider widget needs."""

    valueChanged = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, STEPS)
        self._value, self._minimum, self._maximum = 0.0, 0.0, 99.0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(self._moved)
        self._slider.sliderPressed.connect(self.sliderPressed)
        self._slider.sliderReleased.connect(self.sliderReleased)

    def _moved(self, position: int) -> None:
        span = self._maximum - self._minimum
        self._take(self._minimum + span * position / STEPS)

    def _take(self, value: float) -> None:
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        value = min(max(float(value), self._minimum), self._maximum)
        span = self._maximum - self._minimum
        self._slider.blockSignals(True)
        self._slider.setValue(round(STEPS * (value - self._minimum) / span) if span and math.isfinite(span) else 0)
        self._slider.blockSignals(False)
        self._take(value)

    def setRange(self, low: float, high: float) -> None:
        self._minimum, self._maximum = float(low), max(float(low), float(high))
        self.setValue(self._value)


class ctkSliderWidget(QWidget):
    """A slider with a spin box; the value is rounded to the spin box's decimals."""

    class SynchronizeSiblings(enum.IntFlag):
        NoSynchronize = 0
        SynchronizeWidth = 1
        SynchronizeDecimals = 2

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider, self._spin = ctkDoubleSlider(self), ctkDoubleSpinBox(self)
        self._slider.setObjectName("Slider")
        self._spin.setObjectName("SpinBox")
        self._spin.setMaximum(99.0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spin)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self._dragged = False
        self._slider.valueChanged.connect(self._from_slider)
        self._slider.sliderPressed.connect(lambda: setattr(self, "_dragged", True))
        self._slider.sliderReleased.connect(self.stopChanging)
        self._spin.valueChanged.connect(self._from_spin)
        self._spin.decimalsChanged.connect(self.decimalsChanged)
        self._value = 0.0

    def _from_slider(self, value: float) -> None:
        rounded = round(value, self._spin.decimals())
        self._spin.blockSignals(True)
        self._spin.setValue(rounded)
        self._spin.blockSignals(False)
        if self._dragged and not self.tracking:
            self.valueIsChanging.emit(rounded)
        else:
            self._take(rounded)

    def _from_spin(self, value: float) -> None:
        self._slider.blockSignals(True)
        self._slider.setValue(value)
        self._slider.blockSignals(False)
        self._take(value)

    def _take(self, value: float) -> None:
        if value != self._value:
            self._value = value
            self.valueIsChanging.emit(value)
            self.valueChanged.emit(value)

    @Slot()
    def stopChanging(self) -> None:
        self._dragged = False
        self._take(self._spin.value())

    def setValue(self, value: float) -> None:
        self._spin.setValue(float(value))
        self._from_spin(self._spin.value())

    def setRange(self, low: float, high: float) -> None:
        self._slider.setRange(low, high)
        self._spin.setRange(float(low), float(high))

    def setDecimals(self, decimals: int) -> None:
        self._spin.setDecimals(decimals)

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._spin.setVisible(visible)

    def reset(self) -> None:
        self.setValue(0.0)

    value = Property(float, lambda self: self._value, setValue)
    minimum = Property(float, lambda self: self._spin.minimum(), lambda s, v: s.setRange(v, max(v, s._spin.maximum())))
    maximum = Property(float, lambda self: self._spin.maximum(), lambda s, v: s.setRange(min(v, s._spin.minimum()), v))
    decimals = passed_on(int, "_spin", "decimals", "setDecimals")
    prefix = passed_on(str, "_spin", "prefix", "setPrefix")
    suffix = passed_on(str, "_spin", "suffix", "setSuffix")
    singleStep = Property(float, lambda s: s._spin.singleStep(), lambda s, v: s._set_step(v))
    spinBoxVisible = Property(bool, lambda s: not s._spin.isHidden(), setSpinBoxVisible)
    pageStep = stored(float, "pageStep", 10.0)
    tickInterval = stored(float, "tickInterval", 0.1)
    tickPosition = stored(int, "tickPosition", 0)
    tracking = stored(bool, "tracking", True)
    popupSlider = stored(bool, "popupSlider", False)
    invertedAppearance = stored(bool, "invertedAppearance", False)
    invertedControls = stored(bool, "invertedControls", False)
    spinBoxAlignment = stored(int, "spinBoxAlignment", 0x84)
    synchronizeSiblings = stored(int, "synchronizeSiblings", 0)

    def _set_step(self, step: float) -> None:
        self._spin.setSingleStep(step)
