"""Whole volumes: what the 3D U-Net is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..recipe import Recipe
from ..volumes import Volumes
from .augment import cut
from .task import Batch, draw_samples, psnr_gain, task_loss, weight_of

_M0_NOISE = 0.02  # of the brain's mean


@dataclass(frozen=True, eq=False)
class VolumesTask:
    """Volumes (B, 1, K, J, I), or (B, 2, K, J, I) with the M0 as second channel, scaled by their brain means."""

    recipe: Recipe

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

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss."""
        return task_loss(network, batch, self.recipe)

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain (dB) over some 12 volumes."""
        batches = max(1, 12 // self.recipe.batch)
        return psnr_gain(self, network, volumes, device, seed=self.recipe.seed + 1, batches=batches)

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, float]:
        """Nothing."""
        return {}
