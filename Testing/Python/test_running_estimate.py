"""Estimates of time: rough, in words, and silent where nothing honest can be said."""

from __future__ import annotations

import pytest

from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.pipeline.estimate import (
    Plan,
    Stage,
    denoise_plan,
    in_words,
    said_before,
    said_during,
    seconds_left,
    superresolve_plan,
)

SCAN = {"size": (64, 64, 24), "volumes": 20}
PLAN = Plan((Stage(0.1, 40.0), Stage(0.9, 20.0), Stage(1.0, 40.0)))


def test_the_time_left_goes_by_what_stages_take_and_not_by_their_share_of_the_bar():
    assert seconds_left(PLAN, 0.1, 40.0) == pytest.approx(60)
    assert seconds_left(PLAN, 0.9, 60.0) == pytest.approx(40)
    assert seconds_left(PLAN, 0.5, 50.0) == pytest.approx(50)
    assert seconds_left(PLAN, 1.0, 77.0) == 0


def test_a_run_slower_than_usual_stays_so_by_as_much():
    assert seconds_left(PLAN, 0.1, 120.0) == pytest.approx(180)
    assert seconds_left(PLAN, 0.1, 10.0) == pytest.approx(15)


@pytest.mark.parametrize(("fraction", "elapsed"), [(0.0, 100.0), (0.02, 8.0), (0.9, 4.0)])
def test_too_early_nothing_is_said(fraction, elapsed):
    assert seconds_left(PLAN, fraction, elapsed) is None
    assert said_during(None) == ""


def test_of_a_stage_that_was_never_measured_nothing_is_said():
    plan = superresolve_plan("pyramid-paper", with_t1=True, **SCAN)
    assert seconds_left(plan, 0.6, 100.0) is None
    assert "not measured" in said_before(plan)


def test_plans_cover_the_bar_in_order():
    plans = [denoise_plan(find_model("guided-unet"), with_t1=t1, motion=m, **SCAN) for t1 in (0, 1) for m in (0, 1)]
    plans += [superresolve_plan(name, with_t1=True, **SCAN) for name in ("linear", "guided", "network")]
    for plan in plans:
        ends = [stage.until for stage in plan.stages]
        assert ends == sorted(set(ends)) and ends[-1] == 1
        assert plan.usual(1.0) == pytest.approx(plan.seconds)
        assert plan.usual(0.0) == 0


def test_the_plan_of_the_main_job_is_what_the_benchmark_measured():
    # Testing/Benchmarks/main_job.md: 51 pairs of 2D EPI with a T1, all stages but start-up: 66 s on two cores
    plan = denoise_plan(find_model("guided-unet"), with_t1=True, size=(64, 64, 20), volumes=103)
    assert plan.seconds == pytest.approx(66, rel=0.2)
    assert said_before(plan) == "Roughly a minute on this computer's CPU."
    assert said_before(plan, device="cuda") == "Roughly a minute on this computer."


def test_what_costs_time_is_counted():
    card = find_model("slab-transformer")
    base = denoise_plan(card, with_t1=False, **SCAN).seconds
    assert denoise_plan(card, with_t1=True, **SCAN).seconds > base + 20
    assert denoise_plan(card, with_t1=False, motion=False, **SCAN).seconds < base - 5
    assert denoise_plan(card, with_t1=False, groups=5, **SCAN).seconds == pytest.approx(base + 4 * 6.037)
    denoised = superresolve_plan("guided", with_t1=True, card=card, **SCAN).seconds
    assert denoised > superresolve_plan("guided", with_t1=True, **SCAN).seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (10, "10 seconds"),
        (44, "40 seconds"),
        (45, "a minute"),
        (89, "a minute"),
        (95, "2 minutes"),
        (2600, "43 minutes"),
        (2750, "an hour"),
        (7000, "2 hours"),
    ],
)
def test_durations_are_as_rough_as_they_are_known(seconds, words):
    assert in_words(seconds) == words
    assert said_during(seconds) == f"about {words} left"
