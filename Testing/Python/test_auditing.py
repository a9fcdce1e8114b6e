"""The residual audit on made scans of known truth: what a denoiser lost comes back, noise does not."""

from dataclasses import replace

import numpy as np
import pytest

from ASLDenoiseLib.auditing import ResidualAudit, audit_residual
from ASLDenoiseLib.auditing.levels import wiener_weight
from ASLDenoiseLib.auditing.windows import Windows
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.result.audit import AuditVerdict, TissueMean
from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.smoothing import smooth_within

GRID = Geometry((40, 44, 14), (3.4, 3.4, 5.0))
BRAIN = Volume(np.ones(GRID.shape), GRID)
SIGMA = 30.0  # of one pair


def stripes() -> Tissue:
    """Grey and white matter in stripes of some voxels, with soft borders."""
    i = np.indices(GRID.shape)[2]
    gm = np.clip(0.5 + 0.9 * np.sin(2 * np.pi * i / 10), 0, 1)
    return Tissue(Volume(gm, GRID), Volume(1 - gm, GRID), None, BRAIN, "made")


TISSUE = stripes()
TRUTH = 60 * TISSUE.gm.array + 20 * TISSUE.wm.array


def scan(truth: np.ndarray = TRUTH, count: int = 10, *, seed: int = 0, blurred: float = 0.0) -> ASLSeries:
    """Pairs of a truth; their noise may be correlated between neighbours."""
    noise = np.random.default_rng(seed).normal(0, SIGMA, (count, *GRID.shape))
    if blurred:
        everywhere = np.ones(GRID.shape, bool)
        noise = np.stack([smooth_within(each, everywhere, GRID.spacing, blurred) for each in noise])
        noise *= SIGMA / noise.std()
    return ASLSeries((truth + noise).astype(np.float32), GRID, (VolumeType.DELTAM,) * count)


def audited(denoised: np.ndarray, pairs: ASLSeries, **known) -> ResidualAudit:
    known = {"tissue": TISSUE, **known}
    return audit_residual(Volume(denoised.astype(np.float32), GRID), pairs, BRAIN, **known)


def rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def test_contrast_that_a_denoiser_flattened_comes_back_with_little_noise():
    flat = np.full(GRID.shape, TRUTH.mean())
    found = audited(flat, scan())
    assert rms(found.difference.array - TRUTH) < 0.15 * rms(flat - TRUTH)
    np.testing.assert_allclose(found.restored.array, found.difference.array - flat, atol=1e-3)


def test_the_same_without_a_t1_by_the_regions_that_were_lost():
    """No tissue is known: a territory that lost half of its perfusion still stands out of noise."""
    truth = np.full(GRID.shape, 40.0)
    truth[:, 14:30, 12:28] = 60.0
    found = audited(np.full(GRID.shape, truth.mean()), scan(truth), tissue=None).difference.array
    middle = np.s_[5:9, 20:24, 18:22]
    assert found[middle].mean() == pytest.approx(60, abs=6)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_means_of_tissue_are_kept_within_their_standard_error(count):
    found = audited(0.8 * TRUTH + 2, scan(count=count))
    assert [mean.tissue for mean in found.means] == ["GM", "WM"]
    for mean in found.means:
        assert mean.kept and abs(mean.network - mean.raw) > 3 * mean.error


def test_the_standard_error_of_a_mean_is_that_of_many_scans():
    for blurred in (0.0, 10.0):
        found = [audited(TRUTH, scan(count=4, seed=n, blurred=blurred)).means[0] for n in range(24)]
        actual = np.std([mean.raw for mean in found])
        told = np.sqrt(np.mean([mean.error**2 for mean in found]))
        assert 0.6 * actual < told < 1.6 * actual


def test_a_faithful_denoiser_is_left_alone():
    for blurred in (0.0, 8.0):
        found = audited(TRUTH, scan(blurred=blurred))
        assert rms(found.restored.array) < 0.06 * SIGMA
        assert found.places is None and found.significant < 0.05


def test_noise_that_is_nothing_but_noise_is_not_put_back():
    """A denoiser that gives zero of a scan without perfusion is right."""
    shares = []
    for seed in range(4):
        found = audited(np.zeros(GRID.shape), scan(np.zeros(GRID.shape), seed=seed, blurred=6.0))
        shares.append(found.significant)
        assert rms(found.difference.array) < 0.05 * SIGMA
        assert found.places is None
    assert np.mean(shares) < 0.05


def test_a_lesion_that_was_wiped_out_comes_back_and_a_vessel_too():
    truth = TRUTH.copy()
    k, j, i = np.indices(GRID.shape)
    lesion = ((i - 20) * 3.4) ** 2 + ((j - 20) * 3.4) ** 2 + ((k - 7) * 5.0) ** 2 < 12**2
    truth[lesion] *= 2.5
    truth[6, 35, 5:30] = 400.0  # an artery, a voxel wide
    found = audited(TRUTH, scan(truth))
    lost = (truth - TRUTH)[lesion].mean()
    assert (found.difference.array - TRUTH)[lesion].mean() > 0.75 * lost
    assert found.places is not None
    assert found.difference.array[6, 35, 5:30].mean() > 330
    untouched = ~lesion & (np.abs(j - 35) > 3) & ((i - 20) ** 2 + (j - 20) ** 2 > 64)
    assert rms((found.difference.array - TRUTH)[untouched]) < 0.25 * SIGMA


def test_fewer_than_four_pairs_leave_single_places_alone():
    truth = TRUTH.copy()
    truth[6, 35, 5:30] = 400.0
    assert audited(TRUTH, scan(truth, 3)).places is None


def test_the_error_that_comes_back_is_in_the_uncertainty():
    sure = Volume(np.full(GRID.shape, 0.1), GRID)
    left_alone, restored = (audited(y, scan(), uncertainty=sure).uncertainty.array for y in (TRUTH, TRUTH / 2))
    assert (left_alone >= 0.0999).all() and (restored >= 0.0999).all()
    assert restored.mean() > 1.3 * left_alone.mean()


def test_perfusion_units_come_by_the_factor_and_the_difference_keeps_its_own():
    """Half of the head is twice as bright to the coil: means are of perfusion, not of brightness."""
    factor = np.where(np.indices(GRID.shape)[1] < 20, 0.5, 1.0).astype(np.float32)
    plain, bright = scan(), scan()
    bright = replace(bright, array=bright.array / factor)
    one = audited(0.8 * TRUTH + 2, plain)
    other = audited((0.8 * TRUTH + 2) / factor, bright, factor=Volume(factor, GRID))
    for a, b in zip(one.means, other.means, strict=True):
        assert b.raw == pytest.approx(a.raw, rel=1e-4) and b.audited == pytest.approx(a.audited, rel=0.03)
    np.testing.assert_allclose((other.difference.array * factor).mean(), one.difference.array.mean(), rtol=0.02)


def test_one_image_keeps_its_tissue_means_whole_and_nothing_smaller():
    found = audited(0.7 * TRUTH + 5, scan(count=1))
    for mean in found.means:
        assert mean.audited == pytest.approx(mean.raw, rel=2e-3) and mean.error == 0
    assert found.places is None and found.significant == 0


def test_weights_leave_out_what_is_outlying():
    pairs = scan()
    spoilt = pairs.array.copy()
    spoilt[3] += 500
    weights = np.ones((10, 1, 1, 1), np.float32)
    weights[3] = 0
    found = audited(TRUTH, replace(pairs, array=spoilt), weights=weights)
    assert rms(found.restored.array) < 0.06 * SIGMA


def test_nothing_changes_outside_the_brain_or_where_nothing_was_measured():
    inside = np.ones(GRID.shape)
    inside[:, :10] = 0
    pairs = scan()
    array = pairs.array.copy()
    array[:, 5, 20, 20] = np.nan
    denoised = np.full(GRID.shape, TRUTH.mean(), np.float32)
    denoised[5, 20, 20] = np.nan
    found = audit_residual(Volume(denoised, GRID), replace(pairs, array=array), Volume(inside, GRID), tissue=TISSUE)
    np.testing.assert_array_equal(found.difference.array[:, :10], denoised[:, :10])
    assert np.isnan(found.restored.array[:, :10]).all()
    assert np.isnan(found.difference.array[5, 20, 20]) and np.isnan(found.difference.array).sum() == 1
    with pytest.raises(InputError, match="Nothing is measured in the brain mask"):
        audit_residual(Volume(denoised, GRID), pairs, Volume(np.zeros(GRID.shape), GRID))


def test_a_coarse_window_is_a_gaussian_mean():
    inside = np.ones(GRID.shape, np.float32)
    inside[:, :8] = 0
    image = (np.random.default_rng(1).normal(0, 1, GRID.shape) + TRUTH) * inside
    windows = Windows(GRID.shape, GRID.spacing[::-1], 30.0)
    wanted = smooth_within(image, inside > 0, GRID.spacing, 30.0)
    found = windows.means(image[None].astype(np.float32), inside)[0]
    np.testing.assert_allclose(found[inside > 0], wanted[inside > 0], atol=0.6)


def test_the_wiener_weight_is_of_energy_beyond_noise():
    np.testing.assert_allclose(wiener_weight(np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0, 1.0])), [0, 0, 0.75])


def test_the_verdict_says_what_was_kept_in_a_line():
    kept = TissueMean("GM", 41.4, 34.0, 40.8, 1.1)
    lost = TissueMean("WM", 20.0, 15.0, 16.0, 0.5)
    said = AuditVerdict((kept, lost), "ml/100g/min", 10).sentence
    assert "GM mean kept within its standard error (40.8, raw 41.4 ± 1.1 ml/100g/min; the network alone 34)" in said
    assert "WM mean not kept (16" in said
    assert not AuditVerdict((kept, lost), "", 10).kept and AuditVerdict((kept,), "", 10).kept
    assert "one image tells no standard error" in AuditVerdict((kept,), "ml/100g/min", 1).sentence
