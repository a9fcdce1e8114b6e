"""Raw and processed side by side: layouts, linked views and the way back, on MRML's own layout and link logics."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from drawn_views import resized, slice_views
from scene_builders import contents, made_result, pixels

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.scene.choose import compare, place_of, plot, show_map
from ASLDenoiseLib.scene.display import legends_of
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.scene.layouts import (
    PLOT_VIEW,
    SIDE_BY_SIDE,
    WITH_PLOT,
    is_ours,
    layout_node,
    leave_layout,
    retired_layout,
    tidy_after_user,
)
from ASLDenoiseLib.scene.place import Place, matrix_of, settle
from ASLDenoiseLib.scene.present import present

FOUR_UP, CONVENTIONAL = 3, 2
RAW, DENOISED, RESIDUAL = "desc-mean_cbf", "desc-denoised_cbf", "desc-residual_cbf"


@pytest.fixture
def scene():
    """A scene without a desktop."""
    with headless_scene() as scene:
        yield scene


@pytest.fixture
def desktop(scene):
    """The same with the logics that give a desktop its views and links them."""
    import slicer

    with slice_views(scene, (500, 700)):
        links = slicer.vtkMRMLSliceLinkLogic()
        links.SetMRMLScene(scene)
        layout_node(scene).SetViewArrangement(FOUR_UP)
        yield scene
        links.SetMRMLScene(None)


def node_of(scene, kind: str, tag: str):
    import slicer

    (node,) = [node for node in slicer.util.getNodesByClass(kind, scene) if node.GetLayoutName() == tag]
    return node


def view(scene, tag):
    return node_of(scene, "vtkMRMLSliceNode", tag)


def shown_in(scene, tag) -> str | None:
    return node_of(scene, "vtkMRMLSliceCompositeNode", tag).GetForegroundVolumeID()


@pytest.mark.parametrize(
    ("number", "tags"), [(SIDE_BY_SIDE, ["Red", "Yellow"]), (WITH_PLOT, ["Red", "Green", "Yellow"])]
)
def test_the_layouts_are_slicers_own_so_that_one_without_the_module_knows_their_numbers(desktop, number, tags):
    layout_node(desktop).SetViewArrangement(number)
    text = layout_node(desktop).GetCurrentLayoutDescription()
    assert all(f'singletontag="{tag}"' in text for tag in tags)
    assert (PLOT_VIEW in text) == (number == WITH_PLOT)


def test_without_a_desktop_the_layout_is_in_the_scene_all_the_same(scene):
    nodes = present(made_result())
    compare(nodes)
    assert layout_node(scene).GetViewArrangement() == SIDE_BY_SIDE
    assert [shown_in(scene, tag) for tag in ("Red", "Yellow")] == [nodes.maps[k].GetID() for k in (RAW, DENOISED)]


def test_raw_and_processed_lie_over_the_t1_at_one_window_with_their_legends(desktop):
    nodes = present(made_result())
    compare(nodes, opacity=0.4)
    assert is_ours(desktop)
    raw, processed = (nodes.maps[key] for key in (RAW, DENOISED))
    for tag, volume in (("Red", raw), ("Yellow", processed)):
        composite = node_of(desktop, "vtkMRMLSliceCompositeNode", tag)
        assert composite.GetBackgroundVolumeID() == nodes.t1.GetID()
        assert composite.GetForegroundVolumeID() == volume.GetID()
        assert composite.GetForegroundOpacity() == pytest.approx(0.4)
        assert legends_of(volume)[0].GetVisibility()
    displays = (raw.GetDisplayNode(), processed.GetDisplayNode())
    assert {(d.GetWindowLevelMin(), d.GetWindowLevelMax()) for d in displays} == {(0.0, 90.0)}
    assert not legends_of(nodes.maps[RESIDUAL])[0].GetVisibility()


def test_the_title_of_a_view_is_that_of_the_map_in_it(desktop):
    nodes = present(made_result())
    compare(nodes)
    assert [view(desktop, tag).GetLayoutLabel() for tag in ("Red", "Yellow")] == ["Raw CBF", "Denoised CBF"]
    show_map(nodes, RESIDUAL)
    assert [view(desktop, tag).GetLayoutLabel() for tag in ("Red", "Yellow")] == ["Raw CBF", "Raw minus denoised"]
    leave_layout(desktop)
    assert [view(desktop, tag).GetLayoutLabel() for tag in ("Red", "Green", "Yellow")] == ["R", "G", "Y"]


def test_scrolling_one_view_scrolls_the_other(desktop):
    import slicer

    compare(present(made_result()))
    left, right = view(desktop, "Red"), view(desktop, "Yellow")
    flags = slicer.vtkMRMLSliceNode.SliceToRASFlag | slicer.vtkMRMLSliceNode.FieldOfViewFlag
    left.SetInteractionFlags(flags)
    left.SetInteracting(1)
    left.SetSliceOffset(17.0)
    left.SetFieldOfView(90.0, 90.0, 1.0)
    left.SetInteracting(0)
    assert right.GetSliceOffset() == pytest.approx(17.0)
    assert right.GetFieldOfView()[0] == pytest.approx(90.0)


def test_all_views_are_axial_and_what_they_were_comes_back(desktop):
    nodes = present(made_result())
    before = [matrix_of(view(desktop, tag)) for tag in ("Red", "Green", "Yellow")]
    compare(nodes)
    assert [view(desktop, tag).GetOrientation() for tag in ("Red", "Yellow")] == ["Axial", "Axial"]
    plot(nodes, "boxes")
    assert [view(desktop, tag).GetOrientation() for tag in ("Red", "Green", "Yellow")] == ["Axial"] * 3
    leave_layout(desktop)
    assert [view(desktop, tag).GetOrientation() for tag in ("Red", "Green", "Yellow")] == [
        "Axial",
        "Coronal",
        "Sagittal",
    ]
    assert [matrix_of(view(desktop, tag)) for tag in ("Red", "Green", "Yellow")] == before
    assert not node_of(desktop, "vtkMRMLSliceCompositeNode", "Yellow").GetLinkedControl()


def test_slice_and_zoom_and_crosshair_stay_from_layout_to_layout_and_back(desktop):
    import slicer

    nodes = present(made_result())
    crosshair = desktop.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if crosshair is None:
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        desktop.AddNode(crosshair)
    crosshair.SetCrosshairRAS(5.0, 6.0, 7.0)
    red = view(desktop, "Red")
    red.SetSliceOffset(11.0)
    red.SetFieldOfView(50.0, 70.0, 1.0)
    for change in (lambda: compare(nodes), lambda: plot(nodes, "boxes"), lambda: leave_layout(desktop)):
        change()
        settle(desktop, place_of(nodes), ("Red", "Yellow") if is_ours(desktop) else ("Red",))
        assert red.GetSliceOffset() == pytest.approx(11.0)
        assert red.GetFieldOfView()[:2] == pytest.approx((50.0, 70.0))
        if is_ours(desktop):
            assert view(desktop, "Yellow").GetSliceOffset() == pytest.approx(11.0)
            assert view(desktop, "Yellow").GetFieldOfView()[:2] == pytest.approx((50.0, 70.0))
    assert tuple(crosshair.GetCrosshairRAS()) == (5.0, 6.0, 7.0)


def test_a_run_again_leaves_slice_and_zoom_where_they_are(desktop):
    present(made_result())
    red = view(desktop, "Red")
    red.SetSliceOffset(13.0)
    red.SetFieldOfView(60.0, 84.0, 1.0)
    present(made_result(model="another"))
    assert red.GetSliceOffset() == pytest.approx(13.0)
    assert red.GetFieldOfView()[:2] == pytest.approx((60.0, 84.0))


def test_a_view_that_a_new_layout_cuts_has_the_brain_whole_again_at_its_slice(scene):
    with slice_views(scene, (700, 450)) as logics:
        nodes = present(made_result())
        view(scene, "Red").SetSliceOffset(9.0)
        compare(nodes)
        for tag in ("Red", "Yellow"):
            resized(logics[tag], 350, 800)
        settle(scene, place_of(nodes), ("Red", "Yellow"))
        low, high = np.array(place_of(nodes).box)[:2].T
        for tag in ("Red", "Yellow"):
            node = view(scene, tag)
            assert np.all(np.array(node.GetFieldOfView()[:2]) >= high - low)
            assert node.GetFieldOfView()[0] / node.GetFieldOfView()[1] == pytest.approx(350 / 800, rel=1e-3)
            assert node.GetSliceOffset() == pytest.approx(9.0)


def test_the_way_back_leads_to_the_layout_before(desktop):
    layout_node(desktop).SetViewArrangement(CONVENTIONAL)
    nodes = present(made_result())
    compare(nodes)
    plot(nodes, "boxes")
    assert layout_node(desktop).GetViewArrangement() == WITH_PLOT
    leave_layout(desktop)
    assert layout_node(desktop).GetViewArrangement() == CONVENTIONAL and not is_ours(desktop)
    layout_node(desktop).SetViewArrangement(SIDE_BY_SIDE)
    leave_layout(desktop)  # the user's own side by side, not ours: it stays
    assert layout_node(desktop).GetViewArrangement() == SIDE_BY_SIDE


def test_a_layout_that_the_user_leaves_through_slicers_list_gives_its_views_back(desktop):
    compare(present(made_result()))
    assert not tidy_after_user(desktop)
    layout_node(desktop).SetViewArrangement(FOUR_UP)
    assert tidy_after_user(desktop) and not is_ours(desktop)
    assert view(desktop, "Yellow").GetOrientation() == "Sagittal"
    assert not tidy_after_user(desktop)


def test_a_layout_of_an_earlier_version_is_told_by_its_number(desktop):
    assert retired_layout(desktop) is None
    layout_node(desktop).SetViewArrangement(7301)
    assert retired_layout(desktop) == SIDE_BY_SIDE
    compare(present(made_result()))
    leave_layout(desktop)
    assert layout_node(desktop).GetViewArrangement() == FOUR_UP


def test_a_chart_is_put_into_the_plot_view_of_the_layout_and_the_difference_below_it(desktop):
    nodes = present(made_result())
    plot(nodes, "agreement")
    assert node_of(desktop, "vtkMRMLPlotViewNode", PLOT_VIEW).GetPlotChartNodeID() == nodes.charts["agreement"].GetID()
    shown = [shown_in(desktop, tag) for tag in ("Red", "Green", "Yellow")]
    assert shown == [nodes.maps[key].GetID() for key in (RAW, DENOISED, RESIDUAL)]
    plot(nodes, "scatter", RESIDUAL)
    assert node_of(desktop, "vtkMRMLPlotViewNode", PLOT_VIEW).GetPlotChartNodeID() == nodes.charts["scatter"].GetID()
    assert shown_in(desktop, "Yellow") is None  # the T1 alone: the difference stands above it


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
    assert [shown_in(desktop, tag) for tag in ("Red", "Yellow")] == [nodes.maps[k].GetID() for k in (RAW, DENOISED)]
    assert legends_of(nodes.maps[RAW])[0].GetVisibility()


def test_the_two_views_are_drawn_with_one_map_each(scene):
    with slice_views(scene, (160, 160)) as logics:
        compare(present(made_result()))
        shown = [pixels(logics[tag]) for tag in ("Red", "Yellow")]
    assert all(0.2 < (np.ptp(image, axis=2) > 20).mean() < 1 for image in shown)
    assert np.abs(shown[0] - shown[1]).mean() > 5  # the raw map is noisy, the other is not


def test_a_closer_look_is_as_close_in_every_layout_and_back(desktop):
    """150 x 92 mm became 158 x 204 side by side, and 333 x 204 on the way back from a plot."""
    nodes = present(made_result())
    place = place_of(nodes)
    place = Place(tuple((5 * low, 5 * high) for low, high in place.box), place.point)  # a head, not a toy's
    red = view(desktop, "Red")
    resize(red, 452, 277)
    red.SetFieldOfView(150.0, 92.0, 1.0)
    changes = (
        (lambda: compare(nodes), (452, 590)),
        (lambda: plot(nodes, "boxes"), (452, 290)),
        (lambda: leave_layout(desktop), (452, 277)),
    )
    for act, size in changes:
        act()
        resize(red, *size)
        settle(desktop, place)
        assert [side / n for side, n in zip(red.GetFieldOfView()[:2], size, strict=True)] == pytest.approx(
            [150 / 452, 92 / 277], rel=0.01
        )


def resize(node, width, height):
    """As Slicer does when a view's widget gets another size (vtkMRMLSliceLogic::ResizeSliceNode)."""
    old, (across, up, through) = node.GetDimensions()[:2], node.GetFieldOfView()
    scale = width / old[0], height / old[1]
    sizes = [s if s >= 1 else 1 / s for s in scale]
    if sizes[0] < sizes[1]:
        up *= scale[1] / scale[0]
    else:
        across *= scale[0] / scale[1]
    node.SetDimensions(width, height, 1)
    node.SetFieldOfView(across, up, through)
