"""Findings and report of a run live in the scene: kept, replaced, saved, opened elsewhere, removed with the run."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest

pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")

from scene_builders import contents, load_mrb, made_result

from ASLDenoiseLib.findings import FindingKind
from ASLDenoiseLib.remedies import Advice
from ASLDenoiseLib.scene.attachments import scene_attachments
from ASLDenoiseLib.scene.choose import runs_in
from ASLDenoiseLib.scene.documents import LARGEST, findings_in, keep_findings, keep_report, report_in, series_in
from ASLDenoiseLib.scene.headless import close_scene, headless_scene
from ASLDenoiseLib.scene.hierarchy import all_items
from ASLDenoiseLib.scene.present import present
from ASLDenoiseLib.scene.series import series_to_nodes
from ASLDenoiseLib.scene.store import save_mrb

KIND = FindingKind("made-up", "Motion of {mm} mm", "2 of 30 pairs, \u2013 so <much>", Advice("look at the time line"))
FINDINGS = tuple(KIND.finding(mm=mm) for mm in (1, 2, 3))
HTML = "<!DOCTYPE html><html><body>\u00b5 & <b>\u2264 5 %</b>\n</body></html>\n"


@pytest.fixture
def scene():
    with headless_scene() as scene:
        yield scene


def test_a_run_brings_its_findings_and_says_which_series_they_are_of(scene):
    source = series_to_nodes(made_result().series).sequence
    nodes = present(replace(made_result(), findings=FINDINGS), source=source)
    assert findings_in(scene, nodes.folder) == FINDINGS
    assert series_in(scene, nodes.folder) is source
    other = present(made_result(model="other"))
    assert findings_in(scene, other.folder) == () and series_in(scene, other.folder) is other.series.sequence


def test_both_survive_saving_and_another_machine_letter_by_letter(scene, tmp_path):
    nodes = present(replace(made_result(), findings=FINDINGS))
    keep_report(scene, nodes.folder, HTML, name="sub-77")
    path = save_mrb(scene, tmp_path / "run.mrb")
    loaded = load_mrb(path, tmp_path / "opened")
    try:
        (run,) = runs_in(loaded)
        assert findings_in(loaded, run.folder) == FINDINGS
        assert report_in(loaded, run.folder) == HTML
        assert series_in(loaded, run.folder).IsA("vtkMRMLSequenceNode")
    finally:
        close_scene(loaded)


def test_the_report_is_a_file_of_its_own_in_the_bundle_that_any_browser_opens(scene, tmp_path):
    nodes = present(made_result())
    keep_report(scene, nodes.folder, HTML, name="sub-77")
    with zipfile.ZipFile(save_mrb(scene, tmp_path / "run.mrb")) as bundle:
        (name,) = [name for name in bundle.namelist() if name.endswith(".html")]
        assert bundle.read(name).decode("utf-8") == HTML


def test_a_report_again_takes_the_place_of_the_first_and_goes_with_its_run(scene):
    nodes = present(made_result())
    keep_report(scene, nodes.folder, HTML, name="sub-77")
    before, items = contents(scene), len(all_items(scene))
    keep_report(scene, nodes.folder, HTML.upper(), name="sub-77")
    assert (contents(scene), len(all_items(scene))) == (before, items)
    assert report_in(scene, nodes.folder) == HTML.upper()
    present(made_result())
    assert not any(kind == "vtkMRMLTextNode" and name.startswith("Report") for kind, name in contents(scene))
    assert [kind for kind, _ in contents(scene)].count("vtkMRMLTextStorageNode") == 1  # of the findings


def test_a_report_beyond_all_bounds_is_not_kept(scene):
    nodes = present(made_result())
    before = contents(scene)
    assert keep_report(scene, nodes.folder, "x" * (LARGEST + 1), name="sub-77") is None
    assert contents(scene) == before and report_in(scene, nodes.folder) == ""


def test_findings_that_somebody_changed_are_none(scene):
    nodes = present(made_result())
    node = keep_findings(scene, nodes.folder, FINDINGS, name="sub-77")
    for text in ("", "no JSON", "[1]", '[{"code": "x"}]'):
        node.SetText(text)
        assert findings_in(scene, nodes.folder) == ()


def test_the_scene_that_the_shell_writes_holds_findings_and_report_of_less_than_two_megabytes(tmp_path):
    writers, _ = scene_attachments(replace(made_result(), findings=FINDINGS))
    writers["scene.mrb"](tmp_path / "scene.mrb")
    loaded = load_mrb(tmp_path / "scene.mrb", tmp_path / "opened")
    try:
        (run,) = runs_in(loaded)
        assert findings_in(loaded, run.folder) == FINDINGS
        html = report_in(loaded, run.folder)
        assert html.startswith("<!DOCTYPE html>") and "GM mean" in html and len(html) < 2_000_000
    finally:
        close_scene(loaded)
