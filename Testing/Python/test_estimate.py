"""Estimates of time: rough, in words, from the steps of a request, and silent where nothing honest can be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.pipeline.estimate import in_words, said_before, said_during, usual_seconds
from ASLDenoiseLib.pipeline.request import DelayFit, Denoising, Head, Request, SeriesFile, SuperResolution
from ASLDenoiseLib.pipeline.step import Workload
from ASLDenoiseLib.pipeline.steps import steps_of
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.progress import seconds_left

SERIES, T1 = SeriesFile(Path("asl.nii.gz")), Head(Path("t1.nii.gz"))
SCAN = Workload((64, 64, 24), 20)


def seconds(work=SCAN, *, head=T1, motion=True, denoising=None, finer=None):
    return usual_seconds(Request(SERIES, head, Preparation(motion=motion), denoising, finer), work)


def test_the_time_left_goes_by_the_share_of_what_the_steps_cost():
    assert seconds_left(0.25, 20.0) == pytest.approx(60)
    assert seconds_left(0.9, 90.0) == pytest.approx(10)
    assert seconds_left(1.0, 77.0) == 0


@pytest.mark.parametrize(("fraction", "elapsed"), [(0.0, 100.0), (0.02, 8.0), (0.9, 4.0)])
def test_too_early_nothing_is_said(fraction, elapsed):
    assert seconds_left(fraction, elapsed) is None
    assert said_during(None) == ""


def test_of_a_step_that_was_never_measured_nothing_is_said():
    assert seconds(finer=SuperResolution("pyramid-paper")) is None
    assert "not measured" in said_before(None)
    assert seconds(finer=SuperResolution("network")) > 600


def test_the_main_job_costs_what_the_benchmark_measured():
    # Testing/Benchmarks/main_job.md: 51 pairs of 2D EPI with a T1, every step but start-up and files, on two cores
    usual = seconds(Workload((64, 64, 20), 103), denoising=Denoising())
    assert usual == pytest.approx(23, rel=0.2)
    assert said_before(usual) == "Roughly 20 seconds on this computer's CPU."
    assert said_before(usual, device="cuda") == "Roughly 20 seconds on this computer."


def test_what_costs_time_is_counted():
    slabs, alone = Denoising("slab-transformer"), Head()
    base = seconds(head=alone, denoising=slabs)
    assert seconds(denoising=slabs) > base + 5
    assert seconds(head=alone, motion=False, denoising=slabs) < base - 2
    measured = find_model("slab-transformer").metadata["seconds_64x64x24"]["cpu"]
    groups = seconds(head=alone, denoising=Denoising("slab-transformer", group=2))  # ten pairs, in five groups
    assert groups == pytest.approx(base + 4 * measured)
    assert seconds(denoising=slabs, finer=SuperResolution()) > seconds(finer=SuperResolution())


def test_a_request_has_the_steps_it_asks_for_and_no_others():
    def names(request):
        return [step.name for step in steps_of(request)]

    assert names(Request(SERIES)) == [
        *("read", "inspect", "motion", "calibrate", "tissue", "clean", "fit", "midline", "measure")
    ]
    still = Request(SERIES, T1, Preparation(motion=False), Denoising(), SuperResolution())
    assert "motion" not in names(still) and "tissue" not in names(still)
    assert names(still)[-7:] == ["guides", "denoise", "audit", "fit", "super-resolve", "midline", "measure"]
    assert "audit" in names(Request(SERIES, denoising=Denoising("dwan-lfn")))
    assert not {"guides", "audit"} & set(names(Request(SERIES, denoising=Denoising("dwan-lfn", audit=False))))


def test_every_delay_of_a_series_costs_its_network_and_the_fit_costs_series_of_several_alone():
    request = Request(SERIES, denoising=Denoising(), fit=DelayFit(spatial=False))
    one, six = (usual_seconds(request, Workload((64, 64, 24), 96, delays)) for delays in (1, 6))
    steps = {step.name: step for step in steps_of(request)}
    each = sum(steps[name].seconds(Workload((64, 64, 24), 96)) for name in ("denoise", "audit"))
    assert steps["fit"].seconds(Workload((64, 64, 24), 96)) == 0 < steps["fit"].seconds(Workload(delays=6))
    assert six == pytest.approx(one + 5 * each + steps["fit"].seconds(Workload((64, 64, 24), 96, 6)))
    by_prior = {step.name: step for step in steps_of(Request(SERIES, denoising=Denoising()))}
    assert by_prior["denoise"].seconds(Workload(delays=6)) == 0 < by_prior["denoise"].seconds(Workload())


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
