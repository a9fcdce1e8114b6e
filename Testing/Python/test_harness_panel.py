"""The harness opens a module's panel as Slicer does: set up, entered, reloaded, closed with its scene, photographed."""

from __future__ import annotations

import time

import pytest

MODULE = """
import qt
import slicer
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin

class Made(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "A made module"

class MadeWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.told = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/Made.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, lambda *a: self.told.append("start"))
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, lambda *a: self.told.append("end"))
        self.ui.goButton.connect("clicked(bool)", self.onGo)

    def enter(self):
        self.told.append("enter")

    def exit(self):
        self.told.append("exit")

    def cleanup(self):
        self.told.append("cleanup")
        self.removeObservers()

    def onGo(self):
        self.ui.label.text = "gone"

class MadeTest(ScriptedLoadableModuleTest):
    def test_one(self):
        slicer.madeTestRan = True
"""

FORM = """<ui version="4.0"><class>Made</class>
<widget class="qMRMLWidget" name="Made"><layout class="QVBoxLayout" name="l">
 <item><widget class="ctkCollapsibleButton" name="section"><property name="text"><string>Inputs</string></property>
  <layout class="QFormLayout" name="form">
   <item row="0" column="0"><widget class="QLabel" name="label">
    <property name="text"><string>Volume:</string></property>
    <property name="toolTip"><string>A plain tip.</string></property></widget></item>
   <item row="0" column="1"><widget class="qMRMLNodeComboBox" name="selector">
    <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
    <property name="noneEnabled"><bool>true</bool></property>
    <property name="SlicerParameterName" stdset="0"><string>volume</string></property></widget></item>
   <item row="1" column="1"><widget class="ctkPathLineEdit" name="path">
    <property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Writable</set></property></widget></item>
  </layout></widget></item>
 <item><widget class="QPushButton" name="goButton"><property name="text"><string>Go</string></property></widget></item>
</layout></widget>
<connections><connection><sender>Made</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
 <receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>"""


@pytest.fixture
def panel(desktop, tmp_path):
    from slicer_harness.panel import open_panel

    (tmp_path / "Resources" / "UI").mkdir(parents=True)
    (tmp_path / "Resources" / "UI" / "Made.ui").write_text(FORM)
    (tmp_path / "Made.py").write_text(MODULE)
    began = time.perf_counter()
    panel = open_panel(tmp_path / "Made.py")
    panel.took = time.perf_counter() - began
    yield panel
    panel.close()


def test_the_module_is_registered_set_up_and_entered(panel):
    import slicer

    assert slicer.modules.made.title == "A made module"
    assert slicer.modules.made.path.endswith("Made.py")
    assert slicer.modules.MadeWidget is panel.widget is slicer.util.getModuleWidget("Made")
    assert panel.widget.told == ["enter"] and panel.frame.isEntered
    assert 0.5 * panel.took < panel.opened_in <= panel.took


def test_the_form_is_loaded_with_its_connections_and_dynamic_properties(panel):
    import slicer

    ui = panel.ui
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    ui.selector.setCurrentNode(volume)
    assert ui.selector.currentNode() is volume and ui.selector.enabled
    assert ui.selector.property("SlicerParameterName") == "volume"
    assert (ui.section.text, ui.label.toolTip, ui.path.filters) == ("Inputs", "<p>A plain tip.</p>", 0x21)


def test_a_click_reaches_the_widget(panel):
    panel.ui.goButton.click()
    assert panel.ui.label.text == "gone"


def test_a_form_with_an_unknown_widget_is_refused(panel, tmp_path):
    import slicer

    bad = tmp_path / "bad.ui"
    bad.write_text(FORM.replace('class="ctkPathLineEdit"', 'class="ctkNoSuchThing"'))
    with pytest.raises(RuntimeError, match="ctkNoSuchThing"):
        slicer.util.loadUI(str(bad))
    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadUI(str(tmp_path / "none.ui"))


def test_reloading_cleans_up_and_makes_another_widget(panel):
    import slicer

    before = panel.widget
    old_button = panel.ui.goButton
    slicer.util.reloadScriptedModule("Made")
    assert before.told[-1] == "cleanup"
    assert panel.widget is not before and slicer.modules.MadeWidget is panel.widget
    panel.ui.goButton.click()
    assert panel.ui.label.text == "gone"
    assert old_button.visible is False


def test_closing_the_scene_tells_the_panel(panel):
    from slicer_harness.panel import close_scene

    close_scene()
    assert panel.widget.told == ["enter", "start", "end"]


def test_the_module_selector_leaves_and_enters(panel):
    import slicer

    slicer.util.selectModule("Made")
    slicer.util.selectModule("Volumes")
    assert panel.widget.told[-2:] == ["enter", "exit"] and not panel.frame.isEntered


def test_the_self_test_runs(panel):
    import slicer

    slicer.selfTests["Made"](msec=0)
    assert slicer.madeTestRan
    del slicer.madeTestRan


def test_a_scene_is_saved_and_reopened_with_its_nodes(panel, tmp_path):
    import numpy as np
    import slicer
    from slicer_harness.panel import reopen_scene, save_scene

    slicer.util.addVolumeFromArray(np.arange(24, dtype=np.float32).reshape(2, 3, 4), name="kept")
    reopen_scene(save_scene(tmp_path / "scene.mrb"))
    assert slicer.util.arrayFromVolume(slicer.util.getNode("kept")).sum() == 276
    assert panel.ui.selector.nodeCount() == 1


def test_all_that_a_bundle_brings_counts_as_not_saved_and_the_save_dialog_is_answered(desktop, tmp_path):
    """As in Slicer 5.12 (vtkMRMLScene::ReadFromMRB): what lies in a bundle is in no file of its own."""
    import numpy as np
    import slicer
    from slicer_harness import dialogs
    from slicer_harness.panel import reopen_scene, save_scene

    slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.float32), name="kept")
    reopen_scene(save_scene(tmp_path / "scene.mrb"))
    assert slicer.util.getNode("kept").GetModifiedSinceRead()
    dialogs.answers(desktop.qt.QMessageBox.Cancel)
    assert [slicer.util.openSaveDataDialog(), slicer.util.openSaveDataDialog()] == [False, True]


def test_a_scene_that_is_not_there_is_not_opened_and_other_files_are_refused_in_words(desktop, tmp_path):
    import slicer

    with pytest.raises(RuntimeError, match=r"Failed to load(.|\n)*no such file"):
        slicer.util.loadScene(str(tmp_path / "none.mrb"))
    with pytest.raises(NotImplementedError, match="VolumeFile"):
        slicer.util.loadVolume(tmp_path / "none.nii.gz")


def test_a_folder_can_be_dropped_on_a_widget(desktop, tmp_path):
    from slicer_harness.panel import drop

    qt, heard = desktop.qt, []

    class Catcher(qt.QObject):
        def eventFilter(self, watched, event):
            if event.type() not in (qt.QEvent.DragEnter, qt.QEvent.Drop):
                return False
            event.acceptProposedAction()
            if event.type() == qt.QEvent.Drop:
                heard.extend(url.toLocalFile() for url in event.mimeData().urls())
            return True

    widget = qt.QWidget()
    widget.setAcceptDrops(True)
    assert drop(widget, tmp_path) is False
    widget.installEventFilter(Catcher(widget))
    assert drop(widget, tmp_path) is True
    assert heard == [str(tmp_path)]


def test_the_heartbeat_measures_the_longest_block(desktop):
    from slicer_harness.panel import Heartbeat, process_events

    blocked = []

    def block():
        began = time.perf_counter()
        time.sleep(0.3)
        blocked.append(time.perf_counter() - began)

    with Heartbeat() as heart:
        began = time.perf_counter()
        end = began + 0.05
        process_events(lambda: time.perf_counter() > end)
        desktop.qt.QTimer.singleShot(0, block)
        process_events(lambda: blocked)
        whole = time.perf_counter() - began
    assert blocked[0] - 0.01 < heart.longest < whole


def test_waiting_ends_when_its_time_is_over(desktop):
    from slicer_harness.panel import process_events

    assert process_events(lambda: False, timeout=0.05) is False


def test_a_photograph_has_the_width_asked_for_and_legible_letters(panel, tmp_path):
    import numpy as np
    from matplotlib.image import imread
    from slicer_harness.photograph import photograph

    narrow = imread(photograph(panel.frame, tmp_path / "narrow.png", width=300))
    wide = imread(photograph(panel.frame, tmp_path / "wide.png", width=500))
    assert (narrow.shape[1], wide.shape[1]) == (300, 500)
    assert narrow.shape[0] > 60
    # boxes in place of letters would make different words of equal length look the same
    panel.ui.goButton.text = "illi"
    first = imread(photograph(panel.frame, tmp_path / "a.png", width=300))
    panel.ui.goButton.text = "WMWM"
    second = imread(photograph(panel.frame, tmp_path / "b.png", width=300))
    assert np.abs(first - second).sum() > 20


def test_what_is_lacking_is_said_in_words(monkeypatch):
    import importlib

    from slicer_harness import installation

    def without(name):
        if name.startswith("PySide6"):
            raise ImportError("No module named 'PySide6'")
        return importlib.__import__(name)

    monkeypatch.setattr(installation.importlib, "import_module", without)
    assert installation.why_absent().startswith("the Slicer harness needs PySide6-Essentials")
