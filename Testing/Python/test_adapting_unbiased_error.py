"""The error without truth is that against the truth; the errors that are easier to have are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
from adapting_builders import small_scan, truth

from ASLDenoiseLib.adapting.groups import part_of, raw_mean
from ASLDenoiseLib.adapting.unbiased_error import BlockSums, blocks_of, error_map
from ASLDenoiseLib.spatial.smoothing import smooth_within

DRAWS = 30


def errors(draw: int, *, weighted: bool = False) -> dict[str, float]:
    """Of a smoothed mean of four pairs: true, unbiased by four others, and by the means of others and of all."""
    scan = small_scan(8, seed=draw)
    if weighted:
        weights = np.random.default_rng(draw).uniform(0.2, 1, (8, *scan.brain.array.shape)).astype(np.float32)
        scan = replace(scan, weights=weights)
    given, unseen = part_of(scan, np.arange(4)), part_of(scan, np.arange(4, 8))
    inside = scan.brain.array > 0
    estimate = smooth_within(raw_mean(given).array, inside, scan.pairs.geometry.spacing, 6.0)

    def plain(reference: np.ndarray) -> float:
        return float(np.square(estimate - reference)[inside].mean())

    unbiased = float(error_map(estimate, unseen)[inside].mean())
    others, all_of_them = raw_mean(unseen).array, raw_mean(scan).array
    return {"true": plain(truth()), "unbiased": unbiased, "others": plain(others), "all": plain(all_of_them)}


@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_unbiased_where_errors_against_noisy_means_are_not(weighted):
    drawn = [errors(n, weighted=weighted) for n in range(DRAWS)]
    apart = {name: np.array([each[name] - each["true"] for each in drawn]) for name in ("unbiased", "others", "all")}
    level = np.mean([each["true"] for each in drawn])
    assert abs(apart["unbiased"].mean()) < 3 * apart["unbiased"].std(ddof=1) / DRAWS**0.5 < 0.1 * level
    assert apart["others"].mean() > level  # the reference's own noise
    assert apart["all"].mean() > 0.1 * level


def test_a_mean_that_shares_pairs_rewards_noise_that_was_left_in():
    scan = small_scan(8, seed=1)
    given, unseen, inside = part_of(scan, np.arange(4)), part_of(scan, np.arange(4, 8)), scan.brain.array > 0
    noisy = raw_mean(given).array
    smooth = smooth_within(noisy, inside, scan.pairs.geometry.spacing, 8.0)

    def against_all(estimate: np.ndarray) -> float:
        return float(np.square(estimate - raw_mean(scan).array)[inside].mean())

    def ratio(of) -> float:
        return of(noisy) / of(smooth)

    honest = ratio(lambda estimate: error_map(estimate, unseen)[inside].mean())
    true = ratio(lambda estimate: np.square(estimate - truth())[inside].mean())
    assert ratio(against_all) < 0.6 * true and honest == pytest.approx(true, rel=0.35)


def test_what_two_unseen_pairs_say_is_their_product():
    scan = small_scan(4, seed=2)
    estimate, unseen = truth(), part_of(scan, np.array([2, 3]))
    a, c = unseen.pairs.array
    np.testing.assert_allclose(error_map(estimate, unseen), (a - estimate) * (c - estimate), rtol=1e-3, atol=0.5)


def test_one_unseen_pair_tells_nothing():
    scan = small_scan(4)
    assert np.isnan(error_map(truth(), part_of(scan, np.array([2])))).all()


def test_the_standard_error_is_the_scatter_of_the_gain_over_draws():
    gains, told = [], []
    for draw in range(40):
        scan = small_scan(8, seed=100 + draw)
        given, unseen, inside = part_of(scan, np.arange(4)), part_of(scan, np.arange(4, 8)), scan.brain.array > 0
        raw, spacing = raw_mean(given).array, scan.pairs.geometry.spacing
        maps = [error_map(smooth_within(raw, inside, spacing, fwhm), unseen) for fwhm in (4.0, 5.0)]
        sums = BlockSums.of(*maps, blocks_of(inside, spacing[::-1], edge=20.0))
        gains.append(sums.gain)
        told.append(sums.gain_error)
    assert 0.5 < np.mean(told) / np.std(gains, ddof=1) < 2


def test_blocks_are_cubes_of_the_brain():
    inside = np.ones((8, 24, 24), bool)
    inside[:, :, 0] = False
    blocks = blocks_of(inside, (5.0, 3.5, 3.5))
    assert (blocks == -1).sum() == 8 * 24 and set(np.unique(blocks[inside])) == set(range(2 * 3 * 3))
    place = np.argwhere(blocks == 0)
    assert (np.ptp(place, axis=0) * (5.0, 3.5, 3.5) < 30).all()


def test_too_few_blocks_tell_no_standard_error():
    sums = BlockSums(np.ones(4), np.full(4, 0.5))
    assert np.isnan(sums.gain_error) and not sums.surely_fell and sums.gain == pytest.approx(3.01, abs=0.01)
