"""No series is a dead end: whatever its files lack or state wrongly, its images are read and the rest can be given."""

from __future__ import annotations

import json

import numpy as np
import pytest
from reading_builders import PAIRS, bend_sidecar, head, save, series_array, write_series

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.inspecting.fixes import fixes_of
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.anyway import read_anyway, with_lacking
from ASLDenoiseLib.reading.images import read_array4d, require_contrast
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import M0Type, Origin, VolumeType

LEFT_OUT = VolumeType.NOT_AVAILABLE


def without_anything(folder):
    return save(folder / "perfusion.nii.gz", series_array())


def m0_included_of_unknown_order(folder):
    return write_series(folder, words=None, m0=None, sidecar={"M0Type": "Included"})


def m0_separate_and_not_there(folder):
    return write_series(folder, words=None, m0=None)


def short_context(folder):
    return write_series(folder, words=PAIRS[:-3], array=series_array())


def context_without_a_label(folder):
    return write_series(folder, words=("control",) * 16, array=series_array())


def context_of_no_known_word(folder):
    return write_series(folder, words=("tag",) * 16, array=series_array())


def sidecar_that_is_no_json(folder):
    path = write_series(folder, m0=None)
    path.with_name("sub-01_asl.json").write_text("{PostLabelingDelay: 1.8")
    return path


def a_value_of_the_wrong_type(folder):
    path = write_series(folder)
    bend_sidecar(path, MagneticFieldStrength="three")
    return path


def slice_timing_of_another_length(folder):
    return write_series(folder, sidecar={"SliceTiming": [0.0, 0.1]})


def delays_of_another_length(folder):
    return write_series(folder, words=None, sidecar={"PostLabelingDelay": [1.8, 1.8, 1.8]})


def several_m0(folder):
    path = write_series(folder, stem="sub-01_run-1", words=None)
    for name in ("sub-01_m0scan", "sub-01_dir-ap_m0scan"):
        save(folder / f"{name}.nii.gz", 1000.0 * head())
    (folder / "sub-01_run-1_m0scan.nii.gz").unlink()
    for name in ("sub-01_m0scan", "sub-01_dir-ap_m0scan"):
        (folder / f"{name}.json").write_text(json.dumps({"IntendedFor": "perf/sub-01_run-1_asl.nii.gz"}))
    return path


def one_volume_of_no_known_kind(folder):
    return save(folder / "perfusion.nii.gz", head())


DEAD_ENDS = (
    without_anything,
    m0_included_of_unknown_order,
    m0_separate_and_not_there,
    short_context,
    context_without_a_label,
    context_of_no_known_word,
    sidecar_that_is_no_json,
    a_value_of_the_wrong_type,
    slice_timing_of_another_length,
    delays_of_another_length,
    several_m0,
    one_volume_of_no_known_kind,
)


@pytest.mark.parametrize("made", DEAD_ENDS, ids=lambda made: made.__name__)
def test_what_the_shell_refuses_is_read_with_the_reason_as_a_finding(made, tmp_path):
    path = made(tmp_path)
    with pytest.raises(InputError) as refused:
        read_series(path)
    series = read_anyway(path)
    assert series.array.shape[1:] == head().T.shape and np.isfinite(series.array).all()
    unordered = set(series.context) == {LEFT_OUT}
    found = {finding.code: finding for finding in inspect(series)}
    assert unordered <= ("order-unknown" in found)
    assert unordered or "file-not-used" in found
    if "file-not-used" in found and not unordered:
        assert found["file-not-used"].why.rstrip(".") in str(refused.value)


def test_all_that_can_be_used_is_used(tmp_path):
    path = write_series(tmp_path, sidecar={"SliceTiming": [0.0, 0.1], "MagneticFieldStrength": "three"})
    series = read_anyway(path)
    assert [kind.value for kind in series.context] == list(PAIRS) and series.m0 is not None
    assert series.acquisition.post_labeling_delay == 1.8
    assert series.acquisition.origins["post_labeling_delay"] is Origin.SIDECAR
    assert series.acquisition.slice_timing is None and series.acquisition.field_strength is None
    assert len([f for f in series.findings if f.code == "file-not-used"]) == 2


def test_an_m0_within_a_series_of_unknown_order_comes_with_the_order(tmp_path):
    words = ("m0scan", *PAIRS)
    path = write_series(tmp_path, words=None, m0=None, sidecar={"M0Type": "Included"}, array=series_array(words))
    series = read_anyway(path)
    assert series.m0 is None and series.acquisition.m0_type is M0Type.INCLUDED
    given = read_anyway(path, context="m0scan,label,control")
    assert given.context[0] is VolumeType.M0SCAN and given.context[1:] == tuple(map(VolumeType, PAIRS))


def test_a_series_whose_files_say_all_is_the_one_that_the_shell_reads(tmp_path):
    path = write_series(tmp_path)
    one, other = read_series(path), read_anyway(path, context="control,label", values={"post_labeling_delay": 2.0})
    assert one.context == other.context and one.acquisition == other.acquisition
    assert np.array_equal(one.array, other.array) and one.findings == other.findings


def test_what_a_file_lacks_is_taken_from_the_user_and_what_it_states_is_not(tmp_path):
    path = write_series(tmp_path, words=None, sidecar={"LabelingDuration": None})
    typed = {"label_duration": 1.65, "post_labeling_delay": 2.5}
    series = read_anyway(path, context=["label", "control"], values=typed)
    assert series.context == tuple(map(VolumeType, PAIRS))
    assert (series.acquisition.label_duration, series.acquisition.post_labeling_delay) == (1.65, 1.8)
    assert series.acquisition.origins["label_duration"] is Origin.USER


def test_a_single_volume_is_offered_as_a_cbf_map_or_a_difference_by_a_click(tmp_path):
    series = read_anyway(one_volume_of_no_known_kind(tmp_path))
    assert [fix.what for fix in fixes_of(series)] == ["context set to cbf", "context set to deltam"]
    given = with_lacking(series, context="cbf")
    assert given.holds_cbf and "file-not-used" not in {finding.code for finding in given.findings}


def test_an_order_that_does_not_fit_is_said_and_the_images_are_read(tmp_path):
    path = write_series(tmp_path, words=None)
    series = read_anyway(path, context="m0scan,label,control")  # 15 volumes of pairs
    assert set(series.context) == {LEFT_OUT}
    assert any("does not fill the series" in f.why for f in series.findings if f.code == "file-not-used")
    with pytest.raises(InputError):
        with_lacking(series, context="m0scan,label,control")


def test_what_is_no_image_is_refused_as_the_shell_does(tmp_path):
    path = tmp_path / "notes.nii.gz"
    path.write_text("not an image")
    with pytest.raises(InputError) as refused:
        read_series(path)
    with pytest.raises(InputError) as again:
        read_anyway(path)
    assert str(again.value) == str(refused.value)


@pytest.mark.parametrize("first", range(0, 234, 18))
def test_of_bent_files_only_those_without_a_picture_are_refused(first, tmp_path):
    """Of all 234 bends the shell refuses 95; 69 of those open with what is wrong with them, 26 hold no picture."""
    from Testing.Python.fuzz_cases import BENDS, make_case

    for number in range(first, min(first + 18, len(BENDS)), 6):
        path = make_case(7, number).scan.write(tmp_path / str(number))
        try:
            require_contrast(read_array4d(path)[0], "it")
        except InputError:
            continue
        assert read_anyway(path).array.size, make_case(7, number).done
