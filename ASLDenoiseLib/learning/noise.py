"""What a scanner adds to the truth of a phantom: noise of the mean difference, with its real texture.

Thermal noise of the difference of two images is Gaussian; reconstruction and resampling correlate neighbours (0.3-0.5
in real series), coils make it uneven, physiology adds a smooth part, and now and then a pair is spoilt.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class NoiseSettings:
    """What the noise of one mean difference slice is drawn from; pairs are (lowest, highest).

    Args:
        gm_snr: GM signal over the noise SD of the mean, drawn log-uniformly.
        correlation: Gaussian SD in voxels whose blur gives the neighbour correlation exp(-1/(4 s^2)).
        physiological: SD of the smooth part relative to the thermal SD.
        unevenness: noise in the centre over the noise at the rim, minus one (coil g-factor).
        spikes: chance that a slice carries an outlier left by averaging.
    """

    gm_snr: tuple[float, float] = (1.0, 12.0)
    correlation: tuple[float, float] = (0.0, 0.6)
    physiological: tuple[float, float] = (0.0, 0.4)
    unevenness: tuple[float, float] = (0.0, 0.6)
    spikes: float = 0.05


def _blur(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Blur each slice of (B, 1, J, I) by its own Gaussian SD (B,), keeping unit variance of white noise."""
    offsets = torch.arange(-2, 3, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma.clamp_min(0.05)[:, None]) ** 2)
    kernel = kernel / kernel.square().sum(1, keepdim=True).sqrt()
    b = x.shape[0]
    x = F.conv2d(x.transpose(0, 1), kernel[:, None, :, None], padding=(2, 0), groups=b)
    return F.conv2d(x, kernel[:, None, None, :], padding=(0, 2), groups=b).transpose(0, 1)


@dataclass(frozen=True, eq=False)
class NoiseDraw:
    """The noise parameters of a batch of slices, drawn once, so that both halves of a pair share them."""

    sigma: torch.Tensor
    correlation: torch.Tensor
    physiological: torch.Tensor
    gain: torch.Tensor
    spikes: float


def draw_noise_parameters(
    gm_level: torch.Tensor, shape: tuple[int, int], settings: NoiseSettings, generator: torch.Generator
) -> NoiseDraw:
    """Parameters for slices whose GM signal is `gm_level` (B,), of `shape` (J, I)."""

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(gm_level.shape, generator=generator, device=gm_level.device)

    low, high = torch.log(torch.tensor(settings.gm_snr))
    sigma = gm_level / torch.exp(uniform(float(low), float(high)))
    y = torch.linspace(-1, 1, shape[0], device=gm_level.device)[:, None]
    x = torch.linspace(-1, 1, shape[1], device=gm_level.device)[None, :]
    gain = 1 + uniform(*settings.unevenness)[:, None, None] * torch.exp(-4 * (x**2 + y**2))
    gain = gain / gain.mean(dim=(1, 2), keepdim=True)
    return NoiseDraw(sigma, uniform(*settings.correlation), uniform(*settings.physiological), gain, settings.spikes)


def draw_noise(draw: NoiseDraw, brain: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One realisation of the noise of the mean, (B, 1, J, I), for slices with masks `brain` (B, 1, J, I)."""
    b, _, nj, ni = brain.shape
    device = brain.device

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=generator, device=device)

    thermal = _blur(normal(b, 1, nj, ni), draw.correlation) * draw.gain[:, None]
    smooth = F.interpolate(normal(b, 1, 8, 8), size=(nj, ni), mode="bicubic", align_corners=True)
    noise = thermal + draw.physiological[:, None, None, None] * smooth * brain
    hit = (torch.rand(b, generator=generator, device=device) < draw.spikes).float()[:, None, None, None]
    ripple = F.interpolate(normal(b, 1, 5, 5), size=(nj, ni), mode="bicubic", align_corners=True)
    noise = noise + hit * (ripple + normal(b, 1, 1, 1)) * 2.0 * brain
    return draw.sigma[:, None, None, None] * noise
