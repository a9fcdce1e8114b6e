"""The parameter node wrapper stands in for Slicer's: types, encoding in the node, widgets, refusals."""

from __future__ import annotations

import pathlib
import typing
from enum import Enum
from typing import Annotated

import pytest


class Way(Enum):
    DENOISE = "denoise"
    SR = "superres"

    def label(self):
        return self.value.title()


@pytest.fixture
def pnw(desktop):
    from slicer import parameterNodeWrapper

    return parameterNodeWrapper


def wrapped(pnw, annotations, **defaults):
    """A wrapper class of these members round a new node; and the node."""
    import slicer

    cls = pnw.parameterNodeWrapper(type("Parameters", (), {"__annotations__": annotations, **defaults}))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    return cls(node), node


def test_each_kind_has_its_first_value_and_keeps_another(pnw):
    import slicer

    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    for kind, first, other in (
        (bool, False, True),
        (str, "", "text"),
        (int, 0, 7),
        (float, 0, 2.5),
        (Way, Way.DENOISE, Way.SR),
        (list[float], [], [1.0, 2.5]),
        (slicer.vtkMRMLScalarVolumeNode, None, volume),
        (slicer.vtkMRMLNode, None, volume),
    ):
        parameters, node = wrapped(pnw, {"x": kind})
        assert parameters.x == first, kind
        parameters.x = other
        assert parameters.x == other, kind
        assert type(parameters)(node).x == other, kind


def test_values_stand_in_the_node_as_slicer_writes_them(pnw):
    import slicer

    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    parameters, node = wrapped(
        pnw,
        {
            "flag": bool,
            "way": Way,
            "many": list[float],
            "volume": slicer.vtkMRMLScalarVolumeNode,
        },
    )
    parameters.flag, parameters.way, parameters.many = True, Way.SR, [1.0, 2.5]
    parameters.volume = volume
    written = {name: node.GetParameter(name) for name in node.GetParameterNames()}
    assert written == {
        "flag": "True",
        "way": "SR",
        "many.len": "2",
        "many.0": "1.0",
        "many.1": "2.5",
        "volume": "",
    }
    assert node.GetNodeReferenceID("volume") == volume.GetID()


def test_a_value_out_of_range_is_refused_and_the_old_one_stays(pnw):
    parameters, _ = wrapped(pnw, {"x": Annotated[float, pnw.WithinRange(0, 1)]}, x=0.5)
    with pytest.raises(ValueError, match=r"Value must be within range \[0, 1\], is 3.0"):
        parameters.x = 3.0
    assert parameters.x == 0.5


def test_wrong_types_are_refused(pnw):
    parameters, _ = wrapped(pnw, {"x": int, "y": str})
    with pytest.raises(TypeError, match="must be of type"):
        parameters.x = "1"
    with pytest.raises(ValueError, match="must not be None"):
        parameters.y = None


def test_a_union_of_node_classes_cannot_be_kept(pnw):
    import slicer

    kind = slicer.vtkMRMLScalarVolumeNode | slicer.vtkMRMLSequenceNode
    with pytest.raises(TypeError, match="Unable to write value 'None'"):
        wrapped(pnw, {"x": kind})


@pytest.mark.parametrize("kind", [float | None, dict[str, int], tuple[int, str], pathlib.Path, list])
def test_a_kind_that_slicer_keeps_and_the_harness_does_not_says_so(pnw, kind):
    with pytest.raises(NotImplementedError, match="Slicer keeps a parameter of type"):
        wrapped(pnw, {"x": kind})


def test_a_name_that_slicer_has_and_the_harness_has_not_says_so(pnw):
    for name in ("Choice", "parameterPack"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(pnw, name)
    assert not hasattr(pnw, "Between")


def test_a_literal_cannot_be_kept(pnw):
    with pytest.raises(Exception, match=r"Unable to create serializer for .* member x"):
        wrapped(pnw, {"x": typing.Literal["a", "b"]})


def test_lists_write_themselves_when_they_change(pnw):
    parameters, node = wrapped(pnw, {"x": list[str]})
    parameters.x.append("a")
    assert (str(parameters.x), node.GetParameter("x.0")) == ("ObservedList(['a'])", "a")
    del parameters.x[0]
    assert (node.GetParameter("x.len"), parameters.x) == ("0", [])


def test_changes_of_the_node_are_seen(pnw):
    parameters, node = wrapped(pnw, {"x": int})
    node.SetParameter("x", "5")
    assert parameters.x == 5


def test_observers_see_the_new_value(pnw):
    import vtk

    parameters, _ = wrapped(pnw, {"x": int})
    seen = []
    parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: seen.append(parameters.x))
    parameters.x = 4
    assert seen == [4]


# --- widgets --------------------------------------------------------------------------------------------------------


def bound(pnw, widget, kind, **defaults):
    """A parameter that a widget is bound to."""
    parameters, _ = wrapped(pnw, {"x": kind}, **defaults)
    widget.setProperty("SlicerParameterName", "x")
    ui = type("Ui", (), {})()
    ui.widget = widget
    return parameters, parameters.connectGui(ui)


def test_widgets_and_parameters_follow_each_other(pnw, desktop):
    qt, ctk = desktop.qt, desktop.ctk
    ranged = Annotated[float, pnw.WithinRange(0, 10)]
    for widget, kind, name, value in (
        (qt.QCheckBox(), bool, "checked", True),
        (qt.QSpinBox(), Annotated[int, pnw.WithinRange(0, 10)], "value", 3),
        (qt.QDoubleSpinBox(), ranged, "value", 3.5),
        (ctk.ctkSliderWidget(), ranged, "value", 3.5),
        (qt.QLineEdit(), str, "text", "words"),
    ):
        parameters, tag = bound(pnw, widget, kind)
        setattr(widget, name, value)
        assert parameters.x == value, widget
        parameters.x = type(value)()
        assert getattr(widget, name) == type(value)(), widget
        parameters.disconnectGui(tag)
        setattr(widget, name, value)
        assert parameters.x == type(value)(), widget


def test_a_combo_box_shows_the_labels_of_an_enum(pnw, desktop):
    box = desktop.qt.QComboBox()
    parameters, _ = bound(pnw, box, Way)
    assert [box.itemText(i) for i in range(box.count)] == ["Denoise", "Superres"]
    box.currentIndex = 1
    assert parameters.x is Way.SR


def test_a_node_selector_takes_its_types_from_the_parameter(pnw, desktop):
    import slicer

    combo = slicer.qMRMLNodeComboBox()
    combo.noneEnabled = True
    combo.setMRMLScene(slicer.mrmlScene)
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "vol")
    parameters, _ = bound(pnw, combo, slicer.vtkMRMLScalarVolumeNode)
    assert combo.nodeTypes == ("vtkMRMLScalarVolumeNode",)
    combo.setCurrentNode(volume)
    assert parameters.x is volume
    parameters.x = None
    assert combo.currentNode() is None


def test_a_slider_needs_bounds(pnw, desktop):
    with pytest.raises(RuntimeError, match="unbounded"):
        bound(pnw, desktop.ctk.ctkSliderWidget(), float)


def test_widgets_that_slicer_cannot_bind_are_refused(pnw, desktop):
    for widget, kind in (
        (desktop.qt.QPlainTextEdit(), str),
        (desktop.ctk.ctkCollapsibleGroupBox(), bool),
        (desktop.ctk.ctkCollapsibleButton(), bool),
        (desktop.qt.QSpinBox(), float),
    ):
        with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
            bound(pnw, widget, kind)


def test_a_selector_cannot_be_bound_to_any_node(pnw, desktop):
    """Slicer makes a node of the parameter's class to ask for its name, and there is no node that is of no kind."""
    import slicer

    with pytest.raises((TypeError, NotImplementedError)):
        bound(pnw, slicer.qMRMLNodeComboBox(), slicer.vtkMRMLNode)


def test_the_connectors_are_those_of_slicer(pnw):
    from slicer_harness import surface
    from slicer_harness.parameter_node.connectors import CONNECTORS

    ours = {cls.__name__ for cls in CONNECTORS}
    assert ours <= set(surface.gui_connectors()) and len(ours) == len(CONNECTORS)


def test_a_scene_keeps_the_parameters(pnw, tmp_path):
    import slicer
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic
    from slicer_harness.panel import reopen_scene, save_scene

    cls = pnw.parameterNodeWrapper(type("P", (), {"__annotations__": {"way": Way, "x": float}}))
    logic = type("MadeLogic", (ScriptedLoadableModuleLogic,), {})()
    cls(logic.getParameterNode()).way = Way.SR
    save_scene(tmp_path / "scene.mrb")
    reopen_scene(tmp_path / "scene.mrb")
    node = logic.getParameterNode()
    assert (cls(node).way, node.GetSingletonTag()) == (Way.SR, "Made")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode") == 1
