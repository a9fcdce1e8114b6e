"""Boxes cut out of volumes at random and mirrored, on the device where the volumes lie."""

from __future__ import annotations

from dataclasses import fields

import torch

from ..volumes import Volumes


def cut_at_random(
    volumes: Volumes, index: torch.Tensor, crop: tuple[int, int, int], generator: torch.Generator
) -> Volumes:
    """One box of `crop` voxels (K, J, I) out of each of the volumes `index` (B,), as float32 and bool.

    It lies round a random voxel of the brain as far as the edges allow, and is mirrored along any axis, and i and j,
    which share their spacing, are exchanged, each in half of the boxes. `index` and `generator` are on the device of
    the volumes.
    """
    b, shape, device = len(index), volumes.brain.shape[1:], volumes.brain.device
    middle = torch.multinomial(volumes.brain[index].flatten(1).float(), 1, generator=generator)[:, 0]
    middle = torch.stack(torch.unravel_index(middle, shape), dim=1)
    mirrored = torch.rand((b, 4), generator=generator, device=device) < 0.5
    along = []
    for axis, (have, want) in enumerate(zip(shape, crop, strict=True)):
        size = min(have, want)
        start = (middle[:, axis] - size // 2).clamp(0, have - size)
        places = start[:, None] + torch.arange(size, device=device)
        along.append(torch.where(mirrored[:, axis, None], places.flip(1), places))
    k, j, i = along[0][:, :, None, None], along[1][:, None, :, None], along[2][:, None, None, :]
    if j.shape[2] == i.shape[3]:
        exchanged = mirrored[:, 3, None, None, None]
        j, i = torch.where(exchanged, j.mT, j), torch.where(exchanged, i.mT, i)
    at = index[:, None, None, None]
    parts = {f.name: getattr(volumes, f.name) for f in fields(Volumes)}
    boxes = {name: part[at, k, j, i] for name, part in parts.items() if part.ndim == 4}
    boxes["t1"] = parts["t1"][at, :, k, j, i].movedim(-1, 1)
    boxes |= {name: parts[name][index] for name in ("gm_level", "spacing")}
    return Volumes(**boxes)[:]
