"""Buxton's general kinetic model, against published test values, its integral and the formula of one delay."""

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.quantifying.kinetic_model import GENERAL, KineticModel, kinetic_model, tissue_weights
from ASLDenoiseLib.quantifying.kinetics import pasl_scale, pcasl_scale
from ASLDenoiseLib.series import Acquisition, Labeling, Origin

TIMES = np.array([0.6, 1.0, 1.5, 2.0, 2.5])  # s, since labelling began
CASL = np.array([1.56824490, 6.81803742, 11.5620023, 8.04479775, 5.59754007]) / 1e3
PASL = np.array([1.51966825, 5.80054220, 8.27976281, 5.76102787, 4.00850156]) / 1e3
LOOK_LOCKER = {"flip_angle": 25.0, "interval": 0.3, "first": 0.9}
MODES = ({}, {"t1_tissue": 1.3}, LOOK_LOCKER, {"t1_tissue": 1.3, **LOOK_LOCKER})


def test_the_casl_curve_has_the_published_values_to_six_digits():
    model, delay = KineticModel(Labeling.CASL, 1.6, 1.4), TIMES - 1
    scale = pcasl_scale(post_labeling_delay=delay, label_duration=1.0, t1_blood=1.6, efficiency=1)
    np.testing.assert_allclose(60 * model.arrived(0.5, delay, 1.0) / scale, CASL, rtol=5e-7)


def test_the_pasl_curve_has_the_published_values_to_six_digits():
    model = KineticModel(Labeling.PASL, 1.6, 1.4)
    scale = pasl_scale(inversion_time=TIMES, bolus_duration=1.0, t1_blood=1.6, efficiency=1)
    np.testing.assert_allclose(60 * model.arrived(0.5, TIMES, 1.0) / scale, PASL, rtol=5e-7)


def test_with_the_t1_of_blood_all_label_counts_once_it_has_arrived_and_none_before():
    model = KineticModel(Labeling.PCASL, 1.65)
    assert model.arrived(1.2, np.array([1.2, 1.8, 3.0]), 1.8).tolist() == [1, 1, 1]
    assert model.arrived(3.7, 1.8, 1.8) == 0
    assert model.slope(1.2, 1.8, 1.8) == 0
    part = np.expm1(1.1 / 1.65) / np.expm1(1.8 / 1.65)
    assert model.arrived(2.5, 1.8, 1.8) == pytest.approx(part)  # 1.1 s of the bolus of 1.8 s


def test_time_since_labelling_began_decides_and_not_the_delay_so_that_a_delay_of_zero_has_signal():
    model = KineticModel(Labeling.PCASL, 1.65)
    assert model.arrived(0.5, 0.0, 1.8) == pytest.approx(np.expm1(1.3 / 1.65) / np.expm1(1.8 / 1.65))
    assert model.arrived(0.5, 0.0, 0.4) == 0


@pytest.mark.parametrize("labeling", [Labeling.PASL, Labeling.PCASL])
@pytest.mark.parametrize("mode", MODES)
def test_what_has_arrived_is_the_integral_of_what_is_left_of_each_piece_of_label(labeling, mode):
    model, duration, att = KineticModel(labeling, 1.65, **mode), 0.9, 0.7
    for delay in (0.2, 0.8, 1.7, 2.6):
        read = delay if labeling is Labeling.PASL else delay + duration
        if read < att:
            assert model.arrived(att, delay, duration) == 0
            continue
        arriving = np.linspace(att, min(att + duration, read), 40001)
        age = read - arriving
        travelled = arriving if labeling is Labeling.PASL else att
        left = np.exp(-travelled / 1.65 - age / model.t1_label)
        if model.flip_angle is not None:
            left = left * np.cos(np.radians(25)) ** (np.minimum(age, max(read - 0.9, 0)) / 0.3)
        label = float(((left[1:] + left[:-1]) / 2).sum() * (arriving[1] - arriving[0]))
        formula = duration if labeling is Labeling.PASL else 1.65 * (1 - np.exp(-duration / 1.65))
        assumed = formula * np.exp(-delay / 1.65)
        assert model.arrived(att, delay, duration) == pytest.approx(label / assumed, rel=1e-6)


@pytest.mark.parametrize("labeling", [Labeling.PASL, Labeling.PCASL])
@pytest.mark.parametrize("mode", MODES)
def test_the_slope_is_the_derivative_by_arrival_time(labeling, mode):
    model, step = KineticModel(labeling, 1.65, **mode), 1e-6
    att, delay, duration = np.random.default_rng(0).uniform(0.05, 3, (3, 500))
    numeric = (model.arrived(att + step, delay, duration) - model.arrived(att - step, delay, duration)) / (2 * step)
    np.testing.assert_allclose(model.slope(att, delay, duration), numeric, atol=1e-7)


def test_label_is_seen_in_arteries_from_its_arrival_there_to_the_end_of_the_bolus():
    model = KineticModel(Labeling.PCASL, 1.65, macrovascular=True)
    blood_volume, scale = 0.01, pcasl_scale(post_labeling_delay=0.2, label_duration=1.8, t1_blood=1.65, efficiency=0.85)
    difference = 2 * 0.85 / 0.9 * blood_volume * np.exp(-0.6 / 1.65)  # over M0, of blood whose M0 is M0/lambda
    assert blood_volume * model.arterial(0.9, 0.2, 1.8) == pytest.approx(difference * scale)
    assert model.arterial(0.9, 0.7, 1.8) == 0  # the bolus has passed
    assert model.arterial(3.0, 0.2, 1.8) == 0  # it is not there yet


def test_the_model_of_an_acquisition_says_which_t1s_it_uses_and_where_they_are_from():
    acquisition = Acquisition(labeling=Labeling.PCASL, field_strength=3.0, t1_blood=1.7)
    model, parameters = kinetic_model(acquisition)
    assert (model.t1_label, model.kinetics) == (1.7, "white-paper")
    assert {p.name: p.origin for p in parameters}["t1_blood"] is Origin.USER
    general, parameters = kinetic_model(acquisition, kinetics=GENERAL)
    told = {p.name: p.value for p in parameters}
    assert told["kinetics"] == GENERAL
    assert general.t1_label == pytest.approx(1 / (1 / told["t1_tissue"] + told["kinetics_cbf"] / 6000 / 0.9))


@pytest.mark.parametrize("wrong", [{"flip_angle": 25.0}, {**LOOK_LOCKER, "flip_angle": 90.0}, {"t1_tissue": 0.0}])
def test_a_model_that_cannot_be_is_refused_in_one_sentence(wrong):
    with pytest.raises(InputError, match=r"^[A-Z][^.]*(\.\d[^.]*)*\.$"):
        KineticModel(Labeling.PCASL, 1.65, **wrong)


def test_delays_at_which_label_is_in_arteries_weigh_less_than_later_ones():
    model = KineticModel(Labeling.PCASL, 1.65)
    weights = tissue_weights(model, np.array([0.2, 0.7, 1.3, 2.0]), np.full(4, 1.8))
    assert weights.sum() == pytest.approx(1)
    assert (np.diff(weights) > 0).all()
    assert weights[0] < 0.5 * weights[-1]
