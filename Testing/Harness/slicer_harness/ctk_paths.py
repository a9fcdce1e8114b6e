"""CTK's field for a path."""

from __future__ import annotations

import enum

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from . import dialogs
from .stored import passed_on, stored


class ctkPathLineEdit(QWidget):
    """An editable path with its history and a button that browses."""

    class Filters(enum.IntFlag):
        Dirs = 0x001
        Files = 0x002
        Drives = 0x004
        NoSymLinks = 0x008
        AllEntries = 0x007
        Readable = 0x010
        Writable = 0x020
        Executable = 0x040
        Modified = 0x080
        Hidden = 0x100
        System = 0x200
        AllDirs = 0x400
        CaseSensitive = 0x800
        NoDot = 0x2000
        NoDotDot = 0x4000
        NoDotAndDotDot = 0x6000

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box, self._button = QComboBox(self), QToolButton(self)
        self._box.setEditable(True)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._button.setText("...")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        layout.addWidget(self._button)
        self._box.lineEdit().textChanged.connect(self._edited)
        self._button.clicked.connect(self.browse)
        self._valid = False

    def _edited(self, text: str) -> None:
        """As tried in a desktop: any text is a valid path, and an emptied field tells of that alone."""
        valid = bool(text)
        if valid:
            self.currentPathChanged.emit(text)
        if valid != self._valid:
            self._valid = valid
            self.validInputChanged.emit(valid)

    def setCurrentPath(self, path: str) -> None:
        if path != self._box.currentText():
            self._box.setEditText(path)

    def retrieveHistory(self) -> None:
        """The history is the settings'; there is none in a test."""

    def browse(self) -> None:
        path = dialogs.chosen_path("ctkPathLineEdit", (None, self.label))
        if path:
            self.setCurrentPath(path)

    currentPath = Property(str, lambda self: self._box.currentText(), setCurrentPath)
    filters = stored(int, "filters", 24663)
    nameFilters = stored("QStringList", "nameFilters", [])
    label = stored(str, "label", "")
    options = stored(int, "options", 0)
    settingKey = stored(str, "settingKey", "")
    minimumContentsLength = passed_on(int, "_box", "minimumContentsLength", "setMinimumContentsLength")
    sizeAdjustPolicy = stored(int, "sizeAdjustPolicy", 0)
    showBrowseButton = Property(
        bool, lambda self: not self._button.isHidden(), lambda self, shown: self._button.setVisible(shown)
    )
    showHistoryButton = stored(bool, "showHistoryButton", True)
