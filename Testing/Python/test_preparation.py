"""From a series to clean differences: what a run does to a head that moved, and what the choices change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_builders import GRID, PERFUSED, brain, drawn, drift, quantifiable, scan, tissue

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.pipeline import run
from ASLDenoiseLib.pipeline.request import Head, Request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.series import ASLSeries, Origin, Volume, VolumeType

pytestmark = pytest.mark.usefixtures("worked_out")

INSIDE = brain().array > 0.5
TRUTH = drawn(PERFUSED, np.zeros(6))
AS_IT_IS = Preparation(motion=False, nuisance=(), outliers="none")


def prepared(series: ASLSeries, choices: Preparation = AS_IT_IS) -> RunState:
    return run.prepared(Request(quantifiable(series), Head(tissue=tissue()), choices))


def quality(volume: Volume) -> float:
    inside = INSIDE & np.isfinite(volume.array)
    inside[[0, 1, -2, -1]] = False  # what moved in from outside the scan
    return psnr(volume.array, TRUTH, inside)


def parameter(run: RunState, name: str):
    return next((p for p in run.parameters if p.name == name), None)


def codes(run: RunState) -> set[str]:
    return {f.code for f in run.findings}


@pytest.fixture(scope="module")
def unquiet() -> ASLSeries:
    """Sixteen pairs of a head that drifts by 1 mm and a degree, one label striped all through."""
    series = scan(2 * drift(32))
    array = series.array.copy()
    array[12] += 25 * np.sin(np.arange(GRID.size[0]) * 1.3)
    return replace(series, array=array)


@pytest.fixture(scope="module")
def corrected(unquiet) -> RunState:
    """That scan with all that is done to it unless told otherwise."""
    return prepared(unquiet, Preparation())


@pytest.mark.registers
def test_a_spoilt_moving_scan_comes_within_a_decibel_of_the_still_clean_one(unquiet, corrected):
    still, run = prepared(scan(0 * drift(32))), corrected
    assert still.cleaned is still.raw
    assert quality(run.raw) < quality(still.raw) - 3
    assert quality(run.cleaned) > quality(still.raw) - 1
    assert run.outliers.flags[6].all() and run.motion.displacement.max() > 0.4
    assert parameter(run, "motion_correction").value is True and "nuisance-regressed" in codes(run)
    assert "motion-suspected" not in codes(run)


@pytest.mark.registers
def test_the_raw_mean_is_of_the_pairs_as_acquired_whatever_is_done_to_them(unquiet, corrected):
    plain, done = prepared(unquiet), corrected
    np.testing.assert_array_equal(plain.raw.array, done.raw.array)
    np.testing.assert_array_equal(done.acquired.array, unquiet.array[1::2] - unquiet.array[::2])


@pytest.mark.registers
def test_only_the_chosen_pairs_are_looked_at(unquiet):
    run = prepared(unquiet, Preparation(pairs="2-7", outliers="none"))
    assert run.pairs.array.shape[0] == 6 and run.motion.pairs.shape == (6, 2)
    assert np.isnan(run.motion.displacement[[0, 1, 14, 31]]).all()
    assert parameter(run, "pairs").value == "2-7"


def test_a_series_of_differences_has_no_motion_and_says_so():
    pairs = scan(0 * drift(16))
    differences = pairs.array[1::2] - pairs.array[::2]
    run = prepared(ASLSeries(differences, GRID, (VolumeType.DELTAM,) * 8), Preparation())
    assert run.motion is None and run.cleaned is run.raw and "motion-unknown" in codes(run)


def test_csf_and_global_signal_are_regressed_by_choice_without_touching_the_mean():
    series = scan(0 * drift(24))
    waves = np.repeat(np.random.default_rng(3).normal(0, 4, 12), 2)[:, None, None, None]
    noisy = replace(series, array=series.array + waves * brain().array * np.tile([1.0, 0.7], 12)[:, None, None, None])
    kept = prepared(noisy, replace(AS_IT_IS, nuisance=("motion",)))
    taken = prepared(noisy, replace(AS_IT_IS, nuisance=("global", "csf")))
    np.testing.assert_allclose(taken.cleaned.array[INSIDE], kept.cleaned.array[INSIDE], atol=1e-3)
    assert np.median(taken.error.array[INSIDE]) < 0.75 * np.median(kept.error.array[INSIDE])
    assert "nuisance-regressed" in codes(taken) and "nuisance-regressed" not in codes(kept)


def test_smoothing_acts_on_the_pairs_and_m0_smoothing_on_the_division_alone():
    series = scan(0 * drift(16))
    plain = prepared(series)
    smooth = prepared(series, replace(AS_IT_IS, smoothing=8.0))
    spread, smoothed = (np.std(run.pairs.array, axis=0) for run in (plain, smooth))
    assert np.nanmean(smoothed[INSIDE]) < 0.5 * np.nanmean(spread[INSIDE])
    assert smooth.cleaned is not smooth.raw and parameter(smooth, "smoothing").origin is Origin.USER
    rough, head = quantifiable(series), Head(tissue=tissue())
    grain = np.random.default_rng(1).uniform(0.8, 1.2, GRID.shape)
    rough = replace(rough, m0=rough.m0.with_array(rough.m0.array * grain))
    choices = (replace(AS_IT_IS, m0_smoothing=width) for width in (0.0, 12.0))
    before, after = (run.prepared(Request(rough, head, c)).quantification.factor.array for c in choices)
    core = INSIDE & np.isfinite(before) & np.isfinite(after)
    assert np.std(after[core]) < 0.5 * np.std(before[core])


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"nuisance": ("breathing",)}, "no nuisance 'breathing'"),
        ({"outliers": "best"}, "no outlier method 'best'"),
        ({"smoothing": -1.0}, "smoothing is -1 mm"),
        ({"m0_smoothing": float("nan")}, "M0 smoothing is nan mm"),
    ],
)
def test_choices_that_cannot_be_meant_are_refused_in_words(choice, words):
    with pytest.raises(InputError, match=words):
        Preparation(**choice)


def test_every_choice_is_told_with_whose_it_was():
    told = {p.name: (p.value, p.origin) for p in Preparation(outliers="score", m0_smoothing=5.0).parameters()}
    assert told["outliers"] == ("score", Origin.USER) and told["m0_smoothing"] == (5.0, Origin.USER)
    assert told["motion_correction"] == (True, Origin.DEFAULT) and told["nuisance"] == ("motion", Origin.DEFAULT)
