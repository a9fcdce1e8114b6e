"""Scene and picture written by a process of their own: the same files, none of it where something fails."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from running_builders import gone
from scene_builders import made_result

from ASLDenoiseLib.pipeline import scene_beside
from ASLDenoiseLib.pipeline.scene_beside import SceneBeside
from ASLDenoiseLib.reporting import derivatives, html
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.running.runner import Runner
from ASLDenoiseLib.scene.attachments import scene_attachments

# names of segments, which MRML draws at random, and the file of the transform, which holds the time it was written
RANDOM = re.compile(rb"S_[A-Za-z0-9]{16}")
TIMED = ".h5"
ITEM = re.compile(rb'\b(id|parent)="(\d+)"')  # of an item of the subject hierarchy


def members(bundle: Path) -> dict[str, bytes]:
    """The files of a bundle without what differs from one writing to the next."""
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if not name.endswith(TIMED)}
    held = {name: RANDOM.sub(b"id", content) for name, content in held.items() if not name.endswith("seg.nrrd")}
    return {name: numbered(content) if name.endswith(".mrml") else content for name, content in held.items()}


def numbered(scene: bytes) -> bytes:
    """The scene with its items of the subject hierarchy counted from 0: MRML counts all that a process ever made."""
    counted = sorted({int(number) for _, number in ITEM.findall(scene)})
    return ITEM.sub(lambda found: b'%s="%d"' % (found[1], counted.index(int(found[2]))), scene)


def kinds(bundle: Path) -> list[str]:
    with zipfile.ZipFile(bundle) as archive:
        return sorted(archive.namelist())


def written(result, out: Path, beside: SceneBeside) -> Path:
    try:
        attachments = beside.attachments(result)
        return write_result(result, out, command="it", attachments=attachments, beside=beside.writing).folder
    finally:
        beside.end()


def broken() -> Runner:
    """A runner whose child falls over at once."""
    return Runner((sys.executable, "-c", "raise SystemExit(3)"))


def test_what_a_process_beside_writes_is_what_the_run_would_write_itself(tmp_path):
    result = made_result()
    alone = write_result(result, tmp_path / "alone", command="it", attachments=scene_attachments(result)[0]).folder
    beside = SceneBeside()
    beside.warm()
    other = written(result, tmp_path / "beside", beside)
    names = sorted(path.name for path in alone.iterdir())
    assert names == sorted(path.name for path in other.iterdir()) and "sub-77_scene.mrb" in names
    unlike = {name for name in names if (alone / name).read_bytes() != (other / name).read_bytes()}
    assert unlike <= {"sub-77_scene.mrb", "sub-77_files.json"}  # the second holds the digest of the first
    scenes = [folder / "sub-77_scene.mrb" for folder in (alone, other)]
    assert kinds(scenes[0]) == kinds(scenes[1])
    assert members(scenes[0]) == members(scenes[1])


def test_the_scene_holds_the_very_report_that_lies_beside_it(tmp_path):
    folder = written(made_result(), tmp_path / "out", SceneBeside())
    held = members(folder / "sub-77_scene.mrb")
    report = next(content for name, content in held.items() if name.endswith(".html"))
    assert report == (folder / "sub-77_report.html").read_bytes()


def test_what_the_process_beside_could_not_write_is_written_by_the_run(tmp_path):
    folder = written(made_result(), tmp_path / "out", SceneBeside(broken))
    assert (folder / "sub-77_scene.mrb").stat().st_size and (folder / "sub-77_overlay.png").stat().st_size
    assert not [path for path in folder.iterdir() if path.name.startswith(".") and path.name != ".bidsignore"]


def test_a_writer_that_fails_beside_and_here_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_nodes, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    writers = {"scene.mrb": lambda path: full(None, path), "overlay.png": lambda path: full(None, path)}
    monkeypatch.setattr(scene_beside, "scene_attachments", lambda result: (writers, ""))
    with pytest.raises(OSError, match="No space left") as failed:
        written(made_result(), tmp_path / "a" / "out", SceneBeside(broken))
    assert failed.value.filename == str(tmp_path / "a" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", ["the report", "the tables"])
def test_an_error_or_interrupt_of_the_run_ends_the_process_beside_and_leaves_nothing(tmp_path, monkeypatch, at, error):
    made: list[Runner] = []
    pids: list[int] = []

    def runner() -> Runner:
        made.append(Runner())
        return made[-1]

    def fail(*_given, **_also):
        until = time.monotonic() + 20
        while made[0].pid is None and time.monotonic() < until:
            time.sleep(0.02)
        pids.append(made[0].pid)
        assert pids[0] is not None
        raise error

    place = (html, "report_html") if "report" in at else (derivatives, "rows_tsv")
    monkeypatch.setattr(*place, fail)
    with pytest.raises(type(error)):
        written(made_result(), tmp_path / "a" / "out", SceneBeside(runner))
    assert not made[0].running and gone(*pids)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_the_scene_is_awaited_leaves_nothing(tmp_path, monkeypatch):
    beside = SceneBeside()
    monkeypatch.setattr(beside._runner, "poll", lambda poll=beside._runner.poll: _interrupted(poll))
    with pytest.raises(KeyboardInterrupt):
        written(made_result(), tmp_path / "a" / "out", beside)
    assert list(tmp_path.iterdir()) == [] and not beside._runner.running


_interrupts = iter([True])


def _interrupted(poll):
    if next(_interrupts, False):
        raise KeyboardInterrupt
    return poll()
