"""CTK's buttons, group boxes, combo boxes and text widgets, drawn plainly."""

from __future__ import annotations

import enum

from PySide6.QtCore import Property, QEvent, QModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QColorDialog,
    QComboBox,
    QGroupBox,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from .stored import stored


class ctkCollapsibleButton(QAbstractButton):
    """A header that shows and hides the widgets below it. Checked means open."""

    contentsCollapsed = Signal(bool)

    def __init__(self, *arguments) -> None:
        text = arguments[0] if arguments and isinstance(arguments[0], str) else None
        parent = next((a for a in arguments if isinstance(a, QWidget)), None)
        super().__init__(parent)
        self._forcing = False
        self._hidden_children: set[int] = set()
        self.setText(text or "Button")
        self.setCheckable(True)
        self.setChecked(True)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(policy.Policy.Minimum)
        policy.setVerticalPolicy(policy.Policy.Preferred)
        self.setSizePolicy(policy)
        self.setContentsMargins(0, self._header_height(), 0, 0)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    flat = stored(bool, "flat", False)
    collapsedHeight = stored(int, "collapsedHeight", 10, then=lambda self, _value: self.updateGeometry())
    contentsFrameShape = stored(int, "contentsFrameShape", 0)
    contentsFrameShadow = stored(int, "contentsFrameShadow", 16)
    contentsLineWidth = stored(int, "contentsLineWidth", 1)
    contentsMidLineWidth = stored(int, "contentsMidLineWidth", 0)
    buttonTextAlignment = stored(int, "buttonTextAlignment", 0x84)
    indicatorAlignment = stored(int, "indicatorAlignment", 0x81)
    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))

    @Slot(bool)
    def collapse(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    def _header_height(self) -> int:
        return max(24, self.fontMetrics().height() + 8)

    def _collapse(self, collapsed: bool) -> None:
        for child in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            self._show_child(child, not collapsed)
        self.setMaximumHeight(self._header_height() + self.collapsedHeight if collapsed else 16777215)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _show_child(self, child: QWidget, visible: bool) -> None:
        self._forcing = True
        child.setVisible(visible and id(child) not in self._hidden_children)
        self._forcing = False

    def childEvent(self, event) -> None:
        child = event.child()
        if event.type() == QEvent.Type.ChildAdded and child.isWidgetType():
            child.installEventFilter(self)
            if not self.isChecked():
                self._show_child(child, False)
        super().childEvent(event)

    def eventFilter(self, child, event) -> bool:
        """What a child was last told by others is what it becomes when the section opens."""
        if not self._forcing and event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            told_to_show = event.type() == QEvent.Type.ShowToParent
            (self._hidden_children.discard if told_to_show else self._hidden_children.add)(id(child))
            if told_to_show and not self.isChecked():
                self._show_child(child, False)
        return False

    def hitButton(self, position) -> bool:
        return position.y() < self._header_height()

    def sizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, self._header_height())
        if not self.isChecked():
            return QSize(header.width(), header.height() + self.collapsedHeight)
        return (
            super().sizeHint().expandedTo(header) if self.layout() is None else self.layout().sizeHint() + QSize(0, 0)
        )

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() if self.layout() is None or not self.isChecked() else self.layout().minimumSize()

    def paintEvent(self, _event) -> None:
        painter = QPainter(self)
        header = self.rect()
        header.setHeight(self._header_height())
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect = header
        if not self.flat:
            option.state |= QStyle.StateFlag.State_Raised
            self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        open_ = QStyle.PrimitiveElement.PE_IndicatorArrowDown
        shut = QStyle.PrimitiveElement.PE_IndicatorArrowRight
        option.rect = header.adjusted(8, 6, -(header.width() - 20), -6)
        self.style().drawPrimitive(open_ if self.isChecked() else shut, option, painter, self)
        painter.setPen(self.palette().buttonText().color())
        painter.drawText(header.adjusted(26, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter, self.text())


class ctkCollapsibleGroupBox(QGroupBox):
    """A group box whose check box, drawn as an arrow, hides its widgets."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.setCheckable(True)
        self.setChecked(True)
        self._hidden_children: set[int] = set()
        self.toggled.connect(self._show)

    collapsed = Property(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))
    collapsedHeight = stored(int, "collapsedHeight", 14)

    def _show(self, visible: bool) -> None:
        children = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if not visible:
            self._hidden_children = {id(child) for child in children if child.isHidden()}
        for child in children:
            child.setVisible(visible and id(child) not in self._hidden_children)
            child.setEnabled(True)
        height = self.fontMetrics().height() + self.collapsedHeight
        self.setMaximumHeight(16777215 if visible else height)

    @Slot(bool)
    def expand(self, expanded: bool) -> None:
        self.setChecked(expanded)


class ctkComboBox(QComboBox):
    class ScrollEffect(enum.IntEnum):
        NeverScroll = 0
        AlwaysScroll = 1
        ScrollWithFocus = 2
        ScrollWithNoVScrollBar = 3

    returnRelease = Signal()
    defaultText = stored(str, "defaultText", "", then=lambda self, text: self.setPlaceholderText(text))
    defaultIcon = stored(QIcon, "defaultIcon", QIcon())
    elideMode = stored(int, "elideMode", 3)
    forceDefault = stored(bool, "forceDefault", False)
    scrollWheelEffect = stored(int, "scrollWheelEffect", 1)

    def _user_text(self) -> str:
        data = self.currentData()
        return "" if data is None else str(data)

    def setCurrentUserDataAsString(self, text: str) -> None:
        self.setCurrentIndex(next((i for i in range(self.count()) if str(self.itemData(i)) == text), -1))

    currentUserDataAsString = Property(str, _user_text, setCurrentUserDataAsString)


class ctkCheckableComboBox(QComboBox):
    """Each row has a check box."""

    checkedIndexesChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(QStandardItemModel(0, 1, self))
        self.model().rowsInserted.connect(self._make_checkable)
        self.model().itemChanged.connect(lambda _item: self.checkedIndexesChanged.emit())

    def _make_checkable(self, _parent: QModelIndex, first: int, last: int) -> None:
        for row in range(first, last + 1):
            item = self.model().item(row)
            item.setCheckable(True)
            item.setData(Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)

    def checkableModel(self) -> QStandardItemModel:
        return self.model()

    def checkState(self, index: QModelIndex) -> Qt.CheckState:
        return self.model().itemFromIndex(index).checkState()

    def setCheckState(self, index: QModelIndex, state: Qt.CheckState) -> None:
        self.model().itemFromIndex(index).setCheckState(Qt.CheckState(int(getattr(state, "value", state))))

    def checkedIndexes(self) -> list[QModelIndex]:
        rows = (self.model().item(row) for row in range(self.count()))
        return [item.index() for item in rows if item.checkState() == Qt.CheckState.Checked]

    def allChecked(self) -> bool:
        return len(self.checkedIndexes()) == self.count()

    def noneChecked(self) -> bool:
        return not self.checkedIndexes()


class ctkCheckBox(QCheckBox):
    indicatorIcon = stored(QIcon, "indicatorIcon", QIcon())
    indicatorIconSize = stored(QSize, "indicatorIconSize", QSize(0, 0))


class ctkPushButton(QPushButton):
    buttonTextAlignment = stored(int, "buttonTextAlignment", 0x84)
    iconAlignment = stored(int, "iconAlignment", 0x81)
    elideMode = stored(int, "elideMode", 3)


class ctkMenuButton(QPushButton):
    """A push button with a menu arrow at its side; clicking the button itself does not open the menu."""


class ctkColorPickerButton(QPushButton):
    class ColorDialogOption(enum.IntFlag):
        ShowAlphaChannel = 1
        NoButtons = 2
        DontUseNativeDialog = 4
        UseCTKColorDialog = 12

    colorChanged = Signal(QColor)
    colorNameChanged = Signal(str)

    def _changed(self, color: QColor) -> None:
        if self.displayColorName:
            self.setText(color.name())
        self.colorChanged.emit(color)

    color = stored(QColor, "color", QColor("black"), then=_changed)
    colorName = stored(str, "colorName", "", then=lambda self, name: self.colorNameChanged.emit(name))
    displayColorName = stored(bool, "displayColorName", True)
    dialogOptions = stored(int, "dialogOptions", 0)

    def setColor(self, color: QColor) -> None:
        self.color = color

    def setDisplayColorName(self, shown: bool) -> None:
        self.displayColorName = shown

    def changeColor(self) -> None:
        chosen = QColorDialog.getColor(self.color, self)
        if chosen.isValid():
            self.color = chosen


class ctkExpandButton(QToolButton):
    """A small arrow that is pressed while what it belongs to is open."""

    mirrorOnExpand = stored(bool, "mirrorOnExpand", False)
    orientation = stored(int, "orientation", 1)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.setArrowType(Qt.ArrowType.DownArrow)


class ctkFittedTextBrowser(QTextBrowser):
    """A text browser as high as its text, so that it never scrolls."""

    showDetailsText = stored(str, "showDetailsText", "Show details...")
    hideDetailsText = stored(str, "hideDetailsText", "Hide details.")
    disableMouseScroll = stored(bool, "disableMouseScroll", True)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.textChanged.connect(self._fit)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        policy.setVerticalPolicy(policy.Policy.Fixed)
        self.setSizePolicy(policy)
        self._teaser, self._details = "", ""

    collapsed = stored(bool, "collapsed", True, then=lambda self, _value: self._show_collapsible())

    def heightForWidth(self, width: int) -> int:
        document = self.document().clone()
        document.setTextWidth(max(1, width - 2 * self.frameWidth()))
        return int(document.size().height()) + 2 * self.frameWidth() + 2

    def sizeHint(self) -> QSize:
        width = max(self.width(), 150)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(50, self.heightForWidth(max(self.width(), 50)))

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(max(self.width(), 50)))
        self.updateGeometry()

    def setCollapsibleText(self, text: str) -> None:
        """The first line is the teaser; the rest opens by a link."""
        self._teaser, _, self._details = text.partition("<br>" if "<br>" in text else "\n")
        self._show_collapsible()

    setCollapsibleHtml = setCollapsiblePlainText = setCollapsibleText

    def collapsibleText(self) -> str:
        return "\n".join(part for part in (self._teaser, self._details) if part)

    def _show_collapsible(self) -> None:
        if not self._details:
            self.setHtml(self._teaser or self.toHtml())
        elif self.collapsed:
            self.setHtml(f"{self._teaser} <a href='#'>{self.showDetailsText}</a>")
        else:
            self.setHtml(f"{self._teaser}<br>{self._details} <a href='#'>{self.hideDetailsText}</a>")


class ctkMessageBox(QMessageBox):
    dontShowAgain = stored(bool, "dontShowAgain", False)
    dontShowAgainVisible = stored(bool, "dontShowAgainVisible", False)
    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")

    def setDontShowAgain(self, value: bool) -> None:
        self.dontShowAgain = value


class ctkSearchBox(QLineEdit):
    showSearchIcon = stored(bool, "showSearchIcon", True)
