"""The panel's source and .ui files use only what a running Slicer 5.12.3 was seen to offer."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from slicer_harness import surface
from slicer_harness.source_check import Known, defined_names, names_elsewhere, source_problems
from slicer_harness.ui_check import read_ui, ui_problems, widget_classes

ROOT = Path(__file__).resolve().parents[2]
PANEL = sorted(path for path in (ROOT / "ASLDenoise").rglob("*.py") if "__pycache__" not in path.parts)
SCENE = sorted((ROOT / "ASLDenoiseLib" / "scene").glob("*.py"))
FORMS = sorted((ROOT / "Resources" / "UI").glob("*.ui"))


@pytest.fixture(scope="module")
def known() -> Known:
    library = [path for path in (ROOT / "ASLDenoiseLib").rglob("*.py") if "__pycache__" not in path.parts]
    named: dict[str, str] = {}
    for form in FORMS:
        named |= widget_classes(read_ui(form))
    return Known(named, defined_names([*PANEL, *library]), names_elsewhere(), frozenset({"asldenoise"}))


@pytest.mark.parametrize("path", [*PANEL, *SCENE], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_source_uses_listed_names_alone(path, known):
    found = source_problems(path.read_text("utf-8"), path.relative_to(ROOT).as_posix(), known)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_the_form_uses_listed_names_alone(path):
    found = ui_problems(read_ui(path))
    assert not found, "\n".join(found)


def test_there_is_a_panel_to_check():
    assert PANEL and FORMS


# Listed because a listed method or signal hands them out.
GIVEN = {
    *("qt.QAction", "qt.QClipboard", "qt.QDropEvent", "qt.QMimeData", "qt.QPixmap"),
    *("qt.QProcessEnvironment", "qt.QSize"),
    *("slicer.qMRMLPlotView", "slicer.qMRMLPlotWidget"),
    *("slicer.qMRMLSliceWidget", "slicer.qSlicerIOManager", "slicer.qSlicerLayoutManager"),
    *("slicer.qSlicerMainWindow", "slicer.qSlicerModuleManager"),
}


def test_no_class_is_listed_that_nothing_uses(known):
    slicer = importlib.util.find_spec("slicer")
    if slicer is None:
        pytest.skip("slicer.util, which uses some of them, is slicer-core's")
    texts = [path.read_text("utf-8") for path in (*PANEL, *SCENE, Path(slicer.origin).parent / "util.py")]
    named = {name for text in texts for name in re.findall(r"\b(?:qt|ctk|slicer)\.\w+", text)}
    assert set(surface.classes()) - named - set(known.ui.values()) == GIVEN


# --- it can fail ----------------------------------------------------------------------------------------------------

UI = Known(
    ui={"go": "qt.QPushButton", "box": "qt.QComboBox", "node": "slicer.qMRMLNodeComboBox"},
    own={"ownMethod"},
    elsewhere=frozenset({"GetName", "append"}),
    modules=frozenset({"asldenoise"}),
)

BAD = {
    "import qt\nqt.QGraphicsView()": "qt.QGraphicsView is not listed",
    "import ctk\nctk.ctkNoSuchButton()": "ctk.ctkNoSuchButton is not listed",
    "import slicer\nslicer.qMRMLNoSuchWidget()": "slicer.qMRMLNoSuchWidget is not listed",
    "import slicer\nslicer.util.noSuchDisplay('x')": "slicer.util.noSuchDisplay is not listed",
    "import slicer\nslicer.util.errorDisplay('x', 1, 2, 3, 4, 5)": "takes 4 positional arguments, not 6",
    "import slicer\nslicer.util.loadUI(path='x', parent=None)": "takes no argument parent",
    "import slicer\nslicer.packaging.pip_ensure([], requestor='me')": "takes no argument requestor",
    "import slicer\nslicer.app.noSuchCall()": "slicer.app.noSuchCall is not listed",
    "import slicer\nslicer.modules.nosuchmodule.logic()": "slicer.modules.nosuchmodule is not listed",
    "import slicer\nslicer.app.layoutManager().noSuch()": "slicer.qSlicerLayoutManager has no noSuch",
    "from slicer import packaging\npackaging.pip_get([])": "slicer.packaging.pip_get is not listed",
    "from slicer.util import loadUI\nloadUI('x', 'y')": "takes 1 positional arguments, not 2",
    "from slicer.util import noSuch": "slicer.util has no noSuch",
    "from slicer.parameterNodeWrapper import Between": "slicer.parameterNodeWrapper has no Between",
    "import qt\nlabel = qt.QLabel('x')\nprint(label.text())": "qt.QLabel.text is a property and cannot be called",
    "import qt\nlabel = qt.QLabel('x')\nlabel.txt = 'y'": "qt.QLabel has no txt",
    "import qt\nlabel = qt.QLabel('x')\nlabel.setText = 'y'": "qt.QLabel.setText is a method and cannot be set",
    "import qt\nlabel = qt.QLabel('x')\nlabel.width = 5": "qt.QLabel.width is read only",
    "import qt\nqt.QLabel('x', wordWrap=True)": "takes no keyword arguments under PythonQt",
    "import qt\nqt.QMessageBox.Yess": "qt.QMessageBox.Yess is not listed",
    "import qt\nb = qt.QPushButton()\nb.connect('clicked(int)', print)": "has no signal clicked(int)",
    "import qt\nb = qt.QPushButton()\nb.valueChanged.connect(print)": "qt.QPushButton has no valueChanged",
    "def f(self):\n self.ui.go.connect('pushed()', f)": "has no signal pushed()",
    "def f(self):\n return self.ui.box.count()": "qt.QComboBox.count is a property and cannot be called",
    "def f(self):\n self.ui.node.currentNodeID()": "currentNodeID is a property and cannot be called",
    "def f(self):\n self.ui.node.setNode(None)": "slicer.qMRMLNodeComboBox has no setNode",
    "def f(thing):\n thing.noSuchMethodAnywhere()": "nothing has a method noSuchMethodAnywhere()",
    "def f(thing):\n thing.connect('noSuchSignal(int)', f)": "nothing has no signal noSuchSignal(int)",
    "import qt\nclass W:\n def f(self):\n  self.t = qt.QTimer()\n  self.t.begin()": "qt.QTimer has no begin",
}


@pytest.mark.parametrize(("text", "problem"), BAD.items(), ids=list(BAD.values()))
def test_what_slicer_does_not_offer_is_found(text, problem):
    found = [str(p) for p in source_problems(text, "panel.py", UI)]
    assert any(problem in line for line in found), found


GOOD = """
import json
import qt, ctk, slicer
from slicer.util import VTKObservationMixin, getNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

def f(self, thing):
    label = qt.QLabel("x")
    label.text, label.wordWrap = "y", True
    label.alignment = qt.Qt.AlignRight
    self.timer = qt.QTimer()
    self.timer.connect("timeout()", f)
    self.ui.go.clicked.connect(f)
    self.ui.box.connect("currentIndexChanged(int)", f)
    if self.ui.box.count > self.ui.box.findData(None):
        thing.ownMethod(json.dumps({}).strip())
    self.ui.node.currentNode().GetName()
    slicer.util.errorDisplay("x", detailedText="y")
    slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    slicer.modules.asldenoise.widgetRepresentation()
    item = qt.QTableWidgetItem("v")
    return item.text(), qt.QMessageBox.Yes | qt.QMessageBox.No
"""


def test_what_slicer_offers_is_no_problem():
    known = Known(UI.ui, UI.own, names_elsewhere(), UI.modules)
    assert source_problems(GOOD, "panel.py", known) == []


def test_a_form_with_foreign_names_is_found():
    form = """<ui><widget class="QWidget" name="top"><property name="nosuch"><string>x</string></property>
      <property name="mine" stdset="0"><string>x</string></property>
      <layout class="QVBoxLayout" name="l"><property name="gap"><number>3</number></property>
      <item><widget class="qMRMLThing" name="thing"/></item>
      <item><widget class="QLabel" name="label"><property name="frameShape"><enum>QLabel::Oval</enum></property>
      <property name="width"><number>3</number></property></widget></item></layout></widget>
      <connections><connection><sender>label</sender><signal>pushed()</signal><receiver>top</receiver>
      <slot>setText(QString)</slot></connection></connections></ui>"""
    found = "\n".join(ui_problems(ElementTree.fromstring(form)))
    for problem in (
        "the class qMRMLThing is not listed",
        "top (QWidget): the property nosuch is not listed",
        "the dynamic property mine means nothing",
        "the layout property gap is not known",
        "the enum value QLabel::Oval is not listed",
        "the property width is read only",
        "label (qt.QLabel) has no signal pushed()",
        "top (qt.QWidget) has no slot setText(QString)",
    ):
        assert problem in found


# --- the facts themselves -------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_every_fact_is_one_of_the_introspected_original():
    place = Path(os.environ.get("ASLDENOISE_SHARED_DATA", ROOT.parent / "shared" / "data")).parent
    original_file = place / "slicer-api" / "surface.json"
    if not original_file.is_file():
        pytest.skip("the introspected surface of a Slicer desktop is not here (../shared/slicer-api)")
    original = json.loads(original_file.read_text("utf-8"))
    data = json.loads(surface.DATA.read_text("utf-8"))
    assert (data["slicer"], data["qt"]) == (original["slicer"], original["qt"])
    assert set(data["gui_connectors"]) == set(original["gui_connectors"])
    assert set(data["slicer_app"].split()) <= set(original["slicer_app"])
    assert set(data["modules"].split()) <= set(original["modules"])
    assert data["functions"].items() <= original["functions"].items()
    for name, kept in data["classes"].items():
        source = original["classes"][name]
        for key in ("properties", "signals", "slots"):
            assert set(kept.get(key, ())) <= set(source[key]), name
        slots = {line.split("(")[0] for line in source["slots"]}
        assert set(kept.get("names", "").split()) <= {*source["also_callable_or_constant"], *slots}, name
        inherited = {n for own in surface.lineage(name) for n in (*own.properties, *own.names)}
        listed = {*(p.split(":")[0] for p in source["properties"]), *source["also_callable_or_constant"], *slots}
        assert listed <= inherited, f"{name} lost {sorted(listed - inherited)}"
