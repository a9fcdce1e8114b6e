"""How much blood tissue gets: CBF by class, smooth regional variation, asymmetry, fine texture, and vessels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .anatomy import GM_CLASSES, WM_CLASSES, TissueClass
from .smooth import Waves, draw_waves, gaussian_blur, uniform

_BRIGHTEST = 6.0  # times grey matter: an artery that fills its voxel


@dataclass(frozen=True, eq=False)
class Perfusion:
    """The healthy CBF of one head.

    Args:
        by_class: (C,) ml/100g/min.
        gm: CBF of grey matter, ml/100g/min.
        broad, local: relative smooth variation, one field each, independent of the anatomy.
        asymmetry: relative difference of left over right.
    """

    by_class: torch.Tensor
    gm: float
    broad: Waves
    local: Waves
    asymmetry: float

    def variation(self, points: torch.Tensor, relative: torch.Tensor) -> torch.Tensor:
        """The factor (...) on CBF at points (..., 3) mm and their relative places."""
        sides = 0.5 * self.asymmetry * torch.tanh(4 * relative[..., 2])
        return ((1 + self.broad(points)[..., 0]) * (1 + self.local(points)[..., 0]) * (1 + sides)).clamp_min(0.2)


def draw_perfusion(
    generator: torch.Generator,
    *,
    gm_cbf: tuple[float, float],
    ratio: tuple[float, float],
    regional: float,
    asymmetry: float,
    device: str = "cpu",
) -> Perfusion:
    """Draw one: GM CBF and GM over WM from ranges, SD of the regional variation, largest asymmetry."""
    grey, white = uniform(generator, *gm_cbf), 1 / uniform(generator, *ratio)
    by_class = torch.zeros(len(TissueClass))
    for tissue in GM_CLASSES:
        by_class[tissue] = grey * uniform(generator, 0.87, 1.13)
    for tissue in WM_CLASSES:
        by_class[tissue] = grey * white * uniform(generator, 0.92, 1.08)
    by_class[TissueClass.CORTEX], by_class[TissueClass.WM] = grey, grey * white  # the ratio is that of these two
    broad = draw_waves(1, (60.0, 200.0), generator, device=device, count=16, sd=regional)
    local = draw_waves(1, (20.0, 60.0), generator, device=device, count=16, sd=0.5 * regional)
    return Perfusion(by_class.to(device), grey, broad, local, uniform(generator, -asymmetry, asymmetry))


def draw_texture(shape: tuple[int, int, int], sd: float, generator: torch.Generator, *, device: str) -> torch.Tensor:
    """A fine random factor (K, J, I) around 1 of relative `sd`, correlated over about a voxel."""
    width = uniform(generator, 0.4, 1.0)
    noise = gaussian_blur(torch.randn((1, *shape), generator=generator).to(device), (width,) * 3)[0]
    return (1 + sd * noise / noise.std()).clamp_min(0.2)


def draw_vessels(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    base: torch.Tensor,
    generator: torch.Generator,
    *,
    most: int = 8,
) -> torch.Tensor:
    """Signal of label in winding arteries (K, J, I), relative to that of as much grey matter.

    Args:
        shape, spacing: the acquired grid (k, j, i), mm.
        base: (3,) mm from the centre of the grid, about where the arteries enter.
        generator: where the draws come from (CPU).
        most: how many arteries at most.
    """
    count, steps = int(uniform(generator, 2, most + 0.999)), 110
    heading = torch.randn((count, 3), generator=generator)
    heading[:, 0] = heading[:, 0].abs() + 0.3  # up, into the brain
    turns = torch.randn((count, steps, 3), generator=generator).cumsum(1) * 0.12
    way = heading[:, None] / heading.norm(dim=1)[:, None, None] + turns
    way = way / way.norm(dim=-1, keepdim=True)
    start = base.cpu() + 15 * torch.randn((count, 1, 3), generator=generator)
    path = start + way.cumsum(1)  # steps of 1 mm
    strength = torch.exp(uniform(generator, 0.0, 1.0) + 0.7 * torch.randn((count, 1), generator=generator)) * 6
    fading = torch.linspace(1.0, 0.2, steps)
    amount = (strength * fading).flatten() / float(np.prod(spacing))
    where = path.reshape(-1, 3) / torch.tensor(spacing) + torch.tensor([(n - 1) / 2 for n in shape])
    low = where.floor()
    part = where - low
    image = torch.zeros(int(np.prod(shape)))
    limits = torch.tensor(shape)
    for corner in torch.cartesian_prod(*[torch.arange(2)] * 3):
        index = low.long() + corner
        weight = torch.where(corner.bool(), part, 1 - part).prod(-1) * amount
        inside = ((index >= 0) & (index < limits)).all(-1)
        flat = (index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2]
        image.index_add_(0, flat[inside], weight[inside])
    return _BRIGHTEST * torch.tanh(image.reshape(shape) / _BRIGHTEST).to(base.device)


def draw_arterial_spots(shape: tuple[int, int, int], generator: torch.Generator, *, device: str) -> torch.Tensor:
    """Where label that has not reached tissue yet is seen: bright spots (K, J, I) of mean about 1, at most 6."""
    noise = gaussian_blur(torch.randn((1, *shape), generator=generator).to(device), (0.6, 0.8, 0.8))[0]
    spots = (noise / noise.std() - 0.6).clamp_min(0)
    return (spots / spots.mean().clamp_min(1e-6)).clamp_max(6.0)
