"""The acquisition model: exact averages, an exact adjoint, constants kept, holes left out."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.resampling import average_onto, with_spacing
from ASLDenoiseLib.superresolving.consistency import consistent, excess
from ASLDenoiseLib.superresolving.forward import PointSpread, acquisition_model, divided, usual_point_spread

TURN = np.deg2rad(20)
OBLIQUE = (np.cos(TURN), -np.sin(TURN), 0.0, np.sin(TURN), np.cos(TURN), 0.0, 0.0, 0.0, 1.0)
ACQUIRED = Geometry((9, 8, 6), (4.0, 4.0, 5.0), (-16.0, -14.0, -12.0))
FINE = divided(ACQUIRED, (2, 2, 3))
SPREAD = PointSpread((2.4, 2.4, 6.0))
ELSEWHERE = Geometry((22, 20, 18), (2.1, 2.0, 1.9), (-22.0, -10.0, -16.0), OBLIQUE)
MOVED = np.array([[1.0, 0.0, 0.0, 1.5], [0.0, 0.9986295, -0.0523360, -1.0], [0.0, 0.0523360, 0.9986295, 2.0],
                  [0.0, 0.0, 0.0, 1.0]])  # fmt: skip


def holes(geometry: Geometry) -> np.ndarray:
    measured = np.random.default_rng(1).random(geometry.shape) > 0.2
    measured[:, :3] = False
    return measured


MODELS = {
    "whole parts": acquisition_model(FINE, ACQUIRED),
    "point spread": acquisition_model(FINE, ACQUIRED, point_spread=SPREAD),
    "holes": acquisition_model(FINE, ACQUIRED, point_spread=SPREAD, measured=holes(FINE)),
    "any spacing": acquisition_model(with_spacing(ACQUIRED, (1.7, 1.3, 2.2)), ACQUIRED, point_spread=SPREAD),
    "oblique and moved": acquisition_model(
        ELSEWHERE, ACQUIRED, transform=MOVED, point_spread=SPREAD, measured=holes(ELSEWHERE)
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_adjoint_is_the_transpose(name):
    model, rng = MODELS[name], np.random.default_rng(0)
    x, y = rng.normal(size=model.fine.shape), rng.normal(size=model.acquired.shape)
    there = float(np.vdot(model.forward(x).astype(float), y))
    back = float(np.vdot(x, model.adjoint(y).astype(float)))
    assert there == pytest.approx(back, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_stays_what_it_is(name):
    model = MODELS[name]
    averaged = model.forward(np.full(model.fine.shape, 42.0))
    assert model.covered.sum() > 30
    assert averaged[model.covered] == pytest.approx(42, rel=1e-5)
    assert not averaged[~model.covered].any()


def test_whole_parts_average_as_average_onto_does():
    volume = Volume(np.random.default_rng(0).normal(size=FINE.shape), FINE)
    assert MODELS["whole parts"].acquire(volume).array == pytest.approx(average_onto(volume, ACQUIRED).array, abs=1e-5)


def test_an_oblique_grid_averages_a_smooth_map_as_average_onto_does():
    k, j, i = np.indices(ELSEWHERE.shape)
    volume = Volume(np.sin(k / 5) + np.cos(j / 6 + i / 4), ELSEWHERE)
    mine = acquisition_model(ELSEWHERE, ACQUIRED, transform=MOVED).acquire(volume).array
    theirs = average_onto(volume, ACQUIRED, transform=MOVED).array
    inner = np.isfinite(mine) & np.isfinite(theirs)
    inner &= acquisition_model(ELSEWHERE, ACQUIRED, transform=MOVED)._average(np.ones(ELSEWHERE.shape)) > 0.999
    assert inner.sum() > 30
    assert mine[inner] == pytest.approx(theirs[inner], abs=0.02)


def test_a_point_spread_blurs_by_its_width():
    line = Geometry((1, 1, 400), (1.0, 1.0, 0.5))
    fine = np.zeros(line.shape)
    fine[200] = 1
    seen = acquisition_model(line, line, point_spread=PointSpread((0.0, 0.0, 12.0))).forward(fine)[:, 0, 0]
    places = 0.5 * np.arange(400)
    middle = (seen * places).sum() / seen.sum()
    sd = np.sqrt((seen * (places - middle) ** 2).sum() / seen.sum())
    assert sd * np.sqrt(8 * np.log(2)) == pytest.approx(12, rel=0.02)


def test_unmeasured_fine_voxels_are_left_out_and_too_few_make_a_hole():
    array = np.full(FINE.shape, 10.0)
    array[:, :, :9] = np.nan
    found = MODELS["whole parts"].acquire(Volume(array, FINE)).array
    assert np.isnan(found[:, :, :4]).all()
    assert found[:, :, 4:] == pytest.approx(10)


def test_usual_point_spreads_follow_the_readout():
    assert usual_point_spread("2D", (3.0, 3.0, 5.0)).fwhm == pytest.approx((1.8, 1.8, 0))
    assert usual_point_spread("3D", (3.0, 3.0, 5.0)).fwhm == pytest.approx((0, 0, 6))
    assert usual_point_spread(None, (3.0, 3.0, 5.0)).fwhm == (0, 0, 0)


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="point spread"):
        PointSpread((-1.0, 0.0, 0.0))
    with pytest.raises(InputError, match="transform"):
        acquisition_model(FINE, ACQUIRED, transform=np.zeros((4, 4)))
    with pytest.raises(InputError, match="mask"):
        acquisition_model(FINE, ACQUIRED, measured=np.ones(ACQUIRED.shape, bool))


@pytest.mark.parametrize("name", ["whole parts", "point spread", "oblique and moved"])
def test_consistency_brings_every_acquired_voxel_within_its_noise_and_no_further(name):
    model, rng = MODELS[name], np.random.default_rng(2)
    low = Volume(np.where(model.covered, 50 + 10 * rng.normal(size=ACQUIRED.shape), np.nan), ACQUIRED)
    sd = np.full(ACQUIRED.shape, 4.0)
    start = Volume(np.where(model.measured, 50.0, np.nan), model.fine)
    before = excess(low.array, model.forward(np.nan_to_num(start.array)), sd, model.covered, 2.0)
    end = consistent(start, low, sd, model)
    apart = np.abs(low.array - model.forward(np.nan_to_num(end.array)))[model.covered]
    assert np.abs(before).max() > 5
    assert apart.max() < 2.25 * 4
    assert np.array_equal(np.isnan(end.array), np.isnan(start.array))


def test_consistency_leaves_a_map_that_explains_its_data_alone():
    model = MODELS["point spread"]
    fine = Volume(np.random.default_rng(3).normal(50, 10, FINE.shape), FINE)
    low = model.acquire(fine)
    assert np.array_equal(consistent(fine, low, np.ones(ACQUIRED.shape), model).array, fine.array)
