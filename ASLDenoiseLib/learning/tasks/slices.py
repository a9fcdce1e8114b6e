"""Axial slices: what the two-dimensional networks are trained on."""

from __future__ import annotations

from functools import lru_cache

import torch

from ..volumes import Volumes
from .augment import cut
from .task import Batch, PublishedTask, draw_samples, weight_of


@lru_cache(maxsize=4)
def slices_of(volumes: Volumes) -> torch.Tensor:
    """`Volumes.slices`, found once a pool."""
    return volumes.slices()


class SlicesTask(PublishedTask):
    """Slices (B, 1, J, I), or patches of them, each scaled by the brain mean of its volume."""

    samples = 64

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
