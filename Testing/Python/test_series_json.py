"""What is said of a series goes through JSON and comes back the same."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import (
    Acquisition,
    ASLSeries,
    DelayOrder,
    Geometry,
    Labeling,
    M0Type,
    Origin,
    Parameter,
    Volume,
    VolumeType,
)
from ASLDenoiseLib.series_json import (
    acquisition_from_plain,
    acquisition_to_plain,
    parameter_from_plain,
    parameter_to_plain,
    series_from_plain,
    series_to_plain,
)

# a value for every field, so that a new one cannot be forgotten
EVERYTHING = {
    "labeling": Labeling.PASL,
    "post_labeling_delay": (0.0, 1.8, 2.0),
    "label_duration": (0.0, 1.8, 1.8),
    "delay_order": DelayOrder.TURNS,
    "bolus_cut_off": True,
    "bolus_duration": 0.7,
    "bolus_technique": "Q2TIPS",
    "field_strength": 3,
    "background_suppression": False,
    "suppression_pulses": 2,
    "labeling_efficiency": 0.85,
    "readout": "3D",
    "slice_timing": (0.0, 0.04),
    "slice_encoding_direction": "k",
    "repetition_time": 4.0,
    "look_locker": False,
    "flip_angle": 25.0,
    "time_encoding": "Hadamard",
    "total_pairs": 30,
    "m0_type": M0Type.ESTIMATE,
    "m0_estimate": 1e4,
    "m0_repetition_time": 10.0,
    "m0_scale": 1.0,
    "t1_blood": 1.65,
    "t1_tissue": 1.3,
    "partition_coefficient": 0.9,
    "manufacturer": "Siemens",
}
FIX = Parameter("scaling", "signal of the pairs divided by 10", "", Origin.USER, "Philips")


def through_json(content):
    return json.loads(json.dumps(content, allow_nan=False))


def test_every_field_of_an_acquisition_comes_back_with_its_origin():
    assert set(EVERYTHING) == {f.name for f in fields(Acquisition)} - {"origins"}
    kinds = list(Origin)
    origins = {name: kinds[place % len(kinds)] for place, name in enumerate(EVERYTHING)}
    acquisition = Acquisition(**EVERYTHING, origins=origins)
    plain = through_json(acquisition_to_plain(acquisition))
    back = acquisition_from_plain(plain)
    assert back == acquisition
    assert dict(back.origins) == origins
    assert plain["labeling"] == {"value": "PASL", "origin": "sidecar"}


def test_what_is_not_stated_stays_not_stated():
    assert acquisition_to_plain(Acquisition()) == {}
    assert acquisition_from_plain({}) == Acquisition()


def test_a_value_without_an_origin_is_the_users():
    assert acquisition_from_plain({"label_duration": {"value": 1.8}}).origins["label_duration"] is Origin.USER


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("labeling", {"value": "PPASL"}),
        ("label_duration", {"value": "1.8"}),
        ("bolus_duration", {"value": [1.8]}),
        ("label_duration", {"value": True}),
        ("label_duration", {"value": 1.8, "origin": "hearsay"}),
        ("label_duration", {"origin": "user"}),
        ("label_duration", 1.8),
        ("bolus_cut_off", {"value": 1}),
        ("post_labeling_delay", {"value": [1.8, "2"]}),
        ("delay", {"value": 1.8}),
        ("origins", {"value": {}}),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name, entry):
    with pytest.raises(InputError, match=f"'{name}' of 'sub-01' cannot be understood"):
        acquisition_from_plain({name: entry}, where="'sub-01'")


def test_an_impossible_value_is_refused():
    with pytest.raises(InputError, match="lies between"):
        acquisition_from_plain({"label_duration": {"value": -1.8}})


@pytest.mark.parametrize(
    "parameter", [FIX, Parameter("pairs", [1, 2, 5], "", Origin.DEFAULT), Parameter("fwhm", 4.5, "mm", Origin.IMAGE)]
)
def test_a_parameter_comes_back(parameter):
    assert parameter_from_plain(through_json(parameter_to_plain(parameter))) == parameter


def test_a_parameter_holds_numbers_of_numpy_and_tuples():
    plain = parameter_to_plain(Parameter("fwhm", (np.float32(4.5), np.int64(3)), "mm", Origin.IMAGE))
    assert through_json(plain)["value"] == [4.5, 3]


@pytest.mark.parametrize("wrong", [{}, {"name": "x"}, {**parameter_to_plain(FIX), "origin": "hearsay"}])
def test_a_parameter_that_lacks_something_is_refused(wrong):
    with pytest.raises(InputError, match="cannot be understood"):
        parameter_from_plain(wrong)


def test_a_series_comes_back_on_its_voxels():
    geometry = Geometry((2, 3, 4), (1, 1, 1))
    array = np.zeros((3, *geometry.shape), np.float32)
    context = (VolumeType.M0SCAN, VolumeType.CONTROL, VolumeType.LABEL)
    m0 = Volume(array[0], geometry)
    acquisition = Acquisition(label_duration=1.8, origins={"label_duration": Origin.DICOM})
    series = ASLSeries(array, geometry, context, acquisition, m0, "sub-01", "here", (FIX,))
    back = series_from_plain(through_json(series_to_plain(series)), array=array, geometry=geometry, m0=m0)
    assert (back.context, back.acquisition, back.name, back.source, back.fixes) == (
        *(context, acquisition, "sub-01", "here"),
        (FIX,),
    )
    assert back.m0 is m0


def test_a_series_of_which_nothing_is_said_is_of_unknown_volumes():
    geometry = Geometry((2, 3, 4), (1, 1, 1))
    series = series_from_plain({}, array=np.zeros((2, *geometry.shape)), geometry=geometry)
    assert series.context == (VolumeType.NOT_AVAILABLE,) * 2
    with pytest.raises(InputError, match="volume types"):
        series_from_plain({"context": ["controll"] * 2}, array=series.array, geometry=geometry)
