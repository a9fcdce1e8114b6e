"""The button that runs is in sight whatever the panel holds, also after the panel was left and entered again."""

from __future__ import annotations

import sys

import pytest

WORDS = "The time that blood takes to arrive differs between regions. " * 12


@pytest.fixture
def PanelFrame(desktop, repo_root, monkeypatch):
    """The class, bound to this test's desktop."""
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        monkeypatch.delitem(sys.modules, name)
    from ASLDenoisePanel.panel_frame import PanelFrame

    yield PanelFrame
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        del sys.modules[name]


@pytest.fixture
def modulePanel(desktop):
    """What Slicer puts a module's widget into, with the item that it takes out and never deletes."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QScrollArea, QSizePolicy, QSpacerItem, QVBoxLayout, QWidget

    class ModulePanel:
        """As Base/QTGUI/Resources/UI/qSlicerModulePanel.ui: help, the module with all the stretch, a spacer."""

        def __init__(self):
            self.area, contents, self.leaked = QScrollArea(), QWidget(), []
            self.area.setWidgetResizable(True)
            self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.inside = QVBoxLayout(contents)
            self.inside.setContentsMargins(0, 0, 0, 0)
            self.inside.setSizeConstraint(QVBoxLayout.SizeConstraint.SetMinAndMaxSize)
            self.inside.addItem(QSpacerItem(0, 0, QSizePolicy.Policy.Minimum, QSizePolicy.Policy.MinimumExpanding))
            self.area.setWidget(contents)
            self.module = QWidget()
            QVBoxLayout(self.module).setContentsMargins(0, 0, 0, 0)
            self.area.resize(320, 60)
            self.area.show()

        def enter(self):
            self.inside.insertWidget(0, self.module, 1)
            self.module.setVisible(True)
            settle()

        def leave(self):
            self.leaked.append(self.inside.takeAt(0))
            self.module.setVisible(False)
            self.module.setParent(None)
            settle()

    panel = ModulePanel()
    yield panel
    panel.leaked.clear()  # while the widget they are for is alive
    panel.area.close()


def settle():
    from slicer_harness.panel import process_events

    for _ in range(6):
        process_events()


def contents():
    """A widget with wrapped text, made as the panel makes its own."""
    import qt

    widget = qt.QWidget()
    layout = qt.QVBoxLayout(widget)
    label = qt.QLabel("short")
    label.wordWrap = True
    layout.addWidget(label)
    layout.addStretch(1)
    return widget, label


def heights(modulePanel, label):
    """Of the module with few words, with many, and with few again."""
    found = []
    for text in ("short", WORDS, "short"):
        label.text = text
        settle()
        found.append(modulePanel.module.height())
    return found


def test_wrapped_text_put_straight_into_a_module_loses_its_height_on_the_second_entry(modulePanel):
    """The fault that it is for; where this fails, Slicer's module panel or Qt has been mended."""
    from slicer_harness.proxy import cpp_of

    widget, label = contents()
    modulePanel.module.layout().addWidget(cpp_of(widget))
    modulePanel.enter()
    few, many, again = heights(modulePanel, label)
    assert few == again < many
    modulePanel.leave()
    modulePanel.enter()
    heights(modulePanel, label)
    label.text = WORDS
    settle()
    assert label.height < label.heightForWidth(label.width)  # Qt remembered the height of few words


def framed(PanelFrame):
    """A frame round wrapped text, with a bar of wrapped text below; the frame, the label of each and the bar."""
    widget, label = contents()
    bar, said = contents()
    widget.layout().addWidget(bar)
    return PanelFrame(widget, bar), label, said, bar


def inSight(modulePanel, widget):
    """Whether all of a widget lies within what the module panel shows."""
    from slicer_harness.proxy import cpp_of

    inner, outer = cpp_of(widget), modulePanel.area.viewport()
    place = inner.mapTo(outer, inner.rect().topLeft()).y()
    return place >= 0 and place + inner.height() <= outer.height()


def test_the_bar_is_in_sight_and_the_text_whole_however_often_the_module_is_entered(modulePanel, PanelFrame):
    from slicer_harness.proxy import cpp_of

    frame, label, said, bar = framed(PanelFrame)
    modulePanel.module.layout().addWidget(cpp_of(frame.widget), 1)
    modulePanel.area.resize(320, 500)
    for _visit in range(3):
        modulePanel.enter()
        for text in ("short", WORDS * 5, "short", WORDS):
            label.text, said.text = text, text[:200]
            settle()
            assert inSight(modulePanel, bar)
            assert modulePanel.area.verticalScrollBar().maximum() == 0, "the sections scroll, not the module panel"
            for each in (label, said):
                assert each.height >= each.heightForWidth(each.width)
            assert bar.width == frame.widget.width
        label.text = said.text = "short"
        modulePanel.leave()


def test_what_changed_while_the_module_was_left_is_met_on_entering(modulePanel, PanelFrame):
    from slicer_harness.proxy import cpp_of

    frame, _label, said, bar = framed(PanelFrame)
    modulePanel.module.layout().addWidget(cpp_of(frame.widget), 1)
    modulePanel.area.resize(320, 500)
    modulePanel.enter()
    before = bar.height
    modulePanel.leave()
    said.text = WORDS[:300]
    modulePanel.enter()
    assert bar.height > before and inSight(modulePanel, bar)


def test_a_wider_module_makes_its_wrapped_text_lower(modulePanel, PanelFrame):
    from slicer_harness.proxy import cpp_of

    frame, _label, said, bar = framed(PanelFrame)
    modulePanel.module.layout().addWidget(cpp_of(frame.widget), 1)
    modulePanel.area.resize(320, 500)
    said.text = WORDS[:300]
    modulePanel.enter()
    narrow = bar.height
    modulePanel.area.resize(640, 500)
    settle()
    assert bar.height < narrow and bar.width > 500


@pytest.mark.parametrize("height", [450, 700])
def test_apply_is_in_sight_in_the_module_panel_of_a_fresh_profile(modulePanel, desktop, repo_root, height):
    """It stood below inputs, acquisition, findings and method, two screens down."""
    from slicer_harness.panel import open_panel
    from slicer_harness.proxy import cpp_of

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    try:
        modulePanel.module = cpp_of(panel.frame)
        modulePanel.module.layout().setContentsMargins(0, 0, 0, 0)  # as qSlicerModulePanel::addModule does
        modulePanel.area.resize(317, height)
        modulePanel.enter()
        assert panel.widget.uiWidget.layout().totalHeightForWidth(300) > 450
        panel.ui.wayComboBox.setCurrentIndex(1)
        panel.ui.gridComboBox.setCurrentIndex(2)
        panel.ui.ownPointSpreadCheckBox.checked = True
        for text in ("", "An obstacle that takes more than one line in a panel as narrow as that. " * 3):
            panel.ui.statusLabel.text = text
            panel.ui.statusLabel.setVisible(bool(text))
            for section in ("inputs", "acquisition", "advanced", "results"):
                getattr(panel.ui, f"{section}CollapsibleButton").collapsed = False
                settle()
                assert inSight(modulePanel, panel.ui.applyButton)
                assert modulePanel.area.verticalScrollBar().maximum() == 0
        assert panel.widget.uiWidget.width <= 317, "nothing is cut off at the right"
        modulePanel.leave()
    finally:
        panel.close()


def test_a_section_is_brought_to_the_top_of_what_is_seen(desktop, repo_root):
    from slicer_harness.panel import open_panel, process_events
    from slicer_harness.proxy import cpp_of

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    try:
        from ASLDenoisePanel.scrolling import bringIntoSight

        frame = cpp_of(panel.frame)
        frame.resize(317, 500)
        frame.show()
        settle()
        section = cpp_of(panel.ui.methodCollapsibleButton)
        assert section.visibleRegion().isEmpty()
        bringIntoSight(panel.ui.methodCollapsibleButton)
        assert process_events(lambda: not section.visibleRegion().isEmpty(), timeout=5)
        panel.ui.inputsCollapsibleButton.collapsed = False
        bringIntoSight(panel.ui.inputsCollapsibleButton)
        assert process_events(lambda: not cpp_of(panel.ui.aslSelector).visibleRegion().isEmpty(), timeout=5)
        frame.hide()
    finally:
        panel.close()
