"""Figures that need no truth (unseen pairs, halves), lesions and intervals, against hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.image_quality import pearson
from ASLDenoiseLib.series import Geometry, Volume
from Testing.Benchmarks.library.disjoint import noise_corrected_mse
from Testing.Benchmarks.library.intervals import coverage
from Testing.Benchmarks.library.lesions import false_lesions, implant_recovery, lesion_contrast, ring_around

GRID = Geometry((40, 36, 20), (3.0, 3.0, 3.0))
BRAIN = Volume(np.ones(GRID.shape), GRID)


def ball(diameter: float, centre: tuple[int, int, int] = (10, 18, 20)) -> np.ndarray:
    distance = np.linalg.norm((np.indices(GRID.shape).T - centre).T, axis=0) * 3.0
    return distance < diameter / 2


def test_the_reference_s_own_variance_is_taken_off_the_squared_error():
    reference = np.array([1.0, 2.0, 3.0, 4.0])
    estimate = reference + np.array([2.0, -2.0, 0.0, 4.0])  # MSE 6
    error = np.array([1.0, 1.0, 2.0, 0.0])  # mean square 1.5
    mask = np.ones(4)
    assert noise_corrected_mse(estimate, reference, error, mask) == pytest.approx(4.5)


def test_noise_corrected_error_finds_the_error_against_the_unknown_truth():
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 80, (30, 60, 60))
    pairs = truth + rng.normal(0, 20, (12, *truth.shape))
    estimate = truth + rng.normal(0, 3, truth.shape)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(12)
    mask = np.ones(truth.shape, bool)
    found = noise_corrected_mse(estimate, pairs.mean(axis=0), error, mask)
    assert found == pytest.approx(9.0, abs=1.0)  # its own SD is 0.2
    assert np.mean((estimate - pairs.mean(axis=0)) ** 2) > 40


def test_an_estimate_nearer_than_the_reference_s_noise_allows_has_a_negative_error():
    reference = np.array([1.0, 2.0, 3.0])
    error = np.ones(3)
    assert noise_corrected_mse(reference, reference, error, np.ones(3)) == pytest.approx(-1.0)


def test_voxels_not_measured_in_any_of_the_three_are_left_out_and_other_grids_refused():
    nan = np.nan
    reference, estimate = np.array([1.0, nan, 3.0, 4.0, 5.0]), np.array([2.0, 2.0, nan, 6.0, 5.0])
    error = np.array([0.0, 1.0, 1.0, 1.0, nan])
    assert noise_corrected_mse(estimate, reference, error, np.ones(5)) == pytest.approx((1 + 4) / 2 - 0.5)
    assert np.isnan(noise_corrected_mse(estimate, reference, error, np.zeros(5)))
    with pytest.raises(InputError, match="not on one grid"):
        noise_corrected_mse(estimate, reference, error[1:], np.ones(5))


def test_correlation_of_two_maps():
    one, other = np.array([1.0, 2.0, 3.0, 9.0]), np.array([2.0, 4.0, 6.0, -5.0])
    assert pearson(one, other, np.array([1, 1, 1, 0])) == pytest.approx(1.0)
    assert pearson(one, other, np.ones(4)) == pytest.approx(np.corrcoef(one, other)[0, 1])
    assert np.isnan(pearson(one, np.ones(4), np.ones(4)))


def test_the_ring_keeps_its_distance_from_the_lesion_and_stays_in_the_brain():
    lesion, half = ball(12.0), np.ones(GRID.shape)
    half[:, :, 20:] = 0
    ring = ring_around(Volume(lesion, GRID), Volume(half, GRID), gap=3.0, width=6.0)
    assert not (ring & lesion).any() and not ring[:, :, 20:].any()
    # From the ball's rim at i = 19: 3 mm is left out, 6 and 9 mm are in, 12 mm is beyond.
    assert ring[10, 18, 10:20].tolist() == [False, False, False, False, False, False, True, True, False, False]
    with pytest.raises(InputError, match="empty"):
        ring_around(Volume(np.zeros(GRID.shape), GRID), BRAIN)


def test_a_lesion_s_contrast_is_against_its_ring():
    lesion = ball(12.0)
    ring = ring_around(Volume(lesion, GRID), BRAIN)
    assert lesion_contrast(np.where(lesion, 20.0, 50.0), lesion, ring) == pytest.approx(-30)


def test_an_implant_is_measured_in_the_lesion_alone_and_without_the_noise_both_share():
    lesion, noise = ball(12.0), np.random.default_rng(0).normal(0, 100, GRID.shape)
    implanted = np.where(lesion, -30.0, 0.0)
    after = noise + 0.7 * implanted + np.where(lesion, 0.0, 99.0)
    assert implant_recovery(after, noise, implanted, lesion) == pytest.approx(0.7)


def test_false_lesions_are_counted_by_sign_and_single_noisy_voxels_are_none():
    truth = Volume(np.full(GRID.shape, 60.0), GRID)
    wrong = 60.0 + 40 * ball(18.0) - 40 * ball(18.0, (10, 8, 8))
    wrong[3, 3, 30] += 90
    found = false_lesions(Volume(wrong, GRID), truth, BRAIN, 60.0)
    assert found.count == 2
    assert found.millilitres == pytest.approx(2 * 4 / 3 * np.pi * 0.9**3, rel=0.35)
    assert false_lesions(truth, truth, BRAIN, 60.0).count == 0
    speckled = truth.with_array(60 + np.random.default_rng(1).normal(0, 18, GRID.shape))
    assert false_lesions(speckled, truth, BRAIN, 60.0).count == 0


def test_false_lesions_outside_the_brain_do_not_count():
    truth, nowhere = Volume(np.full(GRID.shape, 60.0), GRID), np.ones(GRID.shape)
    nowhere[:, :, 12:28] = 0
    wrong = truth.with_array(60.0 + 40 * ball(18.0))
    assert false_lesions(wrong, truth, Volume(nowhere, GRID), 60.0).count == 0


def test_an_honest_uncertainty_covers_what_it_says_and_a_proud_one_less():
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 80, (20, 50, 50))
    estimate = truth + rng.normal(0, 4, truth.shape)
    mask, sd = np.ones(truth.shape, bool), np.full(truth.shape, 4.0)
    assert coverage(estimate, sd, truth, mask) == pytest.approx(0.95, abs=0.005)
    assert coverage(estimate, sd, truth, mask, level=0.5) == pytest.approx(0.5, abs=0.01)
    assert coverage(estimate, sd / 2, truth, mask) == pytest.approx(0.673, abs=0.01)
    sd[:10] = np.nan
    estimate[:10] += 100
    assert coverage(estimate, sd, truth, mask) == pytest.approx(0.95, abs=0.01)
