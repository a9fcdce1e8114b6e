"""Axial slices: what the two-dimensional networks are trained on."""

from __future__ import annotations

from functools import lru_cache

import torch

from ..volumes import Volumes
from .task import Batch, PublishedTask, draw_samples


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
        return self.cut(self.family.channels(d.sample), (t[:, :, 0] for t in d.images), generator)
