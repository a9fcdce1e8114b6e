"""Motion and outliers over a series, as tables and as a picture in the report."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from scene_builders import made_result

from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.outliers import OutlierReport, Rejection
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.timeline import motion_columns, motion_tsv, outliers_tsv
from ASLDenoiseLib.reporting.timeline_plot import timeline_png
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.spatial.rigid import matrix_from

SHIFT = np.array([0.3, -0.2, 1.5, 0.4, 0.0, -1.0])


def moved() -> Motion:
    """Of m0scan, control, label, control, label: the last control lies elsewhere."""
    matrices = np.stack([np.full((4, 4), np.nan), *[np.eye(4)] * 4])
    matrices[3] = np.linalg.inv(matrix_from(SHIFT, np.zeros(3)))
    points = np.random.default_rng(0).normal(0, 40, (200, 3))
    pairs = np.array([[1, 2], [3, 4]])
    return Motion(matrices, np.zeros(3), points, pairs, None, np.zeros(6), np.zeros((5, 8), bool))


@pytest.fixture
def result() -> Result:
    made = made_result()
    shape = (2, made.series.geometry.size[2])
    weights = np.ones((*shape, 1, 1), np.float32)
    weights[1, 3], weights[0] = 0, 0
    rejections = (Rejection(0, None, "motion", 2.5, 1.0), Rejection(1, 3, "noise", 9.0, 3.0))
    mean = made.maps["desc-mean_cbf"]
    report = OutlierReport("zscore", weights, rejections, (), mean, mean, weights.sum(axis=(0, 2, 3)))
    return replace(made, motion=moved(), outliers=report)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_the_motion_table_has_a_row_a_volume_and_says_what_is_not_known(result):
    table = rows(motion_tsv(result))
    assert [r["volume_type"] for r in table] == [c.value for c in result.series.context]
    assert set(list(table[0].values())[1:]) == {"n/a"}
    axes = [f"{stem}_{axis}" for stem in ("trans", "rot") for axis in "xyz"]
    np.testing.assert_allclose([float(table[3][name]) for name in axes], SHIFT, atol=1e-4)
    assert float(table[3]["framewise_displacement"]) == float(table[4]["pair_motion"]) > 1.5
    assert table[1]["framewise_displacement"] == "n/a"


def test_every_column_of_the_motion_table_is_described_with_its_unit(result):
    described = motion_columns(result)
    assert list(described) == list(rows(motion_tsv(result))[0])
    assert {d.get("Units") for d in described.values()} == {None, "mm", "degrees"}


def test_the_outlier_table_counts_from_one_and_gives_the_reason(result):
    first, second = rows(outliers_tsv(result))
    assert (first["pair"], first["slice"], first["reason"]) == ("1", "all", "motion")
    assert (second["pair"], second["slice"], second["value"], second["threshold"]) == ("2", "4", "9", "3")


def test_both_tables_are_written_and_the_report_shows_the_course(result, tmp_path):
    written = write_result(result, tmp_path / "out")
    names = {path.name for path in written.files if "timeseries" in path.name or "outliers" in path.name}
    assert names == {"sub-77_desc-motion_timeseries.tsv", "sub-77_desc-motion_timeseries.json", "sub-77_outliers.tsv"}
    assert {path.name for path in (tmp_path / "out").iterdir()} >= names
    described = json.loads((tmp_path / "out" / "sub-77_desc-motion_timeseries.json").read_text("utf-8"))
    assert described["rot_z"]["Units"] == "degrees"
    html = report_html(result)
    assert "Over the course of the series" in html and "red (method zscore)" in html


def test_there_is_no_picture_and_no_table_where_nothing_was_looked_for(result):
    silent = replace(result, motion=None, outliers=None)
    assert timeline_png(silent) is None and motion_tsv(silent) == "" and outliers_tsv(silent) == ""
    assert "Over the course of the series" not in report_html(silent)
    assert timeline_png(result).startswith(b"\x89PNG")
