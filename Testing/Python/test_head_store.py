"""What was found of a T1 is taken up by other scans of it, to the last digit, and by no other T1."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import ASLDenoiseLib
from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.pipeline import preparation_steps, region_steps, segmenting
from ASLDenoiseLib.pipeline.head_store import HeadStore, SegmentedHead
from ASLDenoiseLib.pipeline.request import Request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.t1_contrast import Levels
from ASLDenoiseLib.preparing.template_space import TemplateSpace
from ASLDenoiseLib.preparing.tissue import SegmentedTissue
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.series import Geometry, Volume

GRID = Geometry((5, 4, 3), (1.1, 1.2, 1.3), (0.1 + 0.2, -7.0, 1 / 3))


def volume(seed: int, name: str = "") -> Volume:
    return Volume(np.random.default_rng(seed).normal(size=GRID.shape).astype(np.float32), GRID, name=name)


T1 = volume(0, "t1")
TISSUE = SegmentedTissue(
    *(volume(n, name) for n, name in enumerate(("GM", "WM", "CSF", "brain"), 1)),
    source="made up",
    warning="look at it",
    levels=Levels(0.1, 0.2, 1 / 3),
)
HEAD = SegmentedHead(TISSUE, volume(5, "even"))
SPACE = TemplateSpace(np.eye(4) / 3, *np.random.default_rng(6).normal(size=(2, 3, 4, 5, 3)), 0.71, "a warning")


def assert_same(one: object, other: object) -> None:
    for field in fields(one):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, Volume):
            assert (mine.geometry, mine.unit, mine.name) == (its.geometry, its.unit, its.name)
            mine, its = mine.array, its.array
        if isinstance(mine, np.ndarray):
            assert mine.dtype == its.dtype
            np.testing.assert_array_equal(mine, its)
        else:
            assert mine == its


def test_what_was_kept_of_a_t1_comes_back_to_the_last_digit(tmp_path):
    store = HeadStore(tmp_path / "heads")
    store.keep_segmented(T1, "network", HEAD)
    store.keep_template_space(T1, SPACE)
    again = store.segmented(T1, "network")
    assert_same(TISSUE, again.tissue)
    np.testing.assert_array_equal(again.even_t1.array, HEAD.even_t1.array)
    assert_same(SPACE, store.template_space(T1))


@pytest.mark.parametrize(
    "other", [T1.with_array(T1.array + np.float32(1e-6)), Volume(T1.array, Geometry((5, 4, 3), (1, 1, 1)))]
)
def test_another_t1_takes_up_nothing(tmp_path, other):
    store = HeadStore(tmp_path)
    store.keep_segmented(T1, "network", HEAD)
    store.keep_template_space(T1, SPACE)
    assert store.segmented(other, "network") is None
    assert store.template_space(other) is None


def test_another_version_takes_up_nothing(tmp_path, monkeypatch):
    store = HeadStore(tmp_path)
    store.keep_segmented(T1, "network", HEAD)
    monkeypatch.setattr(ASLDenoiseLib, "__version__", "99.0")
    assert store.segmented(T1, "network") is None


def test_a_damaged_file_is_as_none(tmp_path):
    store = HeadStore(tmp_path)
    store.keep_segmented(T1, "network", HEAD)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:200])
    assert store.segmented(T1, "network") is None


def test_a_folder_that_cannot_be_made_costs_the_run_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    HeadStore(tmp_path / "file").keep_segmented(T1, "network", HEAD)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_steps_of_a_second_scan_of_a_t1_find_nothing_anew(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(segmenting, "tissue_from_t1", lambda *_, **__: found.append("tissue") or TISSUE)
    monkeypatch.setattr(segmenting, "correct_bias", lambda _: HEAD.even_t1)
    monkeypatch.setattr(region_steps, "to_template", lambda *_: found.append("template") or SPACE)
    for _ in range(2):
        run = RunState(Request("none_asl.nii.gz"), Compute("cpu"), HeadStore(tmp_path), t1=T1)
        preparation_steps.segment_t1(run, silent)
        region_steps.find_template_space(run, silent)
    assert found == ["tissue", "template"]
    assert_same(TISSUE, run.t1_tissue)
    assert run.template.gm_overlap == SPACE.gm_overlap
    assert any(finding.code == "t1-contrast" for finding in run.findings) is (not TISSUE.levels.t1_weighted)
