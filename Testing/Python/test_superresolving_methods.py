"""Super-resolution methods on a small head: shells of tissue, their T1, and an acquired map with known noise."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.brain_mask import correct_bias
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.superresolving import (
    DEFAULT_METHOD,
    METHODS,
    GuidedSettings,
    LowResolution,
    PointSpread,
    super_resolve,
)
from ASLDenoiseLib.superresolving.conflict import conflict
from ASLDenoiseLib.superresolving.consistency import over_centimetres
from ASLDenoiseLib.superresolving.contrast_features import contrast_features
from ASLDenoiseLib.superresolving.fine_alignment import rigid_step
from ASLDenoiseLib.superresolving.forward import acquisition_model, divided
from ASLDenoiseLib.superresolving.guided import guided
from ASLDenoiseLib.superresolving.smooth_fields import Part, averaged, bspline_basis, posterior_mode, total

ACQUIRED = Geometry((20, 20, 16), (4.0, 4.0, 4.0), (-38.0, -38.0, -30.0))
FINE = divided(ACQUIRED, (2, 2, 2))
SIGMA = 3.0
QUICK = GuidedSettings(draws=0)


def places(geometry: Geometry) -> np.ndarray:
    """LPS mm (3, K, J, I) of every voxel."""
    k, j, i = np.indices(geometry.shape)
    lattice = np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    return (geometry.affine_lps @ lattice)[:3].reshape(3, *geometry.shape)


def folded(geometry: Geometry, *, moved: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bool masks of brain, grey and white matter: a ball whose shell of grey matter is folded every 18 mm."""
    x, y, z = places(geometry)
    x = x - moved
    radius = np.sqrt(x**2 + y**2 + z**2)
    folds = 3 * np.sin(2 * np.pi * x / 18) * np.cos(2 * np.pi * y / 18)
    brain = radius < 30
    white = brain & (radius + folds < 22)
    return brain, brain & ~white & (radius + folds < 27), white


@cache
def truth() -> Volume:
    """CBF 60 in grey and 20 in white matter, averaged over fine voxels of 2 mm."""
    drawn = divided(FINE, (2, 2, 2))
    _, grey, white = folded(drawn)
    return Volume(acquisition_model(drawn, FINE).forward(60.0 * grey + 20.0 * white), FINE, "ml/100g/min")


@cache
def t1(*, moved: float = 0.0) -> Volume:
    grid = Geometry((70, 70, 66), (1.0, 1.1, 1.0), (-34.5, -38.0, -32.5))
    brain, grey, white = folded(grid, moved=moved)
    clean = 150.0 * brain + 400.0 * grey + 750.0 * white
    return Volume(clean + np.random.default_rng(5).normal(0, 15, clean.shape), grid)


def scanned(fine: np.ndarray, *, sigma: float = SIGMA, **further: object) -> LowResolution:
    """The fine map as acquired, NaN outside the coarse brain."""
    model = acquisition_model(FINE, ACQUIRED)
    brain = model.forward(folded(FINE)[0].astype(float)) > 0.5
    noise = np.random.default_rng(1).normal(0, sigma, ACQUIRED.shape)
    low = Volume(np.where(brain, model.forward(fine) + noise, np.nan), ACQUIRED, "ml/100g/min")
    return LowResolution(low, **{"target": FINE, "t1": t1(), "sd": sigma, **further})


def error(fine: Volume, true: np.ndarray | None = None) -> float:
    true = truth().array if true is None else true
    apart = (fine.array - true)[np.isfinite(fine.array) & folded(FINE)[0]]
    return float(np.sqrt(np.mean(apart**2)))


def lesion(centre: tuple[float, float, float], diameter: float, geometry: Geometry = FINE) -> np.ndarray:
    away = places(geometry) - np.reshape(centre, (3, 1, 1, 1))
    return np.linalg.norm(away, axis=0) < diameter / 2


@cache
def healthy():
    """The guided result of the head as scanned, which several tests look at and none changes."""
    return guided(scanned(truth().array), settings=QUICK)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if not method.learns])
def test_every_method_gives_the_target_grid_the_same_holes_and_an_honest_residual(name):
    scan = scanned(truth().array)
    result = super_resolve(scan, method=name)
    assert result.fine.geometry == FINE and result.fine.unit == "ml/100g/min"
    holes = np.kron(np.isnan(scan.low.array), np.ones((2, 2, 2))) > 0
    assert np.array_equal(np.isnan(result.fine.array), holes)
    model = acquisition_model(FINE, ACQUIRED, measured=~holes)
    inside = np.isfinite(scan.low.array)
    expected = (scan.low.array - model.forward(np.nan_to_num(result.fine.array)))[inside]
    assert result.residual.array[inside] == pytest.approx(expected, abs=1e-3)


def test_nearest_averages_back_to_the_input():
    result = super_resolve(scanned(truth().array), method="nearest")
    assert np.nanmax(np.abs(result.residual.array)) < 1e-4


@pytest.mark.parametrize("snr", [3.0, 20.0])
def test_the_t1_halves_the_error_of_every_interpolation(snr):
    scan = scanned(truth().array, sigma=60 / snr)
    found = {name: error(super_resolve(scan, method=name).fine) for name in ("linear", "spline", "gaussian")}
    assert error(guided(scan, settings=QUICK).fine) < 0.5 * min(found.values())


def test_the_guided_map_agrees_with_the_input_within_its_noise():
    assert np.nanmax(np.abs(healthy().residual.array)) < 2.06 * SIGMA


def test_a_lesion_that_the_t1_does_not_show_survives():
    where = lesion((-2.0, 20.0, 2.0), 16)
    sick = truth().array * np.where(where, 0.3, 1)
    found = guided(scanned(sick), settings=QUICK).fine.array
    kept = (found - healthy().fine.array)[where].mean() / (sick - truth().array)[where].mean()
    assert 0.85 < kept < 1.1


def test_a_lesion_that_the_t1_alone_shows_does_not_appear():
    grid = t1().geometry
    shown = t1().with_array(np.where(lesion((0.0, 0.0, 0.0), 14, grid), 550, t1().array))
    found = guided(scanned(truth().array, t1=shown), settings=QUICK).fine.array
    where = lesion((0.0, 0.0, 0.0), 14)
    assert abs((found - healthy().fine.array)[where].mean()) < 0.02 * 60


def test_the_t1_of_another_head_does_no_harm():
    grid = t1().geometry
    x, y, z = places(grid)
    stripes = np.digitize(np.sin(x / 3) + np.sin(y / 2.5) + np.sin(z / 3.5), (-0.5, 0.5))
    stranger = t1().with_array(np.array([150.0, 550.0, 900.0])[stripes] * folded(grid)[0])
    scan = scanned(truth().array, t1=stranger)
    alone = super_resolve(scan, method="smooth").fine
    assert error(guided(scan, settings=QUICK).fine) < 1.03 * error(alone)


def test_a_t1_that_lies_two_millimetres_off_is_brought_home():
    off = scanned(truth().array, t1=t1(moved=2.0))
    kept = guided(off, settings=GuidedSettings(draws=0, alignment_steps=0)).fine
    home = guided(off, settings=GuidedSettings(draws=0, alignment_steps=3)).fine
    assert error(home) < 0.7 * error(kept)


def test_the_map_can_be_wanted_on_the_t1s_own_grid():
    matrix = np.eye(4)
    matrix[:3, 3] = 5.0, -3.0, 2.0
    shifted = Volume(t1().array, Geometry(t1().geometry.size, t1().geometry.spacing,
                                          tuple(np.subtract(t1().geometry.origin, matrix[:3, 3]))))  # fmt: skip
    scan = scanned(truth().array, t1=shifted, t1_to_asl=matrix, target=shifted.geometry, target_to_asl=matrix)
    result = guided(scan, settings=QUICK)
    assert result.fine.geometry == shifted.geometry
    _, grey, white = folded(t1().geometry)
    known = np.isfinite(result.fine.array)
    assert result.fine.array[grey & known].mean() > 2 * result.fine.array[white & known].mean()
    assert np.nanmax(np.abs(result.residual.array)) < 2.5 * SIGMA


def test_the_uncertainty_grows_with_the_noise_and_is_drawn_from_its_seed():
    noise_alone = GuidedSettings(draws=3, t1_error=0.0)
    quiet, noisy = (guided(scanned(truth().array, sigma=s), settings=noise_alone).uncertainty for s in (2.0, 8.0))
    again = guided(scanned(truth().array, sigma=2.0), settings=noise_alone).uncertainty
    assert np.nanmedian(noisy.array) > 1.5 * np.nanmedian(quiet.array)
    assert np.array_equal(quiet.array, again.array, equal_nan=True)


def test_the_uncertainty_covers_the_truth():
    found = guided(scanned(truth().array), settings=GuidedSettings(draws=6))
    apart = np.abs(found.fine.array - truth().array)
    known = np.isfinite(apart) & (truth().array > 0)
    assert 0.85 < (apart < 1.96 * found.uncertainty.array)[known].mean() < 0.99


def test_progress_rises_to_one_and_one_that_raises_ends_the_work():
    seen: list[float] = []
    guided(scanned(truth().array), settings=QUICK, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 1 and len(seen) > 20

    class CancelledError(Exception):
        pass

    def cancel(fraction: float, text: str) -> None:
        if fraction > 0.2:
            raise CancelledError

    with pytest.raises(CancelledError):
        guided(scanned(truth().array), settings=QUICK, progress=cancel)


def test_noise_that_is_not_told_is_read_off_the_map():
    found = scanned(truth().array, sd=None, sigma=30.0).noise()
    assert np.ptp(found) == 0
    assert 30 / 1.3 < found.mean() < 30 * 1.3


def test_wrong_input_is_refused():
    scan = scanned(truth().array)
    with pytest.raises(InputError, match="no super-resolution method"):
        super_resolve(scan, method="magic")
    with pytest.raises(InputError, match="needs a T1"):
        super_resolve(scanned(truth().array, t1=None), method=DEFAULT_METHOD)
    with pytest.raises(InputError, match="no measured voxel"):
        LowResolution(scan.low.with_array(np.full(ACQUIRED.shape, np.nan)), FINE)
    with pytest.raises(InputError, match="noise SD"):
        LowResolution(scan.low, FINE, sd=0.0)
    with pytest.raises(InputError, match="no contrast"):
        guided(scanned(truth().array, t1=t1().with_array(np.ones(t1().array.shape))), settings=QUICK)


def test_features_share_every_voxel_out():
    scan = scanned(truth().array)
    brain = scan.low.with_array(scan.measured)
    features = contrast_features(correct_bias(t1()), FINE, brain, transform=np.eye(4))
    inner = lesion((0.0, 0.0, 0.0), 50)
    assert features.sum(axis=0)[inner] == pytest.approx(1, abs=1e-3)
    assert features[-1][lesion((0.0, 0.0, 0.0), 20)].mean() > 0.8


def test_most_likely_weights_solve_the_normal_equations():
    fine = divided(Geometry((5, 5, 4), (4.0, 4.0, 4.0)), (2, 2, 2))
    coarse = Geometry((5, 5, 4), (4.0, 4.0, 4.0))
    model, rng = acquisition_model(fine, coarse), np.random.default_rng(0)
    axes = averaged(model.axes, bspline_basis(fine, (8.0, 8.0, 8.0)))
    part = Part(rng.random((2, *coarse.shape)).astype(np.float32), axes, 1.5)
    values, precision = rng.normal(size=coarse.shape).astype(np.float32), np.full(coarse.shape, 0.7, np.float32)
    columns = [part(unit.reshape(part.shape)).ravel() for unit in np.eye(int(np.prod(part.shape)), dtype=np.float32)]
    matrix = np.stack(columns, axis=1).astype(float)
    exact = np.linalg.solve(np.eye(matrix.shape[1]) + 0.7 * matrix.T @ matrix, 0.7 * matrix.T @ values.ravel())
    found = total([part], posterior_mode([part], values, precision))
    assert found.ravel() == pytest.approx(matrix @ exact, abs=0.02)


def test_doubt_rises_where_the_map_contradicts_and_nowhere_else():
    rng = np.random.default_rng(0)
    misfit, measured = rng.normal(0, 3, ACQUIRED.shape), np.ones(ACQUIRED.shape, bool)
    where = lesion((0.0, 0.0, 0.0), 16, ACQUIRED)
    doubt = conflict(misfit + 12 * where, measured, ACQUIRED)
    assert doubt[where].mean() > 0.9
    far = ~lesion((0.0, 0.0, 0.0), 44, ACQUIRED)
    assert doubt[far].mean() < 0.08
    assert not conflict(np.zeros(ACQUIRED.shape), measured, ACQUIRED).any()


def test_a_rigid_step_finds_a_small_motion():
    x, y, z = places(FINE)
    pattern = Volume(np.sin(x / 5) + np.cos(y / 6) + np.sin(z / 7) + np.sin((x + y) / 8), FINE)
    there = np.sin((x - 0.4) / 5) + np.cos(y / 6) + np.sin((z + 0.3) / 7) + np.sin((x - 0.4 + y) / 8)
    model = acquisition_model(FINE, ACQUIRED, point_spread=PointSpread())
    misfit = model.forward(there) - model.forward(pattern.array)
    step = rigid_step(pattern, misfit, np.ones(ACQUIRED.shape), model)
    assert step[:3, 3] == pytest.approx((0.4, 0.0, -0.3), abs=0.05)
    assert step[:3, :3] == pytest.approx(np.eye(3), abs=2e-3)


def test_a_misfit_of_one_sd_over_centimetres_is_put_back_and_single_noisy_voxels_are_not():
    scan = scanned(truth().array, sigma=8.0)
    model = acquisition_model(FINE, ACQUIRED, measured=np.isfinite(truth().array))
    short = truth().array - 8.0 * lesion((0.0, 0.0, 0.0), 24.0)
    sd = np.full(ACQUIRED.shape, 8.0, np.float32)
    inside = np.isfinite(scan.low.array)
    agreed = over_centimetres(truth().with_array(short), scan.low, sd, model).array
    centre = lesion((0.0, 0.0, 0.0), 12.0)
    assert (truth().array - agreed)[centre].mean() < 5.0
    apart = (scan.low.array - model.forward(agreed))[inside]
    assert apart.std() > 0.9 * 8.0
    kept = over_centimetres(truth(), scan.low, sd, model).array
    assert np.abs(kept - truth().array)[folded(FINE)[0]].mean() < 0.2
