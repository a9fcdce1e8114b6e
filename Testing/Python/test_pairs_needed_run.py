"""A run that measures how many pairs are enough: its own denoising of some pairs, and where it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.measuring.pairs_needed import sizes
from ASLDenoiseLib.pipeline.estimate import usual_seconds
from ASLDenoiseLib.pipeline.pairs_needed_step import denoised_of
from ASLDenoiseLib.pipeline.request import Denoising, Request, SeriesFile
from ASLDenoiseLib.pipeline.request_json import plain_request
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.pipeline.step import Workload
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.series import ASLSeries

PLAIN = Preparation(motion=False, nuisance=())
PAIRS = 8


@pytest.fixture(scope="module")
def scan():
    """A coarse scan of a ball of a head, quick to denoise."""
    from phantom_builders import ball_head

    from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom
    from ASLDenoiseLib.learning.simulate import PROTOCOL, ScanSettings, simulate_scan

    size = PhantomSettings(size=(28, 28, 12), lesions=0)
    phantom = draw_phantom(ball_head(), size, seed=3, spacing=(6.0, 6.0, 9.0), acquisition=PROTOCOL)
    return simulate_scan(phantom, ScanSettings(pairs=PAIRS, gm_snr=1.0), seed=3)


def spiked(series: ASLSeries) -> ASLSeries:
    """The series with noise in a slice of a volume, which is left out of the mean."""
    array = series.array.copy()
    array[5, 6] += 30 * np.random.default_rng(0).normal(size=array.shape[2:]) * array[:, 6].std(axis=0).mean()
    return replace(series, array=array)


def asked(scan, denoising: Denoising, preparation: Preparation = PLAIN) -> Request:
    return Request(scan.series, preparation=preparation, denoising=denoising, device="cpu")


@pytest.mark.runs
@pytest.mark.parametrize("model", ["guided-unet", "dwan-lfn"])
@pytest.mark.parametrize("spoilt", [False, True])
def test_all_pairs_are_denoised_to_the_very_map_of_the_run(scan, model, spoilt):
    run = completed(replace(asked(scan, Denoising(model)), series=spiked(scan.series) if spoilt else scan.series))
    assert (run.weights is not None) == spoilt
    findings, parameters, map_of_run = [*run.findings], [*run.parameters], run.difference.array.copy()
    np.testing.assert_array_equal(denoised_of(run, np.arange(PAIRS)).array, map_of_run)
    few = denoised_of(run, np.array([1, 4, 6])).array
    assert not np.allclose(few, map_of_run, equal_nan=True)
    assert (run.findings, run.parameters) == (findings, parameters)
    np.testing.assert_array_equal(run.difference.array, map_of_run)


@pytest.mark.runs
def test_some_pairs_are_the_same_as_a_run_of_them_alone(scan):
    """So that a map knows nothing of the pairs that judge it, tissue that is guessed from perfusion included."""
    run = completed(asked(scan, Denoising(group=2), replace(PLAIN, outliers="none")))
    alone = completed(asked(scan, Denoising(group=2), replace(PLAIN, outliers="none", pairs="2,5,7")))
    inside = (run.brain.array > 0) & (alone.brain.array > 0)
    some = denoised_of(run, np.array([1, 4, 6])).array
    np.testing.assert_allclose(some[inside], alone.difference.array[inside], rtol=1e-4, atol=1e-4)
    assert np.isfinite(denoised_of(run, np.array([3])).array[inside]).all()  # fewer than a group


@pytest.mark.runs
def test_the_answer_is_in_the_result_and_agrees_with_the_truth(scan):
    told = []
    result = pipeline.denoise(
        scan.series, preparation=PLAIN, device="cpu", pairs_needed=True, progress=lambda done, text: told.append(text)
    )
    answer = result.pairs_needed
    assert (answer.total, answer.unit) == (PAIRS, "ml/100g/min")
    assert tuple(error.pairs for error in answer.denoised) == sizes(PAIRS)
    raw, truth = result.maps["desc-mean_cbf"].array, scan.cbf.array
    inside = np.isfinite(raw) & (truth > 0)
    assert answer.plain_rmse(PAIRS) == pytest.approx(np.sqrt(np.mean((raw - truth)[inside] ** 2)), rel=0.15)
    assert answer.denoised[0].rmse < answer.plain[0].rmse
    assert any("denoised 2 of 8 pairs, map 1 of 12" in text for text in told)
    assert "pairs" in result.timings and answer.sentence in str(result)


@pytest.mark.runs
def test_of_too_few_pairs_a_finding_says_that_it_cannot_be_told(scan):
    few = replace(PLAIN, pairs="1-7")
    result = pipeline.denoise(scan.series, preparation=few, device="cpu", pairs_needed=True)
    assert result.pairs_needed is None
    (finding,) = [f for f in result.findings if f.code == "pairs-needed-untold"]
    assert "7 pairs are averaged" in finding.what and "takes 8" in finding.why


def test_it_is_asked_for_alone_and_its_time_is_told():
    series, work = SeriesFile(Path("asl.nii.gz")), Workload((64, 64, 24), 80)
    plain, more = (Request(series, denoising=Denoising(pairs_needed=wanted)) for wanted in (False, True))
    assert usual_seconds(more, work) > usual_seconds(plain, work) + 20
    grouped = Request(series, denoising=Denoising(group=10, pairs_needed=True))
    assert usual_seconds(grouped, work) > usual_seconds(plain, work) + 20
    assert plain_request(more)["denoising"]["pairs_needed"] is True
