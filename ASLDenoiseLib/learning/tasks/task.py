"""What every training task offers, and what the published networks' tasks share: drawing samples and judging them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch

from ...denoising.families import DenoiserFamily, Sample, find_family, over_brain_mean
from ..losses import loss_of
from ..noise import draw_noise_parameters
from ..recipe import Recipe
from ..targets import draw_means, find_target
from ..volumes import Volumes
from .augment import augmented, cut


@dataclass(frozen=True, eq=False)
class Batch:
    """What a step of training sees.

    Args:
        inputs: for ``network(*inputs)``.
        target, truth, noisy: of the shape of the network's output; `noisy` is the mean as it was measured, before any
            smoothing, and what a gain is measured against.
        weight: of the loss, by voxel.
        brain: 0/1.
        m0: mean 1 in the brain.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor
    truth: torch.Tensor
    noisy: torch.Tensor
    weight: torch.Tensor
    brain: torch.Tensor
    m0: torch.Tensor


class TrainingTask(Protocol):
    """What the training loop knows of a task, which is built from a recipe. `generator` is on the CPU everywhere."""

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch, on `device`."""

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of the network on a batch."""

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain over the input (dB) in the brain, on fixed draws."""

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, float]:
        """What the metadata of the trained model should say besides, found on the validation pool."""


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """A noisy sample, and its target, truth and M0 without noise, (B, 1, K, J, I) each."""

    sample: Sample
    target: torch.Tensor
    truth: torch.Tensor
    m0: torch.Tensor

    @property
    def images(self) -> tuple[torch.Tensor, ...]:
        """Target, truth, raw mean, brain and M0, in the order of a `Batch`."""
        return self.target, self.truth, self.sample.difference, self.sample.brain, self.m0


def draw_samples(
    parts: torch.Tensor,
    gm_level: torch.Tensor,
    spacing: torch.Tensor,
    recipe: Recipe,
    generator: torch.Generator,
    device: str,
) -> TrainingSample:
    """Augment noise-free samples, and draw the noise of input and target.

    The scale is jittered by 10 %, because the brain mean of a real, noisy input is itself uncertain.

    Args:
        parts: (B, 3, K, J, I) perfusion, brain and M0, on the CPU.
        gm_level: (B,) GM signal.
        spacing: (B, 3) mm along (k, j, i).
        recipe: network, target, noise, augmentation and smoothing.
        generator: on the CPU; fixes everything.
        device: of the result.
    """
    b = len(parts)
    parts = augmented(parts.to(device), recipe.augmentation, generator)
    truth, brain = parts[:, :1], (parts[:, 1:2] > 0.5).float()
    spacing, level = spacing.to(device), gm_level.to(device)
    jitter = (1 + 0.1 * torch.randn((b, 1, 1, 1, 1), generator=generator)).clamp(0.7, 1.3).to(device)
    outside = 0.3 + 0.7 * torch.rand((b, 1, 1, 1, 1), generator=generator).to(device)
    own = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
    draw = draw_noise_parameters(level, tuple(truth.shape[-3:]), recipe.noise, own)
    fade = brain + outside * (1 - brain)  # less noise where there is no signal, by an unknown factor
    target = find_target(recipe.target)
    noisy, wanted = draw_means(truth, brain, draw, target, own, spacing=spacing, fade=fade)
    sample = Sample(noisy * jitter, brain, spacing, smoothing_mm=recipe.input_smoothing_mm)
    wanted = find_family(recipe.network).smoothed(wanted, sample)
    return TrainingSample(sample, wanted * jitter, truth * jitter, over_brain_mean(parts[:, 2:3], brain))


def weight_of(brain: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """One in the brain, `recipe.outside_weight` outside."""
    return brain + recipe.outside_weight * (1 - brain)


def psnr_gain(
    task: TrainingTask, network: torch.nn.Module, volumes: Volumes, device: str, *, seed: int, batches: int
) -> float:
    """Mean over samples of 10 log10(squared error of the input over that of the estimate), in the brain."""
    generator = torch.Generator().manual_seed(seed)
    training = network.training
    network.eval()
    total = 0.0
    with torch.no_grad():
        for _ in range(batches):
            batch = task.batch(volumes, generator, device)
            with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
                estimate = network(*batch.inputs)
            axes = tuple(range(1, estimate.ndim))
            before = ((batch.noisy - batch.truth).square() * batch.brain).sum(dim=axes)
            after = ((estimate.float() - batch.truth).square() * batch.brain).sum(dim=axes)
            has_brain = batch.brain.sum(dim=axes) > 0
            total += float(10 * (before / after.clamp_min(1e-9))[has_brain].log10().mean())
    network.train(training)
    return total / batches


@dataclass(frozen=True, eq=False)
class PublishedTask(ABC):
    """What the tasks of the published networks share: a recipe's loss, and a PSNR gain over some `samples`."""

    samples: ClassVar[int]
    recipe: Recipe

    @property
    def family(self) -> DenoiserFamily:
        """Of the recipe's network: what makes channels of a sample."""
        return find_family(self.recipe.network)

    @abstractmethod
    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` samples, on `device`."""

    def cut(self, seen: torch.Tensor, images: Iterable[torch.Tensor], generator: torch.Generator) -> Batch:
        """A batch of the recipe's patches of what the network sees, and of `TrainingSample.images`."""
        seen, target, truth, noisy, brain, m0 = cut((seen, *images), self.recipe.patch, generator)
        return Batch((seen,), target, truth, noisy, weight_of(brain, self.recipe), brain, m0)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss of the network's estimate."""
        r, estimate = self.recipe, network(*batch.inputs).float()
        return loss_of(r.loss, estimate, batch.target, batch.weight, m0=batch.m0, share=r.kinetic_share)

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain (dB) over about `samples` fixed draws."""
        batches = max(1, self.samples // self.recipe.batch)
        return psnr_gain(self, network, volumes, device, seed=self.recipe.seed + 1, batches=batches)

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, float]:
        """Nothing."""
        return {}
