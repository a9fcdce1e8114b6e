"""Noise-free training slices cut from many phantoms, kept on disk so that a resumed run sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .anatomy import Anatomy
from .phantom import Phantom, draw_phantom
from .recipe import Recipe


@dataclass(frozen=True, eq=False)
class Slices:
    """Axial slices of phantoms, scaled so that the mean of each volume's brain is 1.

    Args:
        perfusion: (B, J, I) float32.
        brain: (B, J, I) bool.
        gm_level: (B,) the GM mean of the volume in the same scale.
    """

    perfusion: torch.Tensor
    brain: torch.Tensor
    gm_level: torch.Tensor

    def __len__(self) -> int:
        return len(self.gm_level)


def cut(phantom: Phantom, *, least_brain: float = 0.04) -> Slices:
    """The slices of one phantom of which at least a fraction `least_brain` is brain."""
    inside = phantom.brain > 0
    perfusion = phantom.perfusion / phantom.perfusion[inside].mean()
    keep = inside.float().mean(dim=(1, 2)) > least_brain
    gm = phantom.gm > 0.7
    level = perfusion[gm].mean() if int(gm.sum()) > 20 else perfusion[inside].mean() * 1.4
    return Slices(perfusion[keep], inside[keep], level.expand(int(keep.sum())).clone())


def make_slices(anatomies: list[Anatomy], recipe: Recipe, *, cache: Path, device: str = "cpu", progress=None) -> Slices:
    """The slices of `recipe.phantoms_per_anatomy` phantoms of each anatomy; read from `cache` when it is there."""
    if cache.exists():
        with np.load(cache) as stored:
            return Slices(
                torch.from_numpy(stored["perfusion"].astype(np.float32)),
                torch.from_numpy(stored["brain"]),
                torch.from_numpy(stored["gm_level"]),
            )
    parts = []
    for a, anatomy in enumerate(anatomies):
        for n in range(recipe.phantoms_per_anatomy):
            seed = recipe.seed + 1000 * a + n
            parts.append(cut(draw_phantom(anatomy, recipe.phantom, seed=seed, device=device)))
        if progress:
            progress((a + 1) / len(anatomies), f"phantoms of {anatomy.name}")
    slices = Slices(
        torch.cat([p.perfusion for p in parts]).cpu(),
        torch.cat([p.brain for p in parts]).cpu(),
        torch.cat([p.gm_level for p in parts]).cpu(),
    )
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_suffix(".part.npz")
    np.savez(
        part,
        perfusion=slices.perfusion.numpy().astype(np.float16),
        brain=slices.brain.numpy(),
        gm_level=slices.gm_level.numpy(),
    )
    part.replace(cache)
    return slices
