"""What is missing or doubtful in a scan, told before anything runs, in words that fit a data set."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

from bids_builders import data_set, t1
from reading_builders import bend_sidecar, head, save

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.group.record import ScanRecord, Status
from ASLDenoiseLib.participants.checks import CheckTask, ScanCheck, check_scan, with_twins
from ASLDenoiseLib.participants.find import find_scans
from ASLDenoiseLib.participants.template import Template
from ASLDenoiseLib.pipeline.request import Outputs, SuperResolution


def checked(root: Path, number: int = 0, *, template: Template | None = None, **how) -> ScanCheck:
    scan = find_scans(root).scans[number]
    return check_scan(CheckTask(scan, template or Template(outputs=Outputs()), root, root / "out", **how))


def test_a_good_scan_is_read_and_known_by_its_voxels_with_its_m0(tmp_path):
    root = data_set(tmp_path / "set", "sub-01")
    t1(root, "sub-01")
    check = checked(root)
    assert (check.told, check.unusable, check.worst, check.done, check.m0) == ((), "", None, False, "separate")
    assert len(check.voxels) == 64 and check.identity.stamps
    assert pickle.loads(pickle.dumps(check)) == check


def test_what_a_scan_lacks_is_told_without_reading_its_images(tmp_path):
    check = checked(data_set(tmp_path / "set", "sub-01"), template=Template())
    texts = {each.text: each.severity for each in check.told}
    assert texts["It has no T1: tissue is guessed from perfusion."] is Severity.WARNING
    assert "It runs without MNI space, for want of a T1." in texts and not check.unusable


def test_a_scan_without_m0_cannot_be_run_and_says_where_one_belongs(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", m0=None)
    check = checked(root)
    assert check.worst is Severity.UNUSABLE
    assert "_m0scan" in check.unusable and "--m0" not in check.unusable


def test_trouble_with_a_sidecar_is_one_sentence_and_nothing_is_raised(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", "sub-02", "sub-03", "sub-04")
    bend_sidecar(root / "sub-01/perf/sub-01_asl.nii.gz", PostLabelingDelay=None)
    (root / "sub-02/perf/sub-02_asl.json").write_text("{")
    (root / "sub-03/perf/sub-03_asl.nii.gz").write_bytes(b"no image")
    (root / "sub-04/perf/sub-04_aslcontext.tsv").unlink()
    first, second, third, fourth = (checked(root, number).unusable for number in range(4))
    assert "in its sidecar" in first and "--pld" not in first
    assert "not valid JSON" in second and "not a readable NIfTI" in third
    assert "_aslcontext.tsv" in fourth and "--" not in fourth


def test_a_choice_that_cannot_do_without_t1_makes_the_scan_unusable(tmp_path):
    template = Template(superresolution=SuperResolution("guided"), outputs=Outputs())
    check = checked(data_set(tmp_path / "set", "sub-01"), template=template)
    assert "needs a T1" in check.unusable


def test_the_images_are_inspected_where_it_is_asked_for_alone(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", m0=20.0)
    assert [t for t in checked(root).told if "T1" not in t.text] == []
    assert [t for t in checked(root, thorough=True).told if "T1" not in t.text] != []


def test_a_mask_in_the_place_of_a_t1_is_found_where_images_are_inspected(tmp_path):
    root = data_set(tmp_path / "set", "sub-01")
    save(root / "sub-01" / "anat" / "sub-01_T1w.nii.gz", head())
    assert checked(root, thorough=True).worst is Severity.UNUSABLE


def test_one_series_under_two_names_warns_of_both(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", "sub-02", "sub-03")
    shutil.copy(root / "sub-01/perf/sub-01_asl.nii.gz", root / "sub-03/perf/sub-03_asl.nii.gz")
    first, second, third = with_twins([checked(root, number) for number in range(3)])
    assert first.told[0].severity is Severity.WARNING and "those of sub-03" in first.told[0].text
    assert "those of sub-01" in third.told[0].text
    assert not any("voxels" in each.text for each in second.told)


def test_what_was_measured_does_not_travel_with_a_task(tmp_path):
    record = ScanRecord("sub-01", "01", "", Status.DONE, "d", values={"raw_gm_mean": 1.0}, regions=({"index": 1},))
    scan = find_scans(data_set(tmp_path / "set", "sub-01")).scans[0]
    task = CheckTask(scan, Template(), tmp_path, tmp_path, record)
    assert (task.earlier.values, task.earlier.regions, task.earlier.digest) == ({}, (), "d")
