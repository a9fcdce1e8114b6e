"""Inspection of series of several delays: what is right is not doubted, and like is compared with like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delay_builders import ScanOfDelays, scan_of_delays
from reading_builders import refusal, write_series

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.inspecting.delay_checks import fitted_delays, judged_delay
from ASLDenoiseLib.inspecting.fixes import apply_fix, fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.reading.read import read_series, swapped
from ASLDenoiseLib.reading.volume_order import propose_order
from ASLDenoiseLib.series import ASLSeries, Origin, VolumeType

RIGHT = {"multi-pld", "difference-only", "few-pairs", "background-suppression-unknown"}
SIEMENS = {"delays": (0.0, 0.5, 1.0, 1.5, 2.0), "durations": (0.4, 0.8, 1.2, 1.6, 1.8)}


def codes(series: ASLSeries) -> dict:
    return {finding.code: finding for finding in inspect(series)}


def suppressed(scan: ScanOfDelays) -> ASLSeries:
    """The series as background suppression leaves it: at each delay another brightness, and that of another side."""
    series = scan.series
    delays = np.array(series.acquisition.post_labeling_delay)
    side = np.linspace(0, 1, series.geometry.size[0])
    static = np.where(scan.brain, 1000.0, 0.0)
    left = np.stack([static * (0.05 + 0.3 * np.abs(np.sin(2 * d))) * (side if d % 1 else 1 - side) for d in delays])
    array = series.array - np.where(scan.brain, 1000.0, 0.0) + left
    acquisition = series.acquisition.with_values(Origin.SIDECAR, background_suppression=True, suppression_pulses=2)
    return replace(series, array=array, acquisition=acquisition)


@pytest.mark.parametrize("labeling", ["PCASL", "PASL"])
@pytest.mark.parametrize("order", ["delay by delay", "repeat by repeat", "shuffled"])
@pytest.mark.parametrize("repeats", [1, 4])
def test_a_sound_series_of_several_delays_is_inspected_with_a_note_alone(labeling, order, repeats):
    scan = scan_of_delays(labeling=labeling, order=order, repeats=repeats, noise=2)
    for series in (scan.series, suppressed(scan)):
        found = codes(series)
        assert set(found) <= RIGHT
        assert found["multi-pld"].severity is Severity.NOTE and "6 delays" in found["multi-pld"].why
        require_quantifiable(series)


@pytest.mark.parametrize("repeats", [1, 4])
def test_sound_differences_of_several_delays_are_inspected_with_notes_alone(repeats):
    assert set(codes(scan_of_delays(kind="deltam", repeats=repeats, noise=1).series)) <= RIGHT


@pytest.mark.parametrize("kind", ["pairs", "deltam"])
def test_delays_of_zero_and_label_durations_that_grow_with_the_delay_are_right(kind):
    scan = scan_of_delays(**SIEMENS, kind=kind, noise=1)
    found = codes(scan.series)
    assert set(found) <= RIGHT
    assert "5 delays, 0, 0.5, 1, 1.5, 2 s" in found["multi-pld"].why
    assert fitted_delays(scan.series)[0].delay == 0
    offered = [fix.name for fix in fixes_of(scan.series) if fix.finding == "multi-pld"]
    assert offered == ["pld-0.5", "pld-1", "pld-1.5", "pld-2"], "no formula of one delay takes a delay of 0"
    kept = apply_fix(scan.series, "pld-1").acquisition
    assert (kept.post_labeling_delay, kept.label_duration) == (1.0, 1.2)


def test_a_zero_of_perfusion_volumes_is_a_delay_and_that_of_an_m0_is_none(tmp_path):
    two = scan_of_delays(delays=(0.0, 1.8), noise=2).series
    assert codes(two)["multi-pld"].severity is Severity.UNUSABLE, "they are not averaged as of one delay"
    refusal(require_quantifiable, two, mentions=("0, 1.8 s", "three or more", "--fix pld-1.8"))
    keys = {"PostLabelingDelay": [0.0, *([1.8] * 16)], "M0Type": "Included"}
    words = ("m0scan", *("label", "control") * 8)
    one = read_series(write_series(tmp_path, words=words, sidecar=keys, m0=None))
    assert one.acquisition.post_labeling_delay == 1.8 and "multi-pld" not in codes(one)


def test_two_delays_are_refused_with_the_fix_that_keeps_one():
    series = scan_of_delays(delays=(1.0, 2.0), noise=2).series
    refusal(require_quantifiable, series, mentions=("1, 2 s", "three or more", "--fix pld-2"))
    require_quantifiable(apply_fix(series, "pld-2"))


def test_a_delay_without_a_whole_pair_is_no_third_one():
    series = scan_of_delays(delays=(1.0, 1.5, 2.0), repeats=1, noise=2).series
    context = (*series.context[:5], VolumeType.NOT_AVAILABLE)
    refusal(require_quantifiable, replace(series, context=context), mentions=("1, 1.5, 2 s", "three or more"))


def test_a_volume_without_a_partner_at_its_delay_is_named_and_no_other_is_offered_to_go():
    series = scan_of_delays(delays=(1.0, 1.5, 2.0, 2.5), repeats=3, noise=2).series
    odd = replace(series, context=(*series.context[:8], VolumeType.NOT_AVAILABLE, *series.context[9:]))
    assert "volume 12 has no partner at its delay" in codes(odd)["multi-pld"].why
    assert not {"drop-first", "drop-last"} & {fix.name for fix in fixes_of(odd)}


@pytest.mark.parametrize("field", ["post_labeling_delay", "label_duration", "repetition_time"])
def test_a_list_that_does_not_match_the_volumes_is_refused_in_one_sentence(field):
    series = scan_of_delays(noise=2).series
    short = replace(series, acquisition=series.acquisition.with_values(Origin.USER, **{field: (1.0, 1.5, 2.0)}))
    assert codes(short)["times-mismatch"].severity is Severity.UNUSABLE
    refusal(require_quantifiable, short, mentions=("holds 3 values", "48 volumes"))


def test_a_fit_needs_labelling_and_durations_even_where_nothing_calibrates():
    relative = scan_of_delays(kind="deltam", with_m0=False, noise=1).series
    bare = replace(relative, acquisition=replace(relative.acquisition, label_duration=None, labeling=None))
    found = codes(bare)
    assert {found["missing-labeling"].severity} == {Severity.UNUSABLE}
    no_duration = replace(relative, acquisition=replace(relative.acquisition, label_duration=None))
    assert codes(no_duration)["missing-label-duration"].severity is Severity.UNUSABLE


def test_slices_of_a_relative_fit_are_corrected_so_nothing_is_said_of_them():
    relative = scan_of_delays(kind="deltam", with_m0=False, slice_time=0.05, noise=1).series
    assert "slice-delays-uncorrected" not in codes(relative)
    assert "slice-delays-uncorrected" in codes(apply_fix(relative, "pld-2"))


@pytest.mark.parametrize("repeats", [1, 4])
@pytest.mark.parametrize("kind", ["pairs", "deltam"])
def test_swapped_control_and_label_are_found_at_any_number_of_repeats(repeats, kind):
    series = swapped(scan_of_delays(kind=kind, repeats=repeats, noise=2).series)
    assert "control-label-swapped" in codes(series)
    assert "control-label-swapped" not in codes(apply_fix(series, "control-label-swapped"))


def test_one_pair_that_is_the_other_way_round_is_found_among_delays_of_other_brightness():
    series = suppressed(scan_of_delays(delays=(1.0, 1.5, 2.0, 2.5), noise=0.5))
    context = list(series.context)
    context[6:8] = context[7], context[6]
    assert "2 of 32" in codes(replace(series, context=tuple(context)))["order-mixed"].why


def test_a_head_that_moved_is_told_from_delays_of_other_brightness():
    scan = scan_of_delays(noise=2)
    series = suppressed(scan)
    array = series.array.copy()
    array[5] = np.roll(array[5], 2, axis=1)
    assert "in volume 6" in codes(replace(series, array=array))["motion-suspected"].why
    assert "motion-suspected" not in codes(series)


def test_dummies_are_told_from_delays_of_other_brightness():
    series = suppressed(scan_of_delays(noise=2))
    array = series.array.copy()
    array[:2] *= 1.6
    assert "volume 1: 1.60 times" in codes(replace(series, array=array))["dummy-volumes"].why
    assert "dummy-volumes" not in codes(series)


def test_the_scale_is_judged_at_the_delay_nearest_to_the_consensus():
    scan = scan_of_delays(noise=1)
    assert inspect(scan.series).scale.cbf == pytest.approx(52, abs=8), "GM 60, WM 20"
    off = replace(scan.series, m0=scan.series.m0.with_array(scan.series.m0.array / 32))
    assert "m0-scale" in codes(off)
    early = scan_of_delays(delays=(0.1, 0.3, 0.5), noise=1)
    assert inspect(early.series).scale.cbf is None, "label has yet to arrive"


def test_noise_alone_at_several_delays_holds_no_perfusion():
    for repeats in (1, 4):
        series = scan_of_delays(cbf=0.0, repeats=repeats, noise=3).series
        assert "no-perfusion" in codes(series)


@pytest.mark.parametrize("labeling", ["PCASL", "PASL"])
@pytest.mark.parametrize("repeats", [1, 4])
def test_no_wrong_order_is_read_into_delays_of_other_brightness(labeling, repeats):
    """Neighbours of other pairs are of another delay, and differ by what suppression leaves of each."""
    scan = scan_of_delays(labeling=labeling, repeats=repeats, order="repeat by repeat", noise=2)
    for series in (scan.series, suppressed(scan)):
        assert "control,label" in propose_order(series.array).patterns


@pytest.mark.shared
@pytest.mark.parametrize("order", ["blocks", "turns"])
def test_the_real_series_of_six_delays_is_inspected_without_a_false_word(shared_data, tmp_path, order):
    """48 differences without a sidecar; an order that were wrong would be nobody's to see in its images."""
    path = shared_data / "multipld" / "asldata_diff.nii.gz"
    values = {"labeling": "PCASL", "post_labeling_delay": [0.25 * n for n in range(1, 7)], "delay_order": order}
    values |= {"label_duration": 1.4, "readout": "2D", "slice_timing": [0.0452 * k for k in range(24)]}
    values |= {"background_suppression": False, "field_strength": 3.0}
    series = read_series(path, context="deltam", values=values)
    assert set(codes(series)) == {"multi-pld", "difference-only", "m0-absent", "brain-from-perfusion"}
    assert [len(each.pairs) for each in fitted_delays(series)] == [8] * 6


def test_late_blood_does_not_make_the_scale_of_the_m0_doubtful():
    """Of PASL the delay is the inversion time: at 1.6 s most of a bolus of 0.7 s may still be on its way."""
    scan = scan_of_delays(labeling="PASL", delays=(0.4, 0.8, 1.2, 1.6, 2.4), att=1.6, noise=0.5)
    assert judged_delay(scan.series).delay == 2.4
    assert set(codes(scan.series)) <= RIGHT
