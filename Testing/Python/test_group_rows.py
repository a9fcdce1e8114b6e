"""A run's row in the table of scans, and the table: what each column is, and that nothing is lost on the way."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import cohort_builders as study
import numpy as np
import pytest
from scene_builders import made_result
from timeline_builders import PAIRS, with_timeline

from ASLDenoiseLib.findings import Finding, Severity
from ASLDenoiseLib.group import columns
from ASLDenoiseLib.group.record import read_records, write_record
from ASLDenoiseLib.group.rows import brain_coverage, scan_row
from ASLDenoiseLib.group.tables import cell_text, done, scans_table, sidecar_of, table_tsv, write_tables
from ASLDenoiseLib.measuring.arrival import arrival_readouts
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.pipeline.template_space import slice_readouts
from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.series_fit import SeriesFit
from ASLDenoiseLib.preparing.tissue import SegmentedTissue
from ASLDenoiseLib.result.audit import AuditVerdict, TissueMean
from ASLDenoiseLib.series import CBF_UNIT, SCANNER_UNIT, Geometry, Origin, Parameter, Volume

RAW, DENOISED = "desc-mean_cbf", "desc-denoised_cbf"


def measured():
    """A made result with the readouts and findings that runs have."""
    made = with_timeline()
    readouts = {key: measure(made.maps[key], made.tissue, regions=made.regions) for key in (RAW, DENOISED)}
    findings = [
        Finding(code, severity, code, "")
        for code, severity in (
            ("motion-still", Severity.NOTE),
            ("few-pairs", Severity.WARNING),
            ("m0-absent", Severity.UNUSABLE),
            ("few-pairs", Severity.WARNING),
        )
    ]
    return replace(made, readouts=readouts, findings=tuple(findings))


def moved(shifts: list[float]) -> Motion:
    """A head that was shifted along x by so many mm in each volume; NaN: the volume is no control or label."""
    matrices = np.stack([np.eye(4)] * len(shifts))
    matrices[:, 0, 3] = shifts
    matrices[np.isnan(shifts)] = np.nan
    pairs = np.array([[1, 2]])
    return Motion(matrices, np.zeros(3), np.zeros((4, 3)), pairs, None, np.zeros(6), np.zeros((len(shifts), 2), bool))


def test_every_column_that_a_row_can_have_is_described():
    """A readout that is added has its column described in `group.columns`, or this fails."""
    made = made_result()
    values = measure(made.maps[RAW], made.tissue)
    curves, vessels = {"gm": 1.0, "wm": 1.0}, np.zeros(made.maps[RAW].array.shape, bool)
    att = made.maps[RAW]
    values += arrival_readouts(att, vessels, made.tissue, regions={}, cbf=att, vessels=vessels, curves=curves)
    values += slice_readouts(None, made.tissue)
    full = replace(measured(), readouts={RAW: values, DENOISED: values})
    (row,) = scans_table([study.record(values=scan_row(full))]).to_dict("records")
    assert [name for name in row if not columns.described(name)] == []
    named = {column.name for column in (*columns.SCAN, *columns.QUALITY, *columns.ORIGIN)}
    named |= {f"{end}_{readout.name}" for end in ("raw", "processed") for readout in columns.READOUTS}
    assert named == set(row)  # and nothing is described that no row has


def test_units_in_the_table_of_columns_are_those_of_the_readouts():
    made = made_result()
    told = {readout.name: readout.unit for readout in measure(made.maps[RAW], made.tissue)}
    assert {name: columns.unit_of(f"raw_{name}") for name in told} == told


def test_a_row_holds_the_readouts_of_raw_and_processed_without_those_of_regions():
    made = measured()
    row = scan_row(made)
    for end, key in (("raw", RAW), ("processed", DENOISED)):
        expected = {f"{end}_{r.name}": r.value for r in made.readouts[key] if not r.name.startswith("roi_")}
        assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    assert (row["unit"], row["raw_map"], row["processed_map"]) == (CBF_UNIT, RAW, DENOISED)
    assert not [name for name in row if "roi_" in name]


def test_a_run_that_only_averaged_has_raw_as_its_processed_map():
    made = measured()
    row = scan_row(replace(made, maps={RAW: made.maps[RAW]}, readouts={RAW: made.readouts[RAW]}))
    assert row["processed_map"] == RAW and row["processed_gm_mean"] == row["raw_gm_mean"]


def test_pairs_count_by_the_share_of_their_slices_that_are_kept():
    """Two whole pairs of ten are out, and one slice of eight of a third."""
    row = scan_row(measured())
    assert row["pairs_total"] == PAIRS
    assert row["pairs_used"] == pytest.approx(PAIRS - 2 - 1 / 8)
    assert row["outlier_percent"] == pytest.approx(100 * (2 + 1 / 8) / PAIRS)


def test_pairs_are_all_used_where_nobody_looked_for_outliers():
    row = scan_row(replace(measured(), outliers=None))
    assert (row["pairs_total"], row["pairs_used"]) == (PAIRS, PAIRS) and math.isnan(row["outlier_percent"])


def test_motion_is_in_mm_over_controls_and_labels_alone():
    row = scan_row(replace(measured(), motion=moved([math.nan, 0.0, 0.5, 0.2])))
    assert row["motion_mean_fd_mm"] == pytest.approx((0.5 + 0.3) / 2)
    assert row["motion_max_fd_mm"] == pytest.approx(0.5)
    assert row["motion_max_mm"] == pytest.approx(0.5)
    assert math.isnan(scan_row(measured())["motion_max_mm"])


def test_the_share_of_the_brain_that_was_measured_counts_what_is_out_of_view():
    """A brain of 10 x 10 x 10 mm, of which the series saw the lower half, and measured a half of that."""
    fine = Geometry((10, 10, 10), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5))
    seen = Geometry((5, 5, 1), (2.0, 2.0, 5.0), (1.0, 1.0, 2.5))
    array = np.ones(seen.shape)
    array[:, :, 3:] = np.nan  # 6 of 10 mm are left
    ones = Volume(np.ones(fine.shape), fine)
    made = measured()
    result = replace(
        made,
        series=replace(made.series, array=np.zeros((20, *seen.shape)), geometry=seen, m0=None),
        maps={RAW: Volume(array, seen, CBF_UNIT)},
        readouts={RAW: made.readouts[RAW]},
        t1_tissue=SegmentedTissue(ones, ones, None, ones, "here"),
        t1_to_asl=np.eye(4),
    )
    assert brain_coverage(result) == pytest.approx(100 * 0.5 * 0.6)
    shift = np.eye(4)
    shift[0, 3] = 4.0  # mm to the side that was not measured, and 4 of 10 out of view
    assert brain_coverage(replace(result, t1_to_asl=shift)) == pytest.approx(100 * 0.5 * 0.2)
    assert math.isnan(brain_coverage(made))


def test_checks_of_the_head_and_the_audit_are_told_with_their_figures():
    means = (TissueMean("GM", 50.0, 46.0, 50.1, 0.5), TissueMean("WM", 20.0, 20.5, 20.0, 0.3))
    parameters = [
        Parameter(*each, "", Origin.IMAGE) for each in (("mni_gm_overlap", 0.71), ("t1_mutual_information", 0.4))
    ]
    made = replace(
        measured(), fit=SeriesFit(0.52, 1.25, 40), audit=AuditVerdict(means, CBF_UNIT, 10), parameters=parameters
    )
    row = scan_row(made)
    assert (row["fit_light"], row["fit_score"], row["fit_share_percent"]) == ("red", 1.25, 52.0)
    assert (row["mni_gm_overlap"], row["registration_nats"], row["registration"]) == (0.71, 0.4, "passed")
    assert (row["audit"], row["audit_moved_percent"]) == ("kept", -8.0)
    lost = replace(made, audit=AuditVerdict((replace(means[0], audited=40.0),), CBF_UNIT, 10))
    assert scan_row(lost)["audit"] == "not kept"
    doubtful = replace(made, findings=(Finding("registration-doubtful", Severity.WARNING, "", ""),))
    assert scan_row(doubtful)["registration"] == "doubtful"


def test_findings_are_counted_and_named_worst_first_each_once():
    row = scan_row(measured())
    assert [row[f"findings_{s}"] for s in ("unusable", "warning", "note")] == [1, 2, 1]
    assert (row["findings"], row["notes"]) == ("m0-absent; few-pairs", "motion-still")


def test_scanner_model_and_version_are_told():
    made = replace(measured(), model={"name": "dilated-net", "sha256": "ab" * 32})
    row = scan_row(made)
    assert (row["manufacturer"], row["labeling"], row["pld_s"], row["delays"]) == ("Siemens", "PCASL", 1.8, 1)
    assert (row["model"], row["model_sha256"]) == ("dilated-net", "ab" * 32)
    assert row["version"]


def test_the_table_has_a_row_a_scan_failed_ones_with_their_reason(tmp_path):
    records = (study.record("sub-02_ses-1"), study.failed("sub-01_ses-1"))
    table = scans_table(records)
    assert table["scan"].tolist() == ["sub-01_ses-1", "sub-02_ses-1"]
    assert table["status"].tolist() == ["failed", "done"]
    assert table["reason"].tolist() == ["The M0 image of sub-12 is empty; give another.", ""]
    assert table["participant"].tolist() == ["01", "02"]
    assert math.isnan(table["raw_gm_mean"][0]) and len(done(table)) == 1


def test_the_table_on_disk_says_na_and_comes_back_as_exact_as_it_was(tmp_path):
    table = scans_table(study.study_of(people=3))
    (path, sidecar) = write_tables(tmp_path, {"scans": (table, sidecar_of(table))})
    lines = list(csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter="\t"))
    assert list(lines[0]) == list(table.columns)
    assert [line["processed_tsnr"] for line in lines] == ["n/a"] * 6
    assert [float(line["raw_gm_mean"]) for line in lines] == table["raw_gm_mean"].tolist()
    assert (lines[0]["pairs_total"], lines[0]["participant"]) == ("30", "01")
    told = json.loads(sidecar.read_text("utf-8"))
    assert list(told) == list(table.columns) and all(entry["Description"] for entry in told.values())
    assert (told["raw_gm_mean"]["Units"], told["motion_max_mm"]["Units"]) == (CBF_UNIT, "mm")
    assert "Units" not in told["raw_snr"]


def test_a_table_of_records_that_were_written_is_the_very_same(tmp_path):
    """So that a study that was killed and resumed has the tables of one that was not."""
    records = study.study_of(people=3)
    for record in reversed(records):
        write_record(tmp_path, record)
    assert table_tsv(scans_table(read_records(tmp_path))) == table_tsv(scans_table(records))


def test_units_are_said_to_differ_where_scans_have_several():
    records = (study.record("sub-01"), study.record("sub-02", values={"unit": SCANNER_UNIT}))
    assert sidecar_of(scans_table(records))["raw_gm_mean"]["Units"] == "as the column 'unit' says"


@pytest.mark.parametrize(("value", "text"), [(np.int64(3), "3"), (np.float64("inf"), "inf"), (np.True_, "true")])
def test_a_cell_is_a_number_as_people_write_it(value, text):
    assert cell_text(value) == text
