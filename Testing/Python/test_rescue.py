"""The sound member of a corrupted pair is kept, the other borrowed from its neighbours."""

from __future__ import annotations

import numpy as np

from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.outliers import OutlierContext, find_outliers
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.preparing.rescue import RESCUED, rescue_members
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume, VolumeType

GRID = Geometry((20, 20, 4), (4.0, 4.0, 5.0))
BRAIN = Volume(np.ones(GRID.shape), GRID)
PAIRS, PERFUSION = 20, 5.0


def scan() -> ASLSeries:
    """Controls and labels by turns, with noise of SD 1."""
    context = (VolumeType.CONTROL, VolumeType.LABEL) * PAIRS
    array = np.random.default_rng(0).normal(100, 1, (2 * PAIRS, *GRID.shape))
    array[1::2] -= PERFUSION
    return ASLSeries(array, GRID, context)


def corrupted(*places: tuple[int, int]) -> ASLSeries:
    """The scan with stripes in (volume, slice)."""
    series = scan()
    array = series.array.copy()
    for t, k in places:
        array[t, k] += 10 * np.sin(np.arange(GRID.size[0]) + 2 * t)
    return ASLSeries(array, GRID, series.context)


def rescued(series: ASLSeries):
    report = find_outliers("zscore", OutlierContext(difference_volumes(series), BRAIN, BRAIN))
    return report, rescue_members(series, report, BRAIN.array > 0)


def test_a_spoilt_label_is_replaced_by_the_labels_before_and_after_and_counts_half():
    series = corrupted((7, 2))
    report, found = rescued(series)
    assert report.flags[3, 2] and found.count == 1 and found.weights[3, 2] == RESCUED
    expected = series.array[6, 2] - series.array[[5, 9], 2].mean(axis=0)
    np.testing.assert_allclose(found.pairs.array[3, 2], expected, rtol=1e-6)
    untouched = np.ones((PAIRS, GRID.size[2]), bool)
    untouched[3, 2] = False
    np.testing.assert_array_equal(found.pairs.array[untouched], difference_volumes(series).array[untouched])
    assert (found.weights[untouched] == 1).all()


def test_at_the_end_of_the_series_one_neighbour_lends_alone():
    series = corrupted((0, 1))
    _, found = rescued(series)
    np.testing.assert_allclose(found.pairs.array[0, 1], series.array[2, 1] - series.array[1, 1], rtol=1e-6)


def test_a_pair_with_two_spoilt_members_stays_left_out():
    _, found = rescued(corrupted((8, 3), (9, 3)))
    assert found.count == 0 and found.weights[4, 3] == 0


def test_the_mean_comes_nearer_the_truth_than_without_the_pairs():
    rng = np.random.default_rng(2)
    series = corrupted(*((int(t), k) for t in rng.choice(2 * PAIRS, 8, replace=False) for k in range(GRID.size[2])))
    report, found = rescued(series)
    assert found.count >= 16
    without, kept = (
        np.std(mean_difference(difference_volumes(series) if w is report.weights else found.pairs, w).array - PERFUSION)
        for w in (report.weights, found.weights)
    )
    assert kept < 0.95 * without


def test_a_clean_series_and_a_method_that_weighs_voxels_come_back_as_they_are():
    clean = scan()
    _, found = rescued(clean)
    np.testing.assert_array_equal(found.pairs.array, difference_volumes(clean).array)
    series = corrupted((7, 2))
    report = find_outliers("huber", OutlierContext(difference_volumes(series), BRAIN, BRAIN))
    found = rescue_members(series, report, BRAIN.array > 0)
    assert found.count == 0
    np.testing.assert_array_equal(found.weights, report.weights)
