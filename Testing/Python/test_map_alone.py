"""A single CBF map, which is all that most archives hold: its noise, what the scanner did to it, its denoising."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from reading_builders import refusal, save

from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.pipeline.console import denoise
from ASLDenoiseLib.preparing.brain_mask import mask_of_perfusion, was_masked
from ASLDenoiseLib.preparing.image_noise import image_noise
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import CBF_UNIT, ASLSeries, Geometry, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.smoothing import blur

GEOMETRY = Geometry((56, 60, 24), (3.4, 3.4, 5.0))
GM, WM = 60.0, 20.0


def shells() -> tuple[np.ndarray, np.ndarray]:
    """Folded grey matter round white, some 1.2 litres: bool (K, J, I) each."""
    k, j, i = np.indices(GEOMETRY.shape)
    z, y, x = ((n - (size - 1) / 2) * s for n, size, s in zip((k, j, i), GEOMETRY.shape, (5.0, 3.4, 3.4), strict=True))
    radius = np.sqrt((x / 66) ** 2 + (y / 76) ** 2 + (z / 52) ** 2)
    folded = radius + 0.07 * np.sin(5 * np.arctan2(y, x))
    return (folded > 0.75) & (radius < 1), (folded <= 0.75) & (radius < 1)


def tissue() -> Tissue:
    gm, wm = shells()
    return Tissue(*(Volume(each, GEOMETRY) for each in (gm, wm)), None, Volume(gm | wm, GEOMETRY), source="made")


def noise(sd: float, fwhm: float = 0.0, seed: int = 0) -> np.ndarray:
    """Gaussian noise of that SD whose neighbours a filter has correlated."""
    white = np.random.default_rng(seed).normal(size=GEOMETRY.shape)
    made = blur(white, GEOMETRY.spacing, fwhm) if fwhm else white
    return sd * made / made.std()


def truth(fwhm: float = 0.0) -> np.ndarray:
    gm, wm = shells()
    plain = GM * gm + WM * wm
    return blur(plain, GEOMETRY.spacing, fwhm) if fwhm else plain


def masked(values: np.ndarray) -> np.ndarray:
    gm, wm = shells()
    return np.where(gm | wm, values, 0.0)


def series_of(values: np.ndarray) -> ASLSeries:
    return ASLSeries(values[None], GEOMETRY, (VolumeType.CBF,), name="map")


def codes(values: np.ndarray) -> dict:
    return {finding.code: finding for finding in inspect(series_of(values))}


def test_white_and_smoothed_noise_is_measured_right_and_so_is_its_width():
    inside = np.ones(GEOMETRY.shape, bool)
    for fwhm in (0.0, 5.0, 8.0):
        found = image_noise(noise(7.0, fwhm), inside, GEOMETRY.spacing)
        assert found.sigma == pytest.approx(7.0, rel=0.1)
        width = np.array(found.fwhm)
        assert (width < 3).all() if fwhm == 0 else np.allclose(width, fwhm, rtol=(0.1, 0.1, 0.25))


@pytest.mark.parametrize("fwhm", [0.0, 7.0])
def test_noise_of_a_masked_map_is_measured_through_its_anatomy(fwhm):
    gm, wm = shells()
    found = image_noise(masked(truth(fwhm) + noise(12.0, fwhm)), gm | wm, GEOMETRY.spacing)
    assert found.sigma == pytest.approx(12.0, rel=0.2)


def test_noise_of_two_slices_and_of_one_is_measured_in_plane():
    for slices in (1, 2):
        image = noise(5.0)[:slices]
        found = image_noise(image, np.ones(image.shape, bool), GEOMETRY.spacing)
        assert found.sigma == pytest.approx(5.0, rel=0.1) and found.fwhm[2] == 0


def test_an_even_image_has_no_noise_to_tell():
    assert image_noise(np.ones(GEOMETRY.shape), np.ones(GEOMETRY.shape, bool), GEOMETRY.spacing) is None
    few = np.zeros(GEOMETRY.shape, bool)
    few[5:7, 5:7, 5:7] = True
    assert image_noise(noise(5.0), few, GEOMETRY.spacing) is None


def test_the_estimate_is_told_in_a_finding_with_its_value():
    finding = codes(masked(truth() + noise(12.0)))["noise-from-image"]
    said = float(finding.why.split("noise SD of ")[1].split()[0])
    assert said == pytest.approx(12.0, rel=0.2)


def test_a_smoothed_map_is_told_apart_from_a_sharp_one():
    assert "map-smoothed" not in codes(masked(truth() + noise(8.0)))
    why = codes(masked(truth(7.0) + noise(8.0, 7.0)))["map-smoothed"].why
    assert "voxels of 3.4 x 3.4 x 5 mm" in why
    widths = why.split("Gaussian of ")[1].split(" mm")[0].split(" x ")
    assert [float(width) for width in widths] == pytest.approx([7] * 3, rel=0.15)


def test_a_masked_map_keeps_its_mask_and_the_rest_stays_not_measured():
    gm, wm = shells()
    values = masked(truth() + noise(8.0))
    finding = codes(values)["map-masked"]
    litres = (gm | wm).sum() * GEOMETRY.voxel_volume / 1000
    assert f"{litres:.0f} ml" in finding.why and "brain-from-perfusion" not in codes(values)
    result = denoise(series_of(values), tissue=tissue(), device="cpu")
    assert np.isnan(result.maps["desc-denoised_cbf"].array[~(gm | wm)]).all()
    assert np.isfinite(result.maps["desc-denoised_cbf"].array[gm | wm]).mean() > 0.99


def test_an_unmasked_map_finds_its_brain_even_where_negative_noise_was_cut_off():
    gm, wm = shells()
    for values in (truth() + noise(8.0), np.clip(truth() + noise(8.0), 0, None)):
        volume = Volume(values, GEOMETRY)
        assert not was_masked(volume)
        found = mask_of_perfusion(volume).array > 0
        assert 2 * (found & (gm | wm)).sum() / (found.sum() + (gm | wm).sum()) > 0.9
        assert "brain-from-perfusion" in codes(values)
    assert was_masked(Volume(masked(np.clip(truth() + noise(8.0), 0, None)), GEOMETRY))


def test_cut_off_values_are_found_below_and_above():
    values = masked(truth() + noise(15.0))
    assert "map-clipped" not in codes(values)
    below = codes(np.clip(values, 0, None))["map-clipped"]
    assert below.severity.value == "warning" and "exactly zero" in below.why
    above = codes(np.minimum(values, 80.0))["map-clipped"]
    assert "exactly the highest value, 80" in above.why


@pytest.mark.parametrize(("factor", "fix"), [(10.0, "0.1"), (0.01, "100")])
def test_a_map_in_another_unit_is_told_of_and_can_be_fixed(factor, fix):
    from ASLDenoiseLib.inspecting.fixes import apply_fix

    values = masked(truth() + noise(8.0))
    assert f"Multiply it by {fix}" in codes(values * factor)["cbf-unit"].remedy
    np.testing.assert_allclose(apply_fix(series_of(values * factor), "cbf-unit").array[0], values, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("sd", "fwhm"), [(3.0, 0.0), (8.0, 0.0), (16.0, 0.0), (8.0, 7.0)])
def test_a_denoised_map_keeps_unit_and_means_and_comes_nearer_to_the_truth(sd, fwhm):
    gm, wm = shells()
    values = masked(truth(fwhm) + noise(sd, fwhm))
    for known in (tissue(), None):
        result = denoise(series_of(values), tissue=known, device="cpu")
        raw, done = (result.maps[key] for key in ("desc-mean_cbf", "desc-denoised_cbf"))
        assert raw.unit == done.unit == CBF_UNIT
        np.testing.assert_array_equal(raw.array[gm | wm], values.astype(np.float32)[gm | wm])
        assert result.values()["gm_mean"] == pytest.approx(result.values("desc-mean_cbf")["gm_mean"], rel=0.02)
        assert done.array[gm | wm].mean() == pytest.approx(values[gm | wm].mean(), rel=0.01)
        errors = [np.sqrt(np.mean((each.array - truth(fwhm))[gm | wm] ** 2)) for each in (raw, done)]
        assert errors[1] < errors[0] or known is None
        assert {"noise-from-image", "audit-one-image"} <= {finding.code for finding in result.findings}


def test_a_file_named_cbf_is_read_as_a_cbf_map_beside_any_series(tmp_path):
    path = save(tmp_path / "sub-01_cbf.nii.gz", masked(truth()).T)
    (tmp_path / "sub-01_aslcontext.tsv").write_text("volume_type\n" + "control\nlabel\n" * 4)
    (tmp_path / "sub-01_asl.json").write_text(json.dumps({"LabelingDuration": [1.8] * 8, "M0Type": "Separate"}))
    series = read_series(path)
    assert (series.context, series.name, series.m0) == ((VolumeType.CBF,), "sub-01", None)
    assert series.acquisition.label_duration is None


def test_another_single_volume_has_to_be_called_a_cbf_map_or_a_difference(tmp_path):
    path = save(tmp_path / "perfusion.nii.gz", masked(truth()).T)
    refusal(read_series, path, mentions=("single 3D volume", "--context cbf or --context deltam"))
    for word in ("cbf", "deltam"):
        assert read_series(path, context=word).context == (VolumeType(word),)


def test_super_resolution_takes_a_single_volume_for_cbf_unless_it_is_told_otherwise(tmp_path):
    from ASLDenoiseLib.pipeline.reading_steps import series_of as read_for_a_run
    from ASLDenoiseLib.pipeline.request import SeriesFile

    path = save(tmp_path / "perfusion.nii.gz", masked(truth()).T * 10)
    assert read_for_a_run(SeriesFile(path), maps=True).context == (VolumeType.CBF,)
    assert read_for_a_run(SeriesFile(path, context="deltam"), maps=True).context == (VolumeType.DELTAM,)
    fixed = read_for_a_run(SeriesFile(path, fixes=("cbf-unit",)), maps=True)
    np.testing.assert_allclose(fixed.array[0], masked(truth()), rtol=1e-4, atol=1e-3)


def test_units_that_are_none_of_flow_are_refused(tmp_path):
    path = save(tmp_path / "sub-01_cbf.nii.gz", masked(truth()).T)
    for units, usable in (("mL/100 g/min", True), ("ml/100g/min", True), ("arbitrary", False)):
        (tmp_path / "sub-01_cbf.json").write_text(json.dumps({"Units": units}))
        if usable:
            assert read_series(path).context == (VolumeType.CBF,)
        else:
            refusal(read_series, path, mentions=("arbitrary", "--context deltam"))


def test_the_shell_denoises_a_map_and_writes_raw_beside_it(tmp_path, capsys):
    from ASLDenoiseLib.__main__ import main

    values = masked(truth() + noise(10.0))
    path = tmp_path / "sub-07_cbf.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values.astype(np.float32).T, GEOMETRY.affine_ras), path)
    options = ["--out", str(tmp_path / "out"), "--device", "cpu", "--progress", "none", "--no-scene"]
    assert main(["denoise", str(path), *options]) == 0
    assert "noise" in capsys.readouterr().out
    raw = nibabel.load(tmp_path / "out" / "sub-07_desc-mean_cbf.nii.gz").get_fdata().T
    np.testing.assert_allclose(raw[np.isfinite(raw)], values[np.isfinite(raw)], rtol=1e-5)
    assert (tmp_path / "out" / "sub-07_report.html").is_file()
