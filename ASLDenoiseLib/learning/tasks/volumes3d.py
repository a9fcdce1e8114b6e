"""Whole volumes: what the 3D U-Net is trained on."""

from __future__ import annotations

import torch

from ..volumes import Volumes
from .augment import cut
from .task import Batch, PublishedTask, draw_samples, weight_of

_M0_NOISE = 0.02  # of the brain's mean


class VolumesTask(PublishedTask):
    """Volumes (B, 1, K, J, I), or (B, 2, K, J, I) with the M0 as second channel, scaled by their brain means."""

    samples = 12

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` volumes."""
        r = self.recipe
        index = torch.randint(len(volumes), (r.batch,), generator=generator)
        parts = torch.stack([volumes.perfusion[index], volumes.brain[index], volumes.m0[index]], dim=1).float()
        d = draw_samples(parts, volumes.gm_level[index], volumes.spacing[index], r, generator, device)
        measured = d.m0 + _M0_NOISE * torch.randn(d.m0.shape, generator=generator).to(device)
        given = torch.cat([d.given, measured], dim=1) if r.m0 else d.given
        given, target, truth, noisy, brain, m0 = cut(
            (given, d.target, d.truth, d.noisy, d.brain, d.m0), r.patch, generator
        )
        return Batch((given,), target, truth, noisy, weight_of(brain, r), brain, m0)
