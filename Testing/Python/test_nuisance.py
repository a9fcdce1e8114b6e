"""Nuisance regression: what it takes out of controls and labels, and what it must leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.motion import Motion
from ASLDenoiseLib.preparing.nuisance import nuisance_courses, regress_nuisance
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.rigid import matrix_from

GRID = Geometry((6, 5, 4), (4.0, 4.0, 4.0))
VOLUMES = 24
SIGN = np.where(np.arange(VOLUMES) % 2, -1.0, 1.0)  # control, label, control, ...
CONTEXT = tuple(VolumeType.CONTROL if s > 0 else VolumeType.LABEL for s in SIGN)
RNG = np.random.default_rng(4)
STATIC, PERFUSION, SPREAD = (RNG.uniform(low, high, GRID.shape) for low, high in ((80, 120), (1, 6), (-3, 3)))


def series(*, noise: float = 0.0, course: np.ndarray | None = None) -> ASLSeries:
    """Static signal, perfusion by turns, a nuisance of each voxel's own strength, and noise; (24, 4, 5, 6)."""
    array = STATIC + 0.5 * SIGN[:, None, None, None] * PERFUSION
    if course is not None:
        array = array + course[:, None, None, None] * SPREAD
    return ASLSeries(array + np.random.default_rng(7).normal(0, noise, array.shape), GRID, CONTEXT)


def balanced(seed: int = 0) -> np.ndarray:
    """A course (T,) with the same mean over controls as over labels."""
    course = np.random.default_rng(seed).normal(0, 1, VOLUMES)
    course[::2] -= course[::2].mean()
    course[1::2] -= course[1::2].mean()
    return course


def test_a_nuisance_that_does_not_alternate_is_taken_out_entirely():
    cleaned = regress_nuisance(series(course=balanced()), {"wobble": 3 * balanced() + 7})
    np.testing.assert_allclose(cleaned.series.array, series().array, atol=1e-4)
    assert cleaned.explained == pytest.approx(1)


def test_the_mean_difference_stays_and_the_spread_of_the_pairs_falls():
    course = np.random.default_rng(1).normal(0, 1, VOLUMES)  # alternates a little, by chance
    before = series(noise=0.5, course=course)
    after = regress_nuisance(before, {"wobble": course}).series
    one, two = (difference_volumes(s).array for s in (before, after))
    np.testing.assert_allclose(two.mean(axis=0), one.mean(axis=0), atol=1e-4)
    assert two.std(axis=0).mean() < 0.5 * one.std(axis=0).mean()


def test_the_labelling_itself_given_as_a_nuisance_takes_no_perfusion_away():
    given = series(noise=0.5)
    same = regress_nuisance(given, {"label": SIGN, "constant": np.ones(VOLUMES)})
    np.testing.assert_allclose(same.series.array, given.array, atol=1e-5)
    assert same.explained == 0


def test_the_global_signal_is_taken_out_and_leaves_the_perfusion_in_it():
    given = series(course=balanced())
    given = replace(given, array=given.array + 2 * balanced(3)[:, None, None, None])
    brain = Volume(np.ones(GRID.shape), GRID)
    courses = nuisance_courses(given, "global", brain=brain)
    assert courses["global"][::2].mean() - courses["global"][1::2].mean() == pytest.approx(PERFUSION.mean(), abs=1e-4)
    cleaned = regress_nuisance(given, courses).series
    difference = difference_volumes(cleaned).array
    np.testing.assert_allclose(difference.mean(axis=0), PERFUSION, atol=1e-4)
    everywhere = difference.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(everywhere, everywhere.mean(), atol=1e-4)


def test_white_noise_loses_what_chance_takes_and_no_more():
    """r random courses take r / (T - 2) of the variance within the kinds, by the degrees of freedom."""
    given = ASLSeries(
        np.random.default_rng(2).normal(100, 1, (VOLUMES, 16, 20, 20)), Geometry((20, 20, 16), (3,) * 3), CONTEXT
    )
    courses = {f"c{n}": np.random.default_rng(n).normal(size=VOLUMES) for n in range(4)}
    cleaned = regress_nuisance(given, courses)
    assert cleaned.chance == 4 / (VOLUMES - 2)
    assert cleaned.explained == pytest.approx(cleaned.chance, rel=0.02)


def test_the_same_course_twice_is_the_same_as_once():
    given = series(noise=1.0, course=balanced())
    once = regress_nuisance(given, {"a": balanced()}).series
    twice = regress_nuisance(given, {"a": balanced(), "b": -2 * balanced()}).series
    np.testing.assert_allclose(twice.array, once.array, atol=1e-4)


def test_what_was_not_measured_and_what_is_neither_control_nor_label_stays_as_it_was():
    given = series(noise=1.0, course=balanced())
    array = given.array.copy()
    array[5, 1, 2, 3] = np.nan
    context = (*given.context[:-2], VolumeType.NOT_AVAILABLE, VolumeType.NOT_AVAILABLE)
    given = replace(given, array=array, context=context)
    course = np.array([*balanced()[:-2], np.nan, np.nan])  # not known where no control or label is
    after = regress_nuisance(given, {"wobble": course}).series.array
    np.testing.assert_array_equal(after[:, 1, 2, 3], array[:, 1, 2, 3])
    np.testing.assert_array_equal(after[-2:], array[-2:])
    assert not np.allclose(after[:-2, 0], array[:-2, 0], atol=0.1)


def test_too_few_volumes_for_the_courses_are_left_alone_with_the_reason():
    few = ASLSeries(series(noise=1.0).array[:8], GRID, CONTEXT[:8])
    courses = {f"c{n}": np.random.default_rng(n).normal(size=8) for n in range(2)}
    left = regress_nuisance(few, courses)
    assert left.series is few and "8 volumes are too few" in left.reason and not left.courses
    assert not regress_nuisance(few, {"c0": courses["c0"]}).reason


def test_differences_are_left_alone_with_the_reason():
    pairs = difference_volumes(series())
    left = regress_nuisance(pairs, {"wobble": np.arange(12.0)})
    assert left.series is pairs and left.reason


@pytest.mark.parametrize(
    ("course", "words"), [(np.ones(3), r"has shape \(3,\)"), (np.full(VOLUMES, np.nan), "is not known at every")]
)
def test_a_course_that_does_not_fit_the_series_is_refused(course, words):
    with pytest.raises(InputError, match=words):
        regress_nuisance(series(), {"wobble": course})


def test_courses_of_csf_are_means_over_what_is_csf_alone():
    csf = np.zeros(GRID.shape)
    csf[0] = 1
    csf[1] = 0.8
    maps = [Volume(a, GRID) for a in (1 - csf, 0 * csf, csf, np.ones(GRID.shape))]
    courses = nuisance_courses(series(noise=1.0), "csf", tissue=Tissue(*maps, "by hand"))
    np.testing.assert_allclose(courses["csf"], series(noise=1.0).array[:, 0].mean(axis=(1, 2)), rtol=1e-6)


def test_courses_of_motion_are_the_six_parameters():
    poses = np.random.default_rng(0).normal(0, 0.3, (VOLUMES, 6))
    matrices = np.stack([np.linalg.inv(matrix_from(p, np.zeros(3))) for p in poses])
    pairs = np.arange(VOLUMES).reshape(-1, 2)
    motion = Motion(matrices, np.zeros(3), np.ones((1, 3)), pairs, None, np.zeros(6), np.zeros((VOLUMES, 4), bool))
    courses = nuisance_courses(series(), "motion", motion=motion)
    np.testing.assert_allclose(np.stack(list(courses.values()), 1), poses, atol=1e-9)


@pytest.mark.parametrize(
    ("choice", "words"),
    [("motion", "motion parameters"), ("csf", "CSF map"), ("global", "brain mask"), ("pulse", "no nuisance 'pulse'")],
)
def test_a_choice_that_cannot_be_met_is_refused_in_words(choice, words):
    with pytest.raises(InputError, match=words):
        nuisance_courses(series(), choice)


def test_a_spike_that_is_left_out_of_the_fit_does_not_leak_into_the_volumes_that_are_kept():
    course, kept = balanced(), np.arange(VOLUMES) != 6
    quiet = series(course=course)
    array = quiet.array.copy()
    array[6, 1] += 200.0
    left_out = np.zeros((VOLUMES, GRID.size[2]), bool)
    left_out[6, 1] = True
    followed = course + 30.0 * ~kept  # as the pose of a corrupted volume would
    careful, careless = (
        regress_nuisance(replace(quiet, array=array), {"n": followed}, left_out=mask).series.array[kept, 1]
        for mask in (left_out, None)
    )
    controls = SIGN[kept] > 0
    before = quiet.array[kept, 1]
    for kind in (controls, ~controls):
        np.testing.assert_allclose(careful[kind].mean(axis=0), before[kind].mean(axis=0), atol=0.01)
        assert np.std(careful[kind], axis=0).max() < 0.01
    assert np.abs(careless[controls].mean(axis=0) - before[controls].mean(axis=0)).max() > 5
