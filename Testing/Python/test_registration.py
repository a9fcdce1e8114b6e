"""Resampling onto other grids, and rigid registration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.registration import judge_alignment, register_rigid
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.resampling import average_onto, from_sitk, resample, to_sitk, with_spacing

TURN = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])
OBLIQUE = Geometry((20, 18, 16), (2.0, 2.5, 3.0), (-11.0, 7.0, 3.0), tuple(TURN.ravel()))


def ramp(geometry: Geometry) -> Volume:
    """A volume whose value is 2x - y + 3z of its LPS place, which linear interpolation keeps exactly."""
    k, j, i = np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij")
    places = np.stack([i, j, k, np.ones_like(i)], -1) @ geometry.affine_lps.T
    return Volume(places[..., 0] * 2 - places[..., 1] + places[..., 2] * 3, geometry, unit="mm")


def rigid(angles: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    import SimpleITK as sitk

    from ASLDenoiseLib.spatial.resampling import matrix_of

    return matrix_of(sitk.Euler3DTransform((0.0, 0.0, 0.0), *angles, shift))


def test_a_volume_survives_the_way_to_sitk_and_back():
    there = ramp(OBLIQUE)
    back = from_sitk(to_sitk(there), unit="mm", name="ramp")
    assert back.geometry.matches(OBLIQUE, tolerance=1e-6) and back.unit == "mm"
    np.testing.assert_array_equal(back.array, there.array)


def test_resampling_reads_the_same_place_in_the_patient():
    onto = Geometry((6, 5, 4), (1.5, 1.5, 1.5), tuple(OBLIQUE.affine_lps @ [9, 8, 7, 1])[:3])
    np.testing.assert_allclose(resample(ramp(OBLIQUE), onto).array, ramp(onto).array, atol=1e-3)


def test_the_transform_takes_points_of_the_moving_image_to_the_target():
    geometry = Geometry((9, 9, 9), (1.0, 1.0, 1.0))
    array = np.zeros((9, 9, 9))
    array[4, 4, 2] = 1
    shift = np.eye(4)
    shift[0, 3] = 3.0
    moved = resample(Volume(array, geometry), geometry, transform=shift, outside=0.0).array
    assert moved[4, 4, 5] == pytest.approx(1) and moved.sum() == pytest.approx(1)


@pytest.mark.parametrize("interpolation", ["linear", "nearest", "bspline"])
def test_what_was_not_measured_neither_spreads_nor_vanishes(interpolation):
    geometry = Geometry((12, 12, 12), (1.0, 1.0, 1.0))
    array = np.ones((12, 12, 12))
    array[6, 6, 6] = np.nan
    shift = np.eye(4)
    shift[:3, 3] = 0.3
    got = resample(Volume(array, geometry), geometry, transform=shift, interpolation=interpolation).array
    inner = got[2:-1, 2:-1, 2:-1]
    assert np.isnan(inner).sum() == 1 and np.isnan(got[6, 6, 6])
    np.testing.assert_allclose(inner[np.isfinite(inner)], 1, atol=1e-5)


def test_beyond_the_field_of_view_is_not_measured_unless_told():
    far = Geometry((4, 4, 4), (1.0, 1.0, 1.0), (500.0, 0.0, 0.0))
    assert np.isnan(resample(ramp(OBLIQUE), far).array).all()
    assert (resample(ramp(OBLIQUE), far, outside=0.0).array == 0).all()


def test_averaging_onto_a_coarse_grid_gives_volume_fractions_and_keeps_the_volume():
    fine = Geometry((40, 40, 40), (1.0, 1.0, 1.0))
    array = np.zeros((40, 40, 40))
    array[8:32, 8:32, 8:21] = 1
    coarse = with_spacing(fine, (4.0, 4.0, 5.0))
    got = average_onto(Volume(array, fine), coarse)
    assert got.array[4, 4, 5] == pytest.approx(0.25, abs=0.02)  # i from 20 to 24, of which one of four is inside
    assert got.array.sum() * coarse.voxel_volume == pytest.approx(array.sum(), rel=0.01)
    assert set(np.unique(resample(Volume(array, fine), coarse).array)) <= {0.0, 0.5, 1.0}  # the centres know no quarter


def test_averaging_keeps_the_volume_on_oblique_grids_too():
    fine = Geometry((50, 50, 50), (1.0, 1.0, 1.0))
    ball = Volume(sum((a - 24.5) ** 2 for a in np.ogrid[:50, :50, :50]) < 15**2, fine)
    oblique = Geometry((24, 24, 20), (3.0, 3.0, 4.0), (0.0, -20.0, -20.0), tuple(TURN.ravel()))
    matrix = rigid((0.1, 0.2, 0.0), (2.0, 1.0, 0.0))
    got = average_onto(ball, oblique, transform=matrix, outside=0.0).array
    assert got.sum() * oblique.voxel_volume == pytest.approx(ball.array.sum(), rel=0.01)


def test_averages_leave_out_what_was_not_measured():
    fine = Geometry((8, 8, 8), (1.0, 1.0, 1.0))
    array = np.ones((8, 8, 8))
    array[:, :, 0] = np.nan
    array[:, :, 4:] = np.nan
    got = average_onto(Volume(array, fine), with_spacing(fine, (4.0, 4.0, 4.0))).array
    np.testing.assert_allclose(got[..., 0], 1)
    assert np.isnan(got[..., 1]).all()


def test_bad_resampling_requests_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="unknown"):
        resample(ramp(OBLIQUE), OBLIQUE, interpolation="cubic")
    with pytest.raises(InputError, match="invertible"):
        resample(ramp(OBLIQUE), OBLIQUE, transform=np.zeros((4, 4)))
    with pytest.raises(InputError, match="spline"):
        resample(Volume(np.zeros((1, 9, 9)), Geometry((9, 9, 1), (1, 1, 1))), OBLIQUE, interpolation="bspline")


@pytest.fixture(scope="module")
def heads() -> tuple[Volume, Volume, Volume, np.ndarray]:
    """A head at 2.5 mm (moving), the same in inverse contrast, turned and shifted, at 3x3x5 mm; its mask; the truth."""
    grid = Geometry((72, 80, 64), (2.5, 2.5, 2.5), (-90.0, -100.0, -80.0))
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    x, y, z = (i * 2.5 - 90, j * 2.5 - 100, k * 2.5 - 80)
    brain = (x / 62) ** 2 + (y / 78) ** 2 + (z / 55) ** 2 < 1
    folds = gaussian_filter(np.random.default_rng(3).normal(size=grid.shape), 2.5)
    tissue = np.where(folds > 0, 700.0, 400.0) * brain
    moving = Volume(gaussian_filter(tissue, 0.6), grid)
    matrix = rigid((0.18, -0.05, 0.07), (9.0, -14.0, 11.0))
    target = Geometry((64, 72, 30), (3.0, 3.0, 5.0), (-95.0, -110.0, -70.0))
    inverse = moving.with_array(np.where(brain, 1200.0 - moving.array, 0))
    fixed = average_onto(inverse, target, transform=matrix, outside=0.0)
    noise = np.random.default_rng(4).normal(0, 20, fixed.array.shape)
    mask = average_onto(moving.with_array(brain), target, transform=matrix, outside=0.0)
    return moving, fixed.with_array(fixed.array + noise), mask.with_array(mask.array > 0.5), matrix


@pytest.mark.registers
def test_registration_recovers_a_turn_and_a_shift_across_contrasts_and_repeats(heads):
    moving, fixed, mask, truth = heads
    found = register_rigid(moving, fixed, fixed_mask=mask)
    points = np.random.default_rng(0).normal(0, 40, (200, 4))
    points[:, 3] = 1
    assert np.linalg.norm(points @ (found.matrix - truth).T, axis=1).mean() < 0.5
    assert found.warning == "" and found.coverage > 0.9 and found.mutual_information > 0
    again = register_rigid(moving, fixed, fixed_mask=mask).matrix
    assert np.linalg.norm(points @ (found.matrix - again).T, axis=1).max() < 1e-2


@pytest.mark.registers
def test_a_given_start_is_where_the_search_begins(heads):
    moving, fixed, mask, truth = heads
    # The header turned by 90 degrees about the long axis: of no start of its own does the search find back from there.
    turned = rigid((0.0, 0.0, np.pi / 2), (0.0, 0.0, 0.0))
    header = Geometry.from_affine_ras(
        np.diag([-1, -1, 1, 1]) @ turned @ moving.geometry.affine_lps, moving.geometry.size
    )
    lost = Volume(moving.array, header)
    known = truth @ np.linalg.inv(turned)
    near = rigid((0.08, 0.0, -0.05), (5.0, -4.0, 3.0)) @ known
    points = moved_points(lost, fixed, mask, start=near, truth=known)
    assert points.mean() < 0.5
    assert moved_points(lost, fixed, mask, start=None, truth=known).mean() > 20


def moved_points(moving: Volume, fixed: Volume, mask: Volume, *, start, truth: np.ndarray) -> np.ndarray:
    """How far (mm) points of the head land from where the true transform takes them."""
    found = register_rigid(moving, fixed, fixed_mask=mask, start=start).matrix
    inside = np.argwhere(mask.array > 0.5)[::50, ::-1]
    points = np.c_[inside, np.ones(len(inside))] @ (np.linalg.inv(truth) @ mask.geometry.affine_lps).T
    return np.linalg.norm(points @ (found - truth).T, axis=1)


def test_a_start_that_is_not_rigid_is_refused(heads):
    moving, fixed, mask, truth = heads
    with pytest.raises(InputError, match="not a rotation and a shift"):
        register_rigid(moving, fixed, fixed_mask=mask, start=truth @ np.diag([1.2, 1.0, 1.0, 1.0]))
    with pytest.raises(InputError, match="invertible"):
        register_rigid(moving, fixed, fixed_mask=mask, start=np.zeros((4, 4)))


def test_a_right_transform_is_judged_right_and_comes_back_unchanged(heads):
    moving, fixed, mask, truth = heads
    judged = judge_alignment(moving, fixed, truth, fixed_mask=mask)
    assert judged.warning == "" and judged.spread < 1.0 and judged.coverage > 0.9
    np.testing.assert_array_equal(judged.matrix, truth)


@pytest.mark.parametrize(("angles", "shift"), [((0.0, 0.0, 0.0), (9.0, 0.0, 0.0)), ((0.2, 0.0, 0.0), (0.0, 0.0, 0.0))])
def test_a_wrong_transform_is_flagged_and_comes_back_unchanged(heads, angles, shift):
    moving, fixed, mask, truth = heads
    wrong = rigid(angles, shift) @ truth
    judged = judge_alignment(moving, fixed, wrong, fixed_mask=mask)
    assert "check" in judged.warning
    np.testing.assert_array_equal(judged.matrix, wrong)


def test_a_transform_that_parts_the_images_is_flagged(heads):
    moving, fixed, mask, truth = heads
    judged = judge_alignment(moving, fixed, rigid((0.0, 0.0, 0.0), (400.0, 0.0, 0.0)) @ truth, fixed_mask=mask)
    assert "share little information" in judged.warning and judged.coverage == 0


def test_images_without_contrast_and_empty_masks_are_refused(heads):
    moving, fixed, mask, _ = heads
    with pytest.raises(InputError, match="fixed image has no contrast"):
        register_rigid(moving, fixed.with_array(np.zeros_like(fixed.array)))
    with pytest.raises(InputError, match="mask"):
        register_rigid(moving, fixed, fixed_mask=mask.with_array(np.zeros_like(mask.array)))


@pytest.mark.registers
def test_noise_against_a_head_is_not_reported_as_a_good_alignment(heads):
    moving, fixed, _, _ = heads
    noise = gaussian_filter(np.random.default_rng(1).normal(size=fixed.array.shape), 1.0)
    found = register_rigid(moving, fixed.with_array(noise - noise.min()))
    assert "share little information" in found.warning
