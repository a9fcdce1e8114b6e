"""Head motion of a series: found, told apart from the labelling, and undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from motion_builders import GRID, PERFUSED, brain, drawn, drift, scan, still_signal

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.preparing.motion import (
    Motion,
    correct_motion,
    estimate_motion,
    motion_findings,
    why_no_motion,
)
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.preparing.realignment import FINE, ComparedRegion, Model
from ASLDenoiseLib.series import ASLSeries, Volume, VolumeType
from ASLDenoiseLib.spatial.rigid import matrix_from, parameters_of


def errors(motion: Motion, poses: np.ndarray) -> np.ndarray:
    """What was found against the true poses (T, 6), mm and degrees, both from their median."""
    true = np.stack([parameters_of(matrix_from(pose, np.zeros(3)), motion.centre) for pose in poses])
    found = motion.parameters
    return found - np.median(found, axis=0) - (true - np.median(true, axis=0))


@pytest.fixture(scope="module")
def unquiet():
    """A drift of 2 mm and 2 degrees, a jump of 4 mm and 3, a slice half as bright again; series, poses, motion."""
    poses = 4 * drift(16)
    poses[9] += [2.0, -1.0, 3.3, 2.0, -1.0, 2.0]
    series = scan(poses)
    array = series.array.copy()
    array[4, 7] *= 1.5
    series = replace(series, array=array)
    return series, poses, estimate_motion(series, brain=brain())


def test_motion_is_found_to_a_tenth_of_a_millimetre_and_of_a_degree(unquiet):
    _, poses, motion = unquiet
    shift, turn = np.sqrt(np.mean(errors(motion, poses) ** 2, axis=0).reshape(2, 3).mean(axis=1))
    assert shift < 0.05 and turn < 0.1
    assert np.nanargmax(motion.displacement) == 9


def test_a_slice_of_another_brightness_is_left_out_and_does_not_move_the_result(unquiet):
    _, poses, motion = unquiet
    assert motion.corrupted[4].nonzero()[0].tolist() == [7]
    assert motion.corrupted.sum() <= 3  # the jump brings slices from outside, which may be judged too
    assert np.abs(errors(motion, poses)[4]).max() < 0.15


def test_a_steep_drift_is_not_taken_for_the_labelling():
    poses = drift(8) * 8  # 0.57 mm a volume, of which a plain mean over kinds would call half an alternation
    assert np.abs(errors(estimate_motion(scan(poses), brain=brain()), poses)[:, :3]).max() < 0.15


def test_correction_brings_the_mean_back_to_that_of_a_head_that_kept_still(unquiet):
    series, _, motion = unquiet
    kept = np.delete(np.arange(8), 2)  # the pair of the corrupted slice
    truth, inside = drawn(PERFUSED, np.zeros(6)), brain().array > 0

    def quality(of: ASLSeries) -> float:
        return psnr(np.nanmean(difference_volumes(of).array[kept], axis=0), truth, inside)

    still = quality(scan(np.zeros((16, 6))))
    assert quality(correct_motion(series, motion)) > still - 1.0
    assert quality(series) < still - 2.0


def test_what_moves_in_from_outside_is_not_measured(unquiet):
    series, _, motion = unquiet
    unknown = np.isnan(correct_motion(series, motion).array)
    where = (GRID.shape[0] - 1, *(n // 2 for n in GRID.shape[1:]))
    place = GRID.affine_lps @ [*where[::-1], 1]
    came_from = np.linalg.inv(GRID.affine_lps) @ np.linalg.inv(motion.matrices[9]) @ place
    assert came_from[2] > GRID.shape[0] - 0.5  # the jump up took the top of the head out of the field of view
    assert unknown[9][where] and not unknown[0][where]
    assert unknown[9].mean() < 0.2


def test_labelling_that_darkens_one_side_is_not_taken_for_motion():
    """Labels that are 15 % darker below, as with arteries at a short delay: what a common reference calls motion."""
    series = scan(np.zeros((12, 6)), noise=0.5)
    ramp = np.linspace(0.85, 1.0, 16)[:, None, None]
    array = np.where(np.array([k is VolumeType.LABEL for k in series.context])[:, None, None, None], ramp, 1.0)
    series = replace(series, array=array * series.array)
    compared = ComparedRegion.of(brain())
    to_controls = Model.of(series.mean(VolumeType.CONTROL).array, compared, FINE)
    fooled = parameters_of(to_controls.register(series.mean(VolumeType.LABEL).array), compared.centre)
    assert np.linalg.norm(fooled[:3]) > 0.2
    motion = estimate_motion(series, brain=brain())
    assert motion.pair_motion.max() < 0.05
    assert motion.still


def test_a_head_that_kept_still_gives_the_very_series_back_and_a_note():
    series = replace(scan(np.zeros((8, 6))), m0=Volume(5 * still_signal(np.zeros(6)), GRID))
    motion = estimate_motion(series, brain=brain())
    assert correct_motion(series, motion) is series
    assert [f.code for f in motion_findings(series, motion)] == ["motion-still"]


def test_an_m0_of_another_pose_and_contrast_is_aligned_with_the_controls():
    moved = np.array([1.5, -2.0, 3.0, 2.0, 1.0, -1.5])

    def relaxed(pose: np.ndarray) -> np.ndarray:
        return 1000 * (np.clip(still_signal(pose), 0, None) / 200) ** 0.4

    m0 = relaxed(moved) + np.random.default_rng(1).normal(0, 5, GRID.shape)
    series = replace(scan(np.zeros((6, 6))), m0=Volume(m0, GRID))
    motion = estimate_motion(series, brain=brain())
    left = parameters_of(motion.m0 @ matrix_from(moved, np.zeros(3)), motion.centre)
    assert np.abs(left[:3]).max() < 0.5 and np.abs(left[3:]).max() < 1.0
    corrected, inside = correct_motion(series, motion), brain().array > 0
    np.testing.assert_array_equal(corrected.array, series.array)
    assert psnr(corrected.m0.array, relaxed(np.zeros(6)), inside) > psnr(m0, relaxed(np.zeros(6)), inside) + 5


def test_volumes_that_are_neither_control_nor_label_take_no_part():
    poses = drift(9)
    series = scan(poses)
    context = (VolumeType.NOT_AVAILABLE, *series.context[1:])
    array = series.array.copy()
    array[0] = 0
    series = replace(series, array=array, context=context)
    motion = estimate_motion(series, brain=brain())
    assert np.isnan(motion.parameters[0]).all() and np.isfinite(motion.parameters[1:]).all()
    assert np.isnan(motion.framewise[:2]).all() and np.isfinite(motion.framewise[2:]).all()
    np.testing.assert_array_equal(correct_motion(series, motion).array[0], array[0])


def test_too_few_pairs_to_see_the_zigzag_is_said():
    series = scan(drift(4))
    motion = estimate_motion(series, brain=brain())
    assert np.isnan(motion.alternation).all()
    assert "motion-doubtful" in [f.code for f in motion_findings(series, motion)]
    assert np.abs(errors(motion, drift(4))[:, :3]).max() < 0.1


def test_differences_have_no_motion_to_find_and_the_reason_is_given():
    series = ASLSeries(np.ones((2, *GRID.shape)), GRID, ("deltam", "deltam"))
    assert estimate_motion(series) is None
    finding = motion_findings(series, None)[0]
    assert finding.severity is Severity.NOTE and finding.what == why_no_motion(series) != ""


def test_an_empty_volume_is_refused_in_words():
    series = scan(np.zeros((4, 6)))
    array = series.array.copy()
    array[2] = 0
    with pytest.raises(InputError, match=r"Volume 3 \(label\) is empty"):
        estimate_motion(replace(series, array=array), brain=brain())


# The noun alone, by hand


def by_hand(*poses) -> Motion:
    """Motion of given poses about the origin, measured at the corners of a cube of 100 mm."""
    corners = 50.0 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    matrices = np.stack([np.linalg.inv(matrix_from(np.array(p, float), np.zeros(3))) for p in poses])
    pairs = np.array([[t + 1, t] for t in range(0, len(poses) - 1, 2)])
    corrupted = np.zeros((len(poses), 16), bool)
    return Motion(matrices, np.zeros(3), corners, pairs, None, np.zeros(6), corrupted)


def test_parameters_are_the_pose_of_the_head_in_mm_and_degrees():
    pose = [1.0, -2.0, 3.0, 4.0, 0.0, -3.0]
    np.testing.assert_allclose(by_hand([0] * 6, pose).parameters[1], pose, atol=1e-9)
    # a head that moved 2 mm to its left (+x in LPS) is brought back by 2 mm to its right
    assert by_hand([2, 0, 0, 0, 0, 0]).matrices[0][0, 3] == pytest.approx(-2)


def test_framewise_displacement_is_the_mean_way_of_the_brain_between_volumes():
    shifted = by_hand([0] * 6, [3, 4, 0, 0, 0, 0], [3, 4, 12, 0, 0, 0])
    np.testing.assert_allclose(shifted.framewise, [np.nan, 5, 12])
    np.testing.assert_allclose(shifted.displacement, [0, 5, 13])
    turned = by_hand([0] * 6, [0, 0, 0, 0, 0, 2.0])
    chord = 2 * 50 * np.sqrt(2) * np.sin(np.deg2rad(1.0))  # every corner lies 50 sqrt(2) mm from the axis
    assert turned.framewise[1] == pytest.approx(chord)


def test_the_table_gives_a_pairs_motion_at_both_its_volumes():
    columns = by_hand([0] * 6, [1, 0, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 0, 0, 0]).columns
    np.testing.assert_allclose(columns["pair_motion"], [1, 1, 0, 0])
    assert list(columns)[:6] == ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
    assert all(values.shape == (4,) for values in columns.values())


def test_a_jump_between_volumes_is_warned_of():
    series = scan(np.zeros((4, 6)))
    found = motion_findings(series, by_hand([0] * 6, [0, 3, 0, 0, 0, 0], [0] * 6, [0] * 6))
    assert [f.code for f in found] == ["motion-large"] and "2 times" in found[0].what
