"""The report of a series of several delays: arrival time beside perfusion, curves of regions, a row a delay."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from delay_builders import SIX_DELAYS
from delay_results import result_of_delays, with_pairs
from scene_builders import made_result

from ASLDenoiseLib.reporting import delay_plots, delays_html, delays_table, timeline
from ASLDenoiseLib.reporting.charts import charts_of
from ASLDenoiseLib.reporting.delay_charts import CURVES, MOST_REGIONS, RESIDUALS
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.notebook import result_html
from ASLDenoiseLib.reporting.pair_charts import course_chart
from ASLDenoiseLib.result.delay_curves import RegionCurve

_OF_ONE_DELAY = ("single delay", "plain mean of the differences", "Raw mean<")


def charts(result):
    return {chart.key: chart for chart in charts_of(result)}


def line(chart, name):
    return next(each for each in chart.lines if each.name == name)


def test_the_whole_report_speaks_of_fits_of_all_delays():
    page = report_html(with_pairs(result_of_delays(regions=("thalamus",))))
    assert "6 delays, fitted together." in page and "Denoised fit" in page
    assert not [words for words in _OF_ONE_DELAY if words in page]
    assert "Perfusion over the delays with the curves fitted. GM: 60.0 ml/100g/min, arrival after 1.00 s" in page


def test_a_report_of_one_delay_has_nothing_of_several():
    page = report_html(made_result())
    assert "Several delays" not in page and "fitted together" not in page
    assert not [key for key in charts(made_result()) if "delays" in key]


def test_slices_show_perfusion_and_arrival_time_each_raw_above_processed_in_its_own_unit(monkeypatch):
    drawn = []
    monkeypatch.setattr(delay_plots, "map_panels", lambda rows, brain: drawn.extend(rows) or b"png")
    assert delay_plots.arrival_png(result_of_delays()) == b"png"
    assert [(label, window, unit) for label, _, _, window, unit in drawn] == [
        ("Raw CBF", (0.0, 90.0), "ml/100g/min"),
        ("Denoised CBF", (0.0, 90.0), "ml/100g/min"),
        ("Raw ATT", (0.0, 3.0), "s"),
        ("Denoised ATT", (0.0, 3.0), "s"),
        ("SD of denoised ATT", (0.0, 1.0), "s"),
    ]


@pytest.mark.parametrize("with_m0", [True, False])
def test_pictures_are_drawn_with_and_without_an_m0(with_m0):
    result = result_of_delays(with_m0=with_m0, regions=("thalamus", "pons"))
    for picture in (delay_plots.arrival_png(result), delay_plots.curves_png(result)):
        assert picture.startswith(b"\x89PNG")
    page = delays_html.delays_html(result)
    assert ("CBF (ml/100g/min)" in page) == with_m0 and ("Perfusion (scanner units)" in page) == (not with_m0)


def test_the_curve_of_a_region_has_what_was_measured_its_error_both_fits_and_in_words_the_residual():
    result = result_of_delays()
    chart, (region, *_) = charts(result)[f"{CURVES}GM"], result.delays.regions
    np.testing.assert_array_equal(line(chart, "Measured").x, SIX_DELAYS)
    np.testing.assert_array_equal(line(chart, "Measured").y, region.measured)
    np.testing.assert_array_equal(line(chart, "Denoised fit").y, region.fitted)
    np.testing.assert_array_equal(line(chart, "Plain fit").y, region.plain)
    strokes = line(chart, "Standard error").y.reshape(-1, 3)
    np.testing.assert_allclose(strokes[1:, 1] - strokes[1:, 0], 2 * np.array(region.errors[1:]))
    assert np.isnan(strokes[0]).all()  # of too few pairs, an error is not known, and not zero
    assert chart.x_title == "Post-labelling delay (s)" and (chart.x_unit, chart.y_unit) == ("s", "ml/100g/min")
    assert "residual" in line(chart, "Measured").notes[2] and "1.5 s (4 pairs)" in line(chart, "Measured").notes[2]


def test_residuals_of_all_regions_are_in_one_chart():
    result = result_of_delays(regions=("thalamus",))
    chart = charts(result)[RESIDUALS]
    for region in result.delays.regions:
        np.testing.assert_allclose(line(chart, region.name).y, region.residual)


def test_a_plain_fit_that_is_the_run_s_own_is_not_drawn_twice():
    result = result_of_delays()
    regions = tuple(replace(region, plain=region.fitted) for region in result.delays.regions)
    chart = charts(replace(result, delays=replace(result.delays, regions=regions)))[f"{CURVES}GM"]
    assert "Plain fit" not in [each.name for each in chart.lines]


def test_delays_of_pasl_are_inversion_times():
    result = result_of_delays(labeling="PASL", delays=(0.6, 1.2, 1.8))
    assert charts(result)[f"{CURVES}GM"].x_title == "Inversion time (s)"


def test_of_many_regions_the_rest_are_in_the_table():
    result = result_of_delays()
    one = result.delays.regions[0]
    many = tuple(replace(one, name=f"label {n}") for n in range(MOST_REGIONS + 3))
    result = replace(result, delays=replace(result.delays, regions=many))
    assert len([key for key in charts(result) if key.startswith(CURVES)]) == MOST_REGIONS
    assert "The other 3 regions are in the table" in delays_html.delays_html(result)
    assert delays_table.curves_tsv(result).count("\n") == 1 + len(many) * len(SIX_DELAYS)


def test_a_region_that_was_not_measured_has_no_curve():
    result = result_of_delays()
    nothing = (math.nan,) * len(SIX_DELAYS)
    empty = RegionCurve("outside", nothing, nothing, nothing, nothing, math.nan, math.nan)
    result = replace(result, delays=replace(result.delays, regions=(*result.delays.regions, empty)))
    assert f"{CURVES}outside" not in charts(result) and "n/a" in delays_html.delays_html(result)


def test_curves_are_written_as_a_table_with_units(tmp_path):
    result = result_of_delays(regions=("thalamus",))
    write_result(result, tmp_path)
    (path,) = tmp_path.glob("*_desc-delays_curve.tsv")
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter="\t"))
    first, region = rows[0], result.delays.regions[0]
    assert (first["region"], first["delay"], first["pairs"], first["error"]) == ("GM", "0.5", "4", "n/a")
    assert float(rows[1]["residual"]) == pytest.approx(region.residual[1], abs=1e-4)
    told = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert told["delay"]["Units"] == "s" and told["measured"]["Units"] == "ml/100g/min"
    assert set(told) == set(first)
    assert "desc-delays_curve" in (tmp_path / "README.md").read_text("utf-8")


def test_shares_of_voxels_that_are_not_to_be_trusted_are_stated():
    page = delays_html.delays_html(result_of_delays())
    assert "voxels no arrival time within" in page and "label was still in arteries" in page


def test_pairs_are_held_against_the_median_of_their_own_delay():
    result = with_pairs(result_of_delays(order="repeat by repeat"))
    chart = course_chart(result)
    median = line(chart, "Median of the same delay")
    by_delay = result.course.perfusion.reshape(4, 6)
    np.testing.assert_allclose(median.y.reshape(4, 6), np.tile(np.median(by_delay, axis=0), (4, 1)))
    assert "delay 0.5 s" in line(chart, "In the mean").notes[0]
    assert "by its own delay alone" in chart.caption


def test_the_table_of_pairs_has_delays_where_there_are_several():
    several = timeline.course_tsv(with_pairs(result_of_delays())).splitlines()
    assert "delay" in several[0].split("\t") and several[1].split("\t")[several[0].split("\t").index("delay")] == "0.5"
    assert timeline.course_columns(with_pairs(result_of_delays()))["delay"]["Units"] == "s"
    one = with_pairs(result_of_delays(delays=(1.8,)))
    assert "delay" not in timeline.course_tsv(one) and "delay" not in timeline.course_columns(one)


def test_a_notebook_shows_arrival_time_below_perfusion():
    assert result_html(result_of_delays()).count("<figure>") == 1 + result_html(made_result()).count("<figure>")
