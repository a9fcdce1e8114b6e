"""The scans of a folder as a list to choose from: a table, records of a run that goes on, any results; no pandas."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import pytest
from cohort_builders import SPOILT, failed, record, study_of

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.group.listing import Source, list_scans
from ASLDenoiseLib.group.record import Status, write_record


def write_table(out, rows, *, newer=True):
    """A table of scans: dictionaries a row, n/a where a row has nothing."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(names), *("\t".join(str(row.get(name, "n/a")) for name in names) for row in rows)]
    path = out / "group" / "scans.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = max((f.stat().st_mtime for f in (out / "cohort").glob("*.json")), default=0) + (60 if newer else -60)
    os.utime(path, (made, made))
    return path


def row(record, **more):
    """The row of a record in the table of scans."""
    base = {"scan": record.name, "participant": record.participant, "session": record.session or "n/a"}
    base |= {"status": record.status.value, "reason": record.sentence or "n/a", "folder": record.folder}
    values = {k: "n/a" if isinstance(v, float) and math.isnan(v) else v for k, v in record.values.items()}
    return base | values | more


def test_records_alone_make_the_list_of_a_cohort_that_still_runs(tmp_path):
    study_of(tmp_path)
    write_record(tmp_path, failed())
    found = list_scans(tmp_path)
    assert found.source is Source.RECORDS and len(found.scans) == 24 and not found.trouble
    first, *others = found.scans
    assert (first.name, first.status, first.rank) == ("sub-12_ses-2", Status.FAILED, None)
    assert first.sentence.startswith("The M0 image of sub-12 is empty")
    assert {scan.name for scan in others[:3]} == set(SPOILT), "what is to be looked at comes first"
    assert [scan.rank for scan in others[:4]] == [1, 2, 3, None]
    assert all(scan.apart and scan.reasons for scan in others[:3]) and not any(scan.apart for scan in others[3:])
    assert others[0].figure("raw_gm_mean") == pytest.approx(0.4) and others[0].unit == "ml/100g/min"
    assert others[0].scene == tmp_path / "sub-07" / "ses-1" / "perf" / "sub-07_ses-1_scene.mrb"


def test_a_scan_that_ended_after_the_table_was_made_is_in_the_list_and_named(tmp_path):
    records = study_of(tmp_path, people=3, spoilt={})
    write_table(tmp_path, [row(each) for each in records[:4]])
    found = list_scans(tmp_path)
    assert found.source is Source.TABLE
    assert found.later == ("sub-03_ses-1", "sub-03_ses-2")
    assert {scan.name for scan in found.scans} == {each.name for each in records}


def test_a_scan_that_was_run_again_after_the_table_is_shown_as_it_is_now(tmp_path):
    records = study_of(tmp_path, people=2, spoilt={})
    write_table(tmp_path, [row(each, raw_gm_mean=1.0) for each in records], newer=False)
    found = list_scans(tmp_path)
    assert len(found.later) == 4 and all(scan.figure("raw_gm_mean") > 20 for scan in found.scans)


def test_what_the_table_does_not_know_stays_unknown_and_a_failed_scan_says_why(tmp_path):
    write_table(tmp_path, [row(record(values={"raw_snr": math.nan})), row(failed())])
    first, second = list_scans(tmp_path).scans
    assert first.status is Status.FAILED and "is empty" in first.sentence
    assert math.isnan(second.figure("raw_snr")) and second.figure("processed_snr") > 0 and second.compared


def test_the_table_and_the_records_give_the_same_order_and_reasons(tmp_path):
    from ASLDenoiseLib.group.study import Study
    from ASLDenoiseLib.group.tables import table_tsv

    study = Study(tmp_path, study_of(tmp_path))
    of_records = list_scans(tmp_path).scans
    told = [(each.scan, tuple(reason.words for reason in each.reasons)) for each in study.ranked]
    assert [(scan.name, scan.reasons) for scan in of_records] == told, "as the page of the group level has it"
    path = tmp_path / "group" / "scans.tsv"
    path.parent.mkdir()
    path.write_text(table_tsv(study.table), encoding="utf-8")
    found = list_scans(tmp_path)
    assert (found.source, found.later) == (Source.TABLE, ())
    assert [(scan.name, scan.reasons, scan.folder) for scan in found.scans] == [
        (scan.name, scan.reasons, scan.folder) for scan in of_records
    ]


@pytest.mark.parametrize(
    "text",
    [
        "scan\tstatus\n",
        "",
        "name;participant\nsub-01;01\n",
        "scan\tstatus\tfolder\nsub-01\tdone\n",
        "scan\tstatus\tfolder\nsub-01\tmaybe\tsub-01/perf\n",
        b"\xff\xfes\x00c\x00a\x00n\x00",
    ],
)
def test_a_broken_table_is_told_and_the_records_are_listed(tmp_path, text):
    study_of(tmp_path, people=2)
    path = tmp_path / "group" / "scans.tsv"
    path.parent.mkdir()
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = list_scans(tmp_path)
    assert found.source is Source.RECORDS and len(found.scans) == 4
    assert "group/scans.tsv cannot be read" in found.trouble


def test_a_record_that_is_half_written_or_another_s_is_passed_over(tmp_path):
    study_of(tmp_path, people=2)
    (tmp_path / "cohort" / "sub-09.json").write_text('{"format": "ASLDenoise cohort rec')
    (tmp_path / "cohort" / "settings.json").write_text("[1, 2]")
    assert len(list_scans(tmp_path).scans) == 4


def test_any_folder_of_results_is_listed_by_their_readouts(tmp_path):
    content = {
        "raw": "desc-mean_cbf",
        "processed": None,
        "maps": {"desc-mean_cbf": {"unit": "ml/100g/min"}},
        "readouts": {"desc-mean_cbf": {"gm_mean": {"value": 61.5}, "snr": {"value": None}}},
    }
    for place, name in (("", "sub-02"), ("sub-01/ses-b/perf", "sub-01_ses-b"), ("old", "case7")):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / f"{name}_readouts.json").write_text(json.dumps(content))
    (tmp_path / "other_readouts.json").write_text('{"values": []}')
    found = list_scans(tmp_path)
    assert found.source is Source.RESULTS
    assert [scan.name for scan in found.scans] == ["case7", "sub-01_ses-b", "sub-02"]
    scan = found.scans[1]
    assert (scan.participant, scan.session, scan.unit, scan.compared) == ("01", "b", "ml/100g/min", False)
    assert scan.figure("raw_gm_mean") == 61.5 and math.isnan(scan.figure("raw_snr"))
    assert scan.report == tmp_path / "sub-01" / "ses-b" / "perf" / "sub-01_ses-b_report.html"


def test_a_folder_without_scans_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"No scan is in .*choose the folder"):
        list_scans(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        list_scans(tmp_path / "nowhere")


def test_the_list_needs_no_pandas(repo_root, tmp_path):
    study_of(tmp_path)
    code = (
        "import sys; sys.modules['pandas'] = sys.modules['scipy'] = None; from pathlib import Path\n"
        f"from ASLDenoiseLib.group.listing import list_scans; print(list_scans(Path({str(tmp_path)!r})).scans[0].name)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=False)
    assert done.stdout.strip() in SPOILT, done.stderr
