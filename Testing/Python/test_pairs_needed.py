"""How many pairs are enough: errors measured without a truth are those against it, and the answer follows."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from ASLDenoiseLib.measuring.pairs_needed import DRAWS, FEWEST_PAIRS, crossing, draws, pairs_needed, sizes
from ASLDenoiseLib.result.pairs_needed import MapError, PairsNeeded

SHAPE, SD, TOTAL = (5, 8, 8), 30.0, 24
INSIDE = np.ones(SHAPE, bool)


def scan(seed: int = 0, total: int = TOTAL) -> tuple[np.ndarray, np.ndarray]:
    """A truth, and pairs of it: noise that differs from voxel to voxel, and some that all voxels of a pair share."""
    random = np.random.default_rng(seed)
    truth = random.normal(50, 15, SHAPE)
    noise = SD * np.linspace(0.5, 1.5, SHAPE[2]) * random.normal(size=(total, *SHAPE))
    return truth, truth + noise + 2.0 * random.normal(size=(total, 1, 1, 1))


def measured(pairs, denoise, **options) -> PairsNeeded:
    return pairs_needed(pairs, denoise, **{"inside": INSIDE, "unit": "ml/100g/min", **options})


def shrunk(truth: np.ndarray, pairs: np.ndarray, by: float):
    """A denoiser that knows the truth: it leaves the share `by` of a mean's noise."""
    return lambda chosen: truth + by * (pairs[chosen].mean(axis=0) - truth)


def test_a_bias_that_no_pair_shows_is_the_error_that_is_measured():
    truth, pairs = scan()
    found = measured(pairs, lambda chosen: truth + 6.0)
    for error in found.denoised:
        assert error.rmse == pytest.approx(6.0, rel=0.15)
        assert error.interval[0] < 6.0 < error.interval[1]


def test_the_plain_mean_s_errors_over_every_choice_of_pairs_are_its_spread():
    _, pairs = scan(total=8)
    found = measured(pairs, lambda chosen: pairs[chosen].mean(axis=0))
    variance = pairs.var(axis=0, ddof=1).mean()
    assert found.variance == pytest.approx(variance)
    assert [e.square for e in found.denoised] == pytest.approx([e.square for e in found.plain])
    squares = []
    for chosen in combinations(range(8), 3):
        rest = np.delete(pairs, chosen, axis=0)
        apart = (pairs[list(chosen)].mean(axis=0) - rest.mean(axis=0)) ** 2 - rest.var(axis=0, ddof=1) / 5
        squares.append(apart.mean())
    assert np.mean(squares) == pytest.approx(variance / 3)  # so that four draws scatter about it
    assert found.plain[1].square == pytest.approx(variance / 3, rel=0.25)


def test_a_denoiser_that_leaves_half_of_the_noise_needs_a_quarter_of_the_pairs():
    truth, pairs = scan()
    found = measured(pairs, shrunk(truth, pairs, 0.5))
    assert found.low < TOTAL / 4 < found.high
    assert found.needed == pytest.approx(TOTAL / 4, rel=0.2)
    assert found.headline.startswith(f"Denoised, {math.ceil(found.needed)} (")
    assert f"of {TOTAL} pairs" in found.headline and "ml/100g/min" in found.sentence


def test_one_that_changes_nothing_cannot_be_told_from_half_of_the_pairs():
    _, pairs = scan()
    found = measured(pairs, lambda chosen: pairs[chosen].mean(axis=0))
    assert math.isinf(found.needed)
    assert "Denoised, 12 of 24 pairs do not give" in found.headline and "cannot be told" in found.sentence


def test_one_that_knows_the_truth_does_with_the_fewest_and_its_error_is_below_what_can_be_measured():
    truth, pairs = scan(seed=3)
    found = measured(pairs, lambda chosen: truth)
    assert (found.low, found.needed, found.high) == (2.0, 2.0, 2.0)
    assert found.headline.startswith("Denoised, 2 or fewer of 24 pairs give")
    hidden = [e for e in found.denoised if e.square <= 0]
    assert hidden and all(math.isnan(e.rmse) and e.interval[0] == 0 for e in hidden)


def test_intervals_hold_the_error_against_the_truth_about_as_often_as_they_say():
    held, answers, repeats = [], [], 40
    expected = [np.mean((SD * np.linspace(0.5, 1.5, 8)) ** 2 + 4.0) / 4 / n for n in sizes(TOTAL)]
    for seed in range(repeats):
        truth, pairs = scan(seed)
        found = measured(pairs, shrunk(truth, pairs, 0.5))
        held += [e.low <= true <= e.high for e, true in zip(found.denoised, expected, strict=True)]
        answers.append(found.low <= TOTAL / 4 <= found.high)
    assert 0.88 <= np.mean(held) <= 1.0
    assert np.mean(answers) >= 0.9
    assert np.median([e.interval[1] / e.rmse for e in found.denoised]) < 1.4  # and not because they are wide


def test_a_pair_that_was_left_out_of_the_mean_is_as_if_it_were_not_there():
    truth, pairs = scan(total=FEWEST_PAIRS + 3)
    spoilt = np.insert(pairs, 4, 1e4, axis=0)
    weights = np.ones((len(spoilt), SHAPE[0], 1, 1))
    weights[4] = 0
    without = measured(pairs, shrunk(truth, pairs, 0.5))
    assert measured(spoilt, shrunk(truth, spoilt, 0.5), weights=weights) == without
    assert without.total == len(pairs)


def test_a_slice_that_some_pairs_do_not_measure_is_judged_by_those_that_do():
    truth, pairs = scan(total=16)
    pairs[:3, 1] = np.nan
    weights = np.ones((16, SHAPE[0], 1, 1))
    weights[:3, 1] = 0
    kept = np.where(weights > 0, pairs, 0)
    there = (np.arange(SHAPE[0]) == 1).reshape(-1, 1, 1)

    def denoise(chosen):
        with np.errstate(invalid="ignore"):
            return truth + 15.0 * there + 0 * kept[chosen].sum(axis=0) / weights[chosen].sum(axis=0)

    found = measured(pairs, denoise, weights=weights)
    assert all(e.low < 15**2 / SHAPE[0] < e.high for e in found.denoised) and found.denoised[0].low > 0


def test_unequal_weights_are_those_of_the_mean():
    truth, pairs = scan()
    weights = np.where(np.arange(TOTAL) % 2, 1.0, 0.2).reshape(-1, 1, 1, 1)

    def denoise(chosen):
        return truth + 0.5 * (np.average(pairs[chosen], axis=0, weights=weights[chosen].ravel()) - truth)

    found = measured(pairs, denoise, weights=weights)
    # the same noise in all: the variance of a weighted mean is that of one pair times sum w^2 / (sum w)^2
    variance = np.mean((SD * np.linspace(0.5, 1.5, 8)) ** 2 + 4.0)
    assert found.variance == pytest.approx(variance * TOTAL * (weights**2).sum() / weights.sum() ** 2, rel=0.08)


@pytest.mark.parametrize("what", ["few pairs", "few measured", "no brain", "no voxel measured"])
def test_nothing_is_said_of_a_scan_that_cannot_tell(what):
    truth, pairs = scan(total=FEWEST_PAIRS - (what == "few pairs"))
    inside, weights = INSIDE & (what != "no brain"), np.ones((len(pairs), 1, 1, 1))
    weights[0] = what != "few measured"
    if what == "no voxel measured":
        pairs[2] = np.nan
    assert measured(pairs, lambda chosen: truth, inside=inside, weights=weights) is None


def test_maps_of_a_number_of_pairs_share_none_while_there_are_enough():
    for n in sizes(40):
        chosen = draws(40, n)
        assert len(chosen) == DRAWS and all(len(set(each)) == n for each in chosen)
        apart = min(DRAWS, 40 // n)
        assert len(set(np.concatenate(chosen[:apart]))) == apart * n
    again = [each.tolist() for each in draws(40, 13)]
    assert again == [each.tolist() for each in draws(40, 13)]


def test_where_errors_rise_again_the_answer_is_where_they_stay_low():
    assert crossing((2, 4, 8, 16), (10.0, 3.0, 6.0, 2.0), 5.0) > 8
    assert crossing((2, 4, 8, 16), (10.0, 3.0, 2.0, 6.0), 5.0) == math.inf


def test_an_answer_with_open_ends_says_so():
    rows = tuple(MapError(n, 4, 9.0, 4.0, 16.0) for n in (2, 5, 10))
    answer = PairsNeeded(20, "ml/100g/min", 180.0, rows, rows, 4.2, 2.0, math.inf)
    assert "Denoised, 5 (2 or fewer to more than 10) of 20 pairs give what all 20 give" in answer.headline
    assert answer.sentence.endswith("an error of 3 ml/100g/min (RMSE in the brain). In brackets the 95 % interval.")
    assert "Denoised, 2 or fewer (up to 4) of" in replace(answer, needed=2.0, high=3.3).headline
    assert rows[0].rmse == 3.0 and rows[0].interval == (2.0, 4.0)
