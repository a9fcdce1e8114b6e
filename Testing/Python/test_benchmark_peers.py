"""The peers and figures of the benchmarks do what their names say, on hand-made pairs: a broken one would flatter."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from ASLDenoiseLib.errors import InputError
from Testing.Benchmarks import real
from Testing.Benchmarks.library import cases, peers, real_scans, scores
from Testing.Benchmarks.library.command import ROOT, Command
from Testing.Benchmarks.library.comparisons import bias_difference, difference, first, outcome, pooled, raw, verdict
from Testing.Benchmarks.library.methods import Method, Tunable, tune, ways
from Testing.Benchmarks.library.paper_claims import in_plane


@pytest.fixture(scope="module")
def case():
    """Stripes of 60 and 20 in white noise of SD 20 a pair, eight pairs, with guides that see the stripes."""
    from ASLDenoiseLib.quantifying.cbf import Quantification
    from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume, VolumeType

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


def test_the_peers_told_by_anatomy_find_what_anatomy_shows(case):
    raw = rms(case, case.raw)
    assert raw == pytest.approx(20 / np.sqrt(8), rel=0.05)
    for peer in (peers.joint_bilateral(0.5), peers.tissue_regression(18.0)):
        assert rms(case, peer(case)) < 0.3 * raw


def test_a_smoothing_width_smooths_within_the_brain(case):
    smooth = peers.smoothed(8.0)(case).array
    assert smooth.std() < 0.7 * case.raw.array.std()
    assert smooth.mean() == pytest.approx(case.raw.array.mean(), rel=0.02)


def test_huber_is_the_mean_of_quiet_pairs_and_shrugs_off_a_spoilt_one(case):
    assert rms(case, peers.huber(case)) == pytest.approx(rms(case, case.raw), rel=0.1)
    corrupted = np.array(case.pairs.array)
    corrupted[3] += 400
    ill = cases.seen(case, replace(case.pairs, array=corrupted))
    assert (ill.raw.array - case.truth.array).mean() > 45
    assert abs((peers.huber(ill).array - case.truth.array).mean()) < 10


def test_robust_pca_tells_a_low_rank_from_a_sparse_matrix():
    rng = np.random.default_rng(1)
    low = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 40))
    sparse = np.where(rng.uniform(size=low.shape) < 0.05, rng.choice([-8.0, 8.0], low.shape), 0.0)
    found_low, found_sparse = peers.low_rank_and_sparse(low + sparse)
    assert np.linalg.norm(found_low - low) < 0.02 * np.linalg.norm(low)
    assert np.linalg.norm(found_sparse - sparse) < 0.02 * np.linalg.norm(sparse)


def test_the_noise_spectrum_of_white_noise_is_flat_at_its_variance(case):
    box = (slice(None),) * 3
    spectrum = peers.noise_spectrum(case, box)
    assert spectrum.mean() == pytest.approx(case.truth.array.size * 400 / 8, rel=0.05)
    assert spectrum.std() < 0.15 * spectrum.mean()


def test_an_implanted_lesion_is_in_every_pair_and_in_the_truth(case):
    from ASLDenoiseLib.learning.simulate import PROTOCOL
    from ASLDenoiseLib.quantifying.calibration import calibrate
    from ASLDenoiseLib.quantifying.cbf import quantification

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


def test_the_reference_of_a_real_scan_shares_no_pair_with_what_a_method_sees(case):
    scan = real_scans.split(case, 3, draw=0)
    again, other = real_scans.split(case, 3, draw=0), real_scans.split(case, 3, draw=1)
    assert len(scan.case.pairs.context) == 3
    shown = scan.case.pairs.array.sum(axis=0)
    np.testing.assert_allclose(scan.reference, (case.every_pair.array.sum(axis=0) - shown) / 5, atol=1e-3)
    np.testing.assert_array_equal(again.case.pairs.array, scan.case.pairs.array)
    assert not np.array_equal(other.case.pairs.array, scan.case.pairs.array)
    raw = scan.error_of(scan.case.raw)
    assert raw == pytest.approx(400 / 3, rel=0.15)  # against the truth; against the reference it is 400 / 5 more


def without_third_slice_of_the_second_pair(case):
    weights = np.ones((8, 10, 1, 1), np.float32)
    weights[1, 2] = 0
    array = np.array(case.pairs.array)
    array[1, 2] += 500
    pairs = replace(case.pairs, array=array)
    return replace(case, pairs=pairs, every_pair=pairs, weights=weights, every_weight=weights)


def test_what_a_run_left_out_is_neither_seen_nor_a_reference(case):
    spoilt = without_third_slice_of_the_second_pair(case)
    assert abs((spoilt.raw.array - case.truth.array)[2].mean()) < 2
    assert spoilt.sigma == pytest.approx(case.sigma, rel=0.05)
    assert np.abs(spoilt.kept - case.truth.array).max() < 120
    for draw in range(6):
        scan = real_scans.split(spoilt, 2, draw)
        alone = np.where(spoilt.weights > 0, spoilt.pairs.array, np.nan)
        order = np.random.default_rng(100 + draw).permutation(8)
        shown, rest = (np.nanmean(alone[np.sort(each)], axis=0) for each in (order[:2], order[2:]))
        np.testing.assert_allclose(scan.case.raw.array, shown, atol=1e-3)
        np.testing.assert_allclose(scan.reference, rest, atol=1e-3)


def test_what_a_method_saw_nothing_of_is_not_judged(case):
    weights = np.ones((8, 10, 1, 1), np.float32)
    weights[:, 2] = 0
    blind = replace(case, weights=weights, every_weight=weights)
    scan = real_scans.split(blind, 3, draw=0)
    assert np.isnan(scan.reference[2]).all() and np.isfinite(scan.reference[3]).all()
    assert np.isfinite(scan.error_of(case.truth))


def test_halves_are_disjoint_keep_their_weights_and_are_together_the_whole(case):
    weights = np.arange(1, 9, dtype=np.float32)[:, None, None, None] * np.ones((8, 10, 1, 1), np.float32)
    odd, even = cases.halves(replace(case, weights=weights, every_weight=weights))
    assert odd.weights[:, 0, 0, 0].tolist() == [1, 3, 5, 7] and even.weights[:, 0, 0, 0].tolist() == [2, 4, 6, 8]
    np.testing.assert_array_equal(odd.pairs.array, case.pairs.array[::2])
    np.testing.assert_array_equal(even.pairs.array, case.pairs.array[1::2])
    with pytest.raises(InputError, match="at least two"):
        cases.halves(cases.showing(case, np.arange(1)))


def test_weights_of_other_pairs_are_refused(case):
    with pytest.raises(InputError, match="8 weights of 3 pairs"):
        replace(case, pairs=cases.some_pairs(case.pairs, np.arange(3)), weights=np.ones((8, 10, 1, 1)))


def test_the_rim_is_a_voxel_in_plane_and_not_the_end_of_the_grid(case):
    brain = np.zeros(case.brain.array.shape)
    brain[:, 5:15, 10:20] = 1
    ring = replace(case, brain=case.brain.with_array(brain))
    inner = np.zeros(brain.shape, bool)
    inner[:, 6:14, 11:19] = True
    np.testing.assert_array_equal(real_scans.without_rim(ring), inner)
    assert real_scans.without_rim(case).all()


def test_the_difference_of_two_methods_has_the_error_of_its_draws():
    ours, theirs = np.array([4.0, 16.0]), np.array([9.0, 9.0])
    # leaving one draw out: 4 - 3 and 2 - 3; jackknife error sqrt(1/2 * (1 + 1))
    apart, error = real.rmse_apart(ours, theirs)
    assert apart == pytest.approx(np.sqrt(10) - 3) and error == pytest.approx(1.0)
    shifted = real.rmse_apart(np.array([4.0, 16.0, 25.0]), np.array([4.0, 16.0, 25.0]))
    assert shifted == (0.0, 0.0)
    assert np.isnan(real.rmse_apart(ours[:1], theirs[:1])[1])


def test_the_verdict_is_against_the_plain_mean_and_the_best_peer_of_any_kind():
    def found(name, kind, brain, inner):
        errors = {real.BRAIN: np.square(brain), real.RIMLESS: np.square(inner)}
        row = {where: real.root(each) for where, each in errors.items()}
        return real.Measured(Method(name, kind, peers.raw_mean), errors, row)

    pair = np.array([1.0, 1.0])
    every = [
        found("mean", "raw", 4 * pair, 3 * pair),
        found("blur", "classical", 2 * pair, 2.5 * pair),
        found("theirs", "pretrained", 2.5 * pair, 1 * pair),
        found("other", "network", 0 * pair, 0 * pair),
        found("ours", "network", 3 * pair, 2 * pair),
    ]
    brain, inner = real.verdicts("scan", every, "ours")
    assert brain[2:6] == ["3.00", "4.00", "-1.00 ± 0.00", "yes"]
    assert brain[6:] == ["blur, 2.00", "+1.00 ± 0.00", "**no**"]
    assert inner[6:] == ["theirs, 1.00", "+1.00 ± 0.00", "**no**"]


def test_a_peer_is_tuned_to_the_strength_of_most_gain(case):
    tunable = {"Gaussian": Tunable(peers.smoothed, (3.0, 8.0), "{:g} mm")}
    narrow, wide = (
        tune([case], tunable, gain=lambda _, v, sign=sign: sign * float(v.array.std()), further={"Gaussian": (1.0,)})
        for sign in (1, -1)
    )
    assert [m.name for m in (*narrow, *wide)] == ["Gaussian (1 mm)", "Gaussian (8 mm)"]


def test_a_finding_holds_only_where_its_interval_excludes_zero():
    # Student's t, 3 scans: 4.303 SD / sqrt(3) is the half width
    assert verdict(np.array([1.0, 1.1, 0.9])) == "holds"
    assert verdict(np.array([-1.0, -1.1, -0.9])) == "does not hold"
    sd = 1.01 * np.sqrt(3) / 4.303
    assert verdict(np.array([1 - sd, 1.0, 1 + sd])) == "no clear difference"
    assert verdict(np.array([1 - 0.98 * sd, 1.0, 1 + 0.98 * sd])) == "holds"
    assert verdict(np.array([5.0])) == "too few scans to tell"
    assert outcome("PSNR", np.array([1.0, 1.1, 0.9]), " dB") == "PSNR +1 dB (SD 0.1, 3 scans): holds"
    assert "missing" in outcome("PSNR", np.empty(0))


def test_comparisons_are_made_scan_by_scan_and_of_what_is_there():
    rows = {"a": [{"x": 1.0}, {"x": -5.0}], "b": [{"x": -3.0}, {"x": 4.0}]}
    assert difference(rows, "a", "b", "x").tolist() == [4.0, -9.0]
    assert bias_difference(rows, "a", "b", "x").tolist() == [-2.0, 1.0]
    assert difference(rows, "a", "c", "x").size == 0
    assert pooled([np.array([1.0, 3.0]), np.empty(0), np.array([3.0, 5.0])]).tolist() == [2.0, 4.0]


def test_the_papers_reference_is_the_smoothed_mean_of_every_pair(case):
    from ASLDenoiseLib.spatial.smoothing import gaussian

    few = first(case, 2)
    assert len(few.pairs.context) == 2 and len(few.every_pair.context) == 8
    expected = gaussian(case.raw, 3.0, mask=case.brain).array
    np.testing.assert_allclose(scores.pseudo_gold(few), expected, atol=1e-4)
    psnr = scores.FIGURES[scores.PAPERS_PSNR]
    assert psnr(few, expected) > 60 > psnr(few, raw(few))


def test_deepasls_smoothing_leaves_slices_apart(case):
    one = np.zeros_like(case.pairs.array)
    one[:, 5, 16, 18] = 1.0
    smooth = in_plane(replace(case, pairs=replace(case.pairs, array=one)))
    assert smooth[5, 16, 18] < 0.5 and smooth[5].sum() == pytest.approx(1, abs=1e-3)
    assert not smooth[4].any() and not smooth[6].any()


def test_a_model_is_run_in_every_way_it_can_be(tmp_path):
    from ASLDenoiseLib.denoising.catalogue import ModelCard

    def found(network):
        return ways(ModelCard("name", tmp_path, network, "", "", {}, {}))

    assert found("guided-unet") == {"name, T1+M0": "T1+M0", "name, M0": "M0", "name, no guide": "none"}
    assert found("unet3d-m0") == {"name": "M0"} and found("dwan") == {"name": "none"}


def test_lesions_are_recovered_in_the_share_their_contrast_kept(case):
    geometry, places = case.brain.geometry, ((12, 12), (24, 20))
    balls = [cases.ball(geometry, (geometry.affine_lps @ [i, j, 5, 1])[:3], 12.0) for i, j in places]
    flat = np.full(geometry.shape, 40.0)
    truth = flat * (1 - 0.7 * balls[0] + 1.0 * balls[1])
    known = replace(
        case, truth=case.brain.with_array(truth), lesions=tuple(case.brain.with_array(mask) for mask in balls)
    )
    assert scores.lesions_recovered(known, truth) == pytest.approx(1)
    assert scores.lesions_recovered(known, flat + 0.4 * (truth - flat)) == pytest.approx(0.4)
    assert scores.lesions_recovered(known, 2 * flat - truth) == pytest.approx(-1)


def test_a_table_says_how_it_was_made_without_paths_and_goes_where_it_is_asked(tmp_path, capsys):
    args = Namespace(quick=False, no_peers=True, out=None, anatomy=tmp_path, threads=2, device="cuda")
    command = Command(tmp_path / "denoise.py", args)
    assert command.made_by == "`python -m Testing.Benchmarks.denoise --no-peers`"
    assert command.made_in == "0 minutes, 2 CPU threads, networks on cuda"
    page = f"# Title\n\nMade by {command.made_by} in {command.made_in}.\n\n| a |\n"
    command.publish("Title", "| a |", kept=False)
    assert capsys.readouterr().out == page and not list(tmp_path.iterdir())
    command.publish("Title", "| a |")
    assert (tmp_path / "denoise.md").read_text("utf-8") == page
    (tmp_path / "denoise.md").unlink()
    args.quick = True
    command.publish("Title", "| a |")
    assert not list(tmp_path.iterdir())
    args.out = tmp_path / "elsewhere.md"
    command.publish("Title", "| a |", kept=False)
    assert args.out.read_text("utf-8") == page.replace("--no-peers", "--quick --no-peers")


@pytest.mark.parametrize("page", sorted((ROOT / "Testing" / "Benchmarks").glob("*.md")), ids=lambda page: page.stem)
def test_every_table_names_the_command_that_makes_it(page):
    assert f"\nMade by `python -m Testing.Benchmarks.{page.stem}" in page.read_text("utf-8")
    assert page.with_suffix(".py").is_file()
    assert (
        page.stem in (ROOT / "Makefile").read_text("utf-8").partition("BENCHMARKS :=")[2].partition("SCREEN")[0].split()
    )
