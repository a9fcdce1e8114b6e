"""The T1 is segmented beside the steps before: the same result, errors where they belong, nobody waiting for it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline import preparation_steps, run, segmenting
from ASLDenoiseLib.pipeline.head_store import HeadStore
from ASLDenoiseLib.pipeline.request import Request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.tissue import SegmentedTissue
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.series import Geometry, Origin, Parameter, Volume

T1 = Volume(np.random.default_rng(0).random((6, 5, 4), np.float32), Geometry((4, 5, 6), (1.0, 1.0, 1.0)))
TISSUE = SegmentedTissue(T1, T1, T1, T1, source="here")


@pytest.fixture
def segmented(monkeypatch):
    """The segmenters and threads that were asked."""
    asked = []
    monkeypatch.setattr(segmenting, "correct_bias", lambda t1: t1)

    def tissue_from_t1(_, *, segmenter, **__):
        asked.append((segmenter, threading.current_thread().name))
        return TISSUE

    monkeypatch.setattr(segmenting, "tissue_from_t1", tissue_from_t1)
    return asked


def state(heads: HeadStore | None = None, segmenter: str = "network") -> RunState:
    request = Request("none_asl.nii.gz", preparation=Preparation(segmenter=segmenter))
    return RunState(request, Compute("cpu"), heads, t1=T1)


def test_the_step_takes_what_was_begun_and_begins_nothing_else(segmented, monkeypatch):
    monkeypatch.setattr(run, "usable_cores", lambda: (0, 1))
    there = state(segmenter="atropos")
    there.segmenting = run._segmenting(there)
    preparation_steps.segment_t1(there, silent)
    assert there.t1_tissue is TISSUE and there.segmenting is None
    assert segmented == [("atropos", "ASLDenoise T1")]


@pytest.mark.parametrize(("segmenter", "origin"), [("network", Origin.DEFAULT), ("atropos", Origin.USER)])
def test_the_segmenter_is_told_among_the_parameters_with_its_origin_and_what_it_came_to(segmented, segmenter, origin):
    there = state(segmenter=segmenter)
    preparation_steps.segment_t1(there, silent)
    assert there.parameters == [Parameter("segmenter", segmenter, "", origin, "here")]


def test_one_core_or_heads_that_are_shared_segment_in_their_step(segmented, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "usable_cores", lambda: (0,))
    assert run._segmenting(state()) is None
    monkeypatch.setattr(run, "usable_cores", lambda: (0, 1))
    assert run._segmenting(state(HeadStore(tmp_path))) is None
    alone = state()
    preparation_steps.segment_t1(alone, silent)
    assert alone.t1_tissue is TISSUE and segmented == [("network", threading.current_thread().name)]


def test_what_is_wrong_with_the_t1_is_raised_by_the_step_that_needs_it(monkeypatch):
    def refuses(*_, **__):
        raise InputError("The T1 has no contrast to align by; give a T1-weighted image of the head.")

    monkeypatch.setattr(segmenting, "tissue_from_t1", refuses)
    monkeypatch.setattr(run, "usable_cores", lambda: (0, 1))
    there = state()
    there.segmenting = run._segmenting(there)
    with pytest.raises(InputError, match="no contrast"):
        preparation_steps.segment_t1(there, silent)


def test_a_run_that_ends_before_does_not_wait(monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(segmenting, "tissue_from_t1", lambda *_, **__: hold.wait(60))
    begun = segmenting.Segmenting(T1, "network")
    assert begun._thread.daemon and begun._thread.is_alive()
    hold.set()
