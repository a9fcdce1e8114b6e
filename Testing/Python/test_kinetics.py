"""Quantification against the published test values (lambda 0.9, dM/M0 = 0.01)."""

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.quantifying.kinetics import cbf_scale, m0_relaxation_factor
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Origin, Volume

PCASL = Acquisition(labeling=Labeling.PCASL, post_labeling_delay=1.8, label_duration=1.8, field_strength=3.0)
PASL = Acquisition(labeling=Labeling.PASL, post_labeling_delay=1.8, bolus_duration=0.8, field_strength=3.0)
GRID = Geometry((2, 2, 3), (3.0, 3.0, 5.0))


def cbf_of(acquisition: Acquisition, slices: int | None = None) -> np.ndarray:
    return 0.01 * cbf_scale(acquisition, slices=slices)[0]


@pytest.mark.parametrize(
    ("acquisition", "expected"),
    [
        (PCASL, 86.2999),
        (PCASL.with_values(Origin.USER, t1_blood=1.35), 121.2146),
        (PCASL.with_values(Origin.USER, field_strength=1.5), 121.2146),
        (PCASL.with_values(Origin.USER, field_strength=7.0), 62.3951),
        (PCASL.with_values(Origin.USER, background_suppression=True, suppression_pulses=2), 95.6232),
        (PASL, 102.5235),
    ],
)
def test_cbf_matches_the_published_value_to_six_digits(acquisition, expected):
    assert float(cbf_of(acquisition)) == pytest.approx(expected, abs=5e-5)


def test_casl_differs_from_pcasl_by_its_efficiency_alone():
    casl = PCASL.with_values(Origin.USER, labeling=Labeling.CASL)
    assert float(cbf_of(casl)) == pytest.approx(86.2999 * 0.85 / 0.68, abs=1e-3)


def test_a_2d_slice_is_quantified_at_the_delay_it_was_read():
    timing = tuple(0.0452 * k for k in range(20))
    two_d = PCASL.with_values(Origin.USER, readout="2D", slice_timing=timing)
    cbf = cbf_of(two_d, slices=20).ravel()
    assert cbf[0] == pytest.approx(86.2999, abs=5e-5)
    assert cbf[19] == pytest.approx(145.2292, abs=5e-5)  # the twentieth slice


def test_a_reversed_slice_axis_reverses_the_slice_timing():
    timing = (0.0, 0.1, 0.2)
    forward = PCASL.with_values(Origin.USER, readout="2D", slice_timing=timing)
    backward = forward.with_values(Origin.USER, slice_encoding_direction="k-")
    np.testing.assert_allclose(cbf_of(backward, slices=3), cbf_of(forward, slices=3)[::-1])


def test_a_3d_readout_ignores_slice_timing():
    three_d = PCASL.with_values(Origin.USER, readout="3D", slice_timing=(0.0, 0.1, 0.2))
    assert np.ptp(cbf_of(three_d, slices=3)) == 0


def test_a_slice_timing_of_the_wrong_length_is_refused():
    with pytest.raises(InputError, match=r"SliceTiming has 2 entries but the series has 3 slices"):
        cbf_of(PCASL.with_values(Origin.USER, readout="2D", slice_timing=(0.0, 0.1)), slices=3)


def test_a_short_repetition_time_m0_is_scaled_up_by_the_published_factor():
    assert m0_relaxation_factor(repetition_time=2.0, t1_tissue=1.607) == pytest.approx(1.4046, abs=5e-5)


def test_a_stated_efficiency_is_not_reduced_for_suppression_pulses():
    stated = PCASL.with_values(Origin.USER, labeling_efficiency=0.72, background_suppression=True, suppression_pulses=4)
    _, parameters = cbf_scale(stated)
    assert {p.name: p.value for p in parameters}["labeling_efficiency"] == 0.72


def test_every_constant_says_where_it_came_from():
    _, parameters = cbf_scale(PCASL.with_values(Origin.SIDECAR, t1_blood=1.6))
    origins = {p.name: p.origin for p in parameters}
    assert origins == {
        "t1_blood": Origin.SIDECAR,
        "labeling_efficiency": Origin.DEFAULT,
        "partition_coefficient": Origin.DEFAULT,
    }


@pytest.mark.parametrize(
    ("acquisition", "words"),
    [
        (Acquisition(labeling=Labeling.PCASL, label_duration=1.8), "PostLabelingDelay is not stated"),
        (Acquisition(labeling=Labeling.PCASL, post_labeling_delay=1.8), "LabelingDuration is not stated"),
        (Acquisition(labeling=Labeling.PASL, post_labeling_delay=1.8), "bolus duration"),
        (Acquisition(post_labeling_delay=1.8), "ArterialSpinLabelingType is not stated"),
        (PCASL.with_values(Origin.USER, post_labeling_delay=(0.5, 1.0, 1.5)), "several post-labelling delays"),
    ],
)
def test_a_missing_parameter_is_named_with_its_mend(acquisition, words):
    with pytest.raises(InputError, match=words):
        cbf_scale(acquisition)


def series_of(acquisition: Acquisition, *, m0: float | None = None) -> ASLSeries:
    volumes = np.stack([np.full(GRID.shape, 990.0), np.full(GRID.shape, 1000.0)])
    image = None if m0 is None else Volume(np.full(GRID.shape, m0), GRID)
    return ASLSeries(volumes, GRID, ("label", "control"), acquisition, image)


def test_cbf_of_a_series_is_the_published_value_end_to_end():
    series = series_of(PCASL, m0=1000.0)
    brain = Volume(np.ones(GRID.shape), GRID)
    cbf = quantification(PCASL, calibrate(series), brain).cbf(Volume(np.full(GRID.shape, 10.0), GRID))
    np.testing.assert_allclose(cbf.array, 86.2999, atol=1e-4)
    assert cbf.unit == "ml/100g/min"


def test_cbf_is_nan_outside_the_brain_and_never_a_spike_where_m0_is_noise():
    m0 = np.full(GRID.shape, 1000.0)
    m0[0, 0, 0] = 1e-3
    series = ASLSeries(np.ones((2, *GRID.shape)), GRID, ("label", "control"), PCASL, Volume(m0, GRID))
    brain = np.ones(GRID.shape)
    brain[2] = 0
    cbf = quantification(PCASL, calibrate(series), Volume(brain, GRID)).cbf(Volume(np.full(GRID.shape, 10.0), GRID))
    assert np.isnan(cbf.array[2]).all() and np.isnan(cbf.array[0, 0, 0])
    assert np.isfinite(cbf.array[1]).all()


def test_an_absent_m0_is_replaced_by_the_relaxed_mean_control_and_says_so():
    acquisition = PCASL.with_values(Origin.SIDECAR, background_suppression=False, repetition_time=4.0)
    calibration = calibrate(series_of(acquisition))
    assert "mean control" in calibration.warning
    np.testing.assert_allclose(calibration.m0.array, 1000 / (1 - np.exp(-4 / 1.607)), rtol=1e-5)


def test_an_absent_m0_with_background_suppression_is_refused():
    acquisition = PCASL.with_values(Origin.SIDECAR, background_suppression=True)
    with pytest.raises(InputError, match="no M0 and its controls are background-suppressed"):
        calibrate(series_of(acquisition))


def test_an_m0_estimate_calibrates_every_voxel_with_one_number():
    calibration = calibrate(series_of(PCASL.with_values(Origin.SIDECAR, m0_estimate=1234.0, m0_type=M0Type.ESTIMATE)))
    assert np.unique(calibration.m0.array).tolist() == [1234.0]
