"""Look-Locker readouts: all delays after one labelling, each excitation taking some of the label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delay_builders import scan_of_delays
from reading_builders import refusal

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.inspecting.fixes import apply_fix
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.quantifying.kinetic_model import kinetic_model
from ASLDenoiseLib.quantifying.look_locker import with_excitations
from ASLDenoiseLib.series import Origin

TIMES = tuple(0.5 + 0.3 * n for n in range(6))
ANGLE = 25.0


def read_by(angle, **values):
    """A series of six delays, 0.3 s apart, whose readout is a Look-Locker one."""
    series = scan_of_delays(labeling="PASL", delays=TIMES, noise=1).series
    stated = {"look_locker": True, "flip_angle": angle, **values}
    return replace(series, acquisition=series.acquisition.with_values(Origin.SIDECAR, **stated))


def found(series):
    return next(finding for finding in inspect(series) if finding.code == "look-locker")


def test_the_loss_is_corrected_where_the_flip_angle_is_known():
    finding = found(read_by(ANGLE))
    assert finding.severity is Severity.NOTE and "25 degrees" in finding.why and "corrected" in finding.why
    require_quantifiable(read_by(ANGLE))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"angle": None}, "flip angle is not stated"),
        ({"angle": 90.0}, "leave no label"),
        ({"angle": ANGLE, "post_labeling_delay": tuple(np.repeat((0.5, 0.8, 1.1, 1.4, 1.7, 2.6), 8))}, "evenly apart"),
    ],
)
def test_a_loss_that_cannot_be_corrected_is_refused_in_one_sentence(values, said):
    series = read_by(**values)
    assert found(series).severity is Severity.UNUSABLE
    refusal(require_quantifiable, series, mentions=("Look-Locker", said))


def test_of_one_delay_it_is_warned_of_as_before():
    finding = found(apply_fix(read_by(ANGLE), "pld-1.7"))
    assert finding.severity is Severity.WARNING and "too low" in finding.why


def test_the_model_holds_the_cosine_of_every_excitation_since_label_arrived():
    """Label that came before the first of n excitations has lost a cosine at each of the n - 1 before it is read."""
    acquisition = read_by(ANGLE).acquisition
    plain, _ = kinetic_model(acquisition)
    model, parameters = with_excitations(plain, acquisition, TIMES, [0.3] * 6)
    delays, att, duration = np.array(TIMES), np.array(0.1), np.array(0.3)
    lost = model.arrived(att, delays, duration) / plain.arrived(att, delays, duration)
    np.testing.assert_allclose(lost, np.cos(np.radians(ANGLE)) ** np.arange(6), rtol=1e-6)
    assert {p.name: p.value for p in parameters} == {"flip_angle": ANGLE, "excitation_interval": 0.3}
    late = model.arrived(np.array(1.5), delays, duration)
    assert np.all(late[:4] == 0) and late[5] > 0


def test_other_readouts_are_left_as_they_are():
    acquisition = scan_of_delays(noise=1).series.acquisition
    model, _ = kinetic_model(acquisition)
    assert with_excitations(model, acquisition, TIMES, [1.8] * 6) == (model, ())


def test_durations_that_differ_are_of_no_one_labelling():
    acquisition = read_by(ANGLE).acquisition
    model, _ = kinetic_model(acquisition)
    with pytest.raises(InputError, match="one duration"):
        with_excitations(model, acquisition, TIMES, [0.3, 0.4, 0.3, 0.3, 0.3, 0.3])


def test_its_late_delays_say_nothing_of_the_scale_of_the_m0():
    """Six excitations of 25 degrees leave half of the label, of 40 degrees a fifth."""
    assert inspect(read_by(ANGLE)).scale.cbf is None
    assert not {"implausible-cbf", "m0-scale"} & {finding.code for finding in inspect(read_by(ANGLE))}
