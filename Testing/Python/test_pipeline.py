"""The whole way on the sample series, whose truth is known, and on real series."""

import numpy as np
import pytest

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.measuring.image_quality import bias, psnr
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import register_rigid
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.resources import sample_data
from ASLDenoiseLib.series import Severity, VolumeType


@pytest.fixture(scope="module")
def sample():
    files = sample_data()
    return read_series(files.asl), read_image(files.t1), read_image(files.truth)


@pytest.fixture(scope="module")
def result(sample):
    series, t1, _ = sample
    return pipeline.denoise(series, t1=t1, device="cpu")


def test_the_sample_is_denoised_closer_to_its_truth_without_moving_tissue(sample, result):
    _, _, truth = sample
    raw, denoised = result.maps["desc-mean_cbf"].array, result.maps["desc-denoised_cbf"].array
    inside = np.isfinite(denoised) & (truth.array > 0)
    assert psnr(denoised, truth.array, inside) > psnr(raw, truth.array, inside) + 3
    for tissue in (result.tissue.gm, result.tissue.wm):
        assert abs(bias(denoised, truth.array, inside & (tissue.array > 0.8))) < 5


def test_denoising_gets_nearer_the_truth_than_a_blur_of_the_same_noise(sample, result):
    _, _, truth = sample
    denoised, blurred = result.maps["desc-denoised_cbf"].array, result.maps["desc-smoothed_cbf"].array
    inside = np.isfinite(denoised) & np.isfinite(blurred) & (truth.array > 0)
    assert psnr(denoised, truth.array, inside) > psnr(blurred, truth.array, inside)


def test_the_raw_map_comes_first_and_every_map_has_a_unit_or_is_a_difference(result):
    assert next(iter(result.maps)) == "desc-mean_cbf"
    assert {v.unit for k, v in result.maps.items() if k.endswith("_cbf")} == {"ml/100g/min"}


def test_cbf_is_finite_in_the_brain_and_not_measured_outside(sample, result):
    series, _, _ = sample
    brain = brain_mask(series.m0).array > 0
    for key in ("desc-mean_cbf", "desc-denoised_cbf"):
        measured = np.isfinite(result.maps[key].array)
        assert measured[brain].mean() > 0.99 and not measured[~brain].any()


def test_every_parameter_that_entered_has_an_origin_and_the_model_its_hash(result):
    names = {p.name for p in result.parameters}
    needed = {"post_labeling_delay", "label_duration", "labeling_efficiency", "t1_blood", "model", "guides"}
    assert needed <= names
    assert all(p.origin.value for p in result.parameters) and len(result.model["sha256"]) == 64


def test_the_two_maps_readouts_come_in_the_same_order(result):
    raw, denoised = (result.readouts[k] for k in ("desc-mean_cbf", "desc-denoised_cbf"))
    assert [r.name for r in raw] == [r.name for r in denoised]
    snr = {k: next(r.value for r in result.readouts[k] if r.name == "snr") for k in result.readouts}
    assert snr["desc-denoised_cbf"] > 1.3 * snr["desc-mean_cbf"]


def test_the_t1_is_aligned_with_the_sample_to_a_millimetre(sample):
    from ASLDenoiseLib.learning.simulate import MOVED

    series, t1, _ = sample
    found = register_rigid(t1, series.mean(VolumeType.CONTROL), fixed_mask=brain_mask(series.m0)).matrix
    places = np.array([[0, 20, 20, 1], [40, 0, 30, 1], [-40, 40, 0, 1], [0, -50, 10, 1]], float).T
    apart = np.linalg.norm((found @ places - MOVED @ places)[:3], axis=0)
    assert apart.max() < 1.0, apart


def test_leaving_recovery_out_leaves_its_map_and_guide_out(sample):
    series, _, _ = sample
    plain = pipeline.denoise(series, pairs="4", device="cpu", recovery=False)
    assert "desc-recovered_cbf" not in plain.maps
    assert "guided-recovery" not in {p.name for p in plain.parameters}
    assert any(f.code == "tissue-doubtful" and f.severity is Severity.WARNING for f in plain.findings)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "pairs"), [("grase", "2"), ("epi", None), ("picore", None)])
def test_a_real_series_gives_a_plausible_cbf_with_its_t1(shared_data, name, pairs):
    subject = shared_data / "real" / "sub-01"
    series = read_series(subject / "perf" / f"sub-01_acq-{name}_asl.nii.gz")
    t1 = read_image(subject / "anat" / "sub-01_T1w.nii.gz")
    result = pipeline.denoise(series, t1=t1, pairs=pairs, device="cpu")
    brain = result.tissue.gm.array + result.tissue.wm.array > 0.9
    for key in ("desc-mean_cbf", "desc-denoised_cbf"):
        values = result.maps[key].array[brain]
        measured = np.isfinite(values)
        assert measured.mean() > 0.97
        assert 10 < np.median(values[measured]) < 80
    if name == "grase":  # CSF is bright in its suppressed controls: where the T1 says CSF, they must be
        control = series.mean(VolumeType.CONTROL).array
        inside = result.tissue.brain.array > 0.99
        assert np.corrcoef(result.tissue.csf.array[inside], control[inside])[0, 1] > 0.5
