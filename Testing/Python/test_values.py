"""Units and ranges of every number, whoever states it: possible, usual, in another unit, or refused."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest
from reading_builders import PAIRS, bend_sidecar, refusal, series_array, write_series

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.inspecting.fixes import apply_fix, fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.constants import t1_tissue
from ASLDenoiseLib.ranges import RANGES, explaining_unit, impossible, unusual
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Acquisition, VolumeType

pytestmark = pytest.mark.usefixtures("worked_out")
NUMBERS = [f.name for f in fields(Acquisition) if "float" in str(f.type) or "int" in str(f.type)]


def codes(series) -> dict:
    return {finding.code: finding for finding in inspect(series)}


def test_every_number_of_an_acquisition_has_its_row_in_the_table():
    assert set(RANGES) == set(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
def test_negative_and_infinite_numbers_are_refused_and_zero_is_where_it_cannot_be(name):
    def stated(value):
        return (value,) if name == "slice_timing" else value

    for value in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError) as caught:
            Acquisition(**{name: stated(value)})
        assert caught.value.remedies
    if RANGES[name].holds(0):
        assert getattr(Acquisition(**{name: stated(0)}), name) == stated(0)
    else:
        refusal(Acquisition, **{name: 0}, mentions=("lies between",))


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("t1_blood", 1650, "milliseconds"),
        ("t1_tissue", 1607, "milliseconds"),
        ("post_labeling_delay", (0, 1800, 2000), "milliseconds"),
        ("post_labeling_delay", 1_800_000, "microseconds"),
        ("slice_timing", (0, 40, 80, 600), "milliseconds"),
        ("m0_repetition_time", 4886, "milliseconds"),
        ("field_strength", 30_000, "gauss"),
        ("field_strength", 15_000, "gauss"),
        ("field_strength", 3000, "millitesla"),
        ("labeling_efficiency", 85, "percent"),
        ("partition_coefficient", 90, "ml/100g"),
    ],
)
def test_a_number_in_another_unit_is_told_from_one_that_cannot_be(name, value, unit):
    assert explaining_unit(name, value).name == unit
    assert impossible(name, value) is None


@pytest.mark.parametrize(
    ("name", "value"), [("field_strength", 20), ("t1_blood", 8), ("labeling_efficiency", 1.4), ("label_duration", 14)]
)
def test_what_no_unit_explains_is_refused(name, value):
    assert impossible(name, value) == value
    refusal(Acquisition, **{name: value}, mentions=(f"{value:g}", "lies between"))


def test_usual_values_of_all_field_strengths_need_no_word():
    for field, blood, tissue in ((0.5, 1.37, 0.83), (1.5, 1.35, 1.197), (3, 1.65, 1.607), (7, 2.087, 1.939)):
        assert [unusual(*each) for each in (("field_strength", field), ("t1_blood", blood), ("t1_tissue", tissue))] == (
            [None] * 3
        )


@pytest.mark.parametrize(
    ("sidecar", "option", "fix", "field", "value"),
    [
        ({"BloodT1": 1650}, ["--t1-blood", "1650"], "milliseconds", "t1_blood", 1.65),
        ({"TissueT1": 1607}, ["--t1-tissue", "1607"], "milliseconds", "t1_tissue", 1.607),
        ({"MagneticFieldStrength": 30000}, ["--field-strength", "30000"], "gauss", "field_strength", 3.0),
        ({"LabelingEfficiency": 85}, ["--efficiency", "85"], "percent", "labeling_efficiency", 0.85),
        (
            {"BrainBloodPartitionCoefficient": 90},
            ["--partition-coefficient", "90"],
            "per-100g",
            "partition_coefficient",
            0.9,
        ),
    ],
)
def test_another_unit_is_refused_and_its_fix_converts_it(tmp_path, capsys, sidecar, option, fix, field, value):
    series = read_series(write_series(tmp_path / "a", sidecar=sidecar))
    refusal(require_quantifiable, series, mentions=(f"--fix {fix}",))
    assert [each.name for each in fixes_of(series)] == [fix]
    fixed = apply_fix(series, fix)
    assert getattr(fixed.acquisition, field) == pytest.approx(value)
    assert codes(fixed) == {}
    path = write_series(tmp_path / "b")
    assert main(["inspect", str(path), *option]) == 2, "whoever states it"
    assert f"--fix {fix}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "option",
    [
        ["--t1-blood", "0"],
        ["--field-strength", "0"],
        ["--field-strength", "-3"],
        ["--efficiency", "0"],
        ["--t1-tissue", "0"],
        ["--partition-coefficient", "0"],
        ["--m0-scale", "0"],
        ["--m0-scale", "-10"],
        ["--pld", "-1.8"],
        ["--label-duration", "nan"],
        ["--bolus-duration", "inf"],
        ["--suppression-pulses", "-1"],
        ["--m0-tr", "-2"],
        ["--slice-timing", "0,-0.5"],
    ],
)
def test_an_option_that_cannot_be_is_one_sentence_and_exit_2(tmp_path, capsys, option):
    assert main(["inspect", str(write_series(tmp_path)), *option]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and option[0] in said


def test_a_value_of_the_user_wins_over_one_that_cannot_be_read(tmp_path):
    bad = {
        "PostLabelingDelay": "1.8 s",
        "LabelingDuration": [1.5, 1.8],
        "MagneticFieldStrength": 0,
        "BloodT1": "long",
        "BackgroundSuppressionPulseTime": ["a"],
        "BackgroundSuppression": "yes",
    }
    path = write_series(tmp_path, sidecar=bad)
    right = {"post_labeling_delay": 1.8, "label_duration": 1.5, "field_strength": 3.0, "t1_blood": 1.65}
    a = read_series(path, values={**right, "suppression_pulses": 2}).acquisition
    assert (a.post_labeling_delay, a.label_duration, a.field_strength, a.t1_blood) == (1.8, 1.5, 3.0, 1.65)
    refusal(read_series, path, values={**right, "t1_blood": None, "suppression_pulses": 2}, mentions=("BloodT1",))
    typed = write_series(tmp_path / "m0", sidecar={"M0Type": "Beside", "M0Estimate": "much"})
    given = read_series(typed, m0=typed.with_name("sub-01_m0scan.nii.gz"))
    assert given.m0 is not None and given.acquisition.m0_type.value == "Separate"


def test_a_t1_of_blood_of_another_field_strength_is_named(tmp_path):
    doubt = codes(read_series(write_series(tmp_path / "a", sidecar={"BloodT1": 1.35})))["t1-blood-doubtful"]
    assert "1.65 s is usual at 3 T" in doubt.why
    for given in ({"BloodT1": 1.8}, {"BloodT1": 1.35, "MagneticFieldStrength": 1.5}):
        assert codes(read_series(write_series(tmp_path / str(given["BloodT1"]), sidecar=given))) == {}


@pytest.mark.parametrize(
    ("field", "tissue", "factor"),
    [(1.5, 1.197, 1.2317), (3.0, 1.607, 1.4046), (2.89, 1.607, 1.4046), (7, 1.939, 1.5540)],
)
def test_the_t1_of_tissue_follows_the_field_and_with_it_the_correction_of_the_m0(tmp_path, field, tissue, factor):
    path = write_series(
        tmp_path, sidecar={"MagneticFieldStrength": field}, m0_sidecar={"RepetitionTimePreparation": 2.0}
    )
    series = read_series(path)
    assert float(t1_tissue(series.acquisition).value) == tissue
    relaxed = calibrate(series).m0.array.max() / series.m0.array.max()
    assert relaxed == pytest.approx(factor, abs=5e-5)
    assert f"{factor:.3f}" in codes(series)["m0-not-relaxed"].remedy
    given = read_series(path, values={"t1_tissue": 1.2})
    assert calibrate(given).m0.array.max() / given.m0.array.max() == pytest.approx(1 / (1 - np.exp(-2 / 1.2)))


def test_the_t1_of_tissue_between_and_beyond_known_fields_is_told_as_such():
    values = [float(t1_tissue(Acquisition(field_strength=b)).value) for b in (0.5, 1.5, 2.25, 3.0, 5.0, 7.0, 9.4)]
    assert values == sorted(values)
    assert values[2] == pytest.approx((1.197 + 1.607) / 2)
    assert "interpolated" in t1_tissue(Acquisition(field_strength=5.0)).note


def test_0_suppression_pulses_mean_none_and_the_mean_control_stands_in(tmp_path):
    silent = {"BackgroundSuppression": None, "M0Type": None}
    path = write_series(tmp_path, sidecar=silent, m0=None)
    series = read_series(path, values={"suppression_pulses": 0})
    assert series.acquisition.background_suppression is False
    assert "mean control stands in" in codes(series)["m0-absent"].why
    np.testing.assert_allclose(calibrate(series).m0.array, series.mean(VolumeType.CONTROL).array)


@pytest.mark.parametrize("given", [{"suppression_pulses": 2}, {"labeling_efficiency": 0.767125}])
def test_a_warning_that_an_option_has_answered_goes_away(tmp_path, given):
    path = write_series(tmp_path, sidecar={"BackgroundSuppression": None})
    assert "background-suppression-unknown" in codes(read_series(path))
    assert codes(read_series(path, values=given)) == {}


def test_label_durations_a_volume_are_kept_with_the_delay_that_is(tmp_path):
    delays, durations = [0.7, 1.3, 2.0, 2.5], [0.3, 0.5, 0.7, 0.9]
    words = ("deltam",) * 4 + ("m0scan",)
    keys = {"PostLabelingDelay": [*delays, 0], "LabelingDuration": [*durations, 0], "M0Type": "Included"}
    path = write_series(tmp_path, words=words, sidecar=keys, m0=None)
    series = read_series(path)
    assert series.acquisition.label_duration == (*durations, 0)
    assert "--fix pld-2" in codes(series)["multi-pld"].remedy
    kept = apply_fix(series, "pld-2").acquisition
    assert (kept.post_labeling_delay, kept.label_duration) == (2.0, 0.7)
    given = {"post_labeling_delay": 2.0, "label_duration": 0.7}
    one = read_series(path, values=given, context=["n/a", "n/a", "deltam", "n/a", "m0scan"])
    assert one.acquisition.label_durations == (0.7,)
    assert "one-for-all" not in codes(one), "one volume is used, and it is said of that"
    said = [f.why for f in inspect(read_series(path, values=given)) if f.code == "one-for-all"]
    assert ["0.7, 1.3, 2.0, 2.5 s" in said[0], "0.3, 0.5, 0.7, 0.9 s" in said[1]] == [True, True]


def test_several_label_durations_at_one_delay_are_refused_and_one_can_be_kept(tmp_path):
    keys = {"LabelingDuration": [1.5] * 8 + [0.75] * 8}
    series = read_series(write_series(tmp_path, sidecar=keys))
    refusal(require_quantifiable, series, mentions=("several label durations", "--fix label-duration-0.75"))
    assert [fix.name for fix in fixes_of(series)] == ["label-duration-0.75", "label-duration-1.5"]
    kept = apply_fix(series, "label-duration-1.5")
    assert kept.acquisition.label_duration == 1.5
    assert set(kept.context[8:]) == {VolumeType.NOT_AVAILABLE}
    require_quantifiable(kept)


GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "RepetitionTimePreparation": 4.886, "M0Type": "Included"}


def test_the_m0_of_ge_differences_is_taken_as_saturated_only_when_it_is_said(tmp_path):
    path = write_series(tmp_path, words=("m0scan", "deltam", "deltam"), sidecar=GE, m0=None)
    series = read_series(path)
    finding = codes(series)["ge-m0-saturation"]
    assert "the stated 4.886 s are used" in finding.why and "1.405" in finding.why
    assert "--m0-tr 2" in finding.remedy
    fixed = apply_fix(series, "ge-m0-saturation")
    assert calibrate(fixed).m0.array.max() / series.m0.array.max() == pytest.approx(1.4046, abs=1e-4)
    for answered in (fixed, read_series(path, values={"m0_repetition_time": 4.886})):
        assert "ge-m0-saturation" not in codes(answered)
    bend_sidecar(path, Manufacturer="Siemens")
    assert "ge-m0-saturation" not in codes(read_series(path))


def test_differences_with_their_m0_are_preferred_to_the_scanners_own_map_and_that_is_said(tmp_path):
    words, head = ("cbf", "deltam", "m0scan"), series_array(("m0scan",), noise=0)[..., 0]
    array = np.stack([0.06 * head, 0.005 * head, head], -1)
    path = write_series(tmp_path, words=words, array=array, sidecar={"M0Type": "Included"}, m0=None)
    series = read_series(path)
    assert series.perfusion == (VolumeType.DELTAM,) and not series.holds_cbf
    said = codes(series)["difference-only"]
    assert "taken from the difference (deltam) volumes" in said.what
    assert "the CBF volumes beside them are not used" in said.why
    bare = {"M0Type": None, "PostLabelingDelay": None}
    alone = read_series(write_series(tmp_path / "b", words=words[:2], array=array[..., :2], sidecar=bare, m0=None))
    assert alone.holds_cbf
    assert "which nothing calibrates" in codes(alone)["difference-only"].why
    asked = read_series(path, context=["cbf", "n/a", "m0scan"])
    assert asked.holds_cbf


def test_a_look_locker_readout_is_warned_of_by_its_key_or_its_name(tmp_path):
    for keys in ({"LookLocker": True, "FlipAngle": 30}, {"PulseSequenceDetails": "QUASAR, Look-Locker EPI"}):
        finding = codes(read_series(write_series(tmp_path / str(len(keys)), sidecar=keys)))["look-locker"]
        assert "too low" in finding.why
    assert codes(read_series(write_series(tmp_path / "no", sidecar={"LookLocker": False}))) == {}


def test_time_encoded_volumes_are_refused_and_decoded_differences_are_not(tmp_path):
    keys = {"SeriesDescription": "ASL_3D_Hadamard8"}
    refusal(require_quantifiable, read_series(write_series(tmp_path / "a", sidecar=keys)), mentions=("Hadamard",))
    require_quantifiable(read_series(write_series(tmp_path / "b", words=("deltam",) * 8, sidecar=keys)))


def test_an_m0_scale_is_proposed_only_where_nothing_else_explains_the_cbf(tmp_path):
    suppressed = {"BackgroundSuppression": True, "BackgroundSuppressionNumberPulses": 2}
    fifth = codes(read_series(write_series(tmp_path / "five", m0=100.0, sidecar=suppressed, fraction=0.003)))
    assert "any from" in fifth["m0-scale"].remedy and "--fix m0-scale" not in fifth["m0-scale"].remedy
    short = {**suppressed, "LabelingDuration": 0.15}
    series = read_series(write_series(tmp_path / "tau", sidecar=short))
    found = codes(series)
    assert "m0-scale" not in found and fixes_of(series) == ()
    assert "'pld-label-duration-doubtful' may explain it" in found["implausible-cbf"].why
    moved = series_array(PAIRS)
    moved[..., 5] = np.roll(moved[..., 5], 6, axis=2)
    assert not {"m0-scale", "implausible-cbf"} & set(
        codes(read_series(write_series(tmp_path / "moved", array=moved, sidecar=suppressed)))
    )


def test_a_list_of_one_number_is_that_number(tmp_path):
    path = write_series(tmp_path)
    text = json.loads(path.with_name("sub-01_asl.json").read_text("utf-8"))
    text["PostLabelingDelay"] = [1.8]
    path.with_name("sub-01_asl.json").write_text(json.dumps(text))
    assert read_series(path).acquisition.post_labeling_delay == 1.8


def test_a_field_strength_that_is_assumed_is_said(tmp_path):
    path = write_series(tmp_path, sidecar={"MagneticFieldStrength": None})
    assert "--field-strength" in codes(read_series(path))["field-strength-unknown"].remedy
    assert codes(read_series(path, values={"field_strength": 3.0})) == {}
    assert codes(read_series(path, values={"t1_blood": 1.65})) == {}


@pytest.mark.parametrize("step", [0.0, 0.000045])
def test_slices_that_follow_each_other_too_quickly_are_doubted(tmp_path, step):
    keys = {"MRAcquisitionType": "2D", "SliceTiming": [step * k for k in range(16)]}
    assert "too quickly" in codes(read_series(write_series(tmp_path / "a", sidecar=keys)))["slice-timing-doubtful"].why
    two_at_once = {**keys, "SliceTiming": [0.04 * (k % 8) for k in range(16)]}
    assert codes(read_series(write_series(tmp_path / "b", sidecar=two_at_once))) == {}
