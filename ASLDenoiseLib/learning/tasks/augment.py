"""Moving noise-free samples about before noise is drawn on them."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

_MOST_TURN = math.radians(45.0)
_MOST_SHIFT = 0.1  # of half the field of view


def augmented(parts: torch.Tensor, kind: str, generator: torch.Generator) -> torch.Tensor:
    """Samples (B, C, K, J, I), flipped along i and j and these exchanged at random, the batch alike.

    ``rigid`` also turns each sample in plane by up to 45 degrees and shifts it by up to a tenth of half the field of
    view (the 3D denoising article; DeepASL's rigid transformations).
    """
    chance = torch.rand(3, generator=generator).tolist()
    parts = parts.flip(-1) if chance[0] < 0.5 else parts
    parts = parts.flip(-2) if chance[1] < 0.5 else parts
    parts = parts.transpose(-1, -2) if chance[2] < 0.5 and parts.shape[-1] == parts.shape[-2] else parts
    if kind != "rigid":
        return parts.contiguous()
    b, c, k, j, i = parts.shape
    turn = _MOST_TURN * (2 * torch.rand(b, generator=generator) - 1)
    shift = _MOST_SHIFT * (2 * torch.rand((2, b), generator=generator) - 1)
    cos, sin = turn.cos(), turn.sin()
    matrix = torch.stack([cos, -sin * j / i, shift[0], sin * i / j, cos, shift[1]], dim=1).reshape(b, 2, 3)
    grid = F.affine_grid(matrix.to(parts.device), (b, c * k, j, i), align_corners=False)
    moved = F.grid_sample(parts.reshape(b, c * k, j, i), grid, mode="bilinear", align_corners=False)
    return moved.reshape(b, c, k, j, i)


def cut(tensors: tuple[torch.Tensor, ...], patch: tuple[int, ...], generator: torch.Generator) -> tuple:
    """One random box of `patch` voxels from the last axes of each sample; the same box for all `tensors`."""
    if not patch:
        return tensors
    have = tensors[0].shape[-len(patch) :]
    boxes = []
    for _ in range(len(tensors[0])):
        room = [max(1, n - p + 1) for n, p in zip(have, patch, strict=True)]
        starts = [int(torch.randint(most, (), generator=generator)) for most in room]
        boxes.append((..., *(slice(s, s + p) for s, p in zip(starts, patch, strict=True))))
    return tuple(torch.stack([sample[box] for sample, box in zip(t, boxes, strict=True)]) for t in tensors)
