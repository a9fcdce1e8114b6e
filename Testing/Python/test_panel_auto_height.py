"""The panel is as high as what is in it, also after it was left and entered again, and whatever Qt remembers of it."""

from __future__ import annotations

import sys

import pytest

WORDS = "The time that blood takes to arrive differs between regions. " * 12


@pytest.fixture
def AutoHeight(desktop, repo_root, monkeypatch):
    """The class, bound to this test's desktop."""
    monkeypatch.syspath_prepend(str(repo_root / "ASLDenoise"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        monkeypatch.delitem(sys.modules, name)
    from ASLDenoisePanel.auto_height import AutoHeight

    yield AutoHeight
    for name in [name for name in sys.modules if name.partition(".")[0] == "ASLDenoisePanel"]:
        del sys.modules[name]


@pytest.fixture
def modulePanel(desktop):
    """What Slicer puts a module's widget into, with the item that it takes out and never deletes."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

    class ModulePanel:
        def __init__(self):
            self.area, contents, self.leaked = QScrollArea(), QWidget(), []
            self.area.setWidgetResizable(True)
            self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # one width throughout
            self.inside = QVBoxLayout(contents)
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


def test_a_held_widget_keeps_its_height_however_often_the_module_is_entered(modulePanel, AutoHeight):
    from slicer_harness.proxy import cpp_of

    widget, label = contents()
    outer = AutoHeight(widget)
    modulePanel.module.layout().addWidget(cpp_of(outer.widget))
    for _visit in range(3):
        modulePanel.enter()
        few, many, again = heights(modulePanel, label)
        assert few == again < many
        label.text = WORDS
        settle()
        assert widget.height == outer.widget.height >= widget.layout().totalHeightForWidth(widget.width)
        assert label.height >= label.heightForWidth(label.width)
        label.text = "short"
        modulePanel.leave()


def test_a_wider_module_makes_its_wrapped_text_lower(modulePanel, AutoHeight):
    from slicer_harness.proxy import cpp_of

    widget, label = contents()
    outer = AutoHeight(widget)
    modulePanel.module.layout().addWidget(cpp_of(outer.widget))
    label.text = WORDS
    modulePanel.enter()
    narrow = outer.widget.minimumHeight
    modulePanel.area.resize(640, 60)
    settle()
    assert outer.widget.minimumHeight < narrow
    assert widget.width == outer.widget.width > 500


def test_what_changed_while_the_module_was_left_is_met_on_entering(modulePanel, AutoHeight):
    from slicer_harness.proxy import cpp_of

    widget, label = contents()
    outer = AutoHeight(widget)
    modulePanel.module.layout().addWidget(cpp_of(outer.widget))
    modulePanel.enter()
    before = outer.widget.minimumHeight
    modulePanel.leave()
    label.text = WORDS
    modulePanel.enter()
    assert outer.widget.minimumHeight > before


def test_the_panel_is_held(desktop, repo_root):
    from slicer_harness.panel import open_panel

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    try:
        held = panel.widget.uiWidget
        assert held.layout().hasHeightForWidth()  # it wraps text
        assert not panel.frame.layout().hasHeightForWidth()  # and Slicer is not told
        assert panel.frame.layout().totalMinimumSize().height() >= held.layout().totalMinimumSize().height()
    finally:
        panel.close()
