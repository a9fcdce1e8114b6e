"""Readouts of a CBF map, and the blur-matched baseline."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.baselines import noise_matched_gaussian
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.smoothing import gaussian

GRID = Geometry((24, 24, 12), (3.0, 3.0, 4.0))


def volume(array: np.ndarray, unit: str = "") -> Volume:
    return Volume(array, GRID, unit=unit)


@pytest.fixture
def tissue() -> Tissue:
    """Grey matter at i < 12, white at i >= 12, all of it brain but the two outer rows of j."""
    brain = np.zeros(GRID.shape)
    brain[:, 2:-2, :] = 1
    left = np.arange(24) < 12
    return Tissue(volume(brain * left), volume(brain * ~left), None, volume(brain), source="test")


@pytest.fixture
def cbf(tissue) -> Volume:
    noise = np.random.default_rng(0).normal(0, 8, GRID.shape)
    return volume(60 * tissue.gm.array + 20 * tissue.wm.array + noise, CBF_UNIT)


def by_name(readouts) -> dict[str, float]:
    return {r.name: r.value for r in readouts}


def test_readouts_follow_their_formulas(cbf, tissue):
    got = by_name(measure(cbf, tissue))
    gm, wm = cbf.array[tissue.gm.array > 0.5], cbf.array[tissue.wm.array > 0.5]
    assert got["gm_mean"] == pytest.approx(gm.mean(), rel=1e-5)
    assert got["gm_median"] == pytest.approx(np.median(gm), rel=1e-5)
    assert got["snr"] == pytest.approx(gm.mean() / wm.std(), rel=1e-5)
    assert got["gm_wm_contrast"] == pytest.approx(gm.mean() / wm.mean(), rel=1e-5)
    assert got["spatial_cov"] == pytest.approx(100 * gm.std() / gm.mean(), rel=1e-5)
    assert np.isnan(got["tsnr"]) and 0 < got["qei"] < 1 and got["negative_gm_fraction"] == 0


def test_names_and_order_do_not_depend_on_the_map(cbf, tissue):
    empty = cbf.with_array(np.full(GRID.shape, np.nan))
    full, none = measure(cbf, tissue), measure(empty, tissue)
    assert [r.name for r in full] == [r.name for r in none]
    assert all(np.isnan(r.value) for r in none)
    assert all(r.meaning for r in full) and full[0].unit == CBF_UNIT


def test_voxels_not_measured_are_left_out_and_not_taken_for_zero(cbf, tissue):
    array = cbf.array.copy()
    array[:6] = np.nan
    got = by_name(measure(cbf.with_array(array), tissue))
    assert got["gm_mean"] == pytest.approx(cbf.array[6:][tissue.gm.array[6:] > 0.5].mean(), rel=1e-5)


def test_a_mask_of_fewer_than_ten_voxels_gives_no_number(cbf, tissue):
    few = np.zeros(GRID.shape)
    few[5, 5, 13:18] = 1
    got = by_name(measure(cbf, Tissue(tissue.gm, volume(few), None, tissue.brain, source="test")))
    assert np.isnan(got["wm_mean"]) and np.isnan(got["snr"]) and np.isfinite(got["gm_mean"])


def test_negative_grey_matter_is_counted_in_percent(cbf, tissue):
    array = cbf.array.copy()
    array[:3] = -5
    assert by_name(measure(cbf.with_array(array), tissue))["negative_gm_fraction"] == pytest.approx(25)


def test_temporal_snr_is_mean_over_sd_across_pairs(cbf, tissue):
    rng = np.random.default_rng(1)
    pairs = 50 + rng.normal(0, 10, (200, *GRID.shape))
    assert by_name(measure(cbf, tissue, pairs=pairs))["tsnr"] == pytest.approx(5, rel=0.02)
    assert np.isnan(by_name(measure(cbf, tissue, pairs=pairs[:1]))["tsnr"])


def test_a_region_adds_mean_sd_snr_and_millilitres(cbf, tissue):
    mask = np.zeros(GRID.shape)
    mask[2:6, 4:9, 3:8] = 1
    got = by_name(measure(cbf, tissue, regions={"Left Thalamus": volume(mask)}))
    assert got["roi_left_thalamus_volume"] == pytest.approx(100 * 36 / 1000)
    assert got["roi_left_thalamus_mean"] == pytest.approx(cbf.array[mask > 0].mean(), rel=1e-5)
    assert got["roi_left_thalamus_snr"] == pytest.approx(got["roi_left_thalamus_mean"] / got["wm_sd"], rel=1e-6)


def test_tissue_regions_and_pairs_on_other_grids_are_refused(cbf, tissue):
    other = Volume(np.zeros((2, 2, 2)), Geometry((2, 2, 2), (1, 1, 1)))
    with pytest.raises(InputError, match="tissue is not on the grid"):
        measure(other, tissue)
    with pytest.raises(InputError, match="region 'x'"):
        measure(cbf, tissue, regions={"x": other})
    with pytest.raises(InputError, match="pairs"):
        measure(cbf, tissue, pairs=np.zeros((3, 2, 2, 2)))


def test_smoothing_keeps_a_constant_to_the_edge_and_leaves_holes_unmeasured():
    array = np.full(GRID.shape, 40.0)
    array[5, 5, 5] = np.nan
    mask = np.zeros(GRID.shape)
    mask[2:-2, 3:-3, 3:-3] = 1
    got = gaussian(volume(array), 8.0, mask=mask).array
    inside = (mask > 0) & np.isfinite(array)
    np.testing.assert_allclose(got[inside], 40, rtol=1e-5)
    assert np.isnan(got[~inside]).all()


def test_smoothing_has_the_asked_width_in_mm_on_anisotropic_voxels():
    grid = Geometry((41, 41, 21), (1.0, 1.0, 2.0))
    array = np.zeros(grid.shape)
    array[10, 20, 20] = 1
    got = gaussian(Volume(array, grid), 8.0).array
    for line, step in ((got[10, 20, :], 1), (got[:, 20, 20], 2)):
        assert line[line.size // 2 + 4 // step] / line[line.size // 2] == pytest.approx(0.5, rel=0.03)  # 4 mm: half


def test_the_baseline_reaches_the_white_matter_noise_asked_for(tissue):
    flat = volume(40 + np.random.default_rng(3).normal(0, 8, GRID.shape), CBF_UNIT)
    smooth, fwhm = noise_matched_gaussian(flat, 2.0, tissue)
    assert smooth.array[tissue.wm.array > 0.5].std() == pytest.approx(2.0, rel=0.01)
    assert 3 < fwhm < 10 and np.isnan(smooth.array[tissue.brain.array < 0.5]).all()


def test_where_grey_matter_bleeds_in_the_baseline_comes_as_near_as_it_can(cbf, tissue):
    white = tissue.wm.array > 0.5
    smooth, fwhm = noise_matched_gaussian(cbf, 1.0, tissue)
    others = [
        gaussian(cbf, width, mask=tissue.brain).array[white].std() for width in (2.0, fwhm * 0.6, fwhm * 1.7, 30.0)
    ]
    assert 1.0 < smooth.array[white].std() <= min(others) and fwhm < 15


def test_the_baseline_of_a_map_already_quiet_is_the_map_itself(cbf, tissue):
    same, fwhm = noise_matched_gaussian(cbf, 100.0, tissue)
    assert fwhm == 0 and same is cbf


def test_the_baseline_says_nan_where_there_is_no_white_matter(cbf, tissue):
    no_wm = Tissue(tissue.gm, volume(np.zeros(GRID.shape)), None, tissue.brain, source="test")
    assert np.isnan(noise_matched_gaussian(cbf, 3.0, no_wm)[1])
