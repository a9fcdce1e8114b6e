"""DICOM folders, of one series or of a whole examination, through dcm2niix."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import dcm2niix
import numpy as np
import pytest
from dicom_builders import (
    ASL,
    FINE,
    FINE_SPACING,
    GE_DIFFERENCE,
    GE_M0,
    MAGNITUDE,
    brain,
    pairs,
    write_dicom,
    write_examination,
)
from reading_builders import refusal

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.conversion import convert, settled_keys
from ASLDenoiseLib.reading.dicom import dicom_series, dicom_t1s, read_dicom
from ASLDenoiseLib.reading.dicom_tags import philips_volumes
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.scan import Scan
from ASLDenoiseLib.reading.study import find_t1, read_t1, series_in
from ASLDenoiseLib.reading.vendor_images import ImageKind, after_contrast, header_of, image_kind
from ASLDenoiseLib.reading.vendor_scaling import philips_m0_factor
from ASLDenoiseLib.series import Labeling, Origin, VolumeType

PHANTOM = ("dicom", "philips-phantom-pcasl-3d")
STUDY = ("dicom", "siemens-xa30i-phantom-study.tar.gz")
GE = "GE MEDICAL SYSTEMS"


def codes(findings) -> set[str]:
    return {finding.code for finding in findings}


# --- real files -----------------------------------------------------------------------------------------------------


@pytest.mark.shared
def test_a_philips_folder_is_read_in_its_control_label_order(shared_data):
    series = read_series(shared_data.joinpath(*PHANTOM))
    assert series.array.shape == (16, 14, 80, 80)
    assert [kind.value for kind in series.context] == ["control", "label"] * 8
    assert series.acquisition.field_strength == 3.0
    assert series.acquisition.repetition_time == pytest.approx(4.234, abs=1e-3)
    assert set(series.acquisition.origins.values()) == {Origin.DICOM}
    assert series.array.max() > 1e6, "Philips' precise scale, not the display scale"
    found = {finding.code: finding for finding in inspect(series)}
    assert "volume 1: 2.3" in found["dummy-volumes"].why
    assert "missing-pld" in found
    assert "control-label-swapped" not in found, "a gel phantom has no perfusion"


@pytest.mark.shared
def test_the_unsuppressed_pair_can_be_named_as_m0(shared_data):
    values = {"labeling": "PCASL", "post_labeling_delay": 2.0, "label_duration": 1.8, "background_suppression": True}
    pattern = "m0scan,m0scan,control,label"
    series = read_series(shared_data.joinpath(*PHANTOM), context=pattern, values=values)
    assert series.m0.array.mean() > 2 * series.mean(VolumeType.CONTROL).array.mean()
    assert series.acquisition.m0_repetition_time == pytest.approx(4.234, abs=1e-3)


@pytest.mark.shared
def test_the_philips_order_is_not_taken_on_trust(shared_data):
    folder = shared_data.joinpath(*PHANTOM)
    true = read_dicom(folder)
    shuffled = true.array[[0, 1, 4, 2, 3, *range(5, 16)]]
    assert philips_volumes(folder, Scan(shuffled, true.geometry, true.sidecar, Origin.DICOM)) is None
    assert philips_volumes(folder, Scan(true.array[:8], true.geometry, true.sidecar, Origin.DICOM)) is None


@pytest.mark.shared
def test_a_siemens_examination_is_read_with_its_labelling_and_its_t1(shared_data, tmp_path):
    """XA30, classic DICOM: a T1, a 2D pCASL whose seven volumes have a series number each, colour and t maps."""
    subprocess.run(["tar", "xzf", str(shared_data.joinpath(*STUDY)), "-C", str(tmp_path)], check=True)
    refusal(read_series, tmp_path, mentions=("7 volumes", "m0scan,label,control", "--context"))
    series = read_series(tmp_path, context="m0scan,label,control")
    assert series.array.shape == (7, 12, 64, 64)
    assert series.acquisition.labeling is Labeling.PCASL
    assert series.acquisition.post_labeling_delay == series.acquisition.label_duration == 1.8
    assert set(series.acquisition.origins.values()) <= {Origin.DICOM, Origin.IMAGE}
    assert codes(series.findings) == {"images-left-out", "vendor-maps"}
    found = find_t1(tmp_path)
    assert found.path == tmp_path and "anat-T1w_acq-tfl" in found.label
    assert read_t1(tmp_path).geometry.size == (128, 128, 96)
    one = sorted((tmp_path / "18003_asl_2d_tra").iterdir())[0]
    refusal(read_series, one, mentions=("single 3D volume",))


def converted(shared_data, place, *options: str):
    """The NIfTI that dcm2niix makes of the Philips phantom with `options`."""
    place.mkdir()
    folder = shared_data.joinpath(*PHANTOM)
    command = [dcm2niix.bin, *options, "-b", "y", "-z", "n", "-f", "x", "-o", str(place), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return place / "x.nii"


@pytest.mark.shared
def test_an_m0_in_philips_display_scale_is_brought_to_the_scale_of_the_series(shared_data, tmp_path):
    values = {"labeling": "PCASL", "post_labeling_delay": 2.0, "label_duration": 1.8, "background_suppression": True}
    comparable = converted(shared_data, tmp_path / "comparable")
    display = converted(shared_data, tmp_path / "display", "-p", "n")
    series = read_series(comparable, m0=display, context="control,label", values=values)
    truth = read_series(comparable, m0=comparable, context="control,label", values=values)
    scale = series.acquisition.m0_scale
    assert scale == pytest.approx(1 / (1.25788 * 1.19602e-05))
    assert series.acquisition.origins["m0_scale"] is Origin.SIDECAR
    # its volumes are laid on each other, which moves the faintest voxels by rounding
    np.testing.assert_allclose(scale * series.m0.array, truth.m0.array, rtol=1e-4, atol=1e-7 * truth.m0.array.max())
    assert truth.acquisition.m0_scale is None
    notes = [f for f in inspect(series) if f.code == "philips-scaling" and f.severity is Severity.NOTE]
    assert "multiplied by 6.647e+04" in notes[0].why
    user = read_series(comparable, m0=display, context="control,label", values={**values, "m0_scale": 1})
    assert user.acquisition.m0_scale == 1, "what the user states is not overruled"


def test_philips_slopes_tell_a_factor_only_where_both_sidecars_have_them():
    slopes = {"PhilipsRescaleSlope": 2.0, "PhilipsScaleSlope": 0.01, "UsePhilipsFloatNotDisplayScaling": 0}
    assert philips_m0_factor(slopes, {**slopes, "PhilipsScaleSlope": 0.04}) == pytest.approx(0.25)
    assert philips_m0_factor(slopes, {**slopes, "UsePhilipsFloatNotDisplayScaling": 1}) == pytest.approx(0.02)
    assert philips_m0_factor(slopes, slopes) == 1
    for broken in ({}, {**slopes, "PhilipsScaleSlope": 0}, {**slopes, "PhilipsRescaleSlope": "2"}):
        assert philips_m0_factor(slopes, broken) is None
        assert philips_m0_factor(broken, slopes) is None


# --- a whole examination --------------------------------------------------------------------------------------------


def test_the_series_its_m0_and_the_t1_are_found_in_a_whole_examination(tmp_path):
    folder = write_examination(tmp_path / "study")
    series = read_series(folder, context="control,label")
    assert series.name == "pcasl-3d" and len(series.array) == 12 and series.source == str(folder)
    assert series.m0.array.max() > 1.5 * series.array.max()
    said = {finding.code: finding for finding in series.findings}
    assert set(said) == {"images-left-out", "vendor-maps"}
    assert "series 7: pcasl_3d_colour, in colour" in said["images-left-out"].why
    assert "relCBF" in said["vendor-maps"].why and "CBF map of the scanner" in said["vendor-maps"].why
    assert codes(inspect(series)) >= set(said), "what reading said is among the findings of the inspection"
    t1 = read_t1(folder)
    assert t1.geometry.size == FINE and t1.name == "t1-mprage-sag"
    assert "t1_mprage_sag" in find_t1(folder).label


def test_an_examination_is_converted_once_for_series_and_t1_and_again_when_a_file_changes(tmp_path, monkeypatch):
    calls, true = [], subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **how: calls.append(args) or true(*args, **how))
    folder = write_examination(tmp_path / "study")
    series_in(folder), read_series(folder, context="control,label"), find_t1(folder), read_t1(folder)
    assert len(calls) == 1
    for path in (folder / "t1").iterdir():
        path.unlink()
    assert find_t1(folder) is None
    assert len(calls) == 2


def test_voxels_of_images_that_nobody_uses_are_not_read(tmp_path, monkeypatch):
    from ASLDenoiseLib.reading import conversion

    read, true = [], conversion.read_array4d
    monkeypatch.setattr(conversion, "read_array4d", lambda path: read.append(path.name) or true(path))
    read_series(write_examination(tmp_path / "study"), context="control,label")
    assert read == ["5_pcasl_3d.nii", "4_pcasl_M0.nii"]


def test_an_error_of_the_converter_after_it_made_images_is_a_warning(tmp_path, monkeypatch):
    folder, true = write_examination(tmp_path / "study"), subprocess.run

    def failing(command, **how):
        done = true(command, **how)
        return subprocess.CompletedProcess(command, 8, done.stdout, b"Error: some slices are missing\n")

    monkeypatch.setattr(subprocess, "run", failing)
    series = read_series(folder, context="control,label")
    (said,) = [f for f in series.findings if f.code == "conversion-incomplete"]
    assert said.severity is Severity.WARNING and "some slices are missing" in said.why


def test_a_damaged_m0_is_said_and_the_series_is_read(tmp_path):
    write_dicom(tmp_path, pairs(), 5, "pcasl", *ASL)
    write_dicom(tmp_path, [0 * brain()], 4, "pcasl_M0", *ASL)
    series = read_series(tmp_path, context="control,label")
    assert series.m0 is None
    (said,) = [f for f in series.findings if f.code == "images-left-out"]
    assert "'pcasl_M0' (series 4)" in said.why and str(tmp_path) in said.why and "asldenoise-" not in said.why


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    refusal(read_series, tmp_path, mentions=(tmp_path.name, "no DICOM images", "give a NIfTI"))
    (tmp_path / "pcasl.nii.gz").write_bytes(b"")
    refusal(read_series, tmp_path, mentions=(tmp_path.name, "pcasl.nii.gz", "give one of these"))


def test_a_folder_without_asl_is_refused_with_what_it_holds(tmp_path):
    write_dicom(tmp_path, [brain(size=FINE)], 2, "t1_mprage", *MAGNITUDE, spacing=FINE_SPACING)
    write_dicom(tmp_path, pairs(2), 3, "performance_bold", "ORIGINAL", "PRIMARY", "M")
    refusal(read_series, tmp_path, mentions=("No ASL", "series 2: t1_mprage", "20x22x8, 4 volumes"))
    write_dicom(tmp_path / "asl", pairs(2), 4, "asl", *ASL)
    refusal(read_t1, tmp_path / "asl", mentions=("No T1", "series 4: asl", "--t1"))


def test_a_file_stands_for_the_series_it_belongs_to(tmp_path):
    write_dicom(tmp_path, pairs(4), 5, "pcasl_a", *ASL)
    write_dicom(tmp_path, pairs(6), 7, "pcasl_b", *ASL)
    write_dicom(tmp_path, [brain(size=FINE)], 9, "t1_mprage", *MAGNITUDE, spacing=FINE_SPACING)
    assert len(read_series(sorted(tmp_path.glob("007_*"))[3], context="control,label").array) == 12
    refusal(read_series, sorted(tmp_path.glob("009_*"))[0], mentions=("series 9", "no ASL series", "pcasl_a"))


def test_a_file_that_is_no_more_than_dicom_s_mark_is_refused(tmp_path):
    (tmp_path / "0001.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 100)
    refusal(read_series, tmp_path / "0001.dcm", mentions=("no DICOM images", str(tmp_path)))


# --- several series, several M0 -------------------------------------------------------------------------------------


def test_several_series_are_listed_with_the_numbers_to_choose_by(tmp_path):
    write_dicom(tmp_path / "b", pairs(4), 12, "pcasl_second", *ASL)
    write_dicom(tmp_path / "a", pairs(6), 7, "pcasl_first", *ASL)
    refusal(read_series, tmp_path, mentions=("7: pcasl_first", "12: pcasl_second", "with --series 7"))
    assert [(each.number, each.path) for each in series_in(tmp_path)] == [(7, tmp_path), (12, tmp_path)]
    assert read_series(tmp_path, series=12, context="control,label").name == "pcasl-second"
    refusal(read_series, tmp_path, series=2, mentions=("no ASL series 2", "12: pcasl_second"))


def test_series_of_one_number_are_counted(tmp_path):
    """Two examinations in one folder, say."""
    write_dicom(tmp_path / "a", pairs(4), 7, "pcasl_first", *ASL)
    write_dicom(tmp_path / "b", pairs(6), 7, "pcasl_second", *ASL, uid="2")
    assert [each.number for each in series_in(tmp_path)] == [1, 2]
    assert read_series(tmp_path, series=2, context="control,label").name == "pcasl-second"


def test_the_m0_nearest_to_the_series_is_taken_and_said(tmp_path):
    write_dicom(tmp_path, [brain(3000)], 4, "pcasl_M0", *ASL, shift=30.0)
    write_dicom(tmp_path, pairs(), 5, "pcasl", *ASL)
    write_dicom(tmp_path, [brain(2000)], 8, "pcasl_M0", *ASL)
    write_dicom(tmp_path, [brain(1500)], 9, "pcasl_M0", *ASL)
    series = read_series(tmp_path, context="control,label")
    assert series.m0.array.max() == pytest.approx(2000 * 1.06, rel=0.03), "the grid counts before the number"
    (said,) = [f for f in series.findings if f.code == "m0-chosen"]
    assert "series 8" in said.why.split("nearest")[0] and "series 4" in said.why and "series 9" in said.why


def test_m0s_that_are_equally_near_are_listed(tmp_path):
    write_dicom(tmp_path, pairs(), 5, "pcasl", *ASL)
    for number, time in ((4, "100400"), (6, "100600")):
        write_dicom(tmp_path, [brain(2000)], number, "pcasl_M0", *ASL, t0008_0032=time)
    write_dicom(tmp_path, pairs(), 5, "pcasl", *ASL, t0008_0032="100500")
    refusal(read_series, tmp_path, context="control,label", mentions=("equally near", "series 4", "series 6", "--m0"))


def test_an_m0_is_taken_from_a_folder_of_dicom(tmp_path):
    write_dicom(tmp_path / "asl", pairs(), 5, "pcasl", *ASL)
    write_dicom(tmp_path / "m0", [brain(2500)], 9, "reference", *MAGNITUDE)
    series = read_series(tmp_path / "asl", context="control,label", m0=tmp_path / "m0")
    assert series.m0.array.max() == pytest.approx(2500 * 1.06, rel=0.03)
    write_dicom(tmp_path / "m0", [brain(2500)], 10, "another", *MAGNITUDE)
    how = {"context": "control,label", "m0": tmp_path / "m0"}
    refusal(read_series, tmp_path / "asl", **how, mentions=("No M0", "series 9: reference", "--m0"))


def test_coil_calibrations_are_no_m0(tmp_path):
    write_dicom(tmp_path, pairs(), 5, "pcasl", *ASL)
    write_dicom(tmp_path, [brain(3000)], 2, "ASSET calibration", *MAGNITUDE)
    assert read_series(tmp_path, context="control,label").m0 is None


# --- vendors --------------------------------------------------------------------------------------------------------


def test_ge_s_difference_and_m0_of_one_series_are_told_apart(tmp_path):
    free = write_dicom(tmp_path, [brain(500)], 6, "3D ASL", *GE_DIFFERENCE, maker=GE)
    write_dicom(tmp_path, [brain(1000)], 6, "3D ASL", *GE_M0, maker=GE, first=free)
    write_dicom(tmp_path, [brain(60)], 600, "CBF:Jan 10 2020 09-05-18", "DERIVED", "PRIMARY", "CBF", "CBF", maker=GE)
    series = read_series(tmp_path)
    assert series.context == (VolumeType.DELTAM,)
    middle = tuple(n // 2 for n in series.geometry.shape)
    assert series.array[0][middle] == pytest.approx(500, rel=0.05)
    assert series.m0.array[middle] == pytest.approx(1000, rel=0.05)
    (said,) = series.findings
    assert said.code == "vendor-maps" and "CBF:Jan 10" in said.why


def test_ge_s_m0_of_another_series_and_its_types_with_an_underline_are_known(tmp_path):
    """PERFUSION_ASL, which dcm2niix writes as two words."""
    write_dicom(tmp_path, [brain(500)], 6, "3D ASL", "DERIVED", "PRIMARY", "ASL", "PERFUSION_ASL", maker=GE)
    write_dicom(tmp_path, [brain(1000)], 7, "(PD) 3D ASL", *GE_M0, maker=GE)
    write_dicom(tmp_path, [brain(3000)], 1, "Calibration Scan", "ORIGINAL", "PRIMARY", "OTHER", maker=GE)
    series = read_series(tmp_path)
    assert series.context == (VolumeType.DELTAM,) and 900 < series.m0.array.max() < 1200


def test_ge_s_difference_alone_is_a_difference_and_its_m0_alone_is_no_series(tmp_path):
    write_dicom(tmp_path / "d", [brain(500)], 6, "3D ASL", *GE_DIFFERENCE, maker=GE)
    assert read_series(tmp_path / "d").context == (VolumeType.DELTAM,)
    write_dicom(tmp_path / "m", [brain(500)], 6, "3D ASL", *GE_M0, maker=GE)
    refusal(read_series, tmp_path / "m", context="deltam", mentions=("No ASL series", "3D ASL", "1 volume, M0"))


def test_the_one_delay_stated_of_several_ge_differences_is_not_taken(tmp_path):
    """eASL exports a difference a delay, and one inversion time (ExploreASL issue 1516)."""
    from ASLDenoiseLib.reading.dicom import DicomSeries, load_series

    write_dicom(tmp_path, [brain(500 - 50 * n) for n in range(3)], 6, "eASL", *GE_DIFFERENCE, maker=GE)
    series = read_series(tmp_path)
    assert series.context == (VolumeType.DELTAM,) * 3
    assert codes(series.findings) == {"ge-several-differences"}
    (found,) = dicom_series(convert(tmp_path))
    stated = replace(found.first, sidecar={**found.first.sidecar, "PostLabelingDelay": 0.7, "LabelingDuration": 3.5})
    scan = load_series(DicomSeries(6, (stated,)))
    assert "PostLabelingDelay" not in scan.sidecar and "PostLabelingDelay 0.7 s" in scan.findings[0].why


def test_philips_source_images_are_the_series_and_what_was_made_of_them_is_not(tmp_path):
    write_dicom(tmp_path, pairs(2), 401, "3D pCASL", "ORIGINAL", "PRIMARY", "M", maker="Philips")
    write_dicom(tmp_path, pairs(4), 402, "SOURCE - 3D pCASL", "ORIGINAL", "PRIMARY", "M", maker="Philips")
    (found,) = dicom_series(convert(tmp_path))
    assert found.number == 402 and found.first.volumes == 8


def test_controls_and_labels_that_are_apart_are_put_together_in_pairs(tmp_path):
    write_dicom(tmp_path, [brain(990, seed=n) for n in range(4)], 6, "pCASL_label", *ASL)
    write_dicom(tmp_path, [brain(1000, seed=n) for n in range(4)], 7, "pCASL_control", *ASL)
    series = read_series(tmp_path)
    assert series.context == (VolumeType.CONTROL, VolumeType.LABEL) * 4
    assert all(series.array[0::2].sum(axis=(1, 2, 3)) > series.array[1::2].sum(axis=(1, 2, 3)))


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("ASL series", {"SeriesDescription": "ep2d_pcasl", "ImageType": ASL}),
        ("ASL series", {"SeriesDescription": "perfusion", "ImageType": MAGNITUDE}),
        ("other", {"SeriesDescription": "ep2d_perf DSC", "ImageType": MAGNITUDE}),
        ("map of the scanner", {"SeriesDescription": "Perfusion_Weighted", "ImageType": ["DERIVED", "ASL", "SUB"]}),
        ("map of the scanner", {"SeriesDescription": "MoCoSeries", "ImageType": ["ORIGINAL", "ASL", "MOCO"]}),
        ("CBF map of the scanner", {"SeriesDescription": "relCBF", "ImageType": ["DERIVED", "ASL", "RELCBF"]}),
        ("CBF map of the scanner", {"SeriesDescription": "Cerebral Blood Flow", "ImageType": ["DERIVED", "SECONDARY"]}),
        ("map of the scanner", {"SeriesDescription": "Transit delay", "ImageType": ["DERIVED", "ASL"]}),
        ("other", {"SeriesDescription": "pcasl_phase", "ImageType": ["ORIGINAL", "PRIMARY", "P"]}),
    ],
)
def test_an_image_is_what_its_header_says(kind, keys):
    header = header_of({**keys, "ImageType": list(keys["ImageType"])}, volumes=20, spacing=(3.0, 3.0, 5.0))
    assert image_kind(header).value == kind


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("t1_mpr_sag", {}),
        ("Sag BRAVO", {}),
        ("sT1W_3D_TFE", {}),
        ("head", {"MRAcquisitionType": "3D", "ScanningSequence": "GR\\IR", "InversionTime": 0.9}),
        ("x", {"BidsGuess": ["anat", "_acq-tfl3p2_run-5_T1w"]}),
        ("t1_mp2rage_UNI_Images", {"ImageType": ["DERIVED", "PRIMARY", "M", "UNI"]}),
    ],
)
def test_a_t1_is_known_by_name_by_guess_or_by_its_sequence(name, keys):
    keys = {"SeriesDescription": name, "ImageType": list(MAGNITUDE), **keys}
    assert image_kind(header_of(keys, volumes=1, spacing=(1.0, 1.0, 1.0))) is ImageKind.T1
    assert image_kind(header_of(keys, volumes=1, spacing=(1.0, 1.0, 6.0))) is not ImageKind.T1, "too coarse"
    assert image_kind(header_of(keys, volumes=2, spacing=(1.0, 1.0, 1.0))) is not ImageKind.T1


@pytest.mark.parametrize(
    "name", ["localizer", "AAHead_Scout", "T2 FLAIR", "tof_3d", "t1_map", "mp2rage_INV1", "b1map_tfl"]
)
def test_other_fine_images_are_no_t1(name):
    keys = {"SeriesDescription": name, "ImageType": list(MAGNITUDE), "MRAcquisitionType": "3D"}
    assert image_kind(header_of(keys, volumes=1, spacing=(1.0, 1.0, 1.0))) is ImageKind.OTHER


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("Ax 3D T1 BRAVO +C", True),
        ("t1_mprage_post", True),
        ("t1 mprage KM", True),
        ("T1 CE", True),
        ("t1_mprage", False),
        ("T1 pre contrast", False),
        ("t1 non-contrast", False),
        ("posterior", False),
    ],
)
def test_contrast_agent_is_known_by_the_description(name, after):
    assert after_contrast(header_of({"SeriesDescription": name}, volumes=1, spacing=(1.0, 1.0, 1.0))) is after


def test_the_t1_before_contrast_agent_is_preferred(tmp_path):
    write_dicom(tmp_path, [brain(900, size=FINE)], 2, "t1_mprage post Gd", *MAGNITUDE, spacing=FINE_SPACING)
    write_dicom(tmp_path, [brain(500, size=FINE)], 9, "t1_mprage", *MAGNITUDE, spacing=FINE_SPACING)
    assert [image.number for image in dicom_t1s(convert(tmp_path))] == [9, 2]
    assert read_t1(tmp_path).array.max() < 600


def test_the_duration_of_the_pulse_train_is_no_delay():
    """Of (0018,9258); dcm2niix issue 748: label 0.8 s, delay 2 s, written as a delay of 0.8 s."""
    siemens = [("Manufacturer", "Siemens"), ("PostLabelingDelay", 0.8)]
    assert settled_keys(siemens) == {"Manufacturer": "Siemens", "LabelingDuration": 0.8}
    both = [("Manufacturer", "Siemens"), ("LabelingDuration", 0.8), ("PostLabelingDelay", 2.0)]
    assert settled_keys(both) == dict(both)
    assert settled_keys([*both, ("PostLabelingDelay", 0.8)]) == dict(both)
    ge = [("Manufacturer", "GE"), ("PostLabelingDelay", 2.025)]
    assert settled_keys(ge) == dict(ge)
    pasl = [*siemens, ("ArterialSpinLabelingType", "PASL")]
    assert settled_keys(pasl) == dict(pasl)


def test_a_sidecar_with_odd_characters_does_not_stop_the_reading(tmp_path, monkeypatch):
    write_dicom(tmp_path, pairs(3), 5, "pcasl", *ASL)
    true = subprocess.run

    def odd(command, **how):
        done = true(command, **how)
        from pathlib import Path

        (written,) = Path(command[command.index("-o") + 1]).glob("*.json")
        content = json.loads(written.read_text("utf-8"))
        text = json.dumps({**content, "InstitutionName": "XX"}).replace("XX", "Universit\xe4t\tOst")
        written.write_bytes(text.encode("latin-1"))
        return done

    monkeypatch.setattr(subprocess, "run", odd)
    assert read_series(tmp_path, context="control,label").acquisition.field_strength == 3


# --- several patients and examinations ------------------------------------------------------------------------------


def test_m0_and_t1_of_another_patient_are_never_taken(tmp_path):
    for patient, number in (("A", 10), ("B", 20)):
        who = {"t0010_0020": patient, "t0010_0010": f"Made^{patient}", "t0020_000d": f"1.2.3.{number}"}
        write_dicom(tmp_path / patient, pairs(), number + 1, f"pcasl_{patient}", *ASL, **who)
        if patient == "B":
            write_dicom(tmp_path / patient, [brain(2000)], number + 2, "pcasl_M0", *ASL, **who)
            t1 = [brain(800, size=FINE)]
            write_dicom(tmp_path / patient, t1, number + 3, "t1_mprage", *MAGNITUDE, spacing=FINE_SPACING, **who)
    first = read_series(tmp_path, series=11, context="control,label")
    assert first.m0 is None and find_t1(tmp_path, series=11) is None
    refusal(read_t1, tmp_path, number=11, mentions=("No T1",))
    assert read_series(tmp_path, series=21, context="control,label").m0 is not None
    assert "t1_mprage" in find_t1(tmp_path, series=21).label
    assert not any(key.startswith("PatientN") or "UID" in key for i in convert(tmp_path).images for key in i.sidecar)


def test_a_t1_of_another_examination_of_the_patient_is_said_to_be_that(tmp_path):
    write_dicom(tmp_path / "now", pairs(), 5, "pcasl", *ASL, t0020_000d="1.2.3.1")
    t1 = {"spacing": FINE_SPACING, "t0020_000d": "1.2.3.2"}
    write_dicom(tmp_path / "before", [brain(size=FINE)], 7, "t1_mprage", *MAGNITUDE, **t1)
    found = find_t1(tmp_path)
    assert "of another examination" in found.label and "of another examination" in found.note
    write_dicom(tmp_path / "now", [brain(size=FINE)], 8, "t1_mprage", *MAGNITUDE, spacing=FINE_SPACING)
    write_dicom(tmp_path / "now", pairs(), 5, "pcasl", *ASL)
    assert "series 8" in find_t1(tmp_path).label.split(";")[0], "that of the same examination comes first"
    assert "of another examination" not in find_t1(tmp_path).label


def test_gzipped_files_of_a_study_are_unpacked_and_a_damaged_one_is_left_out(tmp_path):
    import gzip

    plain = tmp_path / "plain"
    write_dicom(plain, [brain(), *pairs(2)], 5, "asl_pcasl", *ASL)
    deep = tmp_path / "packed" / "deep"
    deep.mkdir(parents=True)
    for path in plain.iterdir():
        (deep / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    (deep / "damaged.dcm.gz").write_bytes(b"damaged")
    (deep / "notes.txt.gz").write_bytes(gzip.compress(b"not an image"))
    whole, packed = (convert(folder).images for folder in (plain, tmp_path / "packed"))
    assert [image.title for image in packed] == [image.title for image in whole] == ["asl_pcasl"]
