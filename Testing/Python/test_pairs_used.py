"""A map says which pairs it is the mean of wherever raw and processed differ in that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from course_builders import with_course
from scene_builders import made_result

from ASLDenoiseLib.measuring.regions import spread
from ASLDenoiseLib.reporting.charts import charts_of
from ASLDenoiseLib.reporting.fragments import readouts_html
from ASLDenoiseLib.result import PREPARED_PAIRS, RAW_PAIRS, errors_of
from ASLDenoiseLib.result.maps import DENOISED, PREPARED, RAW, Role
from ASLDenoiseLib.result.pair_errors import PairErrors
from ASLDenoiseLib.result.table import readouts_table
from ASLDenoiseLib.series import Geometry

RAW_NAME, DENOISED_NAME = "Raw mean (all 2 pairs)", "Denoised (1 of 2 pairs, 1 in part)"


@pytest.fixture(scope="module")
def result():
    """The first of two pairs was left out, and a slice of the second."""
    return with_course(made_result())


def test_raw_is_of_all_pairs_and_processed_of_those_that_were_kept(result):
    """A pair was taken out by hand: raw stayed as it was, and nothing said that it was of other pairs."""
    assert (result.kind(RAW).label, result.kind(DENOISED).label) == (RAW_NAME, DENOISED_NAME)


def test_where_nothing_was_left_out_no_map_names_its_pairs(result):
    plain = made_result()
    assert not plain.pairs and plain.kind(RAW).label == "Raw mean"
    nothing = replace(result.outliers, rejections=(), weights=0 * result.outliers.weights + 1)
    assert not replace(result, outliers=nothing).pairs


def test_a_run_of_chosen_pairs_does_not_call_them_all(result):
    one = replace(result.outliers, rejections=result.outliers.rejections[:1], weights=result.outliers.weights[:1])
    assert replace(result, outliers=one).pairs[Role.RAW] == "1 pair"


def test_table_report_and_legend_of_a_chart_say_which_pairs(result):
    for text in (readouts_table(result), readouts_html(result)):
        assert RAW_NAME in text and DENOISED_NAME in text
    (boxes,) = [chart for chart in charts_of(result) if chart.key == "boxes"]
    assert [line.name for line in boxes.lines] == [RAW_NAME, DENOISED_NAME]


def test_the_scenes_table_and_the_panel_say_which_pairs(result, desktop, repo_root):
    from slicer_harness.panel import open_panel, process_events

    from ASLDenoiseLib.scene.present import present
    from ASLDenoiseLib.scene.readouts import readouts_sheet, readouts_text

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    nodes = present(result)
    panel.widget.results.present(nodes)
    for text in (readouts_text(nodes.readouts), readouts_sheet(nodes.readouts)):
        assert RAW_NAME in text and DENOISED_NAME in text
    header = [panel.ui.readoutsTable.horizontalHeaderItem(column) for column in (1, 2)]
    assert [item.text() for item in header] == ["Raw\nall 2\npairs", "Processed\n1 of 2\npairs,\n1 in part"]
    assert "all 2 pairs" in header[0].toolTip() and "1 of 2 pairs, 1 in part" in header[1].toolTip()
    process_events(lambda: "Raw:" in panel.ui.regionsLabel.text, timeout=10)
    assert "Raw: all 2 pairs; processed: 1 of 2 pairs, 1 in part." in panel.ui.regionsLabel.text
    maps = panel.ui.mapComboBox
    assert {RAW_NAME, DENOISED_NAME} <= {maps.itemText(place) for place in range(maps.count)}
    panel.widget.results.present(present(made_result()))
    assert [item.text() for item in header] == ["Raw", "Processed"]
    panel.close()


def test_the_error_of_a_prepared_mean_is_that_of_the_pairs_that_were_kept_and_raws_of_all():
    """Raw's error was told of what nine pairs had made."""
    rng = np.random.default_rng(4)
    pairs, within, geometry = (
        rng.normal(50, 8, (10, 3, 4, 4)),
        np.ones((3, 4, 4), bool),
        Geometry((4, 4, 3), (3.0,) * 3),
    )
    weights = np.ones((10, 1, 1, 1))
    weights[4] = 0
    kept, every = PairErrors.of(pairs, weights, within), PairErrors.of(pairs, None, within)
    errors = {RAW_PAIRS: every, PREPARED_PAIRS: kept}
    index, share = np.arange(16), np.full(16, 1 / 16)

    def error(key):
        return spread(errors_of(errors, key, (RAW, PREPARED, DENOISED)).of_mean(index, share, geometry))

    means = pairs[:, 0].mean(axis=(1, 2))
    assert error(RAW) == pytest.approx(means.std(ddof=1) / np.sqrt(10), rel=1e-3)
    assert error(PREPARED) == pytest.approx(np.delete(means, 4).std(ddof=1) / np.sqrt(9), rel=1e-3)
    assert errors_of(errors, DENOISED, (RAW, PREPARED, DENOISED)) is None
