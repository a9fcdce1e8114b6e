"""Axial slices, and slabs of three whose middle one is wanted: what networks of slices are trained on."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch

from ..volumes import Volumes
from .task import Batch, PublishedTask


@lru_cache(maxsize=4)
def slices_of(volumes: Volumes) -> torch.Tensor:
    """`Volumes.slices`, found once a pool."""
    return volumes.slices()


class SlicesTask(PublishedTask):
    """Slices (B, 1, J, I), or patches of them, each scaled by the brain mean of its volume.

    A slice is drawn with `reach` slices on either side. At the ends of a volume the last one is repeated; the family
    knows these ends, noise and all, as it does in use.
    """

    samples, reach = 64, 0

    def batch(self, volumes: Volumes, generator: torch.Generator, device: str) -> Batch:
        """A fresh batch of `recipe.batch` slices."""
        where, last, r = slices_of(volumes), volumes.perfusion.shape[1] - 1, self.reach
        v, k = where[torch.randint(len(where), (self.recipe.batch,), generator=generator)].T
        near = k[:, None] + torch.arange(-r, r + 1)
        sample, images = self.draw(volumes, (v[:, None], near.clamp(0, last)), generator, device)
        ends = torch.stack([(r - k).clamp_min(0), (r + last - k).clamp_max(2 * r)], dim=1).to(device)
        seen = self.family.channels(replace(sample, ends=ends))[r :: 2 * r + 1]  # the middle ones
        return self.patches(seen, tuple(image[:, :, r] for image in images), generator)


class SlabsTask(SlicesTask):
    """Slabs (B, 3, J, I), or patches of them; all else (B, 1, J, I) of the middle slice."""

    samples, reach = 32, 1
