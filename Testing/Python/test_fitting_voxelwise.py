"""CBF and arrival time of every voxel by itself: the truth without noise, SDs that hold with it, and its bounds."""

import numpy as np
import pytest
from delay_builders import EFFICIENCY, difference_of

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.fitting.maps import DelayMeans
from ASLDenoiseLib.fitting.voxelwise import fit_voxels
from ASLDenoiseLib.quantifying.kinetic_model import KineticModel
from ASLDenoiseLib.quantifying.kinetics import pasl_scale, pcasl_scale
from ASLDenoiseLib.series import Labeling

DELAYS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
MODEL = KineticModel(Labeling.PCASL, 1.65)


def means_of(
    cbf, att, *, delays=DELAYS, durations=1.8, sd=0.0, model=MODEL, arteries=0.0, slice_time=0.0, shape=(2, 10, 10)
):
    """Means of a grid of CBF and arrival time, with white noise whose SD is `sd` in every image."""
    rng, (cbf, att) = np.random.default_rng(0), (np.broadcast_to(x, shape) for x in (cbf, att))
    durations = np.broadcast_to(durations, len(delays)).astype(float)
    read = np.asarray(delays, float)[:, None] + slice_time * np.arange(shape[0])
    images = []
    for delay, duration in zip(read[..., None, None], durations, strict=True):
        common = {"t1_blood": model.t1_blood, "efficiency": EFFICIENCY[model.labeling]}
        if model.labeling is Labeling.PASL:
            scale = pasl_scale(inversion_time=delay, bolus_duration=duration, **common)
        else:
            scale = pcasl_scale(post_labeling_delay=delay, label_duration=duration, **common)
        timing = {"delay": delay, "duration": duration, "labeling": model.labeling, "t1_tissue": model.t1_tissue}
        images.append(
            difference_of(cbf, att, **timing) / 1000 * scale + arteries * model.arterial(att, delay, duration)
        )
    images = np.stack(images) + sd * rng.normal(size=(len(delays), *shape))
    errors = np.full(images.shape, max(sd, 0.01))
    return DelayMeans(images, errors, read, durations, np.ones(shape, bool), (3.0, 3.0, 3.0))


@pytest.mark.parametrize("t1_tissue", [None, 1.3])
@pytest.mark.parametrize(
    ("labeling", "delays", "durations"),
    [
        (Labeling.PCASL, DELAYS, 1.8),
        (Labeling.CASL, (0.0, 0.3, 0.8, 1.3, 1.8, 2.3), (0.4, 0.9, 1.8, 1.8, 1.8, 1.8)),  # as Siemens' product has them
        (Labeling.PASL, (0.9, 1.2, 1.6, 2.0, 2.4, 2.8), 0.7),
    ],
)
def test_without_noise_the_fit_gives_back_what_the_series_was_made_from(labeling, delays, durations, t1_tissue):
    model = KineticModel(labeling, 1.65, t1_tissue)
    rng = np.random.default_rng(1)
    cbf, att = rng.uniform(5, 100, (2, 10, 10)), rng.uniform(0.55, 2.2, (2, 10, 10))
    if t1_tissue is not None:  # the flow in T1' is one for all voxels
        cbf = np.full_like(cbf, model.cbf)
    fitted = fit_voxels(means_of(cbf, att, delays=delays, durations=durations, model=model, slice_time=0.045), model)
    assert (fitted.bounds == 0).all()
    np.testing.assert_allclose(fitted.cbf, cbf, rtol=1e-3)
    np.testing.assert_allclose(fitted.att, att, atol=2e-3)


@pytest.mark.parametrize("snr", [2, 5])
def test_with_noise_the_sds_hold_two_thirds_of_the_errors(snr):
    att = np.random.default_rng(2).uniform(0.8, 2.0, (2, 60, 60))
    fitted = fit_voxels(means_of(60.0, att, sd=60 / snr, shape=(2, 60, 60)), MODEL)
    inside = fitted.bounds == 0
    assert inside.mean() > 0.85
    for error, sd in ((fitted.cbf - 60, fitted.cbf_sd), (fitted.att - att, fitted.att_sd)):
        assert (np.abs(error) < sd)[inside].mean() == pytest.approx(0.68, abs=0.04)


def test_arrival_before_all_images_and_after_them_is_flagged_with_an_sd_of_all_that_is_possible():
    early = fit_voxels(means_of(60.0, 0.3, sd=3.0), MODEL)
    assert (early.bounds == -1).mean() > 0.4
    at = early.bounds == -1
    np.testing.assert_allclose(early.att[at], DELAYS[0], atol=2e-3)
    assert early.att_sd[at].min() > 0.05
    late = fit_voxels(means_of(60.0, 2.6, delays=(0.25, 0.5, 0.75, 1.0), sd=1.0), MODEL)
    assert (late.bounds == 1).mean() > 0.4
    np.testing.assert_allclose(
        late.att[late.bounds == 1], 1.0 + 0.9, atol=2e-3
    )  # when half of the label would be there


def test_negative_perfusion_stays_negative():
    fitted = fit_voxels(means_of(0.0, 1.2, sd=5.0), MODEL)
    assert (fitted.cbf < 0).mean() == pytest.approx(0.5, abs=0.15)


def test_a_delay_that_was_not_measured_in_a_voxel_is_left_out_there_and_three_must_remain():
    means = means_of(60.0, 1.2)
    means.images[0, 0] = np.nan
    means.images[:4, 1, 0] = np.nan
    fitted = fit_voxels(means, MODEL)
    np.testing.assert_allclose(fitted.cbf[0], 60, rtol=1e-3)
    assert np.isnan(fitted.cbf[1, 0]).all() and np.isnan(fitted.att_sd[1, 0]).all()
    np.testing.assert_allclose(fitted.cbf[1, 1:], 60, rtol=1e-3)
    assert (fitted.gain[0, 0] == 0).all()


def test_nothing_is_fitted_outside_the_brain():
    means = means_of(60.0, 1.2)
    means.brain[0] = False
    fitted = fit_voxels(means, MODEL)
    assert np.isnan(fitted.cbf[0]).all() and np.isfinite(fitted.cbf[1]).all()
    assert (fitted.gain[:, 0] == 0).all()


def test_the_gain_tells_how_cbf_follows_each_image():
    means, step = means_of(60.0, 1.3, sd=3.0), 0.01
    fitted = fit_voxels(means, MODEL)
    for d in range(len(DELAYS)):
        moved = means_of(60.0, 1.3, sd=3.0)
        moved.images[d] += step
        change = (fit_voxels(moved, MODEL).cbf.astype(float) - fitted.cbf) / step
        steady = fitted.bounds == 0
        assert np.percentile(np.abs(change - fitted.gain[d])[steady], 80) < 0.1
    assert np.median(fitted.gain.sum(0)) > 0.9


def test_a_less_noisy_image_counts_for_more():
    means = means_of(60.0, 1.2)
    means.images[2] += 30
    means.errors[2] *= 1000
    np.testing.assert_allclose(fit_voxels(means, MODEL).cbf, 60, rtol=1e-3)


def test_arterial_blood_volume_is_told_from_tissue():
    model = KineticModel(Labeling.PCASL, 1.65, macrovascular=True)
    delays = (0.2, 0.5, 0.8, 1.1, 1.5, 2.0, 2.5)
    means = means_of(40.0, 1.26, delays=delays, model=model, arteries=0.012, sd=0.2)
    fitted = fit_voxels(means, model)
    np.testing.assert_allclose(np.median(fitted.abv), 0.012, rtol=0.02)
    np.testing.assert_allclose(np.median(fitted.cbf), 40, rtol=0.02)
    assert np.median(fitted.abv_sd) < 1e-3
    assert np.median(fit_voxels(means, MODEL).cbf) > 1.05 * np.median(fitted.cbf)  # arteries taken for tissue
    assert fit_voxels(means, MODEL).abv is None


@pytest.mark.parametrize(("count", "macrovascular"), [(2, False), (3, True)])
def test_too_few_delays_are_refused_in_one_sentence(count, macrovascular):
    model = KineticModel(Labeling.PCASL, 1.65, macrovascular=macrovascular)
    with pytest.raises(InputError, match=rf"need {count + 1} delays and the series has {count} delays; give one with"):
        fit_voxels(means_of(60.0, 1.2, delays=DELAYS[:count]), model)
