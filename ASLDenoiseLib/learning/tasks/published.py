"""What the published networks are trained on: slices, slabs of three slices, and volumes, over their brain means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import torch

from ...denoising.families import Sample
from ...denoising.families.mean import over_brain_mean
from ..losses import loss_of
from ..noise import draw_noise_parameters
from ..targets import draw_means, find_target
from ..volumes import Volumes
from .augment import augmented, cut
from .task import Batch, TrainingTask

_M0_NOISE = 0.02  # of the brain's mean


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
        rng = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        draw = draw_noise_parameters(level, tuple(truth.shape[-3:]), recipe.noise, rng)
        fade = brain + outside * (1 - brain)  # less noise where there is no signal, by an unknown factor
        kind = find_target(recipe.target)
        noisy, wanted = draw_means(truth, brain, draw, kind, rng, spacing=spacing, fade=fade)
        sample = Sample(noisy * jitter, brain, spacing, smoothing_mm=recipe.input_smoothing_mm)
        target, m0 = self.family.smoothed(wanted, sample) * jitter, over_brain_mean(parts[:, 2:3], brain)
        return sample, (target, truth * jitter, sample.difference, brain, m0)

    def patches(self, inputs: torch.Tensor, images: tuple[torch.Tensor, ...], generator: torch.Generator) -> Batch:
        """A batch of the recipe's patches of the channels of a network and of the images of `draw`."""
        inputs, target, truth, noisy, brain, m0 = cut((inputs, *images), self.recipe.patch, generator)
        weight = brain + self.recipe.outside_weight * (1 - brain)
        return Batch((inputs,), target, truth, noisy, weight, brain, m0)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss of the network's estimate."""
        r, estimate = self.recipe, network(*batch.inputs).float()
        return loss_of(r.loss, estimate, batch.target, batch.weight, m0=batch.m0, share=r.kinetic_share)

    def fixed_batches(self, volumes: Volumes, device: str) -> Iterator[Batch]:
        """About `samples` samples."""
        generator = torch.Generator().manual_seed(self.recipe.seed + 1)
        for _ in range(max(1, self.samples // self.recipe.batch)):
            yield self.batch(volumes, generator, device)


class SlicesTask(PublishedTask):
    """Slices (B, 1, J, I), or patches of them, each scaled by the brain mean of its volume.

    A slice is drawn with `reach` slices on either side. At the ends of a volume the last one is repeated; the family
    knows these ends, noise and all, as it does in use.
    """

    samples, reach = 64, 0

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` slices."""
        last, r = volumes.perfusion.shape[1] - 1, self.reach
        v, k = volumes.slices[torch.randint(len(volumes.slices), (self.recipe.batch,), generator=generator)].T
        near = k[:, None] + torch.arange(-r, r + 1)
        sample, images = self.draw(volumes, (v[:, None], near.clamp(0, last)), generator, device)
        ends = torch.stack([(r - k).clamp_min(0), (r + last - k).clamp_max(2 * r)], dim=1).to(device)
        inputs = self.family.channels(replace(sample, ends=ends))[r :: 2 * r + 1]  # the middle ones
        return self.patches(inputs, tuple(image[:, :, r] for image in images), generator)


class SlabsTask(SlicesTask):
    """Slabs (B, 3, J, I), or patches of them; all else (B, 1, J, I) of the middle slice."""

    samples, reach = 32, 1


class VolumesTask(PublishedTask):
    """Volumes (B, C, K, J, I), or patches of them, over their brain means, each with a noisy M0."""

    samples = 12

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` volumes."""
        index = torch.randint(len(volumes), (self.recipe.batch,), generator=generator)
        sample, images = self.draw(volumes, (index,), generator, device)
        m0 = images[-1] + _M0_NOISE * torch.randn(images[-1].shape, generator=generator).to(device)
        return self.patches(self.family.channels(replace(sample, m0=m0)), images, generator)
