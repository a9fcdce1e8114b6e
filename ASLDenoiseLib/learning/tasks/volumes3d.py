"""Whole volumes: what the 3D U-Nets are trained on."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..volumes import Volumes
from .task import Batch, PublishedTask

_M0_NOISE = 0.02  # of the brain's mean


class VolumesTask(PublishedTask):
    """Volumes (B, C, K, J, I), or patches of them, over their brain means, each with a noisy M0."""

    samples = 12

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` volumes."""
        index = torch.randint(len(volumes), (self.recipe.batch,), generator=generator)
        sample, images = self.draw(volumes, (index,), generator, device)
        m0 = images[-1] + _M0_NOISE * torch.randn(images[-1].shape, generator=generator).to(device)
        return self.patches(self.family.channels(replace(sample, m0=m0)), images, generator)
