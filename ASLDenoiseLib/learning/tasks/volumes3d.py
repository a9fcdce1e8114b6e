"""Whole volumes: what the 3D U-Nets are trained on."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..volumes import Volumes
from .task import Batch, PublishedTask, draw_samples

_M0_NOISE = 0.02  # of the brain's mean


class VolumesTask(PublishedTask):
    """Volumes (B, C, K, J, I), or patches of them, over their brain means, each with a noisy M0."""

    samples = 12

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` volumes."""
        r = self.recipe
        index = torch.randint(len(volumes), (r.batch,), generator=generator)
        parts = torch.stack([volumes.perfusion[index], volumes.brain[index], volumes.m0[index]], dim=1).float()
        d = draw_samples(parts, volumes.gm_level[index], volumes.spacing[index], r, generator, device)
        measured = d.m0 + _M0_NOISE * torch.randn(d.m0.shape, generator=generator).to(device)
        seen = self.family.channels(replace(d.sample, m0=measured))
        return self.cut(seen, d.images, generator)
