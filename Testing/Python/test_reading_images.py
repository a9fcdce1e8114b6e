"""Image files are read whole and in place, or refused in one sentence."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from reading_builders import SIZE, head, refusal, save

from ASLDenoiseLib.reading.images import image_stem, read_array4d, read_image


def test_image_is_read_in_kji_order_and_lps(tmp_path):
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    affine = np.array([[2.0, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "x.nii.gz")
    volume = read_image(tmp_path / "x.nii.gz", unit="ml/100g/min")
    assert volume.array.dtype == np.float32
    np.testing.assert_array_equal(volume.array, values.transpose(2, 1, 0))
    assert volume.geometry.spacing == (2, 3, 4)
    assert volume.geometry.origin == (-10, -20, 30)
    np.testing.assert_allclose(volume.geometry.affine_ras, affine)
    assert (volume.unit, volume.name) == ("ml/100g/min", "x")


def test_slope_and_intercept_are_applied(tmp_path):
    image = nibabel.Nifti1Image(np.full((4, 4, 4), 10, np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 2.0)
    image.to_filename(tmp_path / "x.nii")
    # nibabel rescales on saving, so the stored integers differ; the values must come back.
    raw = bytearray((tmp_path / "x.nii").read_bytes())
    raw[112:116] = np.float32(0.5).tobytes()
    raw[116:120] = np.float32(2.0).tobytes()
    raw[352:] = np.full(64, 10, np.int16).tobytes()
    (tmp_path / "x.nii").write_bytes(raw)
    np.testing.assert_array_equal(read_image(tmp_path / "x.nii").array, 7.0)


def test_mgz_and_a_4d_file_of_one_volume_are_images(tmp_path):
    nibabel.save(nibabel.MGHImage(np.ones((3, 4, 5), np.float32), np.eye(4)), tmp_path / "x.mgz")
    assert read_image(tmp_path / "x.mgz").array.shape == (5, 4, 3)
    save(tmp_path / "one.nii.gz", head()[..., None])
    assert read_image(tmp_path / "one.nii.gz").array.shape == SIZE[::-1]


def test_a_4d_series_keeps_its_volumes_in_order(tmp_path):
    save(tmp_path / "s.nii.gz", np.stack([head(), 2 * head(), 3 * head()], axis=-1))
    array, geometry = read_array4d(tmp_path / "s.nii.gz")
    assert array.shape == (3, *SIZE[::-1])
    assert geometry.size == SIZE
    assert [v.max() for v in array] == [1, 2, 3]
    refusal(read_image, tmp_path / "s.nii.gz", mentions=("s.nii.gz", "3 volumes", "3D"))


def test_nan_voxels_stay_nan(tmp_path):
    values = head()
    values[0, 0, 0] = np.nan
    volume = read_image(save(tmp_path / "x.nii.gz", values))
    assert np.isnan(volume.array[0, 0, 0])
    assert np.isnan(volume.array).sum() == 1


def test_missing_empty_and_foreign_files_are_refused(tmp_path):
    refusal(read_image, tmp_path / "no.nii", mentions=("no.nii", "check the path"))
    (tmp_path / "empty.nii.gz").write_bytes(b"")
    refusal(read_image, tmp_path / "empty.nii.gz", mentions=("empty.nii.gz", "is empty"))
    (tmp_path / "text.nii").write_text("this is no image " * 50)
    refusal(read_image, tmp_path / "text.nii", mentions=("text.nii", "not a readable"))
    (tmp_path / "text.nii.gz").write_text("this is no image")
    refusal(read_image, tmp_path / "text.nii.gz", mentions=("text.nii.gz", "not a readable"))


def test_truncated_files_are_refused_packed_or_not(tmp_path):
    noise = np.random.default_rng(0).normal(size=(*SIZE, 3))
    for name in ("t.nii", "t.nii.gz"):
        whole = save(tmp_path / name, noise).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        refusal(read_array4d, tmp_path / name, mentions=(name, "truncated"))
    (tmp_path / "t.nii.gz").write_bytes(whole[:40])
    refusal(read_array4d, tmp_path / "t.nii.gz", mentions=("t.nii.gz",))


def test_void_and_complex_images_are_refused(tmp_path):
    refusal(read_image, save(tmp_path / "nan.nii", np.full((4, 4, 4), np.nan)), mentions=("nan.nii", "NaN"))
    refusal(read_image, save(tmp_path / "zero.nii", np.zeros((4, 4, 4))), mentions=("zero.nii", "zero"))
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.complex64), np.eye(4)), tmp_path / "c.nii")
    refusal(read_image, tmp_path / "c.nii", mentions=("c.nii", "real numbers", "magnitude"))


def test_stem_leaves_off_double_endings(tmp_path):
    assert image_stem(tmp_path / "sub-01_asl.nii.gz") == "sub-01_asl"
    assert image_stem(tmp_path / "a.b.nii") == "a.b"


@pytest.mark.parametrize(("unit", "millimetres"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)])
def test_the_unit_of_length_that_a_header_states_is_converted_to_mm(tmp_path, unit, millimetres):
    affine = np.diag([4 / millimetres, 4 / millimetres, 6 / millimetres, 1.0])
    image = nibabel.Nifti1Image(np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32), affine)
    image.header.set_xyzt_units(unit, "sec")
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert read_array4d(tmp_path / "a.nii.gz")[1].spacing == pytest.approx((4, 4, 6))
    image.set_sform(np.diag([4.0, 4.0, 6.0, 1.0]), code=1)  # in mm, whatever the header says
    nibabel.save(image, tmp_path / "b.nii.gz")
    assert read_array4d(tmp_path / "b.nii.gz")[1].spacing == pytest.approx((4, 4, 6))
