"""DICOM folders: real Philips files through dcm2niix, and the choice among converted series."""

from __future__ import annotations

import subprocess

import dcm2niix
import numpy as np
import pytest
from reading_builders import refusal

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.dicom import philips_context, pick_asl, read_dicom
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.scan import Scan
from ASLDenoiseLib.reading.vendor_scaling import philips_m0_factor
from ASLDenoiseLib.series import Geometry, Origin, VolumeType

GRID = Geometry((4, 4, 3), (3.0, 3.0, 5.0))
PHANTOM = ("dicom", "philips-phantom-pcasl-3d")


def scan(name: str, *, volumes: int = 8, value: float = 1.0, **keys) -> Scan:
    array = np.full((volumes, *GRID.shape), value, np.float32)
    return Scan(array, GRID, {"SeriesDescription": name, "ConvertedName": name, **keys}, Origin.DICOM, name)


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
    assert philips_context(folder, Scan(shuffled, true.geometry, true.sidecar, Origin.DICOM)) is None
    assert philips_context(folder, Scan(true.array[:8], true.geometry, true.sidecar, Origin.DICOM)) is None


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
    np.testing.assert_allclose(scale * series.m0.array, truth.m0.array, rtol=1e-4)
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


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    refusal(read_series, tmp_path, mentions=(tmp_path.name, "no DICOM images", "give a NIfTI"))


def test_a_single_dicom_file_is_refused(tmp_path):
    (tmp_path / "0001.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 100)
    refusal(read_series, tmp_path / "0001.dcm", mentions=("0001.dcm", "folder that holds the whole series"))


def test_the_asl_series_is_picked_among_others_with_its_m0():
    m0 = scan("3D_pCASL_M0", volumes=1, value=5)
    chosen = pick_asl([scan("T1_MPRAGE", volumes=1), scan("3D_pCASL"), m0, scan("bold_rest")], where="x")
    assert chosen.name == "3D_pCASL"
    assert chosen.m0 is m0
    assert pick_asl([scan("pCASL_with_M0"), scan("T1", volumes=1)], where="x").name == "pCASL_with_M0"


def test_derived_maps_and_phase_images_do_not_hide_the_series():
    derived = scan("pCASL_relCBF", ImageType=["DERIVED", "PRIMARY", "ASL", "RELCBF"])
    phase = scan("pCASL_ph", ImageType=["ORIGINAL", "PRIMARY", "P"])
    assert pick_asl([derived, scan("pCASL"), phase], where="x").name == "pCASL"


def test_none_and_several_asl_series_are_refused_with_what_was_found():
    refusal(pick_asl, [scan("T1"), scan("performance")], where="x", mentions=("No ASL", "T1", "4x4x3, 8 volumes"))
    refusal(pick_asl, [scan("pCASL_a"), scan("pCASL_b")], where="x", mentions=("Several ASL", "pCASL_a", "pCASL_b"))


def test_split_control_and_label_outputs_are_put_together_in_pairs():
    joined = pick_asl([scan("pCASL_label", value=1), scan("pCASL_control", value=2)], where="x")
    assert joined.array[:, 0, 0, 0].tolist() == [2, 1] * 8
    assert joined.context == (VolumeType.CONTROL, VolumeType.LABEL) * 8
