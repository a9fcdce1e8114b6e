"""Slabs of three slices whose middle one is wanted: what the 2.5D transformer is trained on."""

from __future__ import annotations

from dataclasses import replace

import torch

from ..volumes import Volumes
from .slices import slices_of
from .task import Batch, PublishedTask, draw_samples


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
        last = volumes.perfusion.shape[1] - 1
        at = (v[:, None], (k[:, None] + torch.arange(-1, 2)).clamp(0, last))
        parts = torch.stack([volumes.perfusion[at], volumes.brain[at], volumes.m0[at]], dim=1).float()
        d = draw_samples(parts, volumes.gm_level[v], volumes.spacing[v], r, generator, device)
        ends = torch.stack([k == 0, 2 - (k == last).long()], dim=1).to(device)
        slabs = self.family.channels(replace(d.sample, ends=ends))[1::3]  # those round the middle slices
        return self.cut(slabs, (t[:, :, 1] for t in d.images), generator)
