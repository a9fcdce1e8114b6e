"""Slabs of three slices whose middle one is wanted: what the 2.5D transformer is trained on."""

from __future__ import annotations

import torch

from ..volumes import Volumes
from .augment import cut
from .slices import slices_of
from .task import Batch, PublishedTask, draw_samples, weight_of


class SlabsTask(PublishedTask):
    """Inputs (B, 3, J, I), or patches of them; all else (B, 1, J, I) of the middle slice.

    At the ends of a volume the last slice is repeated, noise and all, as it is in use.
    """

    samples = 32

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` slabs."""
        r = self.recipe
        where = slices_of(volumes)
        v, k = where[torch.randint(len(where), (r.batch,), generator=generator)].T
        near = (k[:, None] + torch.arange(-1, 2)).clamp(0, volumes.perfusion.shape[1] - 1)
        at = (v[:, None], near)
        parts = torch.stack([volumes.perfusion[at], volumes.brain[at], volumes.m0[at]], dim=1).float()
        d = draw_samples(parts, volumes.gm_level[v], volumes.spacing[v], r, generator, device)
        given = d.given[:, 0].clone()
        for side in (0, 2):
            end = (near[:, side] == near[:, 1]).to(device)
            given[end, side] = given[end, 1]
        flat = tuple(t[:, :, 1] for t in (d.target, d.truth, d.noisy, d.brain, d.m0))
        given, target, truth, noisy, brain, m0 = cut((given, *flat), r.patch, generator)
        return Batch((given,), target, truth, noisy, weight_of(brain, r), brain, m0)
