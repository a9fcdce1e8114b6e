"""Regions as fractions of voxels, and what is measured in them."""

from __future__ import annotations

import numpy as np
import pytest
from region_builders import ASL_GRID, T1_GRID, box, directly, perfusion, rigid, turned

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.measuring.regions import asymmetry, region_figures
from ASLDenoiseLib.preparing.averaging import weighted_mean
from ASLDenoiseLib.preparing.midline import mirror_of
from ASLDenoiseLib.result.pair_errors import PairErrors
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.regions import Drawing, PlacedRegion, drawings_of_labels, place, regions_on

DRAWN = {
    "one slice": box(T1_GRID, (60, 80, 71), (85, 110, 72)),
    "tiny": box(T1_GRID, (62, 83, 71), (64, 85, 72)),
    "large": box(T1_GRID, (50, 70, 60), (80, 105, 85)),
    "voxels of the series": box(ASL_GRID, (20, 22, 9), (26, 27, 12)),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("grid", [ASL_GRID, turned(ASL_GRID, 14.0, -9.0)], ids=["straight", "oblique"])
@pytest.mark.parametrize("transform", [None, rigid(degrees=8.0, shift=(11.0, -6.0, 4.0))], ids=["in place", "moved"])
def test_a_region_is_within_one_per_cent_of_a_direct_count(name, grid, transform):
    cbf = perfusion(grid)
    placed = place(DRAWN[name], grid, transform=transform)
    found = region_figures(placed, cbf.array)
    cuts = 3 if name == "large" else 9
    assert found.mean == pytest.approx(directly(DRAWN[name], cbf, transform=transform, cuts=cuts), rel=0.01)
    assert found.millilitres == pytest.approx(DRAWN[name].millilitres)
    assert placed.voxels * grid.voxel_volume / 1000 == pytest.approx(DRAWN[name].millilitres, rel=1e-6)
    assert found.coverage == 1.0


def test_a_mask_on_the_grid_itself_is_its_voxels():
    cbf, drawn = perfusion(ASL_GRID), DRAWN["voxels of the series"]
    placed = place(drawn, ASL_GRID)
    assert set(np.round(placed.fraction, 9)) == {1.0} and placed.voxels == pytest.approx(90)
    found, values = region_figures(placed, cbf.array), cbf.array[9:12, 22:27, 20:26].astype(float)
    assert (found.mean, found.sd) == (pytest.approx(values.mean()), pytest.approx(values.std()))


def test_coverage_is_the_share_of_the_drawing_that_is_measured():
    cbf = perfusion(ASL_GRID)  # NaN below slice 1
    half = place(box(ASL_GRID, (10, 10, 0), (20, 20, 2)), ASL_GRID)
    assert region_figures(half, cbf.array).coverage == pytest.approx(0.5)
    beyond = place(box(ASL_GRID, (40, 10, 5), (48, 20, 6)).moved(rigid(degrees=0, shift=(4 * 3.4, 0, 0))), ASL_GRID)
    assert region_figures(beyond, cbf.array).coverage == pytest.approx(0.5)
    nothing = region_figures(place(box(ASL_GRID, (10, 10, 0), (20, 20, 1)), ASL_GRID), cbf.array)
    assert np.isnan(nothing.mean) and nothing.coverage == 0


def test_only_a_region_truly_outside_is_refused():
    with pytest.raises(InputError, match="'far' lies outside the ASL images"):
        regions_on(ASL_GRID, {"far": DRAWN["tiny"].moved(rigid(degrees=0, shift=(500.0, 0, 0)))})
    with pytest.raises(InputError, match="'nothing' is empty"):
        regions_on(ASL_GRID, {"nothing": Drawing.of(Volume(np.zeros(T1_GRID.shape), T1_GRID))})
    assert regions_on(ASL_GRID, {"tiny": DRAWN["tiny"]})["tiny"].voxels > 0


def test_every_label_of_an_atlas_is_a_region_and_labels_of_one_name_are_one():
    labels = np.zeros(ASL_GRID.shape)
    labels[5:8, 10:20, 10:20], labels[5:8, 10:20, 30:40], labels[12] = 1, 2, 9
    drawn = drawings_of_labels(Volume(labels, ASL_GRID), {1: "MCA", 2: "MCA"})
    assert list(drawn) == ["MCA", "label 9"]
    assert drawn["MCA"].inside.sum() == 600 and place(drawn["MCA"], ASL_GRID).voxels == pytest.approx(600)
    with pytest.raises(InputError, match="no whole labels"):
        drawings_of_labels(Volume(labels + 0.5, ASL_GRID))


GRID = Geometry((16, 14, 8), (4.0, 4.0, 5.0), (-32.0, -28.0, -25.0))


def noisy_pairs(count: int, seed: int = 3) -> np.ndarray:
    """Noise that neighbours and whole pairs share, besides each voxel's own."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    own = rng.normal(0, 20, (count, *GRID.shape))
    smooth = np.stack([gaussian_filter(each, 1.2) for each in own]) * 4
    return (50 + own + smooth + rng.normal(0, 3, (count, 1, 1, 1))).astype(np.float32)


def by_bootstrap(pairs: np.ndarray, weights: np.ndarray | None, figure, draws: int = 400) -> float:
    """SD of a figure of the weighted mean of pairs drawn anew."""
    rng, n = np.random.default_rng(0), len(pairs)
    weights = np.ones((n, 1, 1, 1)) if weights is None else weights
    found = []
    for _ in range(draws):
        chosen = rng.integers(0, n, n)
        found.append(figure(weighted_mean(pairs[chosen], weights[chosen])))
    return float(np.nanstd(found) * np.sqrt(n / (n - 1)))


@pytest.mark.parametrize("weighted", [False, True], ids=["all pairs", "slices left out and weighed down"])
def test_the_error_of_a_mean_is_what_a_bootstrap_over_pairs_gives(weighted):
    pairs, weights = noisy_pairs(24), None
    if weighted:
        weights = np.ones((24, GRID.shape[0], 1, 1))
        weights[3], weights[7, 4], weights[10:14] = 0, 0, 0.4
    drawn = place(box(GRID, (4, 4, 3), (9, 9, 6)), GRID)
    errors = PairErrors.of(pairs, weights, np.ones(GRID.shape, bool), groups=24)
    mean = pairs.mean(axis=0) if weights is None else weighted_mean(pairs, weights)
    found = region_figures(drawn, mean, errors)
    told = by_bootstrap(pairs, weights, lambda array: region_figures(drawn, array).mean)
    assert found.error == pytest.approx(told, rel=0.12)
    means = [region_figures(drawn, each).mean for each in pairs]
    if not weighted:  # the textbook's, to the steps of sixteen bits
        assert found.error == pytest.approx(np.std(means, ddof=1) / np.sqrt(24), rel=1e-3)


def test_many_pairs_are_kept_as_neighbours_and_tell_the_same():
    pairs, within = noisy_pairs(96), np.ones(GRID.shape, bool)
    drawn, mean = place(box(GRID, (4, 4, 3), (9, 9, 6)), GRID), pairs.mean(axis=0)
    kept = PairErrors.of(pairs, None, within)
    assert len(kept.values) == 32 and kept.values.nbytes < pairs.nbytes / 5
    every = PairErrors.of(pairs, None, within, groups=96)
    few, all_ = (region_figures(drawn, mean, errors).error for errors in (kept, every))
    assert few == pytest.approx(all_, rel=0.3)  # SD of 32 draws: 13 %


def test_no_error_is_told_where_it_is_not_known():
    pairs, inside = noisy_pairs(12), np.zeros(GRID.shape, bool)
    inside[:, :7] = True
    errors, mean = PairErrors.of(pairs, None, inside), pairs.mean(axis=0)
    assert np.isfinite(region_figures(place(box(GRID, (4, 1, 3), (9, 6, 6)), GRID), mean, errors).error)
    assert np.isnan(region_figures(place(box(GRID, (4, 8, 3), (9, 12, 6)), GRID), mean, errors).error)
    assert PairErrors.of(pairs[:2], None, inside) is None


def test_the_error_of_an_asymmetry_knows_that_both_sides_share_noise():
    pairs = noisy_pairs(24)
    left, right = (
        place(box(GRID, low, high), GRID) for low, high in (((2, 4, 3), (6, 9, 6)), ((10, 4, 3), (14, 9, 6)))
    )
    errors, mean = PairErrors.of(pairs, None, np.ones(GRID.shape, bool), groups=24), pairs.mean(axis=0)

    def index(array: np.ndarray, errors: PairErrors | None = None):
        one, other = (region_figures(side, array, errors) for side in (left, right))
        return asymmetry(left, right, one, other)

    told = by_bootstrap(pairs, None, lambda array: index(array).index)
    assert index(mean, errors).error == pytest.approx(told, rel=0.12)
    one, other = (region_figures(side, mean).mean for side in (left, right))
    assert index(mean).index == pytest.approx(100 * (one - other) / ((one + other) / 2))


def head(*, lesion: float) -> tuple[Volume, Volume, Drawing, Drawing]:
    """T1 and CBF of a symmetrical head, turned and off centre; a lesion of one side, `lesion`-fold, and its core."""
    grid = turned(Geometry((76, 90, 70), (2.0, 2.0, 2.0), (-72.0, -95.0, -60.0)), 6.0, 11.0)
    k, j, i = np.indices(grid.shape)
    x, y, z = ((np.stack([i, j, k], -1) @ grid.affine_lps[:3, :3].T) + grid.affine_lps[:3, 3]).transpose(3, 0, 1, 2)
    tilt = np.deg2rad(7.0)  # of the head in the scanner
    across, along = np.cos(tilt) * (x - 3) + np.sin(tilt) * y, -np.sin(tilt) * (x - 3) + np.cos(tilt) * y
    brain = (across / 62) ** 2 + (along / 76) ** 2 + (z / 55) ** 2 < 1
    cortex = brain & ((across / 50) ** 2 + (along / 64) ** 2 + (z / 44) ** 2 > 1)
    ventricles = ((np.abs(across) - 9) / 5) ** 2 + ((along - 5) / 22) ** 2 + ((z - 4) / 12) ** 2 < 1
    image = np.where(brain, 110.0, 0) - 40 * cortex - 80 * ventricles
    apart = (across - 34) ** 2 + (along + 8) ** 2 + (z - 6) ** 2
    damaged, core = brain & (apart < 15**2), brain & (apart < 7**2)
    cbf = np.where(cortex, 60.0, 25.0) * brain * np.where(damaged, lesion, 1.0)
    image = image - 20 * damaged
    drawings = (Drawing.cropped(each, grid.affine_lps) for each in (damaged, core))
    return Volume(image, grid), Volume(cbf, grid), *drawings


def test_the_index_of_a_mirrored_lesion_is_within_two_per_cent():
    from ASLDenoiseLib.spatial.resampling import average_onto

    image, cbf, lesion, core = head(lesion=0.6)
    brain = image.with_array(image.array > 0)
    fit = mirror_of(image.with_array(image.array + np.random.default_rng(0).normal(0, 3, image.array.shape)), brain)
    assert fit.agreement > 0.9 and np.linalg.det(fit.matrix) == pytest.approx(-1)
    asl = average_onto(cbf, Geometry((44, 52, 26), (3.4, 3.4, 5.0), (-73.0, -88.0, -62.0)), outside=0.0)

    def index(drawing: Drawing, mirror: np.ndarray):
        one, other = place(drawing, asl.geometry), place(drawing, asl.geometry, transform=mirror)
        return asymmetry(one, other, *(region_figures(side, asl.array) for side in (one, other)))

    tilt = np.deg2rad(7.0)
    normal, true = np.array([np.cos(tilt), np.sin(tilt), 0.0]), np.eye(4)
    true[:3, :3] -= 2 * np.outer(normal, normal)
    true[:3, 3] = 2 * 3 * normal[0] * normal
    assert index(core, fit.matrix).index == pytest.approx(100 * (0.6 - 1) / 0.8, abs=1.0)
    assert index(lesion, fit.matrix).index == pytest.approx(index(lesion, true).index, abs=1.0)
    assert index(lesion, fit.matrix).overlap == 0
    assert mirror_of(image.with_array(np.zeros_like(image.array)), brain).agreement == 0


def test_a_mask_given_on_the_grid_counts_by_its_fractions():
    fractions = np.zeros(GRID.shape)
    fractions[4, 4, 4], fractions[4, 4, 5] = 1.0, 0.25
    values = np.zeros(GRID.shape)
    values[4, 4, 4], values[4, 4, 5] = 10.0, 60.0
    assert region_figures(PlacedRegion.of(Volume(fractions, GRID)), values).mean == pytest.approx(20.0)
