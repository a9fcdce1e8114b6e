"""What the charts of a run draw, as data: the voxels of the readouts, figures that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from course_builders import SHIFT, with_course
from scene_builders import made_result

from ASLDenoiseLib.measuring.agreement import bland_altman
from ASLDenoiseLib.measuring.box import box_of
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.reporting.chart import LONGEST, MOST_POINTS, thinned
from ASLDenoiseLib.reporting.charts import charts_of
from ASLDenoiseLib.reporting.pairs_plot import pairs_png
from ASLDenoiseLib.reporting.plots import agreement_png
from ASLDenoiseLib.reporting.voxelwise import gm_agreement, masks_of, processed_map
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume


@pytest.fixture(scope="module")
def result() -> Result:
    return with_course(made_result())


@pytest.fixture(scope="module")
def charts(result):
    return {chart.key: chart for chart in charts_of(result)}


def test_a_run_with_everything_has_every_chart_and_each_says_its_units(charts):
    assert list(charts) == ["boxes", "scatter", "agreement", "pairs_needed", "shift", "turn", "left_out"]
    for key in ("boxes", "scatter", "agreement"):
        assert CBF_UNIT in charts[key].y_title
    assert CBF_UNIT in charts["scatter"].x_title and CBF_UNIT in charts["agreement"].x_title
    assert CBF_UNIT in charts["pairs_needed"].y_title
    assert "mm" in charts["shift"].y_title and "degrees" in charts["turn"].y_title and "%" in charts["left_out"].y_title


def test_boxes_stand_at_the_quartiles_and_whiskers_of_each_region_and_map(result, charts):
    chart = charts["boxes"]
    assert [line.name for line in chart.lines] == ["Raw mean (all 2 pairs)", "Denoised (1 of 2 pairs, 1 in part)"]
    assert chart.x_title == "1 = GM, 2 = WM, 3 = thalamus"
    for line, key in zip(chart.lines, ("desc-mean_cbf", "desc-denoised_cbf"), strict=True):
        for place, mask in enumerate(masks_of(result).values(), start=1):
            values = result.maps[key].array[mask]
            values = values[np.isfinite(values)].astype(float)
            quartiles = np.percentile(values, (25, 50, 75))
            fence = quartiles[[0, 2]] + 1.5 * (quartiles[2] - quartiles[0]) * np.array([-1, 1])
            within = values[(values >= fence[0]) & (values <= fence[1])]
            drawn = line.y[np.abs(line.x - place) < 0.5]
            assert {*np.round(drawn, 6)} == {*np.round([*quartiles, within.min(), within.max()], 6)}
    median = next(r.value for r in measure(result.maps["desc-mean_cbf"], result.tissue) if r.name == "gm_median")
    assert f"GM: median {median:.1f}" in chart.lines[0].notes[0]


def test_the_voxels_beyond_the_whiskers_are_counted_in_the_caption(result, charts):
    maps = (result.maps["desc-mean_cbf"], result.maps["desc-denoised_cbf"])
    beyond = sum(box_of(volume.array[mask]).beyond for volume in maps for mask in masks_of(result).values())
    assert f"({beyond} voxels beyond)" in charts["boxes"].caption


def test_what_stands_in_one_line_of_a_chart_fits_and_the_caption_has_the_rest(result, charts):
    """A title does not wrap: 'CBF by region: median, quartiles, whiskers to 1.5 IQR ...' was cut at both ends."""
    many = {f"territory of artery {n}": region for n in range(30) for region in result.regions.values()}
    (crowded,) = [chart for chart in charts_of(replace(result, regions=many)) if chart.key == "boxes"]
    for chart in (*charts.values(), crowded):
        assert max(map(len, (chart.name, chart.x_title, chart.y_title))) <= LONGEST
        assert "(" in chart.caption or ":" in chart.caption or "," in chart.caption
    assert crowded.x_title.startswith("1 = GM, 2 = WM, 3 to 32: ")
    assert "32 = territory of artery 29" in crowded.caption


def test_a_box_of_too_few_voxels_is_not_drawn():
    assert box_of(np.arange(9)) is None and box_of([*range(9), np.nan]) is None
    assert box_of(np.arange(11)).median == 5.0


def test_the_scatter_shows_raw_across_and_processed_upwards_with_equal_axes(result, charts):
    chart = charts["scatter"]
    gm, wm, same = chart.lines
    assert (gm.name, wm.name, same.name) == ("GM", "WM", "No change")
    inside = grey_matter(result.tissue) & np.isfinite(result.maps["desc-denoised_cbf"].array)
    np.testing.assert_allclose(np.sort(gm.x), np.sort(result.maps["desc-mean_cbf"].array[inside]))
    assert set(np.round(gm.y, 3)) == {60.0} and set(np.round(wm.y, 3)) == {20.0}
    assert chart.x_range == chart.y_range == tuple(same.x) == tuple(same.y)
    assert f"({gm.x.size + wm.x.size} voxels)" in chart.caption


def test_the_bland_altman_chart_tells_the_bias_and_limits_of_all_voxels(result, charts):
    before = result.maps["desc-mean_cbf"].array[grey_matter(result.tissue)].astype(float)
    after = result.maps["desc-denoised_cbf"].array[grey_matter(result.tissue)].astype(float)
    difference = (after - before)[np.isfinite(after - before)]
    bias, spread = difference.mean(), difference.std(ddof=1)
    chart = charts["agreement"]
    low, high = bias - 1.96 * spread, bias + 1.96 * spread
    assert f"bias {bias:+.1f}, limits of agreement {low:+.1f} to {high:+.1f} {CBF_UNIT}" in chart.caption
    _, middle, upper, lower = chart.lines
    assert [line.y[0] for line in (middle, upper, lower)] == pytest.approx([bias, high, low])
    assert [line.dashed for line in (middle, upper, lower)] == [False, True, True]
    assert chart.y_range[0] < low and chart.y_range[1] > high


def test_the_report_and_the_chart_compare_the_same_voxels(result, charts):
    assert charts["agreement"].lines[0].name == f"{gm_agreement(result).count} voxels"
    assert agreement_png(result).startswith(b"\x89PNG")


def test_agreement_leaves_out_what_is_not_measured():
    agreement = bland_altman([1.0, np.nan, 3.0], [2.0, 5.0, np.inf])
    assert (agreement.count, agreement.bias, agreement.spread) == (1, 1.0, 0.0)
    assert np.isnan(bland_altman([np.nan], [1.0]).bias)


def test_many_points_are_thinned_the_same_way_each_time_and_the_number_is_said():
    geometry = Geometry((40, 40, 12), (4.0, 4.0, 8.0))
    chart = next(c for c in charts_of(made_result(geometry)) if c.key == "agreement")
    inside = made_result(geometry)
    count = gm_agreement(inside).count
    assert count > MOST_POINTS
    assert chart.lines[0].x.size == MOST_POINTS
    assert chart.lines[0].name == f"{MOST_POINTS} of {count} voxels"
    np.testing.assert_array_equal(thinned(count), thinned(count))
    assert np.all(np.diff(thinned(count)) > 0) and thinned(count)[-1] < count


def test_motion_is_drawn_for_the_volumes_that_have_one(charts):
    left, back, up, before = charts["shift"].lines
    assert left.x.tolist() == back.x.tolist() == [2, 3, 4, 5]  # the first volume is the M0 scan
    np.testing.assert_allclose([left.y[2], back.y[2], up.y[2]], SHIFT[:3], atol=1e-6)
    assert before.x.tolist() == [3, 4, 5] and before.y[0] == 0 and before.y[1] > 1.5
    assert charts["turn"].lines[2].y[2] == pytest.approx(-1.0, abs=1e-6)
    assert "at most 1 degrees" in charts["turn"].caption


def test_what_was_left_out_is_a_stem_a_pair(result, charts):
    chart = charts["left_out"]
    slices = result.series.geometry.size[2]
    (stems,) = chart.lines
    assert stems.x[~np.isnan(stems.y)].tolist() == [1, 1, 2, 2]
    np.testing.assert_allclose(stems.y[1::3], [100.0, 100.0 / slices])
    assert "in 2 of 2 pairs" in chart.caption


def test_charts_without_something_to_show_are_left_out():
    plain = made_result()
    assert [chart.key for chart in charts_of(plain)] == ["boxes", "scatter", "agreement"]
    raw = {"desc-mean_cbf": plain.maps["desc-mean_cbf"]}
    only = charts_of(replace(plain, maps=raw))
    assert [chart.key for chart in only] == ["boxes"] and len(only[0].lines) == 1
    kept = with_course(plain).outliers
    kept = replace(kept, rejections=(), weights=np.ones_like(kept.weights))
    assert "left_out" not in [chart.key for chart in charts_of(replace(plain, outliers=kept))]


def test_a_super_resolved_map_is_compared_as_it_would_be_acquired():
    plain = made_result()
    raw = plain.maps["desc-mean_cbf"]
    fine = Volume(np.full((4, 4, 4), 50.0), Geometry((4, 4, 4), (2.0, 2.0, 2.0)), CBF_UNIT)
    residual = raw.with_array(np.full(raw.array.shape, 3.0))
    maps = {"desc-mean_cbf": raw, "desc-superres_cbf": fine, "desc-residual_cbf": residual}
    result = replace(plain, maps=maps)
    back = processed_map(result)
    np.testing.assert_allclose(back.volume.array, raw.array - 3.0, rtol=1e-5)
    assert gm_agreement(result).bias == pytest.approx(-3.0, abs=1e-4)
    assert back.label == "Super-resolved, averaged back"
    assert processed_map(replace(plain, maps={"desc-mean_cbf": raw, "desc-superres_cbf": fine})) is None


def test_a_residual_is_named_after_what_was_taken_away(result):
    assert result.kind("desc-residual_cbf").label == "Raw minus denoised"
    fine = replace(result, maps={**result.maps, "desc-superres_cbf": result.maps["desc-denoised_cbf"]})
    assert fine.kind("desc-residual_cbf").label == "Denoised minus super-resolved, averaged back"
    assert fine.kind("desc-uncertainty_cbf").label == "Uncertainty of the super-resolved map (SD)"


def test_the_chart_of_pairs_needed_draws_both_errors_and_the_goal(charts):
    chart = charts["pairs_needed"]
    assert chart.caption == "Denoised, 9 (7 to 13) of 40 pairs give what all 40 give as a plain mean"
    plain, measured, goal, stems, denoised = chart.lines
    assert plain.x[0] == 2 and plain.x[-1] == 40
    np.testing.assert_allclose(plain.y[[0, -1]], [np.sqrt(500), 5.0])
    np.testing.assert_allclose(goal.y, [5.0, 5.0])
    np.testing.assert_allclose(measured.y, [22.0, 14.0, 7.0])
    np.testing.assert_allclose(denoised.y, [8.0, 6.0, np.nan])  # the last is below what can be measured
    np.testing.assert_allclose(stems.y, [7, 9, np.nan, 5, 7, np.nan, 0, 3, np.nan])
    assert denoised.notes[0] == "2 pairs: 8.0 ml/100g/min, 95 % interval 7.0 to 9.0"
    assert denoised.notes[2] == "20 pairs: below what can be measured"
    assert chart.y_range[0] == 0 and chart.y_range[1] > plain.y.max()


def test_a_run_that_did_not_ask_has_no_such_chart_or_picture(result):
    assert pairs_png(result)[:4] == b"\x89PNG"
    asked_not = replace(result, pairs_needed=None)
    assert "pairs_needed" not in {chart.key for chart in charts_of(asked_not)} and pairs_png(asked_not) is None
