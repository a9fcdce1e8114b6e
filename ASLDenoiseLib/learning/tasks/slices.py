"""Axial slices: what the two-dimensional networks are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from ..recipe import Recipe
from ..volumes import Volumes
from .augment import cut
from .task import Batch, draw_samples, psnr_gain, task_loss, weight_of


@lru_cache(maxsize=4)
def slices_of(volumes: Volumes) -> torch.Tensor:
    """`Volumes.slices`, found once a pool."""
    return volumes.slices()


@dataclass(frozen=True, eq=False)
class SlicesTask:
    """Slices (B, 1, J, I), or patches of them, each scaled by the brain mean of its volume."""

    recipe: Recipe

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` slices."""
        r = self.recipe
        where = slices_of(volumes)
        v, k = where[torch.randint(len(where), (r.batch,), generator=generator)].T
        parts = torch.stack([volumes.perfusion[v, k], volumes.brain[v, k], volumes.m0[v, k]], dim=1).float()[:, :, None]
        d = draw_samples(parts, volumes.gm_level[v], volumes.spacing[v], r, generator, device)
        flat = tuple(t[:, :, 0] for t in (d.given, d.target, d.truth, d.noisy, d.brain, d.m0))
        given, target, truth, noisy, brain, m0 = cut(flat, r.patch, generator)
        return Batch((given,), target, truth, noisy, weight_of(brain, r), brain, m0)

    def loss(self, network: torch.nn.Module, batch: Batch) -> torch.Tensor:
        """The recipe's loss."""
        return task_loss(network, batch, self.recipe)

    def gain(self, network: torch.nn.Module, volumes: Volumes, device: str) -> float:
        """PSNR gain (dB) over some 64 slices."""
        batches = max(1, 64 // self.recipe.batch)
        return psnr_gain(self, network, volumes, device, seed=self.recipe.seed + 1, batches=batches)

    def facts(self, network: torch.nn.Module, volumes: Volumes, device: str) -> dict[str, float]:
        """Nothing."""
        return {}
