"""CBF of one delay by arrival times: the label that had arrived, its error, and what can be a map of arrival times."""

from __future__ import annotations

import numpy as np
import pytest
from arrival_builders import CBF, DELAY, LATE, late_scan
from delay_builders import difference_of

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.arrival_map import laid_arrival, require_arrival_times
from ASLDenoiseLib.quantifying.arrival_correction import LEAST_SHARE, MOST_ERROR, arrived_label, corrected
from ASLDenoiseLib.quantifying.cbf import Quantification
from ASLDenoiseLib.quantifying.kinetic_model import kinetic_model
from ASLDenoiseLib.series import CBF_UNIT, Acquisition, Geometry, Labeling, Volume

GRID = Geometry((8, 6, 4), (4.0, 4.0, 6.0))
ACQUISITION = Acquisition(labeling=Labeling.PCASL, post_labeling_delay=DELAY, label_duration=1.8, field_strength=3.0)
PASL = Acquisition(labeling=Labeling.PASL, post_labeling_delay=1.8, bolus_duration=0.7, field_strength=3.0)


def volume(value: float | np.ndarray) -> Volume:
    return Volume(np.broadcast_to(value, GRID.shape), GRID)


def plain(factor: float = 2.0) -> Quantification:
    return Quantification(volume(factor), (), CBF_UNIT)


def label(att: float | np.ndarray, error: float | None = None, acquisition: Acquisition = ACQUISITION, **how: str):
    sd = None if error is None else np.full(GRID.shape, error)
    return arrived_label(acquisition, kinetic_model(acquisition, **how)[0], np.broadcast_to(att, GRID.shape), sd)


@pytest.mark.parametrize("acquisition", [ACQUISITION, PASL], ids=["pCASL", "PASL"])
@pytest.mark.parametrize("att", [0.8, 1.3, 1.6])
def test_the_share_of_label_is_that_of_a_curve_written_out_apart(acquisition, att):
    duration = 0.7 if acquisition is PASL else 1.8
    late = difference_of(CBF, att + 0.7, delay=1.8, duration=duration, labeling=acquisition.labeling)
    early = difference_of(CBF, 0.3, delay=1.8, duration=duration, labeling=acquisition.labeling)
    np.testing.assert_allclose(label(att + 0.7, acquisition=acquisition).share, late / early, rtol=1e-6)


def test_where_all_label_had_arrived_nothing_changes_by_a_single_bit():
    before = Quantification(volume(np.linspace(0.1, 3.0, 8)), (), CBF_UNIT)
    after = corrected(before, label(1.5))
    np.testing.assert_array_equal(after.factor.array, before.factor.array)
    assert not after.relative_error.array.any()


def test_the_later_slices_of_a_2d_readout_have_more_label():
    acquisition = ACQUISITION.with_values("user", readout="2D", slice_timing=(0.0, 0.2, 0.4, 0.6))
    assert (np.diff(label(LATE, acquisition=acquisition).share[:, 0, 0]) > 0).all()


def test_label_that_decays_with_the_t1_of_tissue_is_less_than_the_formula_assumes():
    assert (label(1.0, kinetics="general").share < 0.99).all()


def test_cbf_is_not_measured_where_little_label_had_arrived_or_its_share_is_uncertain():
    late, sure, unsure = label(3.2), label(LATE, 0.1), label(2.9, 0.4)
    assert (late.share < LEAST_SHARE).all() and not late.enough.any()
    assert (sure.error < MOST_ERROR).all() and sure.enough.all()
    assert (unsure.share > LEAST_SHARE).all() and not unsure.enough.any()
    assert np.isnan(corrected(plain(), late).factor.array).all()


def test_a_voxel_without_arrival_time_is_not_measured_and_one_without_its_sd_has_none():
    assert not label(np.nan).enough.any()
    unknown = corrected(plain(), label(LATE, np.nan))
    assert np.isfinite(unknown.factor.array).all()
    assert np.isnan(unknown.deviation(volume(1.0), volume(5.0)).array).all()


def test_the_error_of_the_arrival_time_adds_to_that_of_the_difference_in_quadrature():
    sd, arrived = 0.05, label(LATE, 0.05)
    quantified = corrected(plain(), arrived)
    share, slope = arrived.share[0, 0, 0], np.gradient([label(LATE + d).share[0, 0, 0] for d in (-0.01, 0, 0.01)], 0.01)
    expected = np.hypot(3.0 * 2 / share, 10.0 * 2 / share * slope[1] / share * sd)
    np.testing.assert_allclose(quantified.deviation(volume(3.0), volume(10.0)).array, expected, rtol=2e-3)


def test_without_an_error_of_the_arrival_time_the_error_of_the_difference_stands_alone():
    quantified = corrected(plain(), label(LATE))
    alone = quantified.cbf(volume(3.0)).array
    np.testing.assert_array_equal(quantified.deviation(volume(3.0), volume(10.0)).array, alone)


def test_the_carried_sd_covers_the_errors_that_noise_of_arrival_times_makes():
    rng, sd, true = np.random.default_rng(5), 0.15, 2.4
    grid = Geometry((40, 40, 20), (4.0, 4.0, 6.0))
    difference = CBF / 2 * label(true).share[0, 0, 0] + rng.normal(0, 1.0, grid.shape)
    att = true + rng.normal(0, sd, grid.shape)
    arrived = arrived_label(ACQUISITION, kinetic_model(ACQUISITION)[0], att, np.full(grid.shape, sd))
    quantified = corrected(Quantification(Volume(np.full(grid.shape, 2.0), grid), (), CBF_UNIT), arrived)
    measured = Volume(difference, grid)
    error = quantified.cbf(measured).array - CBF
    covered = np.abs(error) < quantified.deviation(Volume(np.ones(grid.shape), grid), measured).array
    assert 0.64 < covered[np.isfinite(error)].mean() < 0.74


def times() -> np.ndarray:
    return np.random.default_rng(2).uniform(0.6, 2.4, GRID.shape)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (1000 * times(), "seems to be in ms"),
        (np.full(GRID.shape, 1.2), "one value throughout"),
        (times() > 1.5, "one value throughout"),  # zeros are outside
        (np.where(times() > 1.5, 1.0, 2.0), "whole numbers alone"),
        (times() - 1.5, "negative"),
    ],
    ids=["ms", "constant", "mask", "labels", "negative"],
)
def test_what_is_no_map_of_arrival_times_is_refused_in_one_sentence(array, said):
    with pytest.raises(InputError, match=said) as refused:
        require_arrival_times(Volume(array, GRID))
    assert str(refused.value).count(". ") == 0 and str(refused.value).endswith(".")


def test_zero_is_outside_in_a_masked_map_and_a_time_in_one_whose_outside_is_nan():
    masked, bounded = times(), times()
    masked[0], bounded[0], bounded[1] = 0.0, 0.0, np.nan
    assert np.isnan(require_arrival_times(Volume(masked, GRID)).array[0]).all()
    assert (require_arrival_times(Volume(bounded, GRID)).array[0] == 0).all()


def test_a_single_negative_time_is_none():
    array = times()
    array[0, 0, 0] = -0.2
    known = require_arrival_times(Volume(array, GRID)).array
    assert np.isnan(known[0, 0, 0]) and np.isfinite(known).sum() == known.size - 1


def test_the_map_goes_on_by_one_of_its_voxels_and_no_further():
    array = np.where(np.indices(GRID.shape)[2] < 4, times(), np.nan)
    laid = laid_arrival(Volume(array, GRID), None, volume(1.0))
    rest = np.isfinite(laid.att.array[0, 0])
    assert rest.tolist() == [True] * 5 + [False] * 3  # 4 mm wide: 6 mm reach one more
    assert laid.continued[:, :, 4].all() and laid.continued.sum() == laid.continued[:, :, 4].size
    np.testing.assert_array_equal(laid.att.array[:, :, 4], laid.att.array[:, :, 3])


def test_a_map_that_does_not_reach_the_brain_is_refused():
    away = Volume(times(), Geometry(GRID.size, GRID.spacing, (500.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="does not reach the brain"):
        laid_arrival(away, None, volume(1.0))


def test_late_blood_halves_what_the_formula_of_one_delay_gives():
    late = late_scan(noise=0.0)
    share = label(LATE).share[0, 0, 0]
    control, labelled = late.scan.series.array[:2]
    ratio = (control - labelled)[late.late].mean() / (control - labelled)[late.early].mean()
    assert 0.3 < 1 - ratio < 0.6 and abs(ratio - share) < 1e-3
