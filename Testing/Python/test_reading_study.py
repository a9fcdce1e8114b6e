"""BIDS data sets, subjects and sessions given as a whole: the series in them, and the T1 that lies with it."""

from __future__ import annotations

import json

import pytest
from bids_builders import data_set, t1
from dicom_builders import write_examination
from reading_builders import head, refusal, save, write_series

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.pipeline.reading_steps import read, series_of
from ASLDenoiseLib.pipeline.request import Head, Outputs, Request, SeriesFile
from ASLDenoiseLib.pipeline.request_json import plain_request, read_request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.study import find_t1, read_t1, series_in


@pytest.mark.parametrize("given", ["", "sub-01", "sub-01/ses-1", "sub-01/ses-1/perf"])
def test_a_data_set_a_subject_and_a_session_stand_for_the_one_series_below(tmp_path, given):
    root = data_set(tmp_path / "set", "sub-01/ses-1")
    write_series(root / "derivatives" / "tool" / "sub-01" / "perf", stem="sub-01_desc-x")
    series = read_series(root / given)
    assert series.name == "sub-01_ses-1" and series.m0 is not None
    assert series.source == str(root / "sub-01" / "ses-1" / "perf" / "sub-01_ses-1_asl.nii.gz")


def test_several_series_are_numbered_by_their_paths(tmp_path):
    root = data_set(tmp_path / "set", "sub-02", "sub-01/ses-2", "sub-01/ses-1")
    names = ("1: sub-01/ses-1/perf/sub-01_ses-1_asl.nii.gz", "3: sub-02/perf/sub-02_asl.nii.gz", "--series 1")
    refusal(read_series, root, mentions=("Several ASL series are in", *names))
    assert [(each.number, each.path.name) for each in series_in(root)][2] == (3, "sub-02_asl.nii.gz")
    assert read_series(root, series=2).name == "sub-01_ses-2"
    refusal(read_series, root, series=4, mentions=("no ASL series 4", "3: sub-02"))
    refusal(read_series, root / "sub-02" / "perf" / "sub-02_asl.nii.gz", series=1, mentions=("one file", "--series"))


def test_the_shell_takes_the_number_and_the_request_keeps_it(tmp_path, capsys):
    root = data_set(tmp_path / "set", "sub-01", "sub-02")
    assert main(["inspect", str(root)]) == 2
    assert "--series 1" in capsys.readouterr().err
    assert main(["inspect", str(root), "--series", "2"]) == 0
    assert capsys.readouterr().out.startswith("sub-02: ")
    request = Request(SeriesFile(root, series=2), Head(root), outputs=Outputs(folder=tmp_path / "out"))
    path = tmp_path / "request.json"
    path.write_text(json.dumps(plain_request(request)))
    again = read_request(path)
    assert again.series.series == 2 and again.head.t1 == root
    assert series_of(again.series).name == "sub-02"


# --- the T1 ---------------------------------------------------------------------------------------------------------


def test_the_t1_of_the_session_is_found_else_that_of_another_and_it_is_said(tmp_path):
    root = data_set(tmp_path / "set", "sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1")
    wanted = t1(root, "sub-01/ses-1")
    t1(root, "sub-01/ses-1", more="_ce-gadolinium")
    t1(root, "sub-01/ses-1", more="_acq-lowres")
    assert find_t1(root, series=1).path == wanted and find_t1(root, series=1).note == ""
    other = find_t1(root, series=2)
    assert other.path == wanted and "another session" in other.label and "another session" in other.note
    assert find_t1(root, series=3) is None


def test_a_t1_beside_the_series_is_found_where_there_are_no_folders(tmp_path):
    path = write_series(tmp_path)
    assert find_t1(path) is None
    save(tmp_path / "sub-02_T1w.nii.gz", head())
    assert find_t1(path) is None, "of another subject"
    assert find_t1(path) is None
    save(tmp_path / "sub-01_T1w.nii.gz", head())
    assert find_t1(path).path == tmp_path / "sub-01_T1w.nii.gz"


def test_a_folder_given_as_t1_gives_the_t1_of_the_series_subject(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", "sub-02")
    t1(root, "sub-01", level=1)
    path = t1(root, "sub-02", level=7)
    series = read_series(root, series=2)
    assert read_t1(root, series=series.source).array.max() == 7
    assert read_t1(root / "sub-02").array.max() == read_t1(path).array.max() == 7
    refusal(read_t1, root, mentions=("Several T1", "sub-01_T1w.nii.gz", "sub-02_T1w.nii.gz", "--t1"))
    refusal(read_t1, data_set(tmp_path / "bare", "sub-03"), mentions=("No T1", "bare", "--t1"))


def test_inspect_names_the_t1_and_the_option_that_uses_it(tmp_path, capsys):
    root = data_set(tmp_path / "a set", "sub-01")
    path = t1(root, "sub-01")
    assert main(["inspect", str(root)]) == 0
    said = capsys.readouterr().out
    assert "note: A T1 of this head is there and not used (sub-01_T1w.nii.gz)" in said
    assert f"with --t1 '{path}'" in said, "quoted: there is a space in it"
    assert main(["inspect", str(root), "--t1", str(root)]) == 0
    assert "A T1 of this head" not in capsys.readouterr().out


def test_inspect_names_the_folder_of_dicom_as_the_t1(tmp_path, capsys):
    folder = write_examination(tmp_path / "study")
    main(["inspect", str(folder), "--context", "control,label"])
    said = capsys.readouterr().out
    assert f"1 volume, T1) Use it for tissue, alignment and guides with --t1 {folder}." in said
    assert main(["inspect", str(folder), "--context", "control,label", "--t1", str(folder / "asl")]) == 2
    assert "No T1 image was found" in capsys.readouterr().err


def test_a_run_reads_series_and_t1_from_one_folder(tmp_path):
    root = data_set(tmp_path / "set", "sub-01", "sub-02")
    for level, subject in enumerate(("sub-01", "sub-02"), 1):
        t1(root, subject, level=level)
    state = RunState(Request(SeriesFile(root, series=2), Head(root)), compute=None)
    read(state, silent)
    assert state.series.name == "sub-02" and state.t1.array.max() == 2
