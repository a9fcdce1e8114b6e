"""The tables of regions of a study: a row a region a scan, means over participants, and their place in the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohort_builders import failed, record, study_of

from ASLDenoiseLib.group.group import run_group
from ASLDenoiseLib.group.maps_html import regions_html
from ASLDenoiseLib.group.record import ScanRecord
from ASLDenoiseLib.group.region_columns import MEANS, ROWS, region_column
from ASLDenoiseLib.group.region_tables import region_means, regions_table
from ASLDenoiseLib.group.tables import sidecar_of, table_tsv
from ASLDenoiseLib.series import CBF_UNIT, SCANNER_UNIT


def scan(name: str, mean: float, *, low: bool = False, unit: str = CBF_UNIT) -> ScanRecord:
    row = {"atlas": "lobes", "region": "left", "raw_mean": mean, "processed_mean": mean + 1, "low_coverage": low}
    return record(name, values={"unit": unit}, regions=({**row, "coverage_percent": 20.0 if low else 100.0},))


def test_there_is_a_row_a_region_of_every_scan_that_is_done():
    table = regions_table([scan("sub-02_ses-1", 50.0), failed(), scan("sub-01_ses-2", 40.0, low=True)])
    assert list(table["scan"]) == ["sub-01_ses-2", "sub-02_ses-1"] and list(table["session"]) == ["2", "1"]
    assert list(table.columns) == [column.name for column in ROWS]
    assert list(table["low_coverage"]) == ["true", "false"] and np.isnan(table["raw_sd"]).all()
    lines = [line.split("\t") for line in table_tsv(table).splitlines()]
    told = dict(zip(lines[0], lines[1], strict=True))
    assert (told["region"], told["raw_mean"], told["raw_sd"], told["low_coverage"]) == ("left", "40", "n/a", "true")


def test_means_are_over_participants_and_leave_out_what_is_hardly_covered():
    scans = [scan("sub-01_ses-1", 40.0), scan("sub-01_ses-2", 44.0), scan("sub-02_ses-1", 60.0)]
    scans += [scan("sub-02_ses-2", 62.0), scan("sub-03_ses-1", 900.0, low=True)]
    (row,) = region_means(regions_table(scans)).to_dict("records")
    assert (row["participants"], row["left_out"]) == (2, 1)
    assert row["raw_mean_mean"] == pytest.approx((42 + 61) / 2)
    assert row["raw_mean_sd"] == pytest.approx(np.std([42, 61], ddof=1))
    assert row["processed_mean_mean"] == pytest.approx((43 + 62) / 2)
    # squares within: 2 x 2^2 and 2 x 1^2 over two degrees of freedom
    assert row["raw_mean_within_sd"] == pytest.approx(np.sqrt((8 + 2) / 2))
    between = 2 * 19**2 / 2  # sessions times the variance of the means
    assert row["raw_mean_icc"] == pytest.approx((between - 5) / (between + 5))


def test_scans_that_are_set_apart_have_rows_with_and_without_them_and_scanner_units_none():
    scans = [scan("sub-01", 40.0), scan("sub-02", 60.0), scan("sub-03", 900.0), scan("sub-04", 7.0, unit=SCANNER_UNIT)]
    means = region_means(regions_table(scans), apart={"sub-03"})
    assert dict(zip(means["scans"], means["raw_mean_mean"], strict=True)) == {"all": 1000 / 3, "sound": 50.0}
    assert "without the scans that are set apart" in regions_html(means) and "50.0 (14.1)" in regions_html(means)


def test_every_column_is_described_with_its_unit():
    table = regions_table([scan("sub-01", 40.0)])
    told = {**sidecar_of(region_means(table), region_column), **sidecar_of(table, region_column)}
    assert told.keys() == {column.name for column in (*ROWS, *MEANS)}
    assert told["raw_mean"]["Units"] == CBF_UNIT and told["volume_ml"]["Units"] == "ml"
    assert "Units" not in told["raw_snr"] and told["asymmetry_raw_percent"]["Units"] == "%"
    assert "positive: more on the left" in told["asymmetry_raw_percent"]["Description"]


def test_a_study_without_regions_has_empty_tables():
    table = regions_table([record("sub-01", regions=())])
    assert len(table) == 0 and len(region_means(table)) == 0 and regions_html(region_means(table)) == ""


def test_the_group_level_writes_both_tables_and_the_page_shows_the_means(tmp_path):
    study_of(tmp_path, people=4)
    found = run_group(tmp_path)
    assert {"regions.tsv", "regions.json", "region_means.tsv", "region_means.json"} <= set(found.files)
    table = pd.read_csv(found.folder / "regions.tsv", sep="\t", dtype={"participant": str})
    assert len(table) == 8 * 4 and table["participant"][0] == "01"
    page = found.report.read_text("utf-8")
    assert "<h2>Regions</h2>" in page and "Precuneus left" in page
    assert "<h2>Maps in MNI space</h2>" in page and "of 8 scans without a map in MNI space" in page
