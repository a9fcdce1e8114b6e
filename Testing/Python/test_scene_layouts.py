"""Raw and processed side by side: layouts, linked views and the way back, on MRML's own layout and link logics."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import contents, made_result, pixels

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.choose import compare, plot
from ASLDenoiseLib.scene.display import RAW_VIEW, legends_of
from ASLDenoiseLib.scene.headless import application_logic, headless_scene
from ASLDenoiseLib.scene.layouts import (
    PLOT_VIEW,
    PROCESSED_VIEW,
    SIDE_BY_SIDE,
    WITH_PLOT,
    fit_views,
    is_ours,
    layout_node,
    leave_layout,
    register_layouts,
    side_by_side_xml,
    with_plot_xml,
)
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.volumes import volume_from_node

FOUR_UP = 3


@pytest.fixture
def scene():
    """A scene without a desktop."""
    with headless_scene() as scene:
        yield scene


@pytest.fixture
def desktop(scene):
    """The same with the logics that give a desktop its views and links them."""
    import slicer

    logics = [slicer.vtkMRMLLayoutLogic(), slicer.vtkMRMLSliceLinkLogic()]
    for logic in logics:
        logic.SetMRMLScene(scene)
    layout_node(scene).SetViewArrangement(FOUR_UP)
    yield scene
    for logic in logics:
        logic.SetMRMLScene(None)


def node_of(scene, kind: str, tag: str):
    import slicer

    (node,) = [node for node in slicer.util.getNodesByClass(kind, scene) if node.GetSingletonTag() == tag]
    return node


def views(scene) -> list:
    return [node_of(scene, "vtkMRMLSliceNode", tag) for tag in (RAW_VIEW, PROCESSED_VIEW)]


def composites(scene) -> list:
    return [node_of(scene, "vtkMRMLSliceCompositeNode", tag) for tag in (RAW_VIEW, PROCESSED_VIEW)]


@pytest.mark.parametrize(("text", "plots"), [(side_by_side_xml(), 0), (with_plot_xml(), 1)])
def test_a_layout_names_two_axial_views_of_one_group_raw_first(text, plots):
    found = list(ElementTree.fromstring(text).iter("view"))
    slices = [view for view in found if view.get("class") == "vtkMRMLSliceNode"]
    assert [view.get("singletontag") for view in slices] == [RAW_VIEW, PROCESSED_VIEW]
    properties = [{p.get("name"): p.text for p in view} for view in slices]
    assert {p["orientation"] for p in properties} == {"Axial"}
    assert len({p["viewgroup"] for p in properties}) == 1 and properties[0]["viewgroup"] != "0"
    assert sum(view.get("class") == "vtkMRMLPlotViewNode" for view in found) == plots


def test_the_layout_logic_makes_the_views_that_the_layout_names(desktop):
    register_layouts(desktop)
    layout_node(desktop).SetViewArrangement(SIDE_BY_SIDE)
    assert [view.GetOrientation() for view in views(desktop)] == ["Axial", "Axial"]
    assert [view.GetLayoutLabel() for view in views(desktop)] == ["Raw", "Processed"]


def test_layouts_are_registered_once_and_again_without_harm(desktop):
    assert register_layouts(desktop) and register_layouts(desktop)
    assert layout_node(desktop).GetLayoutDescription(WITH_PLOT) == with_plot_xml()


def test_a_saved_layout_that_was_not_known_is_shown_once_it_is_registered(desktop):
    node = layout_node(desktop)
    node.SetViewArrangement(SIDE_BY_SIDE)  # as a scene opened before the panel leaves it
    assert not node.GetCurrentLayoutDescription()
    register_layouts(desktop)
    assert node.GetCurrentLayoutDescription() == side_by_side_xml()
    assert len(views(desktop)) == 2


def test_without_a_desktop_there_is_no_layout_but_the_views_are_there(scene):
    assert not register_layouts(scene) and not is_ours(scene)
    nodes = present(made_result())
    compare(nodes)
    assert [c.GetForegroundVolumeID() for c in composites(scene)] == [
        nodes.maps[key].GetID() for key in ("desc-mean_cbf", "desc-denoised_cbf")
    ]


def test_raw_and_processed_lie_over_the_t1_at_one_window_with_their_legends(desktop):
    nodes = present(made_result())
    compare(nodes, opacity=0.4)
    assert is_ours(desktop)
    raw, processed = (nodes.maps[key] for key in ("desc-mean_cbf", "desc-denoised_cbf"))
    for composite, volume in zip(composites(desktop), (raw, processed), strict=True):
        assert composite.GetBackgroundVolumeID() == nodes.t1.GetID()
        assert composite.GetForegroundVolumeID() == volume.GetID()
        assert composite.GetForegroundOpacity() == pytest.approx(0.4)
        assert legends_of(volume)[0].GetVisibility()
    windows = {
        (v.GetDisplayNode().GetWindowLevelMin(), v.GetDisplayNode().GetWindowLevelMax()) for v in (raw, processed)
    }
    assert windows == {(0.0, 90.0)}
    assert not legends_of(nodes.maps["desc-residual_cbf"])[0].GetVisibility()


def test_scrolling_one_view_scrolls_the_other_and_no_view_of_slicers_own(desktop):
    import slicer

    compare(present(made_result()))
    left, right = views(desktop)
    red = node_of(desktop, "vtkMRMLSliceNode", "Red")
    before = red.GetSliceOffset(), tuple(red.GetFieldOfView())
    flags = slicer.vtkMRMLSliceNode.SliceToRASFlag | slicer.vtkMRMLSliceNode.FieldOfViewFlag
    left.SetInteractionFlags(flags)
    left.SetInteracting(1)
    left.SetSliceOffset(17.0)
    left.SetFieldOfView(90.0, 90.0, 1.0)
    left.SetInteracting(0)
    assert right.GetSliceOffset() == pytest.approx(17.0)
    assert right.GetFieldOfView()[0] == pytest.approx(90.0)
    assert (red.GetSliceOffset(), tuple(red.GetFieldOfView())) == before


def test_the_views_hold_the_whole_map_and_are_centred_on_it(desktop):
    nodes = present(made_result())
    compare(nodes)
    volume = volume_from_node(nodes.maps["desc-mean_cbf"])
    corners = np.array([[i, j, k, 1] for k in (0, 7) for j in (0, 15) for i in (0, 13)], float)
    points = (corners @ volume.geometry.affine_ras.T)[:, :3]
    for view in views(desktop):
        centre = np.array([view.GetSliceToRAS().GetElement(row, 3) for row in range(3)])
        reach = np.abs(points - centre).max(axis=0)
        assert np.all(reach[:2] <= np.array(view.GetFieldOfView()[:2]) / 2 + 1e-3)
        assert centre[2] == pytest.approx(points[:, 2].mean(), abs=volume.geometry.spacing[2])


def test_a_view_that_was_turned_is_axial_again(desktop):
    nodes = present(made_result())
    compare(nodes)
    views(desktop)[1].SetOrientation("Sagittal")
    fit_views(desktop, nodes.maps["desc-mean_cbf"])
    assert [view.GetOrientation() for view in views(desktop)] == ["Axial", "Axial"]


def test_the_way_back_leads_to_the_layout_before(desktop):
    nodes = present(made_result())
    compare(nodes)
    plot(nodes, "boxes")
    assert layout_node(desktop).GetViewArrangement() == WITH_PLOT
    leave_layout(desktop)
    assert layout_node(desktop).GetViewArrangement() == FOUR_UP and not is_ours(desktop)
    layout_node(desktop).SetViewArrangement(FOUR_UP + 1)
    leave_layout(desktop)  # none of ours is shown: the user's stays
    assert layout_node(desktop).GetViewArrangement() == FOUR_UP + 1


def test_a_chart_is_put_into_the_plot_view_of_the_layout(desktop):
    nodes = present(made_result())
    plot(nodes, "agreement")
    assert node_of(desktop, "vtkMRMLPlotViewNode", PLOT_VIEW).GetPlotChartNodeID() == nodes.charts["agreement"].GetID()
    plot(nodes, "scatter")
    assert node_of(desktop, "vtkMRMLPlotViewNode", PLOT_VIEW).GetPlotChartNodeID() == nodes.charts["scatter"].GetID()


def test_a_chart_or_map_that_is_not_there_is_refused_and_nothing_changes(desktop):
    nodes = present(made_result())
    before, arrangement = contents(desktop), layout_node(desktop).GetViewArrangement()
    with pytest.raises(InputError, match=r"no chart 'turn' \(it has boxes, scatter, agreement\)"):
        plot(nodes, "turn")
    with pytest.raises(InputError, match="no map 'desc-superres_cbf'"):
        compare(nodes, "desc-superres_cbf")
    assert contents(desktop) == before and layout_node(desktop).GetViewArrangement() == arrangement


def test_running_again_keeps_raw_in_the_raw_view(desktop):
    compare(present(made_result()))
    nodes = present(made_result())
    left, right = composites(desktop)
    assert left.GetForegroundVolumeID() == nodes.maps["desc-mean_cbf"].GetID()
    assert right.GetForegroundVolumeID() == nodes.maps["desc-denoised_cbf"].GetID()
    assert legends_of(nodes.maps["desc-mean_cbf"])[0].GetVisibility()


def test_the_two_views_are_drawn_with_one_map_each(desktop):
    import slicer

    compare(present(made_result()))
    shown = []
    for view in views(desktop):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(application_logic(desktop))
        logic.SetMRMLScene(desktop)
        logic.SetSliceNode(view)
        view.SetDimensions(160, 160, 1)
        view.SetFieldOfView(max(view.GetFieldOfView()[:2]), max(view.GetFieldOfView()[:2]), view.GetFieldOfView()[2])
        shown.append(pixels(logic))
        logic.SetMRMLScene(None)
    assert all(0.2 < (np.ptp(image, axis=2) > 20).mean() < 1 for image in shown)
    assert np.abs(shown[0] - shown[1]).mean() > 5  # the raw map is noisy, the other is not
