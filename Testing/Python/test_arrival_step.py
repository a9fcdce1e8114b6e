"""The step that lays arrival times on the series: with the T1, registered like with like, and doubted aloud."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from arrival_builders import UNMOVED, LateScan, late_scan

from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.pipeline import arrival_step
from ASLDenoiseLib.pipeline.preparation_steps import find_tissue, inspect_series, quantify_pairs
from ASLDenoiseLib.pipeline.reading_steps import read
from ASLDenoiseLib.pipeline.request import ArrivalMap, Head, Request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.registration import RigidRegistration
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.series import Geometry, Volume

SHIFT = np.array([12.0, -6.0, 0.0])  # mm


@pytest.fixture(scope="module")
def late() -> LateScan:
    return late_scan()


def prepared(late: LateScan, arrival: ArrivalMap, t1: Volume | None = None) -> RunState:
    """A run as it is before its arrival times are laid."""
    run = RunState(
        Request(late.scan.series, Head(t1, tissue=late.scan.tissue), UNMOVED, arrival=arrival), Compute("cpu")
    )
    for step in (read, inspect_series, quantify_pairs, find_tissue):
        step(run, silent)
    return run


def shifted(volume: Volume) -> Volume:
    grid = volume.geometry
    return replace(volume, geometry=Geometry(grid.size, grid.spacing, tuple(SHIFT + grid.origin), grid.direction))


def test_a_map_that_lies_with_the_t1_goes_to_the_series_with_it(late):
    noise = np.random.default_rng(1).normal(0, 2, late.att.array.shape)
    t1 = shifted(late.scan.cbf.with_array(late.scan.cbf.array + noise))
    run = prepared(late, ArrivalMap(shifted(late.att), space="t1"), t1)
    run.t1_to_asl = np.eye(4)
    run.t1_to_asl[:3, 3] = -SHIFT
    arrival_step.correct_for_arrival(run, silent)
    np.testing.assert_allclose(run.arrival.att.array[late.scan.brain], late.att.array[late.scan.brain], atol=1e-4)
    assert {p.name: p.note for p in run.parameters}["arrival_map"] == "lies with the T1"


def registered(monkeypatch, **found) -> list:
    """What is registered with what, in place of doing it."""
    seen = []

    def instead(moving, fixed, **masks):
        seen.append((moving, fixed))
        return RigidRegistration(np.eye(4), 0.4, 0.5, 1.0, **found)

    monkeypatch.setattr(arrival_step, "register_rigid", instead)
    return seen


def test_perfusion_is_registered_with_perfusion_and_anatomy_with_anatomy(late, monkeypatch):
    cbf, m0 = replace(late.scan.cbf, unit="", name="other_desc-denoised_cbf"), replace(late.scan.series.m0, name="m0")
    for reference, unit in ((cbf, "ml/100g/min"), (m0, "")):
        seen = registered(monkeypatch)
        run = prepared(late, ArrivalMap(late.att, reference=reference))
        arrival_step.correct_for_arrival(run, silent)
        ((moving, fixed),) = seen
        assert moving is run.arrival_images.reference and fixed.unit == unit
    np.testing.assert_array_equal(fixed.array, late.scan.series.m0.array)


def test_a_doubtful_registration_is_a_finding_that_says_why(late, monkeypatch):
    registered(monkeypatch, warning="Two starts of the registration ended 9 mm apart; check the alignment by eye.")
    run = prepared(late, ArrivalMap(late.att, reference=late.scan.cbf))
    arrival_step.correct_for_arrival(run, silent)
    (finding,) = [f for f in run.findings if f.code == "arrival-registration-doubtful"]
    assert "9 mm apart" in finding.why and "--att-reference" in finding.remedy


def test_what_was_used_is_named_among_the_parameters(late, monkeypatch):
    registered(monkeypatch)
    asked = late.asked(error=0.1)
    run = prepared(late, replace(asked, reference=late.scan.cbf, space="scan"))
    arrival_step.correct_for_arrival(run, silent)
    told = {p.name: p for p in run.parameters}
    assert {"arrival_map", "arrival_sd", "arrival_reference", "arrival_moved", "kinetics"} <= told.keys()
    assert told["arrival_map"].note == "registered" and told["arrival_moved"].unit == "mm"
