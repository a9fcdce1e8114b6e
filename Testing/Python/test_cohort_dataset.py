"""OUT is one BIDS derivative, whose root describes every scan in it, and is nobody else's."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from bids_validator import NO_VALIDATOR, VALIDATOR, errors
from reading_builders import refusal
from scene_builders import made_result

import ASLDenoiseLib as ad
from ASLDenoiseLib.group.record import ScanRecord, Status, read_records, write_record
from ASLDenoiseLib.participants.dataset import check_place, describe

NAMES = {"sub-01_ses-1": "sub-01/ses-1/perf", "sub-02": "sub-02/perf"}


def filled(out):
    """An OUT with two results, a record of each, and something of the group."""
    made = made_result()
    for name, place in NAMES.items():
        result = replace(made, series=replace(made.series, name=name))
        attachments = {"scene.mrb": lambda path: path.write_bytes(b"")}
        ad.write(result, out / place, dataset_root=out, attachments=attachments)
        participant = name[4:6]
        write_record(out, ScanRecord(name, participant, "", Status.DONE, "d", folder=place))
    (out / "group").mkdir()
    (out / "group" / "scans.tsv").write_text("scan\nsub-02\n")
    return out


def test_the_root_names_every_scan_its_place_and_the_data_set_it_came_from(tmp_path):
    out = filled(tmp_path / "set" / "derivatives" / "out")
    describe(out, tmp_path / "set")
    told = json.loads((out / "dataset_description.json").read_text("utf-8"))
    assert told["DatasetType"] == "derivative" and told["GeneratedBy"][0]["Name"] == "ASLDenoise"
    assert told["SourceDatasets"] == [{"URL": "../.."}]
    readme = (out / "README.md").read_text("utf-8")
    for name, place in NAMES.items():
        assert f"| {name} | `{place}/{name}_report.html` |" in readme
    assert "`group/`" in readme and "`cohort/`" in readme and "research use only" in readme
    ignored = (out / ".bidsignore").read_text("utf-8").splitlines()
    assert {"cohort", "group", "*_report.html", "*_cbf.*"} <= set(ignored)
    assert not list(out.glob("sub-*/**/dataset_description.json"))
    assert [record.name for record in read_records(out)] == sorted(NAMES)


@pytest.mark.skipif(VALIDATOR is None, reason=NO_VALIDATOR)
def test_it_is_a_valid_derivative_with_records_and_group(tmp_path):
    out = filled(tmp_path / "out")
    describe(out, tmp_path)
    assert not errors(out)


@pytest.mark.skipif(VALIDATOR is None, reason=NO_VALIDATOR)
def test_it_is_valid_also_where_the_cohort_was_killed_and_nobody_has_described_its_scans(tmp_path):
    out = tmp_path / "out"
    describe(out, tmp_path)
    filled(out)
    assert not errors(out)


def test_it_is_written_again_with_new_scans_but_a_readme_that_was_changed_stays(tmp_path):
    out = tmp_path / "out"
    describe(out, tmp_path / "set")
    assert "sub-02" not in (out / "README.md").read_text("utf-8")
    filled(out)
    describe(out, tmp_path / "set")
    assert "sub-02" in (out / "README.md").read_text("utf-8")
    (out / "README.md").write_text("mine")
    describe(out, tmp_path / "set")
    assert (out / "README.md").read_text("utf-8") == "mine"
    assert not list(out.glob(".asldenoise*"))


def test_an_out_that_is_the_data_set_or_in_its_way_is_refused(tmp_path):
    bids = tmp_path / "set"
    (bids / "sub-01").mkdir(parents=True)
    (bids / "dataset_description.json").write_text('{"Name": "made", "BIDSVersion": "1.9.0"}')
    refusal(check_place, bids, bids, mentions=("is the BIDS data set itself", "derivatives"))
    refusal(check_place, bids, tmp_path, mentions=("lies inside of",))
    refusal(check_place, bids, bids / "sub-01" / "out", mentions=("participant's folder",))
    other = tmp_path / "other"
    other.mkdir()
    (other / "dataset_description.json").write_text('{"Name": "other", "BIDSVersion": "1.9.0"}')
    refusal(check_place, bids, other, mentions=("did not make",))
    (tmp_path / "file").write_text("")
    refusal(check_place, bids, tmp_path / "file", mentions=("is a file",))
    check_place(bids, bids / "derivatives" / "ASLDenoise")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_out_that_can_only_be_read_is_refused(tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    refusal(check_place, tmp_path / "set", tmp_path / "out", mentions=("may not be written to",))


def named(name: str):
    made = made_result()
    return replace(made, series=replace(made.series, name=name))


def test_two_series_of_one_session_may_be_written_at_the_same_moment(tmp_path, monkeypatch):
    out = tmp_path / "out"
    place, rename = out / "sub-01" / "perf", os.rename

    def later(staging, target):
        if target == place and not place.exists():
            monkeypatch.setattr(os, "rename", rename)
            ad.write(named("sub-01_acq-b"), place, dataset_root=out)
        rename(staging, target)

    monkeypatch.setattr(os, "rename", later)
    ad.write(named("sub-01_acq-a"), place, dataset_root=out)
    reports = sorted(path.name for path in place.glob("*_report.html"))
    assert reports == ["sub-01_acq-a_report.html", "sub-01_acq-b_report.html"]
    assert not list(out.rglob(".asldenoise*"))


def test_who_is_killed_while_files_are_moved_can_be_run_again(tmp_path, monkeypatch):
    """Another series lies in the folder, so that files are moved one by one."""
    out, moved, replacing = tmp_path / "out", [], os.replace
    place = out / "sub-01" / "perf"
    ad.write(named("sub-01_acq-b"), place, dataset_root=out)

    class Killed(BaseException):
        pass

    def some(source, target):
        if Path(target).parent != place:  # a file that is written beside, into the staging folder
            return replacing(source, target)
        if len(moved) == 4:
            monkeypatch.setattr("ASLDenoiseLib.reporting.staging.Path.unlink", lambda self, **how: None)
            raise Killed
        moved.append(target)
        return replacing(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", some)
        with pytest.raises(Killed):
            ad.write(named("sub-01_acq-a"), place, dataset_root=out)
    monkeypatch.undo()
    assert len(list(place.glob("sub-01_acq-a*"))) == 4, "left behind, as by SIGKILL"
    ad.write(named("sub-01_acq-a"), place, dataset_root=out)
    assert (place / "sub-01_acq-a_readouts.json").is_file()
