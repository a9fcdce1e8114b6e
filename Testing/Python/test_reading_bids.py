"""Sidecars and context tables: what they say is taken with its origin; what they get wrong is refused."""

from __future__ import annotations

import json

import pytest
from reading_builders import PCASL, refusal

from ASLDenoiseLib.reading.bids import (
    acquisition_from,
    applicable_files,
    expanded_context,
    find_m0,
    read_context,
    read_json,
    read_sidecar,
    reduce_arrays,
    with_user_values,
)
from ASLDenoiseLib.series import Acquisition, Geometry, Labeling, M0Type, Origin, VolumeType

GRID = Geometry((4, 4, 3), (3.0, 3.0, 5.0))


def test_every_stated_value_carries_the_sidecar_as_origin():
    acquisition = acquisition_from({**PCASL, "SliceTiming": [0, 0.5, 1], "Unknown": "ignored", "PASLType": "FAIR"})
    assert acquisition.labeling is Labeling.PCASL
    assert acquisition.post_labeling_delay == 1.8
    assert acquisition.m0_type is M0Type.SEPARATE
    assert acquisition.slice_timing == (0, 0.5, 1)
    assert set(acquisition.origins.values()) == {Origin.SIDECAR}
    assert "label_duration" in acquisition.origins
    assert "bolus_duration" not in acquisition.origins


def test_enumerated_words_are_taken_in_any_case():
    acquisition = acquisition_from(
        {"ArterialSpinLabelingType": "pcasl", "M0Type": "SEPARATE", "MRAcquisitionType": "3d"}
    )
    assert (acquisition.labeling, acquisition.m0_type) == (Labeling.PCASL, M0Type.SEPARATE)
    assert acquisition.readout == "3D"


def test_suppression_pulse_times_give_their_number_and_q2tips_its_first_time():
    acquisition = acquisition_from(
        {"BackgroundSuppressionPulseTime": [0.1, 0.9, 1.4], "BolusCutOffDelayTime": [0.7, 1.6], "M0Scale": 10}
    )
    assert acquisition.suppression_pulses == 3
    assert acquisition.bolus_duration == 0.7
    assert acquisition.m0_scale == 10


def test_converter_names_stand_in_where_the_bids_keys_are_absent():
    said = {"InitialPostLabelDelay": [1.5], "BolusDuration": 0.7, "RepetitionTime": 4.1}
    acquisition = acquisition_from(said, origin=Origin.DICOM)
    assert (acquisition.post_labeling_delay, acquisition.bolus_duration) == (1.5, 0.7)
    assert acquisition.repetition_time == 4.1
    assert acquisition.origins["post_labeling_delay"] is Origin.DICOM
    philips = {"Manufacturer": "Philips", "RepetitionTime": 15.8, "RepetitionTimeExcitation": 4.2}
    assert acquisition_from(philips).repetition_time == 4.2
    assert acquisition_from({**said, "PostLabelingDelay": 1.8}).post_labeling_delay == 1.8
    assert acquisition_from({"TagDuration": 1.4}).label_duration == 1.4  # Siemens' to_ep2d_VEPCASL


def test_the_inversion_time_is_the_delay_of_pasl_alone():
    """Siemens' product PASL has no other in dcm2niix's JSON; that of pCASL belongs to the suppression."""
    said = {"ArterialSpinLabelingType": "PASL", "InversionTime": 1.99}
    assert acquisition_from(said).post_labeling_delay == 1.99
    assert acquisition_from({**said, "PostLabelingDelay": 1.8}).post_labeling_delay == 1.8
    assert acquisition_from({**said, "ArterialSpinLabelingType": "PCASL"}).post_labeling_delay is None


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("PostLabelingDelay", "1.8 s", "number in s"),
        ("PostLabelingDelay", [], "empty list"),
        ("PostLabelingDelay", -1, "between 0.01 and 10 s"),
        ("LabelingDuration", True, "number in s"),
        ("LabelingDuration", [0.0001, 1.8], "between 0.01 and 10 s"),
        ("SliceTiming", 0.5, "list"),
        ("SliceTiming", [0, "1"], "number"),
        ("BackgroundSuppression", "yes", "true or false"),
        ("ArterialSpinLabelingType", "ASL", "PCASL"),
        ("M0Type", 7, "Separate"),
        ("BackgroundSuppressionNumberPulses", 2.5, "whole"),
        ("LabelingEfficiency", 0, "between 0.01 and 1"),
        ("RepetitionTimePreparation", float("nan"), "finite"),
        ("Manufacturer", 3, "text"),
    ],
)
def test_a_wrong_type_or_value_is_refused_by_key(key, value, hint):
    refusal(acquisition_from, {key: value}, mentions=(key, hint))


def test_broken_json_and_json_that_is_no_object_are_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"PostLabelingDelay": 1.8,')
    refusal(read_json, tmp_path / "a.json", mentions=("a.json", "not valid JSON"))
    (tmp_path / "b.json").write_text("[1, 2]")
    refusal(read_json, tmp_path / "b.json", mentions=("b.json", "not a JSON object"))
    (tmp_path / "c.json").write_bytes(b"\xff\xfe\x00")
    refusal(read_json, tmp_path / "c.json", mentions=("c.json", "not text in UTF-8"))


def test_nearer_sidecars_win_over_those_above_within_a_data_set(tmp_path):
    perf = tmp_path / "sub-01" / "perf"
    perf.mkdir(parents=True)
    image = perf / "sub-01_acq-x_asl.nii.gz"
    above = {"PostLabelingDelay": 1.0, "LabelingDuration": 1.4, "Manufacturer": "GE"}
    (tmp_path / "asl.json").write_text(json.dumps(above))
    (tmp_path / "sub-02_asl.json").write_text(json.dumps({"Manufacturer": "wrong subject"}))
    (perf / "sub-01_asl.json").write_text(json.dumps({"PostLabelingDelay": 1.5, "LabelingDuration": 1.6}))
    (perf / "sub-01_acq-x_asl.json").write_text(json.dumps({"PostLabelingDelay": 1.8}))
    assert read_sidecar(image) == {"PostLabelingDelay": 1.8, "LabelingDuration": 1.6}, "no data set: this folder only"
    (tmp_path / "dataset_description.json").write_text("{}")
    assert read_sidecar(image) == {"PostLabelingDelay": 1.8, "LabelingDuration": 1.6, "Manufacturer": "GE"}
    assert [p.name for p in applicable_files(image, "asl", ".json")][-1] == "sub-01_acq-x_asl.json"


def test_a_name_that_is_not_bids_has_the_json_of_its_stem(tmp_path):
    (tmp_path / "scan7.json").write_text('{"PostLabelingDelay": 2}')
    assert read_sidecar(tmp_path / "scan7.nii.gz") == {"PostLabelingDelay": 2}


def test_context_knows_all_volume_types_in_any_case(tmp_path):
    words = ["control", "Label", "m0scan", "deltam", "CBF", "norf", "n/a"]
    table = tmp_path / "x_aslcontext.tsv"
    table.write_text("onset\tvolume_type\n" + "".join(f"0\t{word}\n" for word in words) + "\n")
    assert [kind.value for kind in read_context(table)] == [
        "control",
        "label",
        "m0scan",
        "deltam",
        "cbf",
        "noRF",
        "n/a",
    ]


def test_context_with_an_unknown_word_or_no_heading_is_refused(tmp_path):
    table = tmp_path / "x_aslcontext.tsv"
    table.write_text("volume_type\ncontrol\ntag\n")
    refusal(read_context, table, mentions=("tag", "x_aslcontext.tsv", "label"))
    table.write_text("control\nlabel\n")
    refusal(read_context, table, mentions=("x_aslcontext.tsv", "volume_type"))
    table.write_text("")
    refusal(read_context, table, mentions=("x_aslcontext.tsv", "is empty"))
    refusal(read_context, tmp_path / "none.tsv", mentions=("none.tsv", "check the path"))


def test_a_short_pattern_repeats_after_its_leading_volumes():
    kinds = expanded_context(["m0scan", "n/a", "label", "control"], 18)
    assert kinds[:4] == (VolumeType.M0SCAN, VolumeType.NOT_AVAILABLE, VolumeType.LABEL, VolumeType.CONTROL)
    assert kinds[2:] == (VolumeType.LABEL, VolumeType.CONTROL) * 8
    assert expanded_context(["deltam"], 3) == (VolumeType.DELTAM,) * 3
    refusal(expanded_context, ["control", "label"], 17, mentions=("pattern of 2", "17 volumes"))
    refusal(expanded_context, ["control", "label"], 1, mentions=("pattern of 2", "1 volumes"))
    refusal(expanded_context, ["m0scan"], 3, mentions=("3 volumes",))
    refusal(expanded_context, [], 3, mentions=("pattern of 0",))


def test_arrays_of_a_wrong_length_are_refused_with_both_counts():
    context = (VolumeType.CONTROL, VolumeType.LABEL)
    delays = acquisition_from({"PostLabelingDelay": [1.8, 1.8, 1.8]})
    refusal(reduce_arrays, delays, context, GRID, mentions=("PostLabelingDelay", "3 values", "2 volumes"))
    timing = acquisition_from({"SliceTiming": [0, 0.5]})
    refusal(reduce_arrays, timing, context, GRID, mentions=("SliceTiming", "2 times", "3 slices"))
    assert reduce_arrays(acquisition_from({"SliceTiming": [0, 1, 2, 3], "SliceEncodingDirection": "j-"}), context, GRID)
    durations = acquisition_from({"LabelingDuration": [1.5, 1.5, 1.8]})
    refusal(reduce_arrays, durations, context, GRID, mentions=("LabelingDuration", "3 values", "2 volumes"))


def test_one_delay_a_volume_that_is_the_same_becomes_one_number_and_keeps_its_origin():
    context = (VolumeType.M0SCAN, VolumeType.CONTROL, VolumeType.LABEL)
    same = reduce_arrays(acquisition_from({"PostLabelingDelay": [0, 1.8, 1.8]}), context, GRID)
    assert same.post_labeling_delay == 1.8
    assert same.origins["post_labeling_delay"] is Origin.SIDECAR
    several = reduce_arrays(acquisition_from({"PostLabelingDelay": [0, 1.8, 2.2]}), context, GRID)
    assert several.delays == (1.8, 2.2)


def test_user_values_override_and_say_so():
    stated = acquisition_from(PCASL)
    given = with_user_values(stated, {"post_labeling_delay": 2.0, "labeling": "pasl", "label_duration": None})
    assert (given.post_labeling_delay, given.labeling, given.label_duration) == (2.0, Labeling.PASL, 1.5)
    assert given.origins["post_labeling_delay"] is Origin.USER
    assert given.origins["label_duration"] is Origin.SIDECAR
    refusal(with_user_values, Acquisition(), {"pld": 2}, mentions=("'pld'", "post_labeling_delay"))
    refusal(with_user_values, Acquisition(), {"post_labeling_delay": "2"}, mentions=("PostLabelingDelay", "number"))


def test_m0_is_found_by_stem_then_intended_for_and_never_guessed_among_several(tmp_path):
    image = tmp_path / "sub-01_acq-x_asl.nii.gz"
    assert find_m0(image) is None
    (tmp_path / "sub-01_dir-ap_m0scan.nii.gz").touch()
    assert find_m0(image) is None, "another entity does not belong to the image"
    (tmp_path / "sub-01_dir-ap_m0scan.json").write_text('{"IntendedFor": ["perf/sub-01_acq-x_asl.nii.gz"]}')
    assert find_m0(image).name == "sub-01_dir-ap_m0scan.nii.gz"
    (tmp_path / "sub-01_dir-pa_m0scan.nii.gz").touch()
    (tmp_path / "sub-01_dir-pa_m0scan.json").write_text('{"IntendedFor": "bids::perf/sub-01_acq-x_asl.nii.gz"}')
    refusal(find_m0, image, mentions=("dir-ap", "dir-pa", "--m0"))
    (tmp_path / "sub-01_acq-x_m0scan.nii.gz").touch()
    assert find_m0(image).name == "sub-01_acq-x_m0scan.nii.gz"
