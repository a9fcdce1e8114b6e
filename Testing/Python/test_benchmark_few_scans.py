"""Few scans to learn from: what is drawn from them, and how the two targets are told apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ASLDenoiseLib.measuring.image_quality import ssim
from Testing.Benchmarks.few_scans import Kept, gains, part_name
from Testing.Benchmarks.library.few_scans import GOLD, NOISE, PSNR, SEEN, Teaching, draw_batch, similarity

PAIRS = 40


@pytest.fixture
def scans() -> Teaching:
    """Two scans whose n-th pair is 2 ** (n % 8) everywhere, so that a mean tells which pairs it holds; gold is 100."""
    values = torch.arange(PAIRS, dtype=torch.float32).remainder(8).exp2()
    pairs = values[None, :, None, None, None].expand(2, PAIRS, 3, 8, 8).half()
    gold, brain = torch.full((2, 3, 8, 8), 100.0).half(), torch.ones((2, 3, 8, 8)).half()
    return Teaching(pairs, values.expand(2, PAIRS), gold, brain)


def batch(scans: Teaching, target: str, seed: int = 3) -> tuple[torch.Tensor, ...]:
    return draw_batch(scans, target, torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed))


def test_both_targets_see_the_same_inputs_over_their_own_brain_mean(scans):
    noise, gold = batch(scans, NOISE)[0], batch(scans, GOLD)[0]
    assert torch.equal(noise, gold)
    torch.testing.assert_close(noise, torch.ones_like(noise))  # every voxel of these pairs is the brain's mean


def test_learning_from_noise_is_led_to_pairs_that_the_input_has_not():
    apart = torch.eye(PAIRS)[None, :, None, :, None].expand(1, PAIRS, 3, PAIRS, 2)  # row n shows the n-th pair alone
    scans = Teaching(apart.half(), torch.ones(1, PAIRS), torch.ones(1, 3, PAIRS, 2), torch.ones(1, 3, PAIRS, 2).half())
    for seed in range(5):
        given, wanted, _ = batch(scans, NOISE, seed)
        assert int((given[0, 0] > 0).any(1).sum()) == int((wanted[0, 0] > 0).any(1).sum()) == SEEN
        assert not ((given > 0) & (wanted > 0)).any()


def test_the_pseudo_gold_standard_is_the_same_whatever_the_input(scans):
    _, wanted, _ = batch(scans, GOLD)
    level = torch.tensor([100.0])[0] / wanted[:, 0, 0, 0]  # the input's brain mean, of ten of these values
    assert ((level >= 1) & (level <= 128)).all()
    assert level.unique().numel() > 1


def test_the_first_scans_of_a_study_are_kept_in_a_file(scans, tmp_path):
    back = Teaching.read([scans.save(tmp_path / "a.pt"), scans.save(tmp_path / "b.pt")], "cpu")
    assert back.pairs.shape == (4, PAIRS, 3, 8, 8)
    assert back.slices[:, 0].unique().tolist() == [0, 1, 2, 3]


def test_similarity_without_scikit_image_is_that_of_the_house():
    rng = np.random.default_rng(1)
    truth, mask = rng.uniform(0, 80, (9, 20, 24)), rng.random((9, 20, 24)) > 0.3
    estimate = truth + rng.normal(0, 15, truth.shape)
    estimate[2, 3] = np.nan
    assert similarity(estimate, truth, mask) == pytest.approx(ssim(estimate, truth, mask), abs=1e-9)


def test_only_seeds_trained_both_ways_are_compared():
    kept = Kept(None, {"seeds": [1, 2]})
    for way, seed, value in ((NOISE, 1, 20.5), (GOLD, 1, 20.0), (NOISE, 2, 30.0)):
        kept.parts[part_name(f"{way}, L1", 3, seed)] = {"best": [{PSNR: value}, {PSNR: value + 1}]}
    found = gains(kept, "L1", 3, PSNR, "best")
    assert list(found) == [1]
    assert found[1] == pytest.approx([0.5, 0.5])
