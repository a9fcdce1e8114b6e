"""Fixes by name: each does what it says, says what it did, and leaves the series it was given alone."""

from __future__ import annotations

import json
import re

import nibabel
import numpy as np
import pytest
from reading_builders import (
    PAIRS,
    bend_context,
    bend_image,
    bend_sidecar,
    head,
    refusal,
    save_like,
    series_array,
    small_real,
    write_series,
)

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.inspecting.fixes import apply_fix, find_fix, fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.kinetics import cbf_scale
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.remedies import ApplyFix
from ASLDenoiseLib.series import ASLSeries, Origin, VolumeType

pytestmark = pytest.mark.usefixtures("worked_out")


def diagnosed(series: ASLSeries) -> dict:
    """Findings by code, once it is sure that the fixes their remedies name are there and no others."""
    findings = inspect(series)
    named = {remedy.name for f in findings for remedy in f.remedies if isinstance(remedy, ApplyFix)}
    offered = {fix.name for fix in fixes_of(findings)}
    assert all(fix.finding in {f.code for f in findings} for fix in findings.fixes)
    assert {re.sub(r"^pld-.*", "pld", name) for name in named} == {re.sub(r"^pld-.*", "pld", name) for name in offered}
    assert named <= offered
    return {f.code: f for f in findings}


def cbf(series: ASLSeries) -> np.ndarray:
    """CBF of the plain mean where M0 is well above noise, NaN elsewhere; (K, J, I)."""
    mean = difference_volumes(series).array.mean(axis=0)
    if series.indices(VolumeType.CBF):
        return mean
    m0 = calibrate(series).m0.array
    scale = cbf_scale(series.acquisition, slices=series.geometry.size[2])[0]
    return np.divide(mean * scale, m0, out=np.full(m0.shape, np.nan), where=m0 > 0.2 * m0.max())


def test_a_sound_series_has_no_fix_and_an_unknown_name_is_refused(tmp_path):
    series = read_series(write_series(tmp_path / "a"))
    assert fixes_of(series) == ()
    refusal(apply_fix, series, "m0-scale", mentions=("m0-scale", "sub-01", "nothing in it"))
    wrong = read_series(write_series(tmp_path / "b", sidecar={"PostLabelingDelay": 1800}))
    refusal(apply_fix, wrong, "pld", mentions=("'pld'", "use one of milliseconds"))


def test_a_fix_is_recorded_and_the_series_it_was_made_from_is_not_touched(tmp_path):
    series = read_series(write_series(tmp_path, m0=10_000))
    fix = find_fix(series, "m0-scale")
    assert str(fix.record) == "fix m0-scale = M0 divided by 10 (user; answers the finding m0-scale)"
    assert fix.series.acquisition.m0_scale == pytest.approx(0.1)
    assert fix.series.acquisition.origins["m0_scale"] is Origin.USER
    assert series.acquisition.m0_scale is None
    np.testing.assert_array_equal(fix.series.m0.array, series.m0.array)
    assert apply_fix(series, "m0-scale").fixes == (fix.record,)
    assert series.fixes == ()


def test_a_fix_that_metadata_tell_is_found_without_looking_for_a_brain(tmp_path, monkeypatch):
    monkeypatch.setattr("ASLDenoiseLib.preparing.brain_mask.brain_mask", None)
    series = read_series(write_series(tmp_path, sidecar={"PostLabelingDelay": 1800}))
    assert apply_fix(series, "milliseconds").acquisition.post_labeling_delay == 1.8


def test_fixes_named_in_the_shell_are_applied_in_turn_and_stand_in_the_provenance(tmp_path, capsys):
    path = write_series(tmp_path / "in", m0=10_000, sidecar={"PostLabelingDelay": 1800})
    out = tmp_path / "out"
    command = ["quantify", str(path), "--out", str(out), "--progress", "none", "--no-scene"]
    assert main([*command, "--fix", "milliseconds", "--fix", "m0-scale"]) == 0, capsys.readouterr().err
    parameters = json.loads((out / "sub-01_readouts.json").read_text("utf-8"))["parameters"]
    fixes = {p["name"]: p["value"] for p in parameters if p["name"].startswith("fix ")}
    assert fixes == {"fix milliseconds": "post_labeling_delay divided by 1000", "fix m0-scale": "M0 divided by 10"}
    cbf_map = nibabel.load(out / "sub-01_desc-mean_cbf.nii.gz").get_fdata()
    assert np.nanmedian(cbf_map) == pytest.approx(47.99, rel=0.01)
    assert main([*command[:2], "--out", str(tmp_path / "none"), "--fix", "no-such"]) == 2
    assert "There is no fix 'no-such'" in capsys.readouterr().err


@pytest.mark.parametrize(("m0", "factor"), [(10_000, 0.1), (100, 10)])
def test_an_m0_of_another_scale_is_put_right(tmp_path, m0, factor):
    series = read_series(write_series(tmp_path, m0=m0, noise=1))
    assert "m0-scale" in diagnosed(series)
    fixed = apply_fix(series, "m0-scale")
    assert fixed.acquisition.m0_scale == pytest.approx(factor)
    assert "m0-scale" not in diagnosed(fixed)
    again = read_series(write_series(tmp_path / "stated", m0=m0, noise=1), values={"m0_scale": 10 * factor})
    assert f"M0Scale of {factor:.4g} " in diagnosed(again)["m0-scale"].remedy, "the whole factor, not what is missing"
    assert apply_fix(again, "m0-scale").acquisition.m0_scale == pytest.approx(factor)


def test_a_scale_that_two_factors_explain_is_left_to_the_user(tmp_path):
    suppressed = {"BackgroundSuppression": True, "BackgroundSuppressionNumberPulses": 2}
    series = read_series(write_series(tmp_path, m0=1000 / 96, sidecar=suppressed))
    assert "as could" in diagnosed(series)["m0-scale"].remedy
    assert fixes_of(series) == ()


def test_no_m0_scale_is_proposed_where_the_control_or_one_number_calibrates(tmp_path):
    absent = read_series(write_series(tmp_path / "a", sidecar={"M0Type": "Absent"}, fraction=0.05))
    number = read_series(write_series(tmp_path / "b"), m0=100.0)
    for series in (absent, number):
        codes = diagnosed(series)
        assert "implausible-cbf" in codes
        assert "m0-scale" not in codes


def test_milliseconds_become_seconds_and_what_they_hid_comes_to_light(tmp_path):
    keys = {
        "PostLabelingDelay": 1800,
        "LabelingDuration": 1500,
        "MRAcquisitionType": "2D",
        "SliceTiming": [40.0 * k for k in range(16)],
    }
    series = read_series(write_series(tmp_path, sidecar=keys, m0=10_000))
    assert "m0-scale" in diagnosed(series), "M0 against control tells it without a delay"
    fix = find_fix(series, "milliseconds")
    assert fix.what == "post_labeling_delay, label_duration, slice_timing divided by 1000"
    fixed = fix.series.acquisition
    assert (fixed.post_labeling_delay, fixed.label_duration) == (1.8, 1.5)
    assert fixed.slice_timing == pytest.approx([0.04 * k for k in range(16)])
    assert fixed.repetition_time == series.acquisition.repetition_time
    assert fixed.origins["label_duration"] is Origin.USER
    assert "milliseconds" not in diagnosed(fix.series)
    both = apply_fix(fix.series, "m0-scale")
    require_quantifiable(both)
    sound = read_series(write_series(tmp_path / "b", sidecar={**keys, **_in_seconds(keys)}))
    np.testing.assert_allclose(cbf(both), cbf(sound), rtol=1e-5)


def _in_seconds(keys: dict) -> dict:
    times = {key: np.divide(value, 1000) for key, value in keys.items() if not isinstance(value, str)}
    return {key: value.tolist() for key, value in times.items()}


def test_swapped_control_and_label_are_exchanged_and_ready_differences_turned(tmp_path):
    wrong = tuple({"label": "control", "control": "label"}[word] for word in PAIRS)
    series = read_series(write_series(tmp_path / "a", words=wrong, array=series_array(PAIRS)))
    sound = read_series(write_series(tmp_path / "b"))
    np.testing.assert_array_equal(cbf(apply_fix(series, "control-label-swapped")), cbf(sound))
    for kind in ("deltam", "cbf"):
        negative = read_series(write_series(tmp_path / kind, words=(kind,) * 6, array=-series_array((kind,) * 6)))
        assert "control-label-swapped" in diagnosed(negative)
        fixed = apply_fix(negative, "control-label-swapped")
        np.testing.assert_array_equal(fixed.array, -negative.array)
        assert "control-label-swapped" not in diagnosed(fixed)


def test_an_m0_repetition_time_of_zero_is_taken_as_not_stated(tmp_path):
    series = read_series(write_series(tmp_path / "a", m0_sidecar={"RepetitionTimePreparation": 0}))
    assert "m0-tr-zero" in diagnosed(series)
    fix = find_fix(series, "m0-tr-zero")
    assert "fully relaxed" in fix.what
    assert fix.series.acquisition.m0_repetition_time is None
    require_quantifiable(fix.series)
    assert "m0-tr-missing" in diagnosed(fix.series)
    np.testing.assert_array_equal(calibrate(fix.series).m0.array, series.m0.array)
    absent = {"M0Type": "Absent", "RepetitionTimePreparation": 0}
    control = read_series(write_series(tmp_path / "b", sidecar=absent))
    assert apply_fix(control, "m0-tr-zero").acquisition.repetition_time is None


def test_dummy_volumes_and_a_left_over_volume_are_left_out(tmp_path):
    array = series_array(PAIRS)
    array[..., :2] *= 1.6
    series = read_series(write_series(tmp_path / "a", array=array))
    assert "dummy-volumes" in diagnosed(series)
    fix = find_fix(series, "dummy-volumes")
    assert fix.what == "volume 1, 2 left out"
    assert [kind.value for kind in fix.series.context[:3]] == ["n/a", "n/a", "label"]
    assert len(fix.series.array) == len(series.array)
    odd = read_series(write_series(tmp_path / "b", words=("control", *PAIRS)))
    assert "count-mismatch" in diagnosed(odd)
    first, last = apply_fix(odd, "drop-first"), apply_fix(odd, "drop-last")
    assert first.context == (VolumeType.NOT_AVAILABLE, *odd.context[1:])
    assert last.context == (*odd.context[:-1], VolumeType.NOT_AVAILABLE)
    assert "count-mismatch" not in diagnosed(last)
    uneven = read_series(write_series(tmp_path / "c", words=("control", "control", *PAIRS)))
    assert "count-mismatch" in diagnosed(uneven), "which of the two is wrong is not known: no fix"


def test_one_of_several_delays_can_be_kept_by_name(tmp_path):
    delays = [0.0, *([1.0] * 4), *([1.8] * 8), *([2.4] * 3), 1.8]
    keys = {"PostLabelingDelay": delays, "M0Type": "Included"}
    series = read_series(write_series(tmp_path, words=("m0scan", *PAIRS), sidecar=keys, m0=None))
    assert "--fix pld-1.8" in diagnosed(series)["multi-pld"].remedy
    require_quantifiable(series)
    assert [fix.name for fix in fixes_of(series) if fix.finding == "multi-pld"] == ["pld-1", "pld-1.8", "pld-2.4"]
    kept = apply_fix(series, "pld-1")
    assert kept.acquisition.post_labeling_delay == 1.0
    assert kept.context[:6] == (VolumeType.M0SCAN, *series.context[1:5], VolumeType.NOT_AVAILABLE)
    assert set(kept.context[5:]) == {VolumeType.NOT_AVAILABLE}
    require_quantifiable(kept)
    first_four = read_series(
        write_series(
            tmp_path / "b",
            words=("m0scan", *PAIRS[:4]),
            array=_first(series, 5),
            m0=None,
            sidecar={"PostLabelingDelay": 1.0, "M0Type": "Included"},
        )
    )
    np.testing.assert_array_equal(cbf(kept), cbf(first_four))


def _first(series: ASLSeries, count: int) -> np.ndarray:
    return np.transpose(series.array[:count], (3, 2, 1, 0))


def test_a_delay_without_a_whole_pair_is_not_offered(tmp_path):
    delays = [*([1.0] * 15), 2.0]
    series = read_series(write_series(tmp_path, sidecar={"PostLabelingDelay": delays}))
    assert [fix.name for fix in fixes_of(series)] == ["pld-1"]


def test_ge_differences_are_scaled_by_the_number_of_excitations_that_is_named(tmp_path):
    keys = {"Manufacturer": "GE MEDICAL SYSTEMS", "BackgroundSuppression": True}
    sound = read_series(write_series(tmp_path / "a", words=("deltam",) * 2, sidecar=keys, noise=1))
    assert "ge-scaling" in diagnosed(sound), "a note, and no fix: the CBF is plausible as it is"
    array = 96 * series_array(("deltam",) * 2, noise=1)
    series = read_series(write_series(tmp_path / "b", words=("deltam",) * 2, sidecar=keys, array=array))
    assert "--fix ge-nex-3" in diagnosed(series)["ge-scaling"].remedy
    fix = find_fix(series, "ge-nex-3")
    assert fix.what == "M0 multiplied by 96, 32 x 3"
    np.testing.assert_allclose(cbf(fix.series), cbf(sound), rtol=1e-4)
    codes = diagnosed(fix.series)
    assert not {"ge-scaling", "m0-scale", "implausible-cbf"} & set(codes)


@pytest.mark.parametrize(("factor", "words"), [(10, "ten times"), (1 / 100, "ml/g/min"), (1 / 6000, "ml/g/s")])
def test_a_cbf_map_in_another_unit_is_named_and_converted(tmp_path, factor, words):
    sound = 40 * head()[..., None]
    series = read_series(
        write_series(tmp_path, words=("cbf",), array=sound * factor, m0=None, sidecar={"M0Type": None})
    )
    codes = diagnosed(series)
    assert words in codes["cbf-unit"].why
    assert "m0-scale" not in codes, "no M0 enters a map that is ready"
    fixed = apply_fix(series, "cbf-unit")
    np.testing.assert_allclose(fixed.array[0], sound[..., 0].T, rtol=1e-5)
    assert "cbf-unit" not in diagnosed(fixed)


def test_a_cbf_map_needs_no_parameters_even_beside_its_differences(tmp_path):
    keys = {"PostLabelingDelay": None, "LabelingDuration": None, "M0Type": None}
    words = ("deltam", "cbf")
    array = np.stack([5 * head(), 45 * head()], axis=-1)
    series = read_series(write_series(tmp_path, words=words, array=array, sidecar=keys, m0=None))
    require_quantifiable(series)
    assert "missing-pld" not in diagnosed(series)
    assert cbf(series).max() == 45


# The same faults in real series, of a Siemens Prisma at 3 T: copied, bent, found and fixed.


@pytest.fixture(scope="session")
def real(shared_data, tmp_path_factory):
    """A function that gives a fresh small copy of a real series to bend."""

    def copy(name: str, **how):
        return small_real(shared_data, name, tmp_path_factory.mktemp(name), **how)

    return copy


@pytest.mark.shared
def test_real_times_in_milliseconds_are_fixed_to_what_they_were(real):
    path = real("epi", volumes=12)
    sound = read_series(path)
    timing = [1000 * t for t in sound.acquisition.slice_timing]
    bend_sidecar(path, PostLabelingDelay=200, LabelingDuration=1508.8, SliceTiming=timing)
    series = read_series(path)
    assert "milliseconds" in diagnosed(series)
    fixed = apply_fix(series, "milliseconds")
    np.testing.assert_allclose(cbf(fixed), cbf(sound), rtol=1e-6)


@pytest.mark.shared
def test_a_real_m0_on_another_scale_is_fixed_to_the_cbf_it_gave(real):
    path = real("epi", volumes=18)
    sound = read_series(path)
    bend_image(path.with_name(path.name.replace("_asl", "_m0scan")), lambda array: 0.1 * array)
    series = read_series(path)
    assert "m0-scale" in diagnosed(series)
    np.testing.assert_allclose(cbf(apply_fix(series, "m0-scale")), cbf(sound), rtol=1e-4)


@pytest.mark.shared
def test_a_real_m0_beside_suppressed_controls_leaves_its_scale_to_the_user(real):
    path = real("grase", volumes=18)
    bend_image(path, lambda array: np.concatenate([10 * array[..., :1], array[..., 1:]], axis=-1))
    finding = diagnosed(read_series(path))["m0-scale"]
    assert "M0Scale of 0.1 of a known vendor" in finding.remedy
    assert "so would any from 0.0" in finding.remedy, "CBF alone does not tell a tenth from a fifth"
    assert fixes_of(read_series(path)) == ()


@pytest.mark.shared
def test_a_real_m0_repetition_time_of_zero_no_longer_gives_a_cbf_of_zero(real):
    path = real("epi", volumes=12)
    bend_sidecar(path.with_name(path.name.replace("_asl", "_m0scan")), RepetitionTimePreparation=0)
    series = read_series(path)
    refusal(require_quantifiable, series, mentions=("repetition time of the M0 is zero", "--fix m0-tr-zero"))
    assert "m0-tr-zero" in diagnosed(series)
    assert np.nanmedian(np.abs(cbf(apply_fix(series, "m0-tr-zero")))) > 1


@pytest.mark.shared
def test_a_real_lost_volume_turns_the_order_and_is_found(real):
    path = real("grase")
    bend_image(path, lambda array: np.delete(array, 9, axis=-1))
    bend_context(path, lambda words: words[:-1])
    codes = diagnosed(read_series(path))
    assert "at about pair 4 of 7" in codes["order-changes"].why or "at about pair 5 of 7" in codes["order-changes"].why
    assert "count-mismatch" in codes
    assert "control-label-swapped" not in codes


@pytest.mark.shared
def test_a_real_series_that_lost_its_last_volume_keeps_its_whole_pairs(real):
    path = real("grase")
    sound = read_series(path)
    bend_image(path, lambda array: array[..., :-1])
    bend_context(path, lambda words: words[:-1])
    series = read_series(path)
    assert "count-mismatch" in diagnosed(series)
    fixed = apply_fix(series, "drop-last")
    np.testing.assert_array_equal(difference_volumes(fixed).array, difference_volumes(sound).array[:7])


@pytest.mark.shared
def test_a_real_unsuppressed_volume_taken_for_a_control_is_left_out(real):
    path = real("grase")
    sound = read_series(path)
    save_like(path, path.with_name(path.name.replace("_asl", "_m0scan")), sound.m0.array)
    bend_sidecar(path, M0Type="Separate")
    bend_context(path, lambda words: ["control", *words[1:]])
    series = read_series(path)
    assert "volume 1" in diagnosed(series)["dummy-volumes"].why
    fixed = apply_fix(series, "dummy-volumes")
    assert fixed.context[:2] == (VolumeType.NOT_AVAILABLE,) * 2
    assert "dummy-volumes" not in diagnosed(fixed)
    np.testing.assert_array_equal(difference_volumes(fixed).array, difference_volumes(sound).array)


@pytest.mark.shared
def test_real_differences_scaled_as_ge_does_are_fixed_to_the_cbf_they_gave(real):
    path = real("grase")
    sound = read_series(path)
    pairs = np.transpose(difference_volumes(sound).array, (3, 2, 1, 0))
    bend_image(path, lambda array: np.concatenate([array[..., :1], 64 * pairs], axis=-1))
    bend_context(path, lambda words: ["m0scan", *["deltam"] * 8])
    bend_sidecar(path, Manufacturer="GE", TotalAcquiredPairs=None)
    series = read_series(path)
    codes = diagnosed(series)
    assert {"difference-only", "ge-scaling"} <= set(codes)
    np.testing.assert_allclose(cbf(apply_fix(series, "ge-nex-2")), cbf(sound), rtol=1e-4)


@pytest.mark.shared
def test_real_delays_metadata_and_slice_timing_that_are_wrong_are_found(real):
    path = real("grase")
    bend_sidecar(path, LabelingDuration=1.2, BackgroundSuppression=None)
    codes = diagnosed(read_series(path))
    assert "mix-up" in codes["pld-label-duration-doubtful"].why
    assert "background-suppression-unknown" in codes
    bend_sidecar(path, PostLabelingDelay=None)
    refusal(require_quantifiable, read_series(path), mentions=("post-labelling delay is not stated",))
    epi = real("epi", volumes=8)
    bend_sidecar(epi, MRAcquisitionType="3D", RepetitionTimePreparation=0.5)
    codes = diagnosed(read_series(epi))
    assert "SliceTiming differs" in codes["slice-timing-ignored"].why
    assert "0.74 s" in codes["slice-timing-doubtful"].why
    bend_sidecar(epi, MRAcquisitionType="2D", SliceTiming=None)
    assert "slice-timing-missing" in diagnosed(read_series(epi))


@pytest.mark.shared
def test_real_motion_is_suspected_and_a_head_at_rest_is_not(real):
    path = real("epi", volumes=12)
    assert "motion-suspected" not in diagnosed(read_series(path))
    bend_image(path, lambda array: np.concatenate([array[..., :8], np.roll(array[..., 8:], 1, axis=1)], axis=-1))
    moved = diagnosed(read_series(path))["motion-suspected"]
    assert "in 4 of 12 volumes" in moved.why


@pytest.mark.shared
def test_a_real_m0_that_holds_no_brain_is_said(real):
    path = real("epi", volumes=8)
    random = np.random.default_rng(0)
    bend_image(path.with_name(path.name.replace("_asl", "_m0scan")), lambda array: random.gamma(2, 10, array.shape))
    assert "brain-not-found" in diagnosed(read_series(path))


@pytest.mark.shared
def test_a_real_difference_that_no_vendor_scaling_explains_is_called_implausible(real):
    path = real("epi", volumes=12)

    def stronger(array):
        control, label = array[..., 1::2], array[..., ::2]
        return np.stack([control - 20 * (control - label), control], axis=-1).reshape(array.shape)

    bend_image(path, stronger)
    codes = diagnosed(read_series(path))
    assert "implausible-cbf" in codes
    assert "m0-scale" not in codes
