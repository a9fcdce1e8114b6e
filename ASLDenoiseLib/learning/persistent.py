"""What every pair shows alike and is no perfusion of tissue: blood in vessels, and edges that labelling shifts.

On a real 2D series at a short delay, a few hundred voxels at the rim of the brain hold 5 to 18 times the noise of the
mean, of either sign, and pairs that were kept apart hold the same. That is not noise, and a denoiser must leave it:
what tells it from the rim's noise is that it stands far above the voxel's own SD.
"""

from __future__ import annotations

import torch

from ..denoising.gaussian_windows import gaussian_window
from .noise import edges_of, shifted_edges, smooth_fields

_VESSEL = (1.0, 10.0)  # times the GM level, a voxel in the middle of a vessel; drawn log-uniformly
_NEGATIVE = 0.4  # chance that as many voxels are as far below
_SHIFTED = (0.3, 5.0)  # the same of steep edges
_RARE = (1.6, 3.0)  # SDs of a field, beyond which there is a vessel: 5 to 0.1 % of the voxels
_THIN, _LONG = 0.45, 2.0  # voxels, SD across and along a vessel


def draw_persistent(
    level: torch.Tensor, static: torch.Tensor, brain: torch.Tensor, generator: torch.Generator, *, chance: float
) -> torch.Tensor:
    """What to add to the noise-free difference (B, 1, K, J, I).

    Args:
        level: (B,) GM signal.
        static: (B, 1, K, J, I) static signal, about 1.
        brain: (B, 1, K, J, I) 0/1.
        generator: on their device.
        chance: of vessels, and of edges, in a scan.
    """
    b, _, *shape = brain.shape
    device = brain.device

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand((b, 1, 1, 1, 1), generator=generator, device=device)

    def height(ends: tuple[float, float]) -> torch.Tensor:
        low, high = torch.log(torch.tensor(ends)).tolist()
        there = uniform(0, 1) < chance
        return there * torch.exp(uniform(low, high)) * level.view(b, 1, 1, 1, 1)

    def rough(sd: float) -> torch.Tensor:
        return torch.exp(sd * torch.randn(brain.shape, generator=generator, device=device))

    along = torch.randint(3, (b, 1), generator=generator, device=device) == torch.arange(3, device=device)
    course = gaussian_window(shape, torch.where(along, _LONG, _THIN), unit="noise")
    field = course(torch.randn(brain.shape, generator=generator, device=device))
    places = 0.2 + edges_of(static).clamp_max(1)  # arteries lie on the brain more than in it
    beyond = 2 * (field.abs() - uniform(*_RARE)).clamp_min(0) * places
    vessels = height(_VESSEL) * beyond * torch.where(field > 0, 1.0, -1.0 * (uniform(0, 1) < _NEGATIVE))
    edges = shifted_edges(static, generator)
    where = torch.sigmoid(3 * smooth_fields(b, shape, 5, generator))  # here and not there
    return (vessels + height(_SHIFTED) * edges * where * rough(0.5)) * brain
