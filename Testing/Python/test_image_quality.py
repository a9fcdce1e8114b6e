"""Image quality figures against hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.image_quality import bias, ccc, nmae, psnr, rmse, ssim

FIGURES = (psnr, ssim, rmse, nmae, ccc, bias)
TRUTH = np.random.default_rng(0).uniform(10, 80, (14, 16, 16))
MASK = np.zeros(TRUTH.shape, bool)
MASK[2:-2, 3:-3, 3:-3] = True


def test_figures_of_a_known_error():
    estimate = TRUTH + 4.0
    peak = TRUTH[MASK].max()
    assert rmse(estimate, TRUTH, MASK) == pytest.approx(4)
    assert psnr(estimate, TRUTH, MASK) == pytest.approx(20 * np.log10(peak / 4))
    assert psnr(estimate, TRUTH, MASK, data_range=100) == pytest.approx(20 * np.log10(25))
    assert nmae(estimate, TRUTH, MASK) == pytest.approx(4 / TRUTH[MASK].mean())
    assert bias(estimate, TRUTH, MASK) == pytest.approx(400 / TRUTH[MASK].mean())
    variance = TRUTH[MASK].var()
    assert ccc(estimate, TRUTH, MASK) == pytest.approx(2 * variance / (2 * variance + 16))


def test_a_perfect_estimate_is_perfect():
    assert [f(TRUTH, TRUTH, MASK) for f in FIGURES] == [np.inf, pytest.approx(1), 0, 0, pytest.approx(1), 0]


def test_ssim_is_the_windowed_formula_at_a_voxel_and_ranks_noise():
    rng = np.random.default_rng(1)
    estimate = TRUTH + rng.normal(0, 10, TRUTH.shape)
    one = np.zeros(TRUTH.shape, bool)
    one[7, 8, 8] = one[7, 8, 7] = True
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.einsum("i,j,k->ijk", taps, taps, taps) / taps.sum() ** 3
    c1, c2 = (0.01 * 80) ** 2, (0.03 * 80) ** 2
    local = []
    for k, j, i in np.argwhere(one):
        x, y = (a[k - 5 : k + 6, j - 5 : j + 6, i - 5 : i + 6] for a in (estimate, TRUTH))
        mx, my = (window * x).sum(), (window * y).sum()
        sx, sy, sxy = (window * x * x).sum() - mx**2, (window * y * y).sum() - my**2, (window * x * y).sum() - mx * my
        local.append((2 * mx * my + c1) * (2 * sxy + c2) / ((mx**2 + my**2 + c1) * (sx + sy + c2)))
    assert ssim(estimate, TRUTH, one, data_range=80) == pytest.approx(np.mean(local), rel=1e-6)
    noisier = TRUTH + 3 * (estimate - TRUTH)
    assert ssim(noisier, TRUTH, MASK) < ssim(estimate, TRUTH, MASK) < 1


def test_what_lies_outside_the_mask_or_was_not_measured_does_not_count():
    estimate = TRUTH + np.random.default_rng(2).normal(0, 5, TRUTH.shape)
    corrupted = estimate.copy()
    corrupted[~MASK] = 1e6
    corrupted[7, 8, 8] = np.nan
    kept = MASK.copy()
    kept[7, 8, 8] = False
    for figure in (psnr, rmse, nmae, ccc, bias):
        assert figure(corrupted, TRUTH, MASK) == pytest.approx(figure(estimate, TRUTH, kept))
    hole = np.where(kept, estimate, np.nan)
    assert np.isfinite(ssim(hole, TRUTH, MASK))


def test_nothing_measured_gives_no_number():
    nothing = np.full(TRUTH.shape, np.nan)
    assert all(np.isnan(f(nothing, TRUTH, MASK)) for f in FIGURES)
    assert all(np.isnan(f(TRUTH, TRUTH, np.zeros_like(MASK))) for f in FIGURES)


def test_thin_stacks_have_an_ssim_too():
    assert ssim(TRUTH[:3], TRUTH[:3], MASK[2:5]) == pytest.approx(1)


def test_arrays_of_different_shapes_are_refused():
    for figure in FIGURES:
        with pytest.raises(InputError, match="not on one grid"):
            figure(TRUTH[1:], TRUTH, MASK)
