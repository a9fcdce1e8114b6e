"""The scans of a data set: which are found, with what T1, and what is refused or noted before anything runs."""

from __future__ import annotations

import shutil

import nibabel
import pytest
from bids_builders import data_set, participants_tsv, t1
from reading_builders import head, refusal, save, write_series

from ASLDenoiseLib.participants.find import find_scans


def names(found) -> list[str]:
    return [scan.name for scan in found.scans]


def test_every_series_is_found_with_the_t1_of_its_head_and_where_its_results_go(tmp_path):
    root = data_set(tmp_path / "set", "sub-01/ses-1", "sub-01/ses-2", "sub-02")
    own, other = t1(root, "sub-01/ses-1"), t1(root, "sub-02")
    write_series(root / "derivatives" / "tool" / "sub-01" / "perf", stem="sub-01_desc-x")
    first, second, third = find_scans(root).scans
    assert (first.name, first.participant, first.session, first.t1) == ("sub-01_ses-1", "01", "1", own)
    assert first.place == "sub-01/ses-1/perf" and not first.notes
    assert second.t1 == own and second.notes == (f"Its T1 {own.name} is of another session.",)
    assert (third.session, third.place, third.t1) == ("", "sub-02/perf", other)


def test_a_scan_without_t1_is_found_and_says_so(tmp_path):
    (scan,) = find_scans(data_set(tmp_path / "set", "sub-01")).scans
    assert scan.t1 is None and scan.notes == ("It has no T1: tissue is guessed from perfusion.",)


def test_labels_choose_participants_and_sessions_with_or_without_their_prefix(tmp_path):
    root = data_set(tmp_path / "set", "sub-01/ses-a", "sub-01/ses-b", "sub-02/ses-a", "sub-03/ses-a")
    assert names(find_scans(root, participants=["01", "sub-03"])) == ["sub-01_ses-a", "sub-01_ses-b", "sub-03_ses-a"]
    assert names(find_scans(root, participants=["sub-01"], sessions=["ses-b"])) == ["sub-01_ses-b"]
    assert names(find_scans(root, sessions=["a"])) == ["sub-01_ses-a", "sub-02_ses-a", "sub-03_ses-a"]


def test_labels_that_are_not_there_are_refused_with_those_that_are(tmp_path):
    root = data_set(tmp_path / "set", *(f"sub-{n:02d}/ses-1" for n in range(1, 15)))
    refusal(find_scans, root, participants=["99"], mentions=("participant '99'", "01, 02", "12 and 2 more"))
    refusal(find_scans, root, sessions=["2"], mentions=("session '2'", "those with ASL series are: 1."))
    (root / "sub-20" / "anat").mkdir(parents=True)
    refusal(find_scans, root, participants=["20"], mentions=("Participant '20'", "no ASL series", "leave it out"))
    write_series(root / "sub-30" / "ses-2" / "perf", stem="sub-30_ses-2")
    refusal(find_scans, root, participants=["30"], sessions=["1"], mentions=("None of these participants",))


def test_what_is_no_data_set_is_refused_with_what_to_write_or_to_run(tmp_path):
    refusal(find_scans, tmp_path / "none", mentions=("There is no folder",))
    path = write_series(tmp_path / "scans", stem="sub-01")
    refusal(find_scans, path, mentions=("is a file", "'denoise'"))
    refusal(find_scans, tmp_path / "scans", mentions=("dataset_description.json", "BIDSVersion", "'denoise'"))
    refusal(find_scans, data_set(tmp_path / "empty"), mentions=("holds no ASL series",))


def test_a_scan_that_is_there_twice_is_refused_with_both_its_paths(tmp_path):
    root = data_set(tmp_path / "packed", "sub-01")
    image = root / "sub-01" / "perf" / "sub-01_asl.nii.gz"
    nibabel.save(nibabel.load(image), image.with_name("sub-01_asl.nii"))
    refusal(find_scans, root, mentions=("twice", "sub-01/perf/sub-01_asl.nii and sub-01/perf/sub-01_asl.nii.gz"))
    root = data_set(tmp_path / "copied", "sub-01")
    shutil.copytree(root / "sub-01" / "perf", root / "sub-01" / "ses-1" / "perf")
    both = "sub-01/perf/sub-01_asl.nii.gz and sub-01/ses-1/perf/sub-01_asl.nii.gz"
    refusal(find_scans, root, mentions=("twice", both))


def test_who_has_no_series_and_who_is_in_the_table_alone_is_noted(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", "sub-02")
    save(root / "sub-03" / "anat" / "sub-03_T1w.nii.gz", head())
    participants_tsv(root, ["sub-01", "sub-03", "sub-04"])
    assert find_scans(root).notes == (
        "No ASL series: 03.",
        "participants.tsv lists who has no folder: 04.",
        "participants.tsv does not list: 02.",
    )
    assert find_scans(root, participants=["01"]).notes == (), "of the others nothing was asked"


def test_a_series_that_was_not_fetched_from_git_annex_is_told_from_one_that_is_not_there(tmp_path):
    root = data_set(tmp_path / "set", "sub-01")
    link = root / "sub-02" / "perf" / "sub-02_asl.nii.gz"
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "annex" / "objects" / "x")
    assert find_scans(root).notes == ("The series of 02 is a link that leads nowhere: fetch it first (datalad get).",)


def test_a_series_whose_name_does_not_say_whose_it_is_is_passed_over_with_a_note(tmp_path):
    root = data_set(tmp_path / "set", "sub-01")
    write_series(root / "sub-01" / "perf", stem="pilot")
    found = find_scans(root)
    assert names(found) == ["sub-01"]
    assert found.notes[0].endswith("(sub-...): sub-01/perf/pilot_asl.nii.gz.")


def test_label_maps_are_found_by_participant_and_session(tmp_path):
    pytest.importorskip("ASLDenoiseLib.reading.segmentations")
    root = data_set(tmp_path / "set", "sub-01/ses-1", "sub-02/ses-1")
    maps = tmp_path / "maps"
    labels = save(maps / "sub-01" / "ses-1" / "anat" / "sub-01_ses-1_synthseg.nii.gz", head())
    first, second = find_scans(root, labels_from=maps).scans
    assert first.labels == labels
    assert second.labels is None and "No label map of it is in maps." in second.notes
    refusal(find_scans, root, participants=["02"], labels_from=maps, mentions=("no label map of any of these",))
