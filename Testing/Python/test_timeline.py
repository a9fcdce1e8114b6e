"""The time line of a run in its tables, charts and scene: what each pair is like, what is left out and by whom."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scene_builders import load_mrb, made_result
from timeline_builders import HALVES, PAIRS, with_halves, with_timeline

from ASLDenoiseLib.reporting.charts import charts_of
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.timeline import course_tsv, outliers_tsv
from ASLDenoiseLib.reporting.timeline_plot import timeline_png
from ASLDenoiseLib.result.table import readouts_table


@pytest.fixture(scope="module")
def result():
    return with_timeline()


@pytest.fixture
def scene():
    pytest.importorskip("slicer")
    from ASLDenoiseLib.scene.headless import make_scene

    return make_scene()


def table(text):
    return [line.split("\t") for line in text.splitlines()]


def test_the_table_of_what_was_left_out_says_by_whom(result):
    head, *rows = table(outliers_tsv(result))
    assert head == ["pair", "slice", "reason", "value", "threshold", "decision"]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("2", "all", "left out"),
        ("5", "4", "left out"),
        ("7", "all", "taken out by the user"),
        ("5", "3", "put back by the user"),
    ]


def test_the_time_line_has_a_row_a_pair_with_its_figures_and_what_is_not_in_the_mean(result):
    head, *rows = table(course_tsv(result))
    assert len(rows) == PAIRS and rows[0][:4] == ["1", "0-1", "40", "ml/100g/min"]
    by_name = [dict(zip(head, row, strict=True)) for row in rows]
    assert by_name[6]["left_out"] == "1" and by_name[6]["decision"] == "taken out by the user"
    assert by_name[4]["left_out"] == "0.125" and by_name[4]["decision"] == "left out, put back by the user"
    assert by_name[0]["decision"] == "n/a" and by_name[0]["pair_motion"] == "0.05"


def test_every_figure_is_written_beside_the_maps_and_described(result, tmp_path):
    written = write_result(with_halves(result), tmp_path)
    described = json.loads((tmp_path / "sub-77_desc-pairs_timeseries.json").read_text("utf-8"))
    head = (tmp_path / "sub-77_desc-pairs_timeseries.tsv").read_text("utf-8").splitlines()[0].split("\t")
    assert head == list(described) and described["pair_motion"]["Units"] == "mm"
    told = json.loads((tmp_path / "sub-77_readouts.json").read_text("utf-8"))["split_half"]
    assert told["agreements"][1]["ccc"] == 0.92 and "smoothing alone is rewarded" in told["caveat"]
    assert told["agreements"][0]["spearman_brown"] == pytest.approx(2 * 0.42 / 1.42)
    assert (tmp_path / "sub-77_desc-denoisedodd_cbf.nii.gz") in written.files
    assert "desc-pairs_timeseries" in (tmp_path / "README.md").read_text("utf-8")


def test_the_report_shows_the_user_s_choice_and_the_agreement_of_halves(result):
    text = report_html(with_halves(result))
    assert "What the user took out is blue" in text and timeline_png(result)[:4] == b"\x89PNG"
    assert "Odd against even pairs" in text and "0.420" in text and "Spearman and Brown" in text
    assert "Odd against even pairs (5 and 5 pairs" in readouts_table(with_halves(result))


def test_the_chart_of_pairs_sets_apart_what_the_user_took_out(result):
    charts = {chart.key: chart for chart in charts_of(with_halves(result))}
    course = charts["course"]
    points = {line.name: line.x.tolist() for line in course.lines}
    assert points["Taken out by you"] == [7] and points["Left out in part or whole"] == [2, 5]
    assert "ml/100g/min" in course.y_title and "Pair 7: 52.0 ml/100g/min" in course.lines[-1].notes[0]
    assert (
        charts["halves"].caption == HALVES.headline and [line.name for line in charts["halves"].lines][-1] == "The same"
    )
    assert "by hand" in charts["left_out"].caption


def test_the_scene_holds_the_time_line_and_gives_it_back(result, scene, tmp_path):
    from ASLDenoiseLib.scene.course import course_node, read_course
    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.store import save_mrb

    nodes = present(result, scene=scene)
    for held in (scene, load_mrb(save_mrb(scene, tmp_path / "a.mrb"), tmp_path / "b")):
        from ASLDenoiseLib.scene.choose import runs_in

        (run,) = runs_in(held)
        course = read_course(course_node(held, run.folder))
        assert course.numbers == tuple(range(1, PAIRS + 1)) and course.total == PAIRS
        assert np.argwhere(course.found).tolist() == [[1, k] for k in range(course.slices)] + [[4, 2], [4, 3]]
        assert course.taken_out[6].all() and course.taken_out.sum() == course.slices
        assert np.argwhere(course.put_back).tolist() == [[4, 2]]
        assert course.rows[3].perfusion == pytest.approx(46.0) and course.rows[6].decision == "taken out by the user"
        assert course.rows[4].left_out == pytest.approx(1 / 8)
    assert nodes.folder


def test_a_pair_is_shown_in_one_node_whichever_it_is_and_beside_raw_in_the_layouts(result, scene):
    import slicer

    from ASLDenoiseLib.scene.choose import compare, nodes_of, runs_in
    from ASLDenoiseLib.scene.pair_view import pair_node, show_pair
    from ASLDenoiseLib.scene.present import present

    scene_nodes = present(result, scene=scene)
    nodes = nodes_of(scene, runs_in(scene)[0])
    image = np.arange(np.prod(result.series.geometry.shape), dtype=np.float32).reshape(result.series.geometry.shape)
    image[0] = np.nan
    first = show_pair(nodes, image, number=3, unit="ml/100g/min", window=80.0)
    count = scene.GetNumberOfNodes()
    second = show_pair(nodes, image - 5, number=4, unit="ml/100g/min", window=80.0)
    assert second is first is pair_node(nodes) and scene.GetNumberOfNodes() == count
    assert first.GetName() == "Pair 4 sub-77" and first.GetAttribute("ASLDenoise.pair") == "4"
    shown = slicer.util.arrayFromVolume(first)
    assert np.isnan(shown[0]).all() and shown[1, 0, 0] == image[1, 0, 0] - 5
    window = first.GetDisplayNode()
    assert (window.GetWindowLevelMin(), window.GetWindowLevelMax()) == (-80.0, 80.0)
    compare(nodes)
    show_pair(nodes, image, number=3, unit="ml/100g/min", window=80.0)
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    over = {c.GetLayoutName(): c.GetForegroundVolumeID() for c in composites}
    assert over["Red"] == scene_nodes.maps["desc-mean_cbf"].GetID() and over["Yellow"] == first.GetID()


def test_a_selected_point_of_the_chart_is_its_pair(result, scene):
    import slicer
    import vtk

    from ASLDenoiseLib.scene.pair_plot import pair_selected
    from ASLDenoiseLib.scene.present import present

    nodes = present(result, scene=scene)
    chart = nodes.charts["course"]
    assert isinstance(chart, slicer.vtkMRMLPlotChartNode)

    volumes = {2 * n + k: n + 1 for n in range(PAIRS) for k in (1, 2)}

    def selected(n, *rows, chart=chart):
        series, picked, collection = vtk.vtkStringArray(), vtk.vtkIdTypeArray(), vtk.vtkCollection()
        series.InsertNextValue(chart.GetNthPlotSeriesNodeID(n))
        for row in rows:
            picked.InsertNextValue(row)
        collection.AddItem(picked)
        return pair_selected(scene, series, collection, nodes.charts, volumes)

    assert selected(0, 1) is None  # the line of the median
    assert selected(1, 2) == 4  # of 1, 3, 4, 6, ... in the mean
    assert selected(2, 1) == 5
    assert selected(3, 0) == 7
    assert selected(3) is None


def test_a_selected_volume_of_a_motion_chart_is_its_pair(scene):
    import vtk
    from course_builders import with_course

    from ASLDenoiseLib.scene.pair_plot import pair_selected
    from ASLDenoiseLib.scene.present import present

    nodes = present(with_course(made_result()), scene=scene)  # m0scan, control, label, control, label
    series, picked, collection = vtk.vtkStringArray(), vtk.vtkIdTypeArray(), vtk.vtkCollection()
    series.InsertNextValue(nodes.charts["shift"].GetNthPlotSeriesNodeID(1))
    picked.InsertNextValue(2)  # the third volume with a pose, the fourth of all
    collection.AddItem(picked)
    assert pair_selected(scene, series, collection, nodes.charts, {2: 1, 3: 1, 4: 2, 5: 2}) == 2
    assert pair_selected(scene, series, collection, nodes.charts, {}) is None
