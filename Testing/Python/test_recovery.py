import numpy as np
import pytest

from ASLDenoiseLib.denoising.recovery import recover
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.brain_mask import correct_bias
from ASLDenoiseLib.preparing.contrast import contrast_classes
from ASLDenoiseLib.series import Geometry, Volume

GRID = Geometry((36, 40, 12), (3.4, 3.4, 5.0))


def stripes() -> tuple[Volume, Volume, np.ndarray]:
    """GM and WM fractions of thin stripes, and the perfusion they carry: 60 in GM, 20 in WM."""
    rng = np.random.default_rng(1)
    i = np.indices(GRID.shape)[2]
    gm = np.clip(0.5 + 0.5 * np.sin(2 * np.pi * i / 5) + rng.uniform(-0.1, 0.1, GRID.shape), 0, 1)
    return Volume(gm, GRID), Volume(1 - gm, GRID), 60 * gm + 20 * (1 - gm)


def noisy(truth: np.ndarray, sigma: float = 15.0) -> Volume:
    return Volume(truth + np.random.default_rng(0).normal(0, sigma, GRID.shape), GRID)


BRAIN = Volume(np.ones(GRID.shape), GRID)


def rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def test_contrast_that_a_denoiser_flattened_comes_back_with_little_noise():
    gm, wm, truth = stripes()
    flat = Volume(np.full(GRID.shape, truth.mean()), GRID)
    found = recover(flat, noisy(truth), BRAIN, guides=(gm, wm))
    assert rms(found.difference.array - truth) < 0.15 * rms(flat.array - truth)
    np.testing.assert_allclose(found.put_back.array, found.difference.array - flat.array, atol=1e-4)


def test_tissue_means_of_the_raw_map_are_kept():
    gm, wm, truth = stripes()
    raw = noisy(truth)
    found = recover(Volume(0.7 * truth + 5, GRID), raw, BRAIN, guides=(gm, wm)).difference.array
    for mask in (gm.array > 0.8, wm.array > 0.8):
        assert found[mask].mean() == pytest.approx(raw.array[mask].mean(), rel=0.02)


def test_a_faithful_denoiser_is_left_alone():
    gm, wm, truth = stripes()
    found = recover(Volume(truth, GRID), noisy(truth), BRAIN, guides=(gm, wm))
    assert rms(found.put_back.array) < 0.1 * 15.0


def test_without_guides_the_m0_tells_tissues_apart():
    gm, _, truth = stripes()
    m0 = Volume(700 + 120 * gm.array, GRID)
    flat = Volume(np.full(GRID.shape, truth.mean()), GRID)
    found = recover(flat, noisy(truth), BRAIN, m0=m0)
    assert rms(found.difference.array - truth) < 0.5 * rms(flat.array - truth)


def test_nothing_changes_outside_the_brain_or_where_nothing_was_measured():
    gm, wm, truth = stripes()
    inside = np.ones(GRID.shape)
    inside[:, :10] = 0
    array = truth.copy()
    array[5, 20, 20] = np.nan
    flat = Volume(np.where(np.isfinite(array), truth.mean(), np.nan), GRID)
    found = recover(flat, Volume(array, GRID), Volume(inside, GRID), guides=(gm, wm)).difference.array
    np.testing.assert_array_equal(found[:, :10], flat.array[:, :10])
    assert (
        np.isnan(found[5, 20, 20])
        and np.isfinite(np.delete(found.ravel(), np.ravel_multi_index((5, 20, 20), GRID.shape))).all()
    )


def test_recovery_without_anything_to_go_by_is_refused():
    _, _, truth = stripes()
    with pytest.raises(InputError, match="guide maps or an M0"):
        recover(Volume(truth, GRID), noisy(truth), BRAIN)


def test_half_csf_half_white_matter_is_not_taken_for_grey_matter():
    """A 1 mm T1 whose middle slab of 4 mm voxels is half dark, half bright: its mean is that of grey matter."""
    fine = Geometry((40, 40, 40), (1.0, 1.0, 1.0), (-19.5, -19.5, -19.5))
    coarse = Geometry((10, 10, 10), (4.0, 4.0, 4.0), (-18.0, -18.0, -18.0))
    t1 = np.full(fine.shape, 580.0)
    t1[:12] = 950.0
    t1[28:] = 180.0
    t1[12:20, :, 0::2], t1[12:20, :, 1::2] = 180.0, 950.0  # means 565
    t1 += np.random.default_rng(0).normal(0, 10, fine.shape)
    brain = Volume(np.ones(coarse.shape), coarse)
    dark, middle, bright = contrast_classes(correct_bias(Volume(t1, fine)), brain, transform=np.eye(4))
    assert middle.array[3:5].mean() < 0.1
    assert dark.array[3:5].mean() == pytest.approx(0.5, abs=0.1) and bright.array[3:5].mean() == pytest.approx(
        0.5, abs=0.1
    )
    assert middle.array[5:7].mean() > 0.9
    np.testing.assert_allclose(dark.array + middle.array + bright.array, 1, atol=1e-5)
