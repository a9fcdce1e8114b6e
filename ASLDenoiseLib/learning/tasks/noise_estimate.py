"""What a run would estimate of the noise of a mean from the spread of its pairs, simulated for training."""

from __future__ import annotations

import torch

from ...denoising.gaussian_windows import window_of_mm
from ...denoising.guiding import noise_channels
from ...denoising.noise_level import BROAD, FINE, POOLED, usually_left
from ..noise import NoiseDraw, draw_noise

_MOST_PAIRS = 60


def noise_estimate(
    draw: NoiseDraw,
    brain: torch.Tensor,
    mask: torch.Tensor,
    spacing: torch.Tensor,
    generator: torch.Generator,
    *,
    one_image: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise SD (B, 1, 1, 1, 1) and its maps (B, 3, K, J, I) over it, as `denoising.noise_level` would give them.

    The spread of n pairs is a variance with n - 1 degrees of freedom; here it is the square of a second realisation of
    the noise, drawn towards the true variance so that it is as uncertain. n is drawn from 2 to 60.

    Args:
        draw: the noise.
        brain, mask: (B, 1, K, J, I), the true brain and the mask a run would use.
        spacing: (B, 3) mm along (k, j, i).
        generator: on the device of `brain`.
        one_image: chance that there are no pairs: both maps are even, a little low, and correlation is the usual one.
    """
    b, shape, device = len(brain), brain.shape[-3:], brain.device

    def each(values: torch.Tensor) -> torch.Tensor:
        return values.view(b, 1, 1, 1, 1)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (values * mask).sum(dim=(2, 3, 4), keepdim=True) / mask.sum(dim=(2, 3, 4), keepdim=True).clamp_min(1)

    apart = draw_noise(draw, brain, generator) * mask
    freedom = torch.exp(torch.rand(b, generator=generator, device=device) * torch.log(torch.tensor(_MOST_PAIRS - 1.0)))
    known = each(1 - freedom.rsqrt())
    variance = known * draw.local_sd(brain).square() + (1 - known) * apart.square()
    single = each(torch.rand(b, generator=generator, device=device) < one_image)
    low = torch.exp(0.2 * torch.randn((b, 1, 1, 1, 1), generator=generator, device=device) - 0.2)
    variance = torch.where(single, mean(variance) * low, variance)

    def pooled(fwhm: float) -> torch.Tensor:
        window = window_of_mm(shape, spacing, fwhm)
        return (window(variance * mask) / window(mask).clamp_min(1e-6)).clamp_min(0).sqrt()

    broad = window_of_mm(shape, spacing, BROAD)
    left = (mean((broad(apart) / broad(mask).clamp_min(1e-6)).square()) / mean(apart.square()).clamp_min(1e-9)).sqrt()
    usual = torch.tensor([usually_left(s) for s in spacing.tolist()], device=device)
    left = torch.where(single, each(usual), left)
    local, fine = pooled(POOLED), pooled(FINE)
    sigma = mean(local.square()).sqrt().clamp_min(1e-6)
    return sigma, noise_channels(local / sigma, fine / sigma, left)
