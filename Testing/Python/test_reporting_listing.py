"""Results of several series in one folder: each run replaces its own files alone, and says so before it begins."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reading_builders import write_series
from scene_builders import made_result

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.reporting.derivatives import check_destination, write_result
from ASLDenoiseLib.reporting.listing import listings_in
from ASLDenoiseLib.result import Result


def result_of(name: str, *, seed: int = 0) -> Result:
    """A made result of a series of this name, whose voxels depend on the seed."""
    made = made_result()
    voxels = np.random.default_rng(seed).normal(100, 1, made.series.array.shape)
    return replace(made, series=replace(made.series, name=name, array=voxels))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_two_series_share_a_folder_and_neither_loses_a_file(tmp_path):
    write_result(result_of("sub-01"), tmp_path / "out")
    first = contents(tmp_path / "out")
    write_result(result_of("sub-02", seed=1), tmp_path / "out")
    both = contents(tmp_path / "out")
    shared = {"README.md", "dataset_description.json", ".bidsignore"}
    assert {name: both[name] for name in first.keys() - shared} == {n: first[n] for n in first.keys() - shared}
    assert {"sub-01_report.html", "sub-02_report.html", "sub-01_readouts.tsv", "sub-02_readouts.tsv"} <= both.keys()
    assert list(listings_in(tmp_path / "out")) == ["sub-01", "sub-02"]


def test_the_readme_names_every_series_of_the_folder(tmp_path):
    for number, name in enumerate(("sub-02", "sub-01", "sub-02")):
        write_result(result_of(name, seed=number % 2), tmp_path)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("| sub-")] == [
        "| sub-01 | `sub-01_report.html` |",
        "| sub-02 | `sub-02_report.html` |",
    ]
    assert text.count("`*_desc-mean_cbf.nii.gz`") == 1


def test_a_readme_that_was_changed_since_stays(tmp_path):
    write_result(result_of("sub-01"), tmp_path)
    with (tmp_path / "README.md").open("a") as file:
        file.write("Sub-01 was asleep.\n")
    written = write_result(result_of("sub-01"), tmp_path)
    assert "Sub-01 was asleep." in (tmp_path / "README.md").read_text("utf-8")
    assert tmp_path / "README.md" not in written.files


def test_what_a_data_set_says_of_itself_besides_stays(tmp_path):
    write_result(result_of("sub-01"), tmp_path)
    path = tmp_path / "dataset_description.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "Authors": ["Ada"], "Name": "Our study"}))
    write_result(result_of("sub-02", seed=1), tmp_path)
    told = json.loads(path.read_text("utf-8"))
    assert (told["Authors"], told["Name"], len(told["GeneratedBy"])) == (["Ada"], "Our study", 1)


@pytest.mark.parametrize("name", ["sub-01_report.html", "sub-01_readouts.tsv", "sub-01_desc-mean_cbf.nii.gz"])
def test_a_file_of_somebodys_own_is_never_replaced(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name} would be replaced, but ASLDenoise did not write it"):
        write_result(result_of("sub-01"), tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_file_that_was_changed_since_it_was_written_is_never_replaced(tmp_path):
    write_result(result_of("sub-01"), tmp_path)
    path = tmp_path / "sub-01_readouts.tsv"
    path.write_text(path.read_text("utf-8") + "# my remark\n")
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"sub-01_readouts\.tsv would be replaced, but was changed since"):
        write_result(result_of("sub-01"), tmp_path)
    assert contents(tmp_path) == before


def test_another_series_of_the_same_name_is_refused_and_the_same_one_from_memory_is_not(tmp_path):
    write_result(result_of("asl"), tmp_path)
    write_result(result_of("asl"), tmp_path)
    with pytest.raises(InputError, match="holds results of another series that is called 'asl'"):
        write_result(result_of("asl", seed=1), tmp_path)


def test_the_same_file_with_other_voxels_is_the_same_series(tmp_path):
    source = tmp_path / "raw_asl.nii.gz"
    source.touch()
    for seed in (0, 1):
        result = result_of("raw", seed=seed)
        write_result(replace(result, series=replace(result.series, source=str(source))), tmp_path / "out")
    assert (tmp_path / "out" / "raw_report.html").is_file()


def test_files_of_a_run_that_made_more_stay_listed(tmp_path):
    more = result_of("sub-01")
    write_result(more, tmp_path)
    raw = {"desc-mean_cbf": more.maps["desc-mean_cbf"]}
    write_result(replace(more, maps=raw, readouts={"desc-mean_cbf": more.readouts["desc-mean_cbf"]}), tmp_path)
    write_result(more, tmp_path)  # the denoised map of the first run may be replaced
    assert "sub-01_desc-denoised_cbf.nii.gz" in listings_in(tmp_path)["sub-01"].files


def test_a_folder_in_the_place_of_a_file_and_a_file_in_the_place_of_a_folder_are_refused(tmp_path):
    result = result_of("sub-01")
    (tmp_path / "a" / "sub-01_report.html").mkdir(parents=True)
    with pytest.raises(InputError, match="is a folder where a file is to be written"):
        check_destination(tmp_path / "a", series=result.series)
    (tmp_path / "b" / "README.md").mkdir(parents=True)
    with pytest.raises(InputError, match=r"README\.md is a folder"):
        check_destination(tmp_path / "b")
    (tmp_path / "c").write_text("")
    with pytest.raises(InputError, match="c is a file, so that"):
        check_destination(tmp_path / "c" / "out")


def test_a_name_too_long_for_a_file_is_refused_before_the_long_work(tmp_path):
    with pytest.raises(InputError, match="is too long for names of files"):
        check_destination(tmp_path, series=result_of("n" * 240).series)


def test_the_shell_refuses_before_the_long_work_and_names_the_file(tmp_path, capsys):
    path = write_series(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub-01_overlay.png").write_text("mine")
    command = ["quantify", str(path), "--out", str(tmp_path / "out"), "--progress", "json"]
    assert main(command) == 2
    told = capsys.readouterr().err.splitlines()
    assert "sub-01_overlay.png would be replaced" in told[-1]
    assert not any("correcting head motion" in line for line in told)
    assert contents(tmp_path / "out") == {"sub-01_overlay.png": b"mine"}


def test_a_file_that_only_looks_like_a_listing_lists_nothing(tmp_path):
    for name, text in (("a", "{}"), ("b", "[1]"), ("c", '{"GeneratedBy": "ASLDenoise", "series": 1}'), ("d", "\udcff")):
        (tmp_path / f"{name}_files.json").write_text(text, "utf-8", "surrogateescape")
    assert listings_in(tmp_path) == {}
