"""Poses of many volumes against one model: the same as a search a volume gives, and the search where steps fail."""

from __future__ import annotations

import numpy as np
import pytest
from motion_builders import GRID, NOISE, brain, still_signal

from ASLDenoiseLib.preparing import realignment
from ASLDenoiseLib.preparing.realignment import align_kind
from ASLDenoiseLib.spatial.pose_fit import PoseFit, thinned
from ASLDenoiseLib.spatial.rigid import matrix_from, parameters_of
from ASLDenoiseLib.spatial.rigid_fit import FINE, ComparedRegion, Model

NEAR, FAR = [0.3, -0.2, 0.4, 0.3, -0.4, 0.2], [4.0, -3.0, 3.0, 5.0, -3.0, 4.0]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.of(still_signal(np.zeros(6)), ComparedRegion.of(brain()), FINE)


def volume(pose: list[float], *, seed: int = 0) -> np.ndarray:
    return still_signal(np.array(pose)) + np.random.default_rng(seed).normal(0, NOISE, GRID.shape)


def pose_of(matrix: np.ndarray, model: Model) -> np.ndarray:
    return parameters_of(matrix, model.compared.centre)


@pytest.mark.parametrize("pose", [NEAR, FAR])
def test_steps_end_where_a_search_ends_and_near_the_truth(model, pose):
    moved, fit, start = volume(pose), PoseFit.of(model), np.linalg.inv(matrix_from(0.7 * np.array(pose), np.zeros(3)))
    found = fit.register(fit.values(model.compared.smoothed(moved, FINE[0])), start=start)
    searched = model.register(moved, start=start)
    truth = np.linalg.inv(matrix_from(np.array(pose), np.zeros(3)))
    assert np.abs(pose_of(found, model) - pose_of(searched, model)).max() < 0.05
    assert np.abs(pose_of(found, model) - pose_of(truth, model)).max() < 0.1


def test_gain_and_offset_of_a_volume_move_nothing(model):
    moved, fit = volume(NEAR), PoseFit.of(model)
    smooth = model.compared.smoothed(moved, FINE[0])
    plain, other = (fit.register(fit.values(each)) for each in (smooth, 3.0 * smooth + 500.0))
    np.testing.assert_allclose(pose_of(other, model), pose_of(plain, model), atol=0.01)


def test_a_slice_that_is_left_out_does_not_move_the_pose(model):
    moved, fit, without = volume(NEAR), PoseFit.of(model), np.arange(GRID.shape[0]) == 7
    smooth = model.compared.smoothed(moved, FINE[0])
    darkened = smooth * np.where(without, 0.5, 1.0)[:, None, None]
    kept, bad = (fit.register(fit.values(each), without=without) for each in (smooth, darkened))
    np.testing.assert_allclose(pose_of(bad, model), pose_of(kept, model), atol=1e-6)
    assert np.abs(pose_of(fit.register(fit.values(darkened)), model) - pose_of(kept, model)).max() > 0.02


def test_steps_that_do_not_settle_give_nothing(model):
    fit = PoseFit.of(model)
    assert fit.register(fit.values(-model.compared.smoothed(volume(NEAR), FINE[0]))) is None


def test_where_steps_fail_each_volume_is_searched_for(monkeypatch):
    volumes = np.stack([volume(n * np.array(NEAR), seed=n) for n in range(5)])
    compared = ComparedRegion.of(brain())
    _, stepped, _ = align_kind(volumes, compared, lambda _: None)
    monkeypatch.setattr(PoseFit, "register", lambda *_, **__: None)
    _, searched, _ = align_kind(volumes, compared, lambda _: None)
    for one, other in zip(stepped, searched, strict=True):
        assert np.abs(parameters_of(one, compared.centre) - parameters_of(other, compared.centre)).max() < 0.06


def test_poses_do_not_depend_on_the_threads(monkeypatch):
    volumes = np.stack([volume(n * np.array(NEAR), seed=n) for n in range(3)])
    compared = ComparedRegion.of(brain())
    _, several, _ = align_kind(volumes, compared, lambda _: None)
    monkeypatch.setattr(realignment, "in_threads", lambda function, items: [function(item) for item in items])
    np.testing.assert_array_equal(align_kind(volumes, compared, lambda _: None)[1], several)


def test_a_slice_that_left_the_field_in_one_volume_is_still_judged_in_the_others():
    """A head pushed up by most of a slice takes the top slice of one volume out of the median's field."""
    volumes = np.stack([volume(NEAR, seed=n) for n in range(5)])
    volumes[0] = volume([0, 0, 5.0, 0, 0, 0])
    inside = ComparedRegion.of(brain()).inside.sum(axis=(1, 2))
    bottom = int(np.flatnonzero(inside >= 30)[0])
    volumes[3, bottom] *= 0.3
    _, _, corrupted = align_kind(volumes, ComparedRegion.of(brain()), lambda _: None)
    assert corrupted[3, bottom]


def test_a_thinned_region_lies_where_the_whole_one_does():
    compared = ComparedRegion.of(brain())
    fewer, taken = thinned(compared, 10.0)
    assert fewer.geometry.spacing == (9.0, 9.0, 6.0)
    np.testing.assert_array_equal(fewer.inside, compared.inside[taken])
    last = np.array(fewer.geometry.size) - 1
    whole = compared.geometry.affine_lps @ [*(last * (2, 2, 1)), 1]
    np.testing.assert_allclose(fewer.geometry.affine_lps @ [*last, 1], whole)
