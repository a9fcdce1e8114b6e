"""The M0 that is divided by: sound voxels untouched, noise never a spike, nothing passed over in silence."""

from __future__ import annotations

import numpy as np
import pytest
from reading_builders import refusal, small_real
from scipy.ndimage import binary_erosion

from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.quantifying.calibration import Calibration, calibrate, edge_corrected
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import Geometry, Volume

GRID = Geometry((30, 30, 20), (3.0, 3.0, 4.0))


def ball(radius_mm: float) -> np.ndarray:
    k, j, i = np.indices(GRID.shape).astype(float)
    x, y, z = (i - 14.5) * 3, (j - 14.5) * 3, (k - 9.5) * 4
    return np.sqrt(x**2 + y**2 + z**2) < radius_mm


def calibration(m0: np.ndarray) -> Calibration:
    return Calibration(Volume(m0, GRID, name="m0"), ())


def head(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An M0 of tissues from 700 to 1300 under a coil bias of 2, and a mask one voxel too large: noise at its edge."""
    random = np.random.default_rng(seed)
    j = np.indices(GRID.shape)[1]
    tissue = np.where(ball(24), 700.0, 1000.0) + 300 * ball(8)
    bias = 1 + j / 29
    m0 = np.where(ball(34), tissue * bias, 0.0) + np.abs(random.normal(0, 5, GRID.shape))
    return m0, ball(37)


def counted(calibrated: Calibration) -> dict[str, object]:
    return {p.name: p.value for p in calibrated.parameters}


def test_sound_voxels_keep_their_m0_exactly_whatever_tissue_and_coil_do():
    m0, brain = head()
    mended = edge_corrected(calibration(m0), Volume(brain, GRID)).m0.array
    np.testing.assert_array_equal(mended[ball(34)], m0[ball(34)].astype(np.float32))


def test_outside_the_brain_and_in_noise_the_m0_is_nan_and_counted():
    m0, brain = head()
    mended = edge_corrected(calibration(m0), Volume(brain, GRID))
    assert np.isnan(mended.m0.array[~brain]).all()
    assert np.isnan(mended.m0.array[brain & ~ball(34)]).all()
    assert counted(mended) == {"m0_noise_voxels": int((brain & ~ball(34)).sum()), "m0_raised_voxels": 0}


def test_a_low_m0_at_the_edge_or_in_a_void_is_raised_to_half_its_surroundings_and_counted():
    flat = np.where(ball(34), 1000.0, 0.0)
    void = ball(34) & ~ball(31)
    void[10, 15, 15] = True
    flat[void] = 150.0
    mended = edge_corrected(calibration(flat), Volume(ball(34), GRID))
    assert counted(mended)["m0_raised_voxels"] == void.sum()
    assert mended.m0.array[void].min() > 480, "the void in the core lowers its own surroundings a little"
    assert mended.m0.array[void].max() == pytest.approx(500)
    np.testing.assert_array_equal(mended.m0.array[ball(34) & ~void], 1000)


def test_cbf_is_never_a_spike_though_m0_is_nearly_zero_inside_the_mask():
    random = np.random.default_rng(1)
    m0, brain = head(1)
    m0[brain] *= np.where(random.random(brain.sum()) < 0.02, 10 ** random.uniform(-6, 0, brain.sum()), 1)
    difference = 0.01 * np.where(ball(34), 1000.0, 0.0) + random.normal(0, 2, GRID.shape)
    plain = np.abs(np.divide(difference, m0)[brain])
    ratio = np.abs(difference / edge_corrected(calibration(m0), Volume(brain, GRID)).m0.array)[brain]
    assert plain.max() > 1
    assert np.nanmax(ratio) < 4 * np.percentile(plain[ball(34)[brain]], 95)


def test_nan_in_the_m0_stays_nan_and_spoils_nothing_else():
    m0, brain = head()
    missing = m0.copy()
    missing[:3] = np.nan
    missing[10, 15, 15] = np.nan
    mended = edge_corrected(calibration(missing), Volume(brain, GRID)).m0.array
    assert np.isnan(mended[np.isnan(missing)]).all()
    measured = ball(34) & np.isfinite(missing)
    np.testing.assert_array_equal(mended[measured], m0[measured].astype(np.float32))


def test_one_number_for_all_stays_that_number():
    mended = edge_corrected(calibration(np.full(GRID.shape, 1234.0)), Volume(ball(34), GRID)).m0.array
    assert np.unique(mended[ball(34)]).tolist() == [1234.0]


def test_an_m0_without_signal_in_the_brain_is_refused():
    zero = calibration(np.where(ball(34), 0.0, 5.0))
    refusal(edge_corrected, zero, Volume(ball(34), GRID), mentions=("not positive in the brain", "--m0"))
    nothing = calibration(np.full(GRID.shape, np.nan))
    refusal(edge_corrected, nothing, Volume(ball(34), GRID), mentions=("not positive",))
    other = Volume(np.ones((4, 4, 4)), Geometry((4, 4, 4), (3.0, 3.0, 4.0)))
    refusal(edge_corrected, zero, other, mentions=("not on the grid",))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["grase", "epi"])
def test_the_interior_of_a_real_m0_changes_by_less_than_half_a_percent(shared_data, tmp_path, name):
    series = read_series(small_real(shared_data, name, tmp_path, volumes=8))
    plain = calibrate(series)
    brain = brain_mask(series.m0)
    mended = edge_corrected(plain, brain)
    inside = brain.array > 0
    interior = binary_erosion(inside, np.ones((3, 3, 3)), iterations=2) & np.isfinite(mended.m0.array)
    change = mended.m0.array[interior] / plain.m0.array[interior] - 1
    assert np.abs(change).mean() < 0.005
    assert np.median(mended.m0.array[interior]) == np.median(plain.m0.array[interior])
    assert np.nanmin(mended.m0.array[inside]) > 0.1 * np.median(plain.m0.array[inside])
    assert 0 < counted(mended)["m0_raised_voxels"] < 0.1 * inside.sum()
