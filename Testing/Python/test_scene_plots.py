"""The charts of a run as MRML nodes: what Slicer's plot view is given to draw, where it lies, that it is saved."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from course_builders import with_course
from scene_builders import contents, load_mrb, made_result

from ASLDenoiseLib.reporting.charts import charts_of
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.hierarchy import all_items, hierarchy, remove_run
from ASLDenoiseLib.scene.plots import DATA_FOLDER, add_plots, caption_of, charts_in
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.store import save_mrb


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


@pytest.fixture
def result():
    return with_course(made_result())


def series_of(chart) -> list:
    return [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]


def drawn(series, axis: str) -> np.ndarray:
    """The numbers of a series as a plot view reads them: the named column of the table it refers to."""
    name = series.GetXColumnName() if axis == "x" else series.GetYColumnName()
    column = series.GetTableNode().GetTable().GetColumnByName(name)
    return np.array([column.GetValue(row) for row in range(column.GetNumberOfTuples())])


def test_every_chart_of_the_run_is_in_the_scene_with_its_titles(scene, result):
    nodes = present(result)
    made = {chart.key: chart for chart in charts_of(result)}
    assert list(nodes.charts) == list(made)
    for key, node in nodes.charts.items():
        assert (node.GetTitle(), node.GetXAxisTitle(), node.GetYAxisTitle()) == (
            made[key].name,
            made[key].x_title,
            made[key].y_title,
        )
        assert caption_of(node) == made[key].caption
        assert not node.GetXAxisRangeAuto() and node.GetXAxisRange() == pytest.approx(made[key].x_range)
        assert [series.GetName() for series in series_of(node)] == [line.name for line in made[key].lines]


def test_what_is_drawn_is_what_was_computed_and_the_rest_of_a_column_is_nan(scene, result):
    nodes = present(result)
    for chart in charts_of(result):
        for line, series in zip(chart.lines, series_of(nodes.charts[chart.key]), strict=True):
            for axis, values in (("x", line.x), ("y", line.y)):
                column = drawn(series, axis)
                np.testing.assert_array_equal(column[: values.size], values)
                assert np.isnan(column[values.size :]).all()


def test_points_have_markers_alone_and_limits_are_dashed(scene, result):
    import slicer

    kinds = slicer.vtkMRMLPlotSeriesNode
    points, bias, upper, lower = series_of(present(result).charts["agreement"])
    assert points.GetLineStyle() == kinds.LineStyleNone and points.GetMarkerStyle() == kinds.MarkerStyleCircle
    assert bias.GetLineStyle() == kinds.LineStyleSolid and bias.GetMarkerStyle() == kinds.MarkerStyleNone
    assert upper.GetLineStyle() == lower.GetLineStyle() == kinds.LineStyleDash
    assert {series.GetPlotType() for series in (points, bias, upper, lower)} == {kinds.PlotTypeScatter}


def test_a_point_of_a_box_can_tell_its_figures(scene, result):
    series = series_of(present(result).charts["boxes"])[0]
    notes = series.GetTableNode().GetTable().GetColumnByName(series.GetLabelColumnName())
    assert notes.GetValue(0).startswith("GM: median ") and "ml/100g/min" in notes.GetValue(0)


def test_the_numbers_carry_their_unit_in_the_table(scene, result):
    charts = present(result).charts
    for key, unit in (("scatter", "ml/100g/min"), ("shift", "mm"), ("turn", "deg"), ("left_out", "%")):
        series = series_of(charts[key])[0]
        assert series.GetTableNode().GetColumnUnitLabel(series.GetYColumnName()) == unit


def test_charts_lie_in_the_folder_of_the_run_and_their_data_in_a_folder_within(scene, result):
    tree = hierarchy(scene)
    nodes = present(result)
    assert {tree.GetItemParent(tree.GetItemByDataNode(chart)) for chart in nodes.charts.values()} == {nodes.folder}
    parts = [part for chart in nodes.charts.values() for series in series_of(chart) for part in (series,)]
    parts += [series.GetTableNode() for series in parts]
    (inner,) = {tree.GetItemParent(tree.GetItemByDataNode(part)) for part in parts}
    assert tree.GetItemName(inner) == DATA_FOLDER and tree.GetItemParent(inner) == nodes.folder


def test_a_run_that_has_its_charts_keeps_them(scene, result):
    nodes = present(result)
    before = contents(scene)
    assert add_plots(result, nodes) == dict(nodes.charts) == dict(charts_in(scene, nodes.folder))
    assert contents(scene) == before


def test_presenting_again_replaces_the_charts_and_removing_the_run_leaves_none(scene, result):
    present(result)
    before, items = contents(scene), len(all_items(scene))
    nodes = present(result)
    assert contents(scene) == before and len(all_items(scene)) == items
    remove_run(scene, nodes.folder)
    for kind in ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode"):
        assert scene.GetNumberOfNodesByClass(kind) == 0


def test_a_failure_while_plotting_leaves_the_scene_as_it_was(scene, result, monkeypatch):
    from ASLDenoiseLib.scene import plots

    present(result)
    before, items = contents(scene), len(all_items(scene))

    def fails(*arguments):
        raise MemoryError

    monkeypatch.setattr(plots, "_add_series", fails)
    with pytest.raises(MemoryError):
        present(result)
    assert contents(scene) == before and len(all_items(scene)) == items


def test_charts_survive_saving_and_loading(scene, result, tmp_path):
    nodes = present(result)
    loaded = load_mrb(save_mrb(scene, tmp_path / "run.mrb"), tmp_path / "opened")
    try:
        tree = hierarchy(loaded)
        (folder,) = [item for item in all_items(loaded) if tree.GetItemName(item) == "sub-77 test-model ASL"]
        charts = charts_in(loaded, folder)
        assert list(charts) == list(nodes.charts)
        for key, chart in charts.items():
            own = nodes.charts[key]
            assert (chart.GetTitle(), chart.GetXAxisTitle()) == (own.GetTitle(), own.GetXAxisTitle())
            assert caption_of(chart) == caption_of(own)
            assert chart.GetYAxisRange() == pytest.approx(own.GetYAxisRange(), rel=1e-4)
            for series, before in zip(series_of(chart), series_of(own), strict=True):
                assert series.GetName() == before.GetName()
                for axis in ("x", "y"):
                    np.testing.assert_allclose(drawn(series, axis), drawn(before, axis), rtol=1e-4, atol=1e-5)
    finally:
        close_scene(loaded)


def test_vtk_draws_a_broken_line_for_the_boxes(scene, result):
    """The charts rest on it: a NaN lifts the pen, and does not corrupt the bounds."""
    import vtk

    series = series_of(present(result).charts["boxes"])[0]
    plot = vtk.vtkPlotLine()
    plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
    plot.Update()
    bounds = [0.0] * 4
    plot.GetBounds(bounds)
    x, y = drawn(series, "x"), drawn(series, "y")
    assert np.isnan(y).any()
    assert bounds == pytest.approx([np.nanmin(x), np.nanmax(x), np.nanmin(y), np.nanmax(y)])


def test_what_a_desktop_has_taken_away_with_a_volume_is_not_removed_once_more(scene):
    import vtk

    nodes = present(made_result(), scene=scene)
    displays = {n.GetID(): n.GetDisplayNode() for n in nodes.maps.values()}
    again = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def as_a_desktop(caller, event, node):
        if node.GetScene() is None:
            again.append(node.GetClassName())
        display = displays.pop(node.GetID() or "", None)
        if display is not None:
            scene.RemoveNode(display)

    scene.AddObserver(scene.NodeAboutToBeRemovedEvent, as_a_desktop)
    remove_run(scene, nodes.folder)
    assert not displays and not again
