"""Paths as Windows and macOS have them: names they lack, lengths, disks that are not there, letters in two cases."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from reading_builders import refusal
from scene_builders import made_result

import ASLDenoiseLib as ad
from ASLDenoiseLib import windows_paths
from ASLDenoiseLib.participants.dataset import check_place
from ASLDenoiseLib.reporting import derivatives, listing
from ASLDenoiseLib.reporting.derivatives import check_destination
from ASLDenoiseLib.reporting.listing import possible_names
from ASLDenoiseLib.scene import store
from ASLDenoiseLib.scene.attachments import PICTURE, SCENE
from ASLDenoiseLib.scene.headless import headless_scene
from ASLDenoiseLib.sites.names import check_place as check_models_place
from ASLDenoiseLib.windows_paths import LONGEST, fault_in, fault_of, longest_path, may_write_in, same_place


@pytest.fixture
def windows(monkeypatch):
    """What this package takes for Windows, on this disk."""
    monkeypatch.setattr(windows_paths, "is_windows", lambda: True)
    monkeypatch.setattr(derivatives, "is_windows", lambda: True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NUL", "device"),
        ("aux.1_report.html", "device"),
        ("COM1", "device"),
        ("results.", "dot or a space"),
        ("results ", "dot or a space"),
        ("10:30", "':'"),
        ("a\tb", "'\\t'"),
        ("sub-nul", ""),
        ("console", ""),
        ("sub-01.nii.gz", ""),
    ],
)
def test_a_name_that_windows_lacks_or_changes_is_told_with_the_reason(name, words):
    assert (words in fault_of(name)) and bool(words) == bool(fault_of(name))


def test_a_drive_is_no_fault_and_a_device_anywhere_in_a_path_is_one():
    assert fault_in(PureWindowsPath(r"C:\Users\me\out")) == fault_in(PurePosixPath("/home/me/../out")) == ""
    assert fault_in(PureWindowsPath(r"\\server\share\con\out")).startswith("'con' is the name of a device")


def test_results_are_not_written_into_a_device_or_a_name_that_windows_changes(tmp_path, windows):
    refusal(check_destination, tmp_path / "nul" / "x", mentions=("'nul' is the name of a device", "another folder"))
    refusal(check_destination, tmp_path / "out.", mentions=("'out.' ends in a dot",))
    check_destination(tmp_path / "out")


def test_elsewhere_such_a_folder_is_as_good_as_any(tmp_path):
    check_destination(tmp_path / "nul")


@pytest.mark.parametrize(("name", "words"), [("10:30", "':'"), ("aux.1", "device"), ("", "cannot start")])
def test_a_series_name_that_no_file_can_have_is_refused_before_the_work(tmp_path, name, words):
    series = replace(made_result().series, name="sub-01")
    check_destination(tmp_path / "out", series=series)
    object.__setattr__(series, "name", name)
    refusal(check_destination, tmp_path / "out", series=series, mentions=(words, "rename the series"))


def test_a_folder_too_deep_for_windows_is_refused_before_the_work_by_how_much(tmp_path, windows):
    series = replace(made_result().series, name="sub-01_ses-1")
    longest = max(map(len, possible_names(series.name, (SCENE, PICTURE))))
    room = LONGEST - len(str(tmp_path)) - longest - len("/.asldenoise-0123456789ab.partial/replaced/") - 1
    fits = tmp_path / ("x" * room)
    check_destination(fits, series=series, attachments=(SCENE, PICTURE))
    told = ("paths of up to 262 characters", "allows 259", "shorter by 3")
    refusal(check_destination, Path(f"{fits}xxx"), series=series, attachments=(SCENE, PICTURE), mentions=told)


def test_where_long_paths_are_switched_on_no_folder_is_too_deep(tmp_path, windows, monkeypatch):
    class Switched:
        class windll:
            class ntdll:
                RtlAreLongPathsEnabled = staticmethod(lambda: 1)

    monkeypatch.setattr(windows_paths, "ctypes", Switched)
    assert longest_path() is None
    Switched.windll.ntdll.RtlAreLongPathsEnabled = staticmethod(lambda: 0)
    assert longest_path() == LONGEST
    del Switched.windll.ntdll.RtlAreLongPathsEnabled
    assert longest_path() == LONGEST


def test_elsewhere_no_path_is_too_long_for_its_length():
    assert longest_path() is None


def test_the_longest_path_on_the_way_into_place_is_the_one_that_is_reckoned_with(tmp_path, monkeypatch):
    """Twice written, so that there is something to be kept aside."""
    ad.write(made_result(), tmp_path / "out")
    seen, link = [], os.link
    monkeypatch.setattr(os, "link", lambda old, new: (seen.append(len(str(new))), link(old, new)))
    ad.write(made_result(), tmp_path / "out", command="again")
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert max(seen) == len(str(tmp_path / "out")) + len(listing._ASIDE) + max(map(len, names))


def test_a_scene_is_put_together_where_its_long_paths_fit(tmp_path, monkeypatch):
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    deep = tmp_path / ("d" * 100)
    near = tmp_path / "t"
    for folder in (deep, near):
        folder.mkdir()
    made, begun = [], store.tempfile.TemporaryDirectory

    def told(*args: object, dir: Path, **how: object):
        made.append(Path(dir))
        return begun(*args, dir=dir, **how)

    monkeypatch.setattr(store.tempfile, "TemporaryDirectory", told)
    monkeypatch.setattr(store.tempfile, "gettempdir", lambda: str(near))
    with headless_scene() as scene:
        store.save_mrb(scene, deep / "here.mrb")
        monkeypatch.setattr(store, "longest_path", lambda: LONGEST)
        store.save_mrb(scene, deep / "there.mrb")
        store.save_mrb(scene, tmp_path / "short.mrb")
    assert made == [deep, near, tmp_path] or made == [deep, near, near]
    assert sorted(path.name for path in deep.iterdir()) == ["here.mrb", "there.mrb"]
    assert list(near.iterdir()) == []
    assert (deep / "there.mrb").stat().st_size > 0


def test_a_disk_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self, **how: False)
    refusal(check_destination, tmp_path / "out", mentions=("There is no disk", "connect it"))


def test_a_folder_that_windows_lets_nobody_write_to_is_found_out_by_trying(tmp_path, windows, monkeypatch):
    """`os.access` says yes to every folder there."""
    assert may_write_in(tmp_path) and list(tmp_path.iterdir()) == []

    def denied(*args: object, **how: object):
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(windows_paths.tempfile, "TemporaryFile", denied)
    refusal(check_destination, tmp_path / "out", mentions=("may not be written to",))
    refusal(check_models_place, tmp_path / "models", mentions=("cannot be written to",))


def test_two_spellings_of_one_folder_are_one_place(tmp_path):
    (tmp_path / "Data").mkdir()
    (tmp_path / "data").symlink_to("Data")  # stands in for a disk without cases
    assert same_place(tmp_path / "data", tmp_path / "Data")
    assert not same_place(tmp_path / "data", tmp_path / "other")


def test_a_data_set_in_other_letters_is_still_the_data_set(tmp_path, monkeypatch):
    bids, other = tmp_path / "Study", tmp_path / "STUDY"
    (bids / "sub-01").mkdir(parents=True)
    samefile = os.path.samefile

    def without_cases(one: object, two: object) -> bool:
        return samefile(str(one).replace("STUDY", "Study"), str(two).replace("STUDY", "Study"))

    monkeypatch.setattr(os.path, "samefile", without_cases)
    refusal(check_place, bids, other, mentions=("is the BIDS data set itself",))
    refusal(check_place, bids, other / "sub-01" / "out", mentions=("lies in a participant's folder",))
    refusal(check_place, other / "sub-01", bids, mentions=("lies inside of",))


def test_no_two_results_of_a_series_differ_in_the_case_of_letters_alone():
    names = [name.lower() for name in possible_names("sub-01", (SCENE, PICTURE))]
    assert len(names) == len(set(names))


def test_no_two_files_of_the_checkout_differ_in_the_case_of_letters_alone_nor_lack_a_name_on_windows():
    root = Path(__file__).resolve().parents[2]
    places = ("ASLDenoise", "ASLDenoiseLib", "Docs", "Resources", "Testing")
    files = [path.relative_to(root) for place in places for path in (root / place).rglob("*")]
    files = [path for path in files if "__pycache__" not in path.parts]
    lower = [path.as_posix().lower() for path in files]
    assert len(lower) == len(set(lower)) and len(lower) > 1000
    assert [path for path in files if fault_in(path)] == []
    assert max(len(path.as_posix()) for path in files) < 130, "C:/Users/NAME/Documents/... goes before it"
