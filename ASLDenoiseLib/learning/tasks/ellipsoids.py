"""Lesions drawn afresh for every training step, straight on the voxels: in perfusion alone, or in the guides alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch

_SMALLEST, _LARGEST = 2.5, 20.0  # mm, radius
_MOST = 3


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

    def ellipsoid(self, chance: float) -> torch.Tensor:
        """Fractions (B, 1, K, J, I) of a soft ellipsoid round a voxel of the brain; all zero but with `chance`."""
        b, _, *shape = self.brain.shape
        device = self.brain.device
        axes = [torch.arange(n, device=device, dtype=torch.float32) for n in shape]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
        middle = torch.multinomial(self.brain.flatten(1) + 1e-6, 1, generator=self.generator)[:, 0]
        size = torch.log(torch.tensor((_SMALLEST, _LARGEST))).tolist()
        stretch = 0.75 + 0.58 * torch.rand((b, 3), generator=self.generator, device=device)
        radius = torch.exp(self.uniform(*size)).view(b, 1) * stretch
        away = places - places.reshape(-1, 3)[middle].view(b, 1, 1, 1, 3)
        away = away * (self.spacing / radius).view(b, 1, 1, 1, 3)
        voxels = (radius / self.spacing).mean(1).view(b, 1, 1, 1)
        inside = torch.sigmoid(2.0 * (1 - away.norm(dim=-1)) * voxels)[:, None]
        return inside * (self.uniform(0, 1) < chance)


def perfusion_lesions(
    brain: torch.Tensor, spacing: torch.Tensor, generator: torch.Generator, *, chance: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ellipsoids of 5-40 mm that multiply perfusion by 0-0.7 or 1.3-3, and nothing that T1 or M0 would show.

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
        there = draw.ellipsoid(chance)
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
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ellipsoids that change the T1, the M0 or both where perfusion stays as it is.

    Args:
        t1: (B, C, K, J, I) fractions of its intensity classes: a share of them goes to one class.
        m0: (B, 1, K, J, I), multiplied by 0.7-1.4.
        brain, spacing, generator: as of `perfusion_lesions`.
        chance: of each of three lesions.

    Returns:
        The T1 and the M0 with them, and their mask.
    """
    draw = _Drawer(brain, spacing, generator)
    mask = torch.zeros_like(brain)
    classes = torch.arange(t1.shape[1], device=t1.device).view(1, -1, 1, 1, 1)
    for _ in range(_MOST):
        there, kind = draw.ellipsoid(chance), draw.uniform(0, 3)
        share = there * (kind < 2) * draw.uniform(0.3, 1.0) * brain
        wanted = (classes == draw.uniform(0, t1.shape[1]).floor()).to(t1)
        t1 = t1 * (1 - share) + wanted * share
        m0 = m0 * (1 + there * (kind >= 1) * (draw.uniform(0.7, 1.4) - 1))
        mask = torch.maximum(mask, (there > 0.5) * brain)
    return t1, m0, mask
