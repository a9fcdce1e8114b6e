"""Conditional diffusion: its schedule, its samples, what it leaves alone, and what its training teaches."""

from __future__ import annotations

from dataclasses import replace
from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")
from training_builders import TINY, pool  # noqa: E402

from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import ModelCard, find_model, load_model  # noqa: E402
from ASLDenoiseLib.denoising.families import NETWORKS, find_family  # noqa: E402
from ASLDenoiseLib.denoising.families.mean import Mean  # noqa: E402
from ASLDenoiseLib.learning.tasks import build_task  # noqa: E402
from ASLDenoiseLib.learning.training import laid_out  # noqa: E402
from ASLDenoiseLib.networks.diffusion import DiffusionDenoiser, Sampling, neighbours  # noqa: E402
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Volume, VolumeType  # noqa: E402

FEW = Sampling(steps=2, stride=100, samples=3)
RECIPE = replace(TINY, network="diffusion", options={"crop": (4, 8, 8)})


@pytest.fixture
def network() -> DiffusionDenoiser:
    torch.manual_seed(0)
    return DiffusionDenoiser(widths=(8, 16, 16), sampling=FEW).eval()


def seen(shape: tuple[int, int, int] = (3, 10, 14), seed: int = 0) -> torch.Tensor:
    """What the default denoiser sees of noise alone, all of it brain."""
    channels = torch.randn((1, 11, *shape), generator=torch.Generator().manual_seed(seed))
    channels[:, -4:] = 1
    return channels


def taught(network: DiffusionDenoiser) -> DiffusionDenoiser:
    """With an answer that is not zero everywhere, as a fresh one's is."""
    torch.nn.init.normal_(network.unet.out[-1].conv.weight, std=0.05, generator=torch.Generator().manual_seed(1))
    return network


def test_steps_go_down_the_schedule_evenly_from_a_late_start_to_no_noise(network):
    sampling = Sampling(steps=5, stride=100)
    assert sampling.times == (499, 399, 299, 199, 99) and sampling.start == 0.5
    left = network._schedule.alphas_cumprod[list(sampling.times)]  # cosine: signal and noise are an angle's two sides
    assert torch.allclose(left.sqrt(), torch.cos(torch.tensor([45.0, 36, 27, 18, 9]).deg2rad()), atol=0.01)


@pytest.mark.parametrize("wrong", [{"stride": 30}, {"steps": 11}, {"samples": 1}])
def test_a_sampling_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="no such sampling"):
        Sampling(**wrong)


def test_whoever_knows_the_residual_gets_it_back_whatever_the_noise(network, monkeypatch):
    residual = torch.randn(1, 1, 3, 10, 14)

    def known(noised, conditions, when):
        left = network._schedule.alphas_cumprod[when].view(-1, 1, 1, 1, 1)
        noise = (noised - left.sqrt() * residual) / (1 - left).sqrt()
        return left.sqrt() * noise - (1 - left).sqrt() * residual

    monkeypatch.setattr(network, "_velocity", known)
    estimate, spread = network.base(seen())
    with torch.no_grad():
        mean, sd = network(seen())
    assert torch.allclose(mean, estimate + spread * residual, atol=1e-3)
    assert sd.max() < 1e-3


def test_samples_of_an_untaught_network_spread_as_the_angles_of_the_schedule_say(network):
    """It says that nothing moves: a start at 45 degrees and five steps of 9, each of which leaves its cosine."""
    network.sampling = Sampling(steps=5, stride=100, samples=4)
    with torch.no_grad():
        _, spread = network.base(seen((6, 32, 32)))
        samples = network.samples(seen((6, 32, 32)))
    wanted = sin(pi / 4) * cos(pi / 20) ** 5
    assert float((samples.std(dim=0) / spread).square().mean().sqrt()) == pytest.approx(wanted, rel=0.03)


def test_the_estimate_is_the_mean_and_the_sd_counts_that_it_is_of_few(network):
    with torch.no_grad():
        mean, sd = taught(network)(seen())
        samples = network.samples(seen())
    assert torch.allclose(mean, samples.mean(dim=0), atol=1e-5)
    assert torch.allclose(sd, samples.std(dim=0) * (4 / 3) ** 0.5, atol=1e-5)


def test_the_same_input_gives_the_same_samples_and_another_gives_others(network):
    with torch.no_grad():
        one, same = (taught(network)(seen()) for _ in range(2))
        spread = network.base(seen())[1]
        other = network.samples(seen() + 1e-4) - network.samples(seen())
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])
    assert float((other / spread).std()) > 0.1, "the sampling's noise of two scans has nothing in common"


def test_every_slice_comes_with_the_one_below_and_above_and_the_ends_with_themselves():
    volume = torch.arange(3.0).view(1, 1, 3, 1, 1)
    assert neighbours(volume)[..., 0, 0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2]]
    two = torch.cat([volume, volume + 10], dim=1)
    assert neighbours(two)[1, :, 0, 0].tolist() == [0, 10, 1, 11, 2, 12]


def mean_of(pairs: np.ndarray) -> Mean:
    geometry = Geometry((12, 11, 5), (3.4, 3.4, 5.0), (0.0, 0.0, 0.0))
    brain = np.zeros(geometry.shape, np.float32)
    brain[1:4, 2:9, 3:10] = 1
    series = ASLSeries(pairs + 10 * brain, geometry, (VolumeType.DELTAM,) * len(pairs), Acquisition())
    card = ModelCard("diffusion", Path(), "diffusion", "", "", {}, {"uncertainty_factor": 1.0})
    return Mean(series.array.mean(axis=0), len(pairs), series, Volume(brain, geometry), card)


def test_a_scan_without_noise_is_given_back_and_outside_the_brain_nothing_changes(network):
    family = find_family("diffusion")
    quiet = mean_of(np.zeros((3, 5, 11, 12), np.float32))
    same = family.predict(quiet, network, Compute("cpu"))
    assert np.array_equal(same.array, quiet.array) and not same.uncertainty[quiet.brain.array > 0].any()
    noisy = mean_of(np.random.default_rng(0).normal(0, 4, (6, 5, 11, 12)).astype(np.float32))
    changed = family.predict(noisy, taught(network), Compute("cpu"))
    outside = noisy.brain.array == 0
    assert np.array_equal(changed.array[outside], noisy.array[outside])
    assert (changed.uncertainty[~outside] > 0).all() and np.isnan(changed.uncertainty[outside]).all()


def test_diffusion_alone_cannot_be_adapted():
    assert [name for name, family in NETWORKS.items() if not family.adapts] == ["diffusion"]


def test_training_holds_the_default_model_as_it_is_and_teaches_the_residual_of_it_alone():
    task = build_task(RECIPE)
    network = laid_out(task.prepared(find_family("diffusion").build("diffusion")))
    base = load_model(find_model("guided-unet")).state_dict()
    assert all(torch.equal(value, base[name]) for name, value in network.base.state_dict().items())

    batch = task.batch(pool(), torch.Generator().manual_seed(0), "cpu")
    torch.manual_seed(0)
    loss = task.loss(network, batch)
    loss.backward()
    taught = [name for name, weight in network.named_parameters() if weight.grad is not None]
    assert taught and all(name.startswith("unet.") for name in taught)


@pytest.mark.model("diffusion")
def test_the_shipped_one_samples_as_its_card_says_and_starts_from_the_model_that_it_names():
    card = find_model("diffusion")
    shipped, told = load_model(card), card.metadata["sampling"]
    assert told == {"samples": shipped.sampling.samples, "steps": shipped.sampling.steps, "start": 0.5}
    start = find_model(card.metadata["base"]["name"])
    if start.sha256 == card.metadata["base"]["sha256"]:  # a default that came later has other weights
        weights = load_model(start).state_dict()
        assert all(torch.equal(value, weights[name]) for name, value in shipped.base.state_dict().items())


def test_what_the_velocity_is_taken_for_is_that_of_the_residual_in_units_of_its_sd(network):
    given = seen()
    estimate, spread = network.base(given)
    noise, time = torch.randn_like(estimate), torch.full((1, 1, 1, 1, 1), 0.4999)
    left = network._schedule.alphas_cumprod[499]
    found, wanted = network(given, estimate + 2 * spread, noise, time)
    assert torch.allclose(wanted, left.sqrt() * noise - 2 * (1 - left).sqrt(), atol=1e-3)
    assert not found.any(), "a fresh network says nothing"
