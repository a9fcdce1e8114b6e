"""A run that compares odd with even pairs: each half through the run's own denoising and audit, and what that tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from request_builders import UNMOVED, made_series

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.measuring.image_quality import ccc, pearson, rmse
from ASLDenoiseLib.pipeline.estimate import usual_seconds
from ASLDenoiseLib.pipeline.pairs_needed_step import denoised_of
from ASLDenoiseLib.pipeline.request import Denoising, Request, SeriesFile
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.pipeline.split_half_step import FEWEST_PAIRS
from ASLDenoiseLib.pipeline.step import Workload
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.result import maps
from ASLDenoiseLib.result.split_half import CAVEAT, HalfAgreement, SplitHalf


@pytest.fixture(scope="module")
def run():
    """Six pairs, of which the user took the second out."""
    preparation = replace(UNMOVED, taken_out="2")
    return completed(
        Request(made_series(), preparation=preparation, denoising=Denoising(split_half=True), device="cpu")
    )


@pytest.mark.runs
def test_every_second_of_the_pairs_that_count_is_in_a_half(run):
    found, result = run.result.split_half, run.result
    assert (found.odd, found.even) == (3, 2)  # pairs 1, 4 and 6; 3 and 5
    pairs, factor = difference_volumes(result.series).array, run.quantification.factor.array
    inside = run.brain.array > 0
    for key, chosen in ((maps.RAW_ODD, [0, 3, 5]), (maps.RAW_EVEN, [2, 4])):
        expected = pairs[chosen].mean(axis=0) * factor
        np.testing.assert_allclose(result.maps[key].array[inside], expected[inside], rtol=1e-4, atol=1e-3)
    for key, chosen in ((maps.DENOISED_ODD, [0, 3, 5]), (maps.DENOISED_EVEN, [2, 4])):
        expected = denoised_of(run, np.array(chosen)).array * factor
        np.testing.assert_allclose(result.maps[key].array[inside], expected[inside], rtol=1e-4, atol=1e-3)


@pytest.mark.runs
def test_the_figures_are_those_of_the_maps_over_the_brain(run):
    result, found = run.result, run.result.split_half
    inside = (run.brain.array > 0) & np.all([np.isfinite(volume.array) for volume in run.halves.values()], axis=0)
    for name, keys in (("raw", (maps.RAW_ODD, maps.RAW_EVEN)), ("denoised", (maps.DENOISED_ODD, maps.DENOISED_EVEN))):
        odd, even = (result.maps[key].array for key in keys)
        each = found.of_name[name]
        assert each.r == pytest.approx(pearson(odd, even, inside), abs=1e-6)
        assert each.ccc == pytest.approx(ccc(odd, even, inside), abs=1e-6)
        assert each.rmse == pytest.approx(rmse(odd, even, inside), abs=1e-4)
    assert found.of_name["denoised"].r > found.of_name["raw"].r + 0.2
    assert found.unit == "ml/100g/min" and 0 < found.voxels <= inside.sum()


@pytest.mark.runs
def test_the_gaussian_stands_beside_it_since_halves_reward_smoothness(run):
    """The toy is smooth, so that the Gaussian's halves agree about as well as the network's."""
    found = run.result.split_half
    assert found.of_name["gaussian"].r > found.of_name["raw"].r + 0.2
    assert CAVEAT in found.sentence and found.sentence in str(run.result)
    assert "smoothing alone is rewarded" in CAVEAT and "Spearman" in CAVEAT


@pytest.mark.runs
def test_the_run_s_own_maps_are_as_without_the_comparison(run):
    plain = completed(
        replace(run.request, denoising=Denoising(), preparation=run.request.preparation, series=run.request.series)
    ).result
    for key, volume in plain.maps.items():
        np.testing.assert_array_equal(run.result.maps[key].array, volume.array, err_msg=key)
    assert plain.split_half is None and run.result.timings["halves"] > 0


@pytest.mark.runs
def test_of_too_few_pairs_a_finding_says_that_it_cannot_be_told():
    few = replace(UNMOVED, pairs="1-3")
    result = pipeline.denoise(made_series(), preparation=few, device="cpu", split_half=True)
    assert result.split_half is None and maps.RAW_ODD not in result.maps
    (finding,) = [f for f in result.findings if f.code == "split-half-untold"]
    assert "3 pairs are averaged" in finding.what and f"takes {FEWEST_PAIRS}" in finding.why


def test_it_is_asked_for_alone_and_its_time_is_told():
    series, work = SeriesFile(Path("asl.nii.gz")), Workload((64, 64, 24), 60)
    plain, more = (Request(series, denoising=Denoising(split_half=wanted)) for wanted in (False, True))
    assert usual_seconds(more, work) > usual_seconds(plain, work) + 2


def test_what_is_kept_as_json_comes_back_with_what_could_not_be_told():
    agreement = HalfAgreement("raw", "raw", 0.5, float("nan"), 3.0)
    found = SplitHalf(3, 2, 100, "ml/100g/min", (agreement,))
    back = SplitHalf.from_plain(found.to_plain())
    assert back.to_plain() == found.to_plain() and np.isnan(back.agreements[0].ccc)
    assert agreement.stepped_up == pytest.approx(2 / 3) and found.to_plain()["agreements"][0]["ccc"] is None
