"""Groups of pairs: disjoint, large enough, and only of pairs that count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
from adapting_builders import small_scan

from ASLDenoiseLib.adapting.groups import counted, draw_groups, draw_halves, part_of, raw_mean
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.averaging import weighted_mean


@pytest.mark.parametrize(("pairs", "sizes"), [(8, (4, 2, 2)), (12, (6, 3, 3)), (51, (27, 12, 12))])
def test_a_quarter_watches_a_quarter_judges_and_the_rest_teaches(pairs, sizes):
    groups = draw_groups(small_scan(pairs), np.random.default_rng(0))
    assert tuple(len(each) for each in (groups.learn, groups.watch, groups.judge)) == sizes
    assert sorted(np.concatenate([groups.learn, groups.watch, groups.judge])) == list(range(pairs))


def test_pairs_that_weigh_nothing_are_in_no_group_and_do_not_count():
    weights = np.ones((9, 8, 1, 1), np.float32)
    weights[3] = 0
    scan = replace(small_scan(9), weights=weights)
    groups = draw_groups(scan, np.random.default_rng(0))
    assert 3 not in np.concatenate([groups.learn, groups.watch, groups.judge]) and len(counted(scan)) == 8
    weights[5] = 0
    with pytest.raises(InputError, match="7 pairs count, and adapting takes 8"):
        draw_groups(scan, np.random.default_rng(0))


def test_weights_travel_with_their_pairs():
    scan = small_scan(8)
    scan = replace(scan, weights=np.random.default_rng(1).uniform(0, 1, scan.pairs.array.shape).astype(np.float32))
    chosen = np.array([1, 4, 6])
    expected = weighted_mean(scan.pairs.array[chosen], scan.weights[chosen])
    np.testing.assert_array_equal(raw_mean(part_of(scan, chosen)).array, expected)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_halves_share_no_pair_and_have_two_at_least(share):
    one, other = draw_halves(np.arange(4, 10), share, np.random.default_rng(0))
    assert sorted([*one, *other]) == list(range(4, 10)) and min(len(one), len(other)) >= 2
