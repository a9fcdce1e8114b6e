"""The one door: what a series is read to, and the sentences it is refused with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from reading_builders import PAIRS, SIZE, head, refusal, save, series_array, write_series

from ASLDenoiseLib.inspecting.inspection import require_quantifiable
from ASLDenoiseLib.reading.read import read_series, swapped
from ASLDenoiseLib.series import M0Type, Origin, VolumeType


def test_a_bids_series_is_read_with_context_m0_and_origins(tmp_path):
    series = read_series(write_series(tmp_path, m0_sidecar={"RepetitionTimePreparation": 4.0}))
    assert series.name == "sub-01"
    assert series.array.shape == (16, *SIZE[::-1])
    assert [kind.value for kind in series.context] == list(PAIRS)
    assert series.m0.array.max() == 1000
    assert series.acquisition.m0_repetition_time == 4.0
    assert series.acquisition.origins["m0_repetition_time"] is Origin.SIDECAR
    assert series.source.endswith("sub-01_asl.nii.gz")
    require_quantifiable(series)


def test_a_folder_with_one_series_stands_for_it_and_with_two_is_refused(tmp_path):
    write_series(tmp_path / "perf")
    assert read_series(str(tmp_path)).name == "sub-01"
    assert read_series(tmp_path / "perf").name == "sub-01"
    write_series(tmp_path / "perf", stem="sub-01_run-2")
    refusal(read_series, tmp_path, mentions=("sub-01_asl.nii.gz", "sub-01_run-2_asl.nii.gz", "one of them"))


def test_an_image_that_is_a_link_has_the_sidecars_beside_the_link(tmp_path):
    path = write_series(tmp_path)
    store = tmp_path / "annex"
    store.mkdir()
    path.rename(store / "key.nii.gz")
    path.symlink_to(store / "key.nii.gz")
    series = read_series(path)
    assert (series.name, series.acquisition.post_labeling_delay) == ("sub-01", 1.8)
    assert series.m0 is not None


def test_included_m0_volumes_are_averaged_with_their_own_repetition_time(tmp_path):
    words = ("m0scan", "m0scan", "n/a", *PAIRS)
    array = series_array(words, noise=0)
    array[..., 1] *= 3
    times = [8.0, 8.0, 4.0, *([4.0] * 16)]
    keys = {"M0Type": "Included", "RepetitionTimePreparation": times}
    series = read_series(write_series(tmp_path, words=words, array=array, sidecar=keys, m0=None))
    assert series.m0.array.max() == 2000
    assert series.acquisition.m0_repetition_time == 8.0
    assert series.acquisition.repetition_time == 4.0
    assert series.context[2] is VolumeType.NOT_AVAILABLE
    assert len(series.array) == 19


def test_a_separate_m0_on_another_grid_comes_onto_the_grid_of_the_series(tmp_path):
    path = write_series(tmp_path)
    fine = np.full((40, 40, 10, 2), 500.0)
    fine[..., 1] = 700
    affine = np.diag([4.0, 4.0, 8.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(fine.astype(np.float32), affine), tmp_path / "sub-01_m0scan.nii.gz")
    m0 = read_series(path).m0
    assert m0.array.shape == SIZE[::-1]
    assert m0.array[5, 5, 5] == pytest.approx(600)
    assert np.isnan(m0.array[-1, -1, -1]), "outside the M0's field of view nothing was measured"
    affine[:3, 3] = 5000
    nibabel.save(nibabel.Nifti1Image(fine.astype(np.float32), affine), tmp_path / "sub-01_m0scan.nii.gz")
    refusal(read_series, path, mentions=("does not overlap",))


def test_m0_given_by_the_user_replaces_what_the_sidecar_says(tmp_path):
    path = write_series(tmp_path)
    estimate = read_series(path, m0=1234)
    assert estimate.m0 is None
    assert estimate.acquisition.m0_estimate == 1234
    assert estimate.acquisition.origins["m0_estimate"] is Origin.USER
    require_quantifiable(estimate)
    other = save(tmp_path / "else" / "calibration.nii.gz", 50 * head())
    (tmp_path / "else" / "calibration.json").write_text('{"RepetitionTime": 7}')
    given = read_series(path, m0=other)
    assert given.m0.array.max() == 50
    assert given.acquisition.m0_repetition_time == 7
    refusal(read_series, path, m0=-1.0, mentions=("-1", "positive"))
    refusal(read_series, path, m0=tmp_path, mentions=("folder",))


def test_m0_type_follows_from_what_is_there_when_it_is_not_stated(tmp_path):
    unstated = {"M0Type": None}
    separate = read_series(write_series(tmp_path / "a", sidecar=unstated)).acquisition
    assert (separate.m0_type, separate.origins["m0_type"]) == (M0Type.SEPARATE, Origin.IMAGE)
    words = ("m0scan", *PAIRS)
    included = read_series(write_series(tmp_path / "b", words=words, sidecar=unstated, m0=None))
    assert included.acquisition.m0_type is M0Type.INCLUDED
    assert read_series(write_series(tmp_path / "c", sidecar=unstated, m0=None)).m0 is None


def test_an_m0_that_is_promised_but_not_there_is_refused(tmp_path):
    refusal(read_series, write_series(tmp_path / "a", m0=None), mentions=("Separate", "_m0scan", "--m0"))
    path = write_series(tmp_path / "b", sidecar={"M0Type": "Included"})
    refusal(read_series, path, mentions=("Included", "m0scan", "--m0"))
    path = write_series(tmp_path / "c", sidecar={"M0Type": "Estimate"})
    refusal(read_series, path, mentions=("Estimate", "M0Estimate", "--m0"))
    absent = read_series(write_series(tmp_path / "d", sidecar={"M0Type": "Absent"}))
    assert absent.m0 is None


def test_context_can_be_given_as_words_or_as_a_file(tmp_path):
    path = write_series(tmp_path, words=None)
    assert read_series(path, context=["label", "control"]).context[0] is VolumeType.LABEL
    assert read_series(path, context="control,label").context[0] is VolumeType.CONTROL
    (tmp_path / "other.tsv").write_text("volume_type\n" + "control\nlabel\n" * 8)
    assert read_series(path, context=tmp_path / "other.tsv").context[0] is VolumeType.CONTROL
    refusal(read_series, path, mentions=("16 volumes", "--context control,label"))


def test_differences_and_cbf_alone_are_series_too(tmp_path):
    series = read_series(write_series(tmp_path / "a", words=("deltam",) * 3))
    assert len(series.indices(VolumeType.DELTAM)) == 3
    single = read_series(write_series(tmp_path / "b", words=("deltam",), array=head()))
    assert single.array.shape[0] == 1
    cbf = read_series(write_series(tmp_path / "c", words=("cbf",), sidecar={"PostLabelingDelay": None}))
    require_quantifiable(cbf)


def test_user_values_are_read_over_the_sidecar(tmp_path):
    path = write_series(tmp_path, sidecar={"PostLabelingDelay": 1800})
    series = read_series(path, values={"post_labeling_delay": 1.8, "m0_repetition_time": 9.0})
    assert series.acquisition.post_labeling_delay == 1.8
    assert series.acquisition.m0_repetition_time == 9.0
    require_quantifiable(series)


def test_swapping_exchanges_control_and_label_and_turns_differences(tmp_path):
    series = read_series(write_series(tmp_path / "a"))
    assert [kind.value for kind in swapped(series).context] == ["control", "label"] * 8
    assert swapped(swapped(series)).context == series.context
    differences = read_series(write_series(tmp_path / "b", words=("deltam",) * 2))
    np.testing.assert_array_equal(swapped(differences).array, -differences.array)


# The broken inputs a person is most likely to meet, each refused in one sentence that says what would fix it.


def test_broken_truncated_series(tmp_path):
    path = write_series(tmp_path)
    path.write_bytes(path.read_bytes()[:5000])
    refusal(read_series, path, mentions=("sub-01_asl.nii.gz", "truncated", "copy or export it again"))


def test_broken_not_a_nifti(tmp_path):
    path = write_series(tmp_path)
    path.write_text("volume_type\ncontrol\n")
    refusal(read_series, path, mentions=("sub-01_asl.nii.gz", "not a readable NIfTI"))


def test_broken_missing_file(tmp_path):
    refusal(read_series, tmp_path / "none_asl.nii.gz", mentions=("none_asl.nii.gz", "check the path"))


@pytest.mark.parametrize("count", [14, 18])
def test_broken_context_of_another_length(tmp_path, count):
    path = write_series(tmp_path, words=("label", "control") * (count // 2), array=series_array(PAIRS))
    refusal(read_series, path, mentions=(f"{count} volumes", "has 16", "one line a volume"))


def test_broken_no_pld(tmp_path):
    series = read_series(write_series(tmp_path, sidecar={"PostLabelingDelay": None}))
    refusal(require_quantifiable, series, mentions=("post-labelling delay is not stated", "--pld 1.8", "sidecar"))


def test_broken_no_label_duration(tmp_path):
    series = read_series(write_series(tmp_path, sidecar={"LabelingDuration": None}))
    refusal(require_quantifiable, series, mentions=("label duration is not stated", "--label-duration 1.8"))


def test_broken_json(tmp_path):
    path = write_series(tmp_path)
    (tmp_path / "sub-01_asl.json").write_text('{"PostLabelingDelay" 1.8}')
    refusal(read_series, path, mentions=("sub-01_asl.json", "not valid JSON", "correct it"))


def test_broken_milliseconds(tmp_path):
    series = read_series(write_series(tmp_path, sidecar={"PostLabelingDelay": 1800, "LabelingDuration": 1500}))
    refusal(require_quantifiable, series, mentions=("PostLabelingDelay", "milliseconds", "--pld 1.8"))


def test_broken_3d_only(tmp_path):
    path = write_series(tmp_path, words=None, array=head())
    refusal(read_series, path, mentions=("sub-01", "single 3D volume", "4D", "--context deltam"))
    path = write_series(tmp_path, words=("control",), array=head())
    refusal(read_series, path, mentions=("single 3D volume", "4D"))


def test_broken_all_nan_and_all_zero(tmp_path):
    path = write_series(tmp_path, array=np.full((*SIZE, 16), np.nan))
    refusal(read_series, path, mentions=("sub-01_asl.nii.gz", "NaN"))
    path = write_series(tmp_path, array=np.zeros((*SIZE, 16)))
    refusal(read_series, path, mentions=("sub-01_asl.nii.gz", "zero"))
    only_m0 = np.zeros((*SIZE, 17))
    only_m0[..., 0] = head()
    path = write_series(tmp_path, words=("m0scan", *PAIRS), array=only_m0)
    refusal(read_series, path, mentions=("perfusion volumes", "zero everywhere"))


@pytest.mark.parametrize("kind", ["control", "label"])
def test_broken_no_labels_or_no_controls(tmp_path, kind):
    missing = {"control": "label", "label": "control"}[kind]
    refusal(read_series, write_series(tmp_path, words=(kind,) * 16), mentions=(f"no {missing}", "--context"))


def test_broken_array_of_delays(tmp_path):
    path = write_series(tmp_path, sidecar={"PostLabelingDelay": [1.8] * 15})
    refusal(read_series, path, mentions=("15 values", "16 volumes"))


def test_reading_leaves_no_file_behind(tmp_path):
    path = write_series(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    read_series(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_importing_the_reader_loads_no_heavy_library(repo_root):
    heavy = "('nibabel', 'SimpleITK', 'scipy', 'torch', 'skimage', 'slicer', 'ants')"
    code = (
        "import sys, ASLDenoiseLib.reading.read, ASLDenoiseLib.inspecting.inspection, ASLDenoiseLib.reading.dicom\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.shared
def test_real_series_are_read_with_their_m0(shared_data):
    perf = shared_data / "real" / "sub-01" / "perf"
    grase = read_series(perf / "sub-01_acq-grase_asl.nii.gz")
    assert grase.array.shape == (18, 40, 96, 96)
    assert grase.name == "sub-01_acq-grase"
    assert grase.context[1] is VolumeType.NOT_AVAILABLE
    np.testing.assert_array_equal(grase.m0.array, grase.array[0])
    epi = read_series(perf / "sub-01_acq-epi_asl.nii.gz")
    assert epi.m0.geometry.matches(epi.geometry)
    assert epi.acquisition.m0_repetition_time == 2.0
    refusal(read_series, perf, mentions=("Several ASL series", "sub-01_acq-picore_asl.nii.gz"))


@pytest.mark.shared
def test_a_real_series_without_its_context_is_refused_and_mended_by_words(shared_data, tmp_path):
    perf = shared_data / "real" / "sub-01" / "perf"
    for name in ("sub-01_acq-grase_asl.nii.gz", "sub-01_acq-grase_asl.json"):
        shutil.copyfile(perf / name, tmp_path / name)
    path = tmp_path / "sub-01_acq-grase_asl.nii.gz"
    refusal(read_series, path, mentions=("18 volumes", "--context"))
    pattern = "m0scan,n/a,label,control"
    assert read_series(path, context=pattern).context == read_series(perf / path.name).context
    assert json.loads((tmp_path / "sub-01_acq-grase_asl.json").read_text("utf-8"))["M0Type"] == "Included"


def test_a_series_whose_m0_is_lost_can_be_said_to_have_none(tmp_path, capsys):
    from ASLDenoiseLib.__main__ import main

    path = write_series(tmp_path, m0=None, sidecar={"BackgroundSuppression": True})
    assert main(["inspect", str(path)]) == 2
    assert "state that there is none with --m0-type Absent" in capsys.readouterr().err
    assert main(["inspect", str(path), "--m0-type", "Absent"]) == 1
    assert read_series(path, values={"m0_type": "Absent"}).m0 is None
