"""Files that another program has open, as Windows refuses them: tried again, and then told in one sentence."""

from __future__ import annotations

import ast
import os
import stat
from pathlib import Path

import pytest
from scene_builders import made_result
from windows_builders import Held, refused

import ASLDenoiseLib as ad
from ASLDenoiseLib import moving
from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.files import trouble
from ASLDenoiseLib.group.record import ScanRecord, Status, read_records, write_record
from ASLDenoiseLib.moving import patiently, remove_folder, rename_folder, replace_file
from ASLDenoiseLib.participants.leftovers import remove_leftovers
from ASLDenoiseLib.running.payload import read_payload, write_payload
from ASLDenoiseLib.shell import processing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """What was waited for, s; nobody waits."""
    waited = []
    monkeypatch.setattr(moving.time, "sleep", waited.append)
    return waited


def file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_a_scanner_of_viruses_holds_for_a_moment_is_replaced(tmp_path, monkeypatch, pauses):
    new, old = file(tmp_path / "new", "new"), file(tmp_path / "old", "old")
    held = Held(monkeypatch, "old", times=3)
    replace_file(new, old)
    assert old.read_text("utf-8") == "new" and held.refusals == 3
    assert pauses == list(moving.PAUSES[:3])


def test_a_file_that_stays_open_is_named_and_the_wait_is_short(tmp_path, monkeypatch, pauses):
    new, old = file(tmp_path / "new", "new"), file(tmp_path / "old", "old")
    Held(monkeypatch, "old")
    with pytest.raises(PermissionError) as error:
        replace_file(new, old)
    assert trouble(error.value) == (
        f"A file could not be read or written ({old}): another program has it open; close it there, and run again; "
        "no result has been written."
    )
    assert 1 < sum(pauses) < 2


def test_what_a_disk_refuses_for_another_reason_is_not_tried_again(tmp_path, pauses):
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none", tmp_path / "old")
    assert pauses == []
    assert trouble(refused(5, "x")).startswith("A file could not be read or written (x): access is not allowed")


def test_a_folder_with_a_new_file_that_is_being_scanned_is_renamed(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    Held(monkeypatch, "one", times=2, number=5)
    rename_folder(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two").is_dir()


def test_a_folder_goes_with_its_read_only_files_and_with_those_that_are_open_for_a_moment(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    locked = file(folder / "locked", "x")
    locked.chmod(stat.S_IREAD)
    file(folder / "open", "x")
    Held(monkeypatch, "open", times=2)
    unlink = os.unlink

    def of_windows(path: object, **how: object) -> None:
        if str(path).endswith("locked") and not locked.stat().st_mode & stat.S_IWRITE:
            raise refused(5, path)
        unlink(path, **how)

    monkeypatch.setattr(os, "unlink", of_windows)
    assert remove_folder(folder)
    assert not folder.exists()


def test_of_a_folder_with_a_file_that_stays_open_all_else_goes_and_nothing_is_raised(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "held", "z"):
        file(folder / name, "x")
    Held(monkeypatch, "held")
    assert not remove_folder(folder)
    assert [path.name for path in folder.iterdir()] == ["held"]
    assert remove_folder(tmp_path / "none")


def test_the_target_of_a_link_in_a_folder_keeps_its_rights(tmp_path):
    mine = file(tmp_path / "mine", "x")
    mine.chmod(stat.S_IREAD)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(mine)
    assert remove_folder(tmp_path / "folder")
    assert stat.S_IMODE(mine.stat().st_mode) == stat.S_IREAD


def test_results_that_are_being_scanned_come_into_place(tmp_path, monkeypatch):
    ad.write(made_result(), tmp_path / "out")
    held = Held(monkeypatch, "_readouts.tsv", "_report.html", times=5)
    ad.write(made_result(), tmp_path / "out", command="second")
    assert held.refusals == 5
    assert not list((tmp_path / "out").glob(".asldenoise*"))


def test_a_table_that_a_spreadsheet_shows_is_named_and_the_earlier_result_stays_whole(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    ad.write(made_result(), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    table = next(out.glob("*_readouts.tsv"))
    Held(monkeypatch, f"out/{table.name}", f"replaced/{table.name}")
    monkeypatch.setattr(processing, "run_models", lambda _: ad.write(made_result(), out, command="second"))
    assert main(["models"]) == 2
    said = capsys.readouterr().err
    assert f"({table}): another program has it open; close it there, and run again" in said
    assert said.count("\n") == 1
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_records_payloads_and_leftovers_wait_for_a_moment_too(tmp_path, monkeypatch):
    record = ScanRecord("sub-01", "01", "", Status.DONE, "x")
    write_record(tmp_path, record)
    write_payload(tmp_path / "payload", 1)
    Held(monkeypatch, "sub-01.json", "payload", times=2)
    write_record(tmp_path, ScanRecord("sub-01", "01", "", Status.DONE, "y"))
    write_payload(tmp_path / "payload", 2)
    assert read_records(tmp_path)[0].digest == "y" and read_payload(tmp_path / "payload") == 2
    left = tmp_path / f".asldenoise-{'0' * 12}.partial"
    left.mkdir()
    Held(monkeypatch, ".partial", times=2)
    assert remove_leftovers(tmp_path, locked=True) == 1


def test_patience_ends_with_the_last_word_of_the_system(pauses):
    def never() -> None:
        raise refused(32, "x")

    with pytest.raises(PermissionError):
        patiently(never)
    assert len(pauses) == len(moving.PAUSES)


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Every call of `name` (its last part) in the library, with where it stands."""
    found = []
    for path in sorted((ROOT / "ASLDenoiseLib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                found.append((f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node))
    return found


def methods(name: str) -> list[tuple[str, ast.Call]]:
    """Every call of a method of one argument by this name, likewise."""
    found = []
    for path in sorted((ROOT / "ASLDenoiseLib").rglob("*.py")):
        nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        named = [node for node in nodes if isinstance(node.func, ast.Attribute) and node.func.attr == name]
        place = path.relative_to(ROOT).as_posix()
        found += [(f"{place}:{node.lineno}", node) for node in named if len(node.args) == 1]
    return found


def test_no_file_is_moved_without_patience():
    assert [place for name in ("os.replace", "os.rename") for place, _ in calls(name)] == []
    moved = [place for name in ("replace", "rename") for place, call in methods(name) if not call.keywords]
    assert moved == [], "of a Path, which has one argument where that of a text has two"


def test_a_temporary_folder_that_cannot_go_yet_costs_no_result():
    told = "ignore_cleanup_errors"
    made = calls("tempfile.TemporaryDirectory")
    assert len(made) >= 4
    assert [place for place, call in made if told not in [keyword.arg for keyword in call.keywords]] == []
