"""CTK's boxes: sections that fold, drawn plainly, and the message box."""

from __future__ import annotations

from PySide6.QtCore import Property, QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractButton, QGroupBox, QMessageBox, QStyle, QStyleOptionButton, QWidget

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
        if id(child) not in self._hidden_children:  # as ctk does, so that Qt tells what hides it in a closed section
            child.setAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide, False)
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


class ctkMessageBox(QMessageBox):
    dontShowAgain = stored(bool, "dontShowAgain", False)
    dontShowAgainVisible = stored(bool, "dontShowAgainVisible", False)
    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")

    def setDontShowAgain(self, value: bool) -> None:
        self.dontShowAgain = value
