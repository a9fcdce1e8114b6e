"""What every training task offers, and what the published networks' tasks share: how samples are drawn and judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from ...denoising.families import DenoiserFamily, Sample, find_family
from ...denoising.families.mean import over_brain_mean
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
        m0: mean 1 in the brain, for losses that know it.
        regions: fractions, for losses that count local averages.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor
    truth: torch.Tensor
    noisy: torch.Tensor
    weight: torch.Tensor
    brain: torch.Tensor
    m0: torch.Tensor | None = None
    regions: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainingTask(ABC):
    """How a recipe's network is fed and judged. `generator` is on the CPU whatever the device."""

    recipe: Recipe

    @property
    def family(self) -> DenoiserFamily:
        """Of the recipe's network: what makes channels of a sample."""
        return find_family(self.recipe.network)

    @abstractmethod
    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` samples, on `device`."""

    @abstractmethod
    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The loss of the network on a batch."""

    @abstractmethod
    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """Batches that are the same at every call, for the gain."""

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain over the input (dB) in the brain, the mean over `fixed_batches`."""
        training, gains = network.training, []
        network.eval()
        for batch in self.fixed_batches(volumes, device):
            with torch.no_grad(), torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
                output = network(*batch.inputs)
            estimate = output if isinstance(output, torch.Tensor) else output[0]
            axes = tuple(range(1, estimate.ndim))
            before = ((batch.noisy - batch.truth).square() * batch.brain).sum(dim=axes)
            after = ((estimate.float() - batch.truth).square() * batch.brain).sum(dim=axes)
            has_brain = batch.brain.sum(dim=axes) > 0
            gains.append(float(10 * (before / after.clamp_min(1e-9))[has_brain].log10().mean()))
        network.train(training)
        return sum(gains) / len(gains)

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, float]:
        """What the metadata of the trained model should say besides, found on the validation pool."""
        return {}


class PublishedTask(TrainingTask):
    """What the tasks of the published networks share: a recipe's target and loss, and a gain over some `samples`."""

    samples: ClassVar[int]

    def draw(
        self, volumes: Volumes, at: tuple[torch.Tensor, ...], generator: torch.Generator, device: str
    ) -> tuple[Sample, tuple[torch.Tensor, ...]]:
        """Augment what lies in `volumes` at the indices `at`, volumes first, and draw the noise of input and target.

        The scale is jittered by 10 %, because the brain mean of a real, noisy input is itself uncertain.

        Returns:
            The sample, and target, truth, raw mean, brain and M0 without noise, (B, 1, K, J, I) each.
        """
        recipe, which = self.recipe, at[0].flatten()
        parts = torch.stack([volumes.perfusion[at], volumes.brain[at], volumes.m0[at]], dim=1).float()
        parts = augmented(parts.to(device), recipe.augmentation, generator)
        truth, brain = parts[:, :1], (parts[:, 1:2] > 0.5).float()
        spacing, level = volumes.spacing[which].to(device), volumes.gm_level[which].to(device)
        jitter = (1 + 0.1 * torch.randn((len(which), 1, 1, 1, 1), generator=generator)).clamp(0.7, 1.3).to(device)
        outside = 0.3 + 0.7 * torch.rand((len(which), 1, 1, 1, 1), generator=generator).to(device)
        own = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        draw = draw_noise_parameters(level, tuple(truth.shape[-3:]), recipe.noise, own)
        fade = brain + outside * (1 - brain)  # less noise where there is no signal, by an unknown factor
        kind = find_target(recipe.target)
        noisy, wanted = draw_means(truth, brain, draw, kind, own, spacing=spacing, fade=fade)
        sample = Sample(noisy * jitter, brain, spacing, smoothing_mm=recipe.input_smoothing_mm)
        target, m0 = self.family.smoothed(wanted, sample) * jitter, over_brain_mean(parts[:, 2:3], brain)
        return sample, (target, truth * jitter, sample.difference, brain, m0)

    def patches(self, seen: torch.Tensor, images: tuple[torch.Tensor, ...], generator: torch.Generator) -> Batch:
        """A batch of the recipe's patches of what the network sees and of the images of `draw`."""
        seen, target, truth, noisy, brain, m0 = cut((seen, *images), self.recipe.patch, generator)
        weight = brain + self.recipe.outside_weight * (1 - brain)
        return Batch((seen,), target, truth, noisy, weight, brain, m0)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss of the network's estimate."""
        r, estimate = self.recipe, network(*batch.inputs).float()
        return loss_of(r.loss, estimate, batch.target, batch.weight, m0=batch.m0, share=r.kinetic_share)

    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """About `samples` samples."""
        generator = torch.Generator().manual_seed(self.recipe.seed + 1)
        for _ in range(max(1, self.samples // self.recipe.batch)):
            yield self.batch(volumes, generator, device)
