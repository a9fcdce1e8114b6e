"""What learning from noise makes small is smallest at the truth, whatever the noise of the targets."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.adapting.loss import noisy_target_loss  # noqa: E402

SHAPE = (1, 1, 6, 24, 24)


def loss_of(estimate: torch.Tensor, target: torch.Tensor, regions: torch.Tensor | None = None) -> float:
    weight = torch.ones(SHAPE)
    regions = torch.zeros(1, 0, *SHAPE[2:]) if regions is None else regions
    return float(noisy_target_loss(estimate - target, weight, regions))


def test_it_settles_on_the_mean_of_skewed_noise_and_not_on_its_median():
    generator = torch.Generator().manual_seed(0)
    target = torch.exp(torch.randn(SHAPE, generator=generator))  # mean 1.65, median 1
    at = {level: loss_of(torch.full(SHAPE, level), target) for level in (1.0, 1.45, 1.65, 1.85)}
    assert min(at, key=at.get) == 1.65


def test_independent_noise_of_the_target_moves_no_comparison():
    generator = torch.Generator().manual_seed(1)
    truth = torch.linspace(0, 3, SHAPE[-1]).expand(SHAPE)
    near, far = truth + 0.1, 0.8 * truth
    clean = loss_of(far, truth) - loss_of(near, truth)
    noisy = []
    for _ in range(60):
        target = truth + torch.randn(SHAPE, generator=generator)
        noisy.append(loss_of(far, target) - loss_of(near, target))
    noisy = torch.tensor(noisy)
    assert abs(float(noisy.mean()) - clean) < 3 * float(noisy.std()) / 60**0.5 < 0.2 * clean


def test_a_moved_mean_of_a_region_costs_more_than_the_same_error_scattered():
    generator = torch.Generator().manual_seed(2)
    region = torch.zeros(SHAPE)
    region[..., :12] = 1
    scattered = 0.3 * torch.randn(SHAPE, generator=generator) * region
    zero = torch.zeros(SHAPE)
    assert loss_of(0.3 * region, zero, region) > 5 * loss_of(scattered, zero, region)


def test_where_nothing_counts_nothing_is_lost():
    error = torch.randn(SHAPE)
    assert float(noisy_target_loss(error, torch.zeros(SHAPE), torch.zeros(1, 2, *SHAPE[2:]))) == 0
