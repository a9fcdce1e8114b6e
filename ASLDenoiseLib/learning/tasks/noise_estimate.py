"""What a run would estimate of the noise of a mean from the spread of its pairs, simulated for training."""

from __future__ import annotations

import torch

from ...denoising.gaussian_windows import window_of_mm
from ...denoising.guiding import noise_channels
from ...denoising.noise_level import BROAD, FINE, MOST_OWN, MOST_UNEVEN, POOLED, own_variance, usually_left
from ..noise import NoiseDraw, draw_noise

_MOST_PAIRS = 60
_DRAWS = 3  # realisations whose squares make the spread of as many degrees of freedom and more


def noise_estimate(
    draw: NoiseDraw,
    brain: torch.Tensor,
    mask: torch.Tensor,
    spacing: torch.Tensor,
    generator: torch.Generator,
    *,
    one_image: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise SD (B, 1, 1, 1, 1) and its maps (B, 4, K, J, I) over it, as of `denoising.noise_level`.

    The spread of n pairs is a variance with n - 1 degrees of freedom: the mean square of one, two or three further
    realisations of the noise, drawn towards the true variance where n - 1 is more. n is drawn from 2 to 60.

    Args:
        draw: the noise.
        brain, mask: (B, 1, K, J, I), the true brain and the mask a run would use.
        spacing: (B, 3) mm along (k, j, i).
        generator: on the device of `brain`.
        one_image: chance that there are no pairs: the maps are even, a little low, and correlation is the usual one.
    """
    b, shape, device = len(brain), brain.shape[-3:], brain.device

    def each(values: torch.Tensor) -> torch.Tensor:
        return values.view(b, 1, 1, 1, 1)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (values * mask).sum(dim=(2, 3, 4), keepdim=True) / mask.sum(dim=(2, 3, 4), keepdim=True).clamp_min(1)

    most = torch.log(torch.tensor(_MOST_PAIRS - 1.0))
    freedom = each(torch.exp(torch.rand(b, generator=generator, device=device) * most).floor())
    draws = [draw_noise(draw, brain, generator) * mask for _ in range(_DRAWS)]
    share = torch.stack([(n < freedom) / freedom.clamp_max(_DRAWS) for n in range(_DRAWS)])
    spread = sum(w * apart.square() for w, apart in zip(share, draws, strict=True))
    known = 1 - (_DRAWS / freedom.clamp_min(_DRAWS)).sqrt()
    variance = (known * draw.local_sd(brain).square() + (1 - known) * spread) * mask
    single = each(torch.rand(b, generator=generator, device=device) < one_image)
    low = torch.exp(0.2 * torch.randn((b, 1, 1, 1, 1), generator=generator, device=device) - 0.2)
    variance = torch.where(single, mean(variance) * low * mask, variance)

    def pooled(fwhm: float) -> torch.Tensor:
        window = window_of_mm(shape, spacing, fwhm)
        sd = (window(variance) / window(mask).clamp_min(1e-6)).clamp_min(0).sqrt()
        return sd.minimum(MOST_UNEVEN * _median(sd, mask))

    broad = window_of_mm(shape, spacing, BROAD)
    apart = draws[0]
    left = (mean((broad(apart) / broad(mask).clamp_min(1e-6)).square()) / mean(apart.square()).clamp_min(1e-9)).sqrt()
    usual = torch.tensor([usually_left(s) for s in spacing.tolist()], device=device)
    left = torch.where(single, each(usual), left).clamp_max(1)
    local, fine = pooled(POOLED), pooled(FINE)
    own = own_variance(variance, torch.where(single, 0.0, freedom), fine.square()).sqrt()
    own = own.minimum(MOST_OWN * _median(fine, mask))
    sigma = mean(local.square()).sqrt().clamp_min(1e-6)
    return sigma, noise_channels(local / sigma, fine / sigma, own / sigma, left)


def _median(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The median (B, 1, 1, 1, 1) within a mask, which must not be empty."""
    inside = torch.where(mask > 0, values, torch.nan).flatten(1)
    return inside.nanmedian(dim=1).values.nan_to_num(0.0).view(-1, 1, 1, 1, 1)
