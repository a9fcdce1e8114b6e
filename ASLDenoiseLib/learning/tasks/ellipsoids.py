"""Lesions drawn afresh for every training step, straight on the voxels: in perfusion alone, or in the guides alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_RADIUS = (2.5, 20.0)  # mm, drawn log-uniformly
_USUAL_RADIUS = (5.0, 10.0)  # of half of the lesions of perfusion: small ones are what denoising loses
_MOST = 3
_EXPLICIT = 0.4  # of the lesions of the guides are in white matter, on the T1 alone, and as dark as a class can be


@dataclass(frozen=True, eq=False)
class _Drawer:
    """Draws ellipsoids in the brains of a batch, (B, 1, K, J, I); all draws from `generator`, on its device."""

    brain: torch.Tensor
    spacing: torch.Tensor
    generator: torch.Generator

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """One value a sample, (B, 1, 1, 1, 1)."""
        share = torch.rand((len(self.brain), 1, 1, 1, 1), generator=self.generator, device=self.brain.device)
        return low + (high - low) * share

    def ellipsoid(self, chance: float, *, usual: float = 0.0, where: torch.Tensor | None = None) -> torch.Tensor:
        """Fractions (B, 1, K, J, I) of a soft ellipsoid round a voxel; all zero but with `chance`.

        Args:
            chance: that there is one.
            usual: chance that its radius is from `_USUAL_RADIUS`.
            where: (B, 1, K, J, I) how likely each voxel is to be its middle; None: all of the brain.
        """
        b, _, *shape = self.brain.shape
        device = self.brain.device
        axes = [torch.arange(n, device=device, dtype=torch.float32) for n in shape]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
        likely = self.brain if where is None else where
        middle = torch.multinomial(likely.flatten(1) + 1e-6, 1, generator=self.generator)[:, 0]
        size = self.uniform(*torch.log(torch.tensor(_RADIUS)).tolist())
        if usual > 0:
            other = self.uniform(*torch.log(torch.tensor(_USUAL_RADIUS)).tolist())
            size = torch.where(self.uniform(0, 1) < usual, other, size)
        stretch = 0.75 + 0.58 * torch.rand((b, 3), generator=self.generator, device=device)
        radius = torch.exp(size).view(b, 1) * stretch
        away = places - places.reshape(-1, 3)[middle].view(b, 1, 1, 1, 3)
        away = away * (self.spacing / radius).view(b, 1, 1, 1, 3)
        voxels = (radius / self.spacing).mean(1).view(b, 1, 1, 1)
        inside = torch.sigmoid(2.0 * (1 - away.norm(dim=-1)) * voxels)[:, None]
        return inside * (self.uniform(0, 1) < chance)


def perfusion_lesions(
    brain: torch.Tensor, spacing: torch.Tensor, generator: torch.Generator, *, chance: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ellipsoids of 5-40 mm that multiply perfusion by 0-0.7 or 1.3-3, and nothing that T1 or M0 would show.

    In half of them the radius is from 5 to 10 mm, before the ellipsoid is stretched.

    Args:
        brain: (B, 1, K, J, I) 0/1; lesions are centred in it.
        spacing: (B, 3) mm along (k, j, i).
        generator: on the device of `brain`.
        chance: of each of three lesions.

    Returns:
        The factor, and 1 where a lesion fills most of a voxel, both of the shape of `brain`.
    """
    draw = _Drawer(brain, spacing, generator)
    factor, mask = torch.ones_like(brain), torch.zeros_like(brain)
    for _ in range(_MOST):
        there = draw.ellipsoid(chance, usual=0.5)
        change = torch.where(draw.uniform(0, 1) < 0.5, draw.uniform(0.0, 0.7), draw.uniform(1.3, 3.0))
        factor = factor * (1 + (change - 1) * there)
        mask = torch.maximum(mask, (there > 0.5) * brain)
    return factor, mask


def guide_lesions(
    t1: torch.Tensor,
    m0: torch.Tensor,
    brain: torch.Tensor,
    spacing: torch.Tensor,
    generator: torch.Generator,
    *,
    chance: float,
    white: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ellipsoids that change the T1, the M0 or both where perfusion stays as it is.

    In two of five white matter is, on the T1, wholly as dark as CSF or as grey matter: what misleads most.

    Args:
        t1: (B, C, K, J, I) fractions of its intensity classes: a share of them goes to one class.
        m0: (B, 1, K, J, I), multiplied by 0.7-1.4.
        brain, spacing, generator: as of `perfusion_lesions`.
        chance: of each of three lesions.
        white: (B, 1, K, J, I) fraction of white matter; None: no lesion is placed by it.

    Returns:
        The T1 and the M0 with them, and their mask.
    """
    draw = _Drawer(brain, spacing, generator)
    mask = torch.zeros_like(brain)
    classes = torch.arange(t1.shape[1], device=t1.device).view(1, -1, 1, 1, 1)
    for _ in range(_MOST):
        explicit = draw.uniform(0, 1) < (0.0 if white is None else _EXPLICIT)
        there = draw.ellipsoid(chance, where=brain if white is None else torch.where(explicit, white, brain))
        kind = torch.where(explicit, 0.0, draw.uniform(0, 3))
        share = there * (kind < 2) * torch.where(explicit, 1.0, draw.uniform(0.3, 1.0)) * brain
        wanted = torch.where(explicit, draw.uniform(0, 2), draw.uniform(0, t1.shape[1])).floor()
        wanted = (classes == wanted).to(t1)
        t1 = t1 * (1 - share) + wanted * share
        m0 = m0 * (1 + there * (kind >= 1) * (draw.uniform(0.7, 1.4) - 1))
        mask = torch.maximum(mask, (there > 0.5) * brain)
    return t1, m0, mask
