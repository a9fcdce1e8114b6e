"""The classical peers do what their names say, on hand-made pairs; a broken peer would flatter the networks."""

from __future__ import annotations

import sys

import numpy as np
import pytest

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def benchmarks(repo_root):
    """The benchmark scripts are no package: they import each other from their own folder."""
    folder = str(repo_root / "Testing" / "Benchmarks")
    sys.path.insert(0, folder)
    import cases
    import peers

    yield cases, peers
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def case(benchmarks):
    """Stripes of 60 and 20 in white noise of SD 20 a pair, eight pairs, with guides that see the stripes."""
    from ASLDenoiseLib.quantifying.cbf import Quantification
    from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume, VolumeType

    cases, _ = benchmarks
    grid = Geometry((36, 32, 10), (3.0, 3.0, 4.0))
    grey = (np.indices(grid.shape)[2] // 3 % 2).astype(np.float64)
    truth = np.where(grey > 0, 60.0, 20.0)
    noise = np.random.default_rng(0).normal(0, 20, (8, *grid.shape))
    pairs = ASLSeries((truth + noise).astype(np.float32), grid, (VolumeType.DELTAM,) * 8)
    gm, wm, one = (Volume(a, grid) for a in (grey, 1 - grey, np.ones(grid.shape)))
    tissue = Tissue(gm, wm, None, one, "by hand")
    m0 = Volume(1000 + 200 * grey, grid)
    dark = Volume(np.zeros(grid.shape), grid)
    factor = Quantification(one, ())
    return cases.Case("stripes", pairs, one, m0, (dark, gm, wm), tissue, factor, Volume(truth, grid), pairs)


def rms(case, volume) -> float:
    return float(np.sqrt(np.mean((volume.array - case.truth.array) ** 2)))


def test_the_noise_of_the_mean_is_found_from_the_pairs(case):
    assert case.sigma == pytest.approx(20 / np.sqrt(8), rel=0.1)


def test_the_peers_told_by_anatomy_find_what_anatomy_shows(case, benchmarks):
    _, peers = benchmarks
    raw = rms(case, case.raw)
    assert raw == pytest.approx(20 / np.sqrt(8), rel=0.05)
    for peer in (peers.joint_bilateral(0.5), peers.tissue_regression(18.0)):
        assert rms(case, peer(case)) < 0.3 * raw


def test_a_smoothing_width_smooths_within_the_brain(case, benchmarks):
    _, peers = benchmarks
    smooth = peers.smoothed(8.0)(case).array
    assert smooth.std() < 0.7 * case.raw.array.std()
    assert smooth.mean() == pytest.approx(case.raw.array.mean(), rel=0.02)


def test_huber_is_the_mean_of_quiet_pairs_and_shrugs_off_a_spoilt_one(case, benchmarks):
    from dataclasses import replace

    cases, peers = benchmarks
    assert rms(case, peers.huber(case)) == pytest.approx(rms(case, case.raw), rel=0.1)
    spoilt = np.array(case.pairs.array)
    spoilt[3] += 400
    ill = cases.seen(case, replace(case.pairs, array=spoilt))
    assert (ill.raw.array - case.truth.array).mean() > 45
    assert abs((peers.huber(ill).array - case.truth.array).mean()) < 10


def test_robust_pca_tells_a_low_rank_from_a_sparse_matrix(benchmarks):
    _, peers = benchmarks
    rng = np.random.default_rng(1)
    low = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 40))
    sparse = np.where(rng.uniform(size=low.shape) < 0.05, rng.choice([-8.0, 8.0], low.shape), 0.0)
    found_low, found_sparse = peers.low_rank_and_sparse(low + sparse)
    assert np.linalg.norm(found_low - low) < 0.02 * np.linalg.norm(low)
    assert np.linalg.norm(found_sparse - sparse) < 0.02 * np.linalg.norm(sparse)


def test_the_noise_spectrum_of_white_noise_is_flat_at_its_variance(case, benchmarks):
    _, peers = benchmarks
    box = (slice(None),) * 3
    spectrum = peers.noise_spectrum(case, box)
    assert spectrum.mean() == pytest.approx(case.truth.array.size * 400 / 8, rel=0.05)
    assert spectrum.std() < 0.15 * spectrum.mean()


def test_an_implanted_lesion_is_in_every_pair_and_in_the_truth(case, benchmarks):
    from dataclasses import replace

    from ASLDenoiseLib.learning.simulate import PROTOCOL
    from ASLDenoiseLib.quantifying.calibration import calibrate
    from ASLDenoiseLib.quantifying.cbf import quantification

    cases, _ = benchmarks
    pairs = replace(case.pairs, acquisition=PROTOCOL, m0=case.m0)
    whole = replace(
        case, pairs=pairs, every_pair=pairs, quantification=quantification(PROTOCOL, calibrate(pairs), case.brain)
    )
    centre = cases.spread_places(case.tissue.gm.array > 0.8, case.brain.geometry, 1, apart=0)[0]
    mask = cases.ball(case.brain.geometry, centre, 15.0)
    assert mask.sum() * case.brain.geometry.voxel_volume == pytest.approx(np.pi / 6 * 15**3, rel=0.1)
    ill = cases.implanted(whole, -0.7 * mask)
    np.testing.assert_allclose(ill.truth.array, case.truth.array * (1 - 0.7 * mask), rtol=1e-5)
    for n in (0, 7):
        added = whole.cbf(case.raw.with_array(ill.pairs.array[n] - pairs.array[n])).array
        np.testing.assert_allclose(added, -0.7 * mask * case.truth.array, atol=0.05)


def test_the_reference_of_a_real_scan_shares_no_pair_with_what_a_method_sees(case, benchmarks):
    import real

    scan = real.split(case, 3, draw=0)
    again, other = real.split(case, 3, draw=0), real.split(case, 3, draw=1)
    assert len(scan.case.pairs.context) == 3
    shown = scan.case.pairs.array.sum(axis=0)
    np.testing.assert_allclose(scan.reference, (case.every_pair.array.sum(axis=0) - shown) / 5, atol=1e-3)
    np.testing.assert_array_equal(again.case.pairs.array, scan.case.pairs.array)
    assert not np.array_equal(other.case.pairs.array, scan.case.pairs.array)
    raw = real.error_of(scan, scan.case.raw)
    assert raw == pytest.approx(400 / 3, rel=0.15)  # against the truth; against the reference it is 400 / 5 more
