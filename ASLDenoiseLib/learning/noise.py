"""What a scanner adds to the truth of a phantom: noise of the mean difference, with its real texture.

Thermal noise of the difference of two images is Gaussian; reconstruction and resampling correlate neighbours (0.3-0.5
in real series), coils make it uneven, physiology adds a smooth part where there is signal, motion leaves edges, and
now and then a slice is spoilt. Drawn at the level of the mean, afresh for every training step and on any device;
`simulate.py` draws it pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..denoising.gaussian_windows import Window, gaussian_window


@dataclass(frozen=True)
class NoiseSettings:
    """What the noise of one mean difference is drawn from; pairs are (lowest, highest).

    Args:
        gm_snr: GM signal over the noise SD of the mean, drawn log-uniformly.
        correlation: Gaussian SD in voxels whose blur correlates in-plane neighbours, by exp(-1/(4 s^2)).
        correlation_z: the same between slices.
        physiological: SD of the smooth part relative to the thermal SD.
        unevenness: noise in the brightest place over the mean one, minus one (coil g-factor).
        motion: SD of the rim that motion leaves at edges of the static signal, relative to the thermal SD.
        spikes: chance that a slice carries an outlier left by averaging.
    """

    gm_snr: tuple[float, float] = (1.0, 12.0)
    correlation: tuple[float, float] = (0.0, 0.7)
    correlation_z: tuple[float, float] = (0.0, 0.6)
    physiological: tuple[float, float] = (0.0, 0.4)
    unevenness: tuple[float, float] = (0.0, 0.6)
    motion: tuple[float, float] = (0.0, 0.3)
    spikes: float = 0.02


@dataclass(frozen=True, eq=False)
class NoiseDraw:
    """The noise of a batch of volumes, drawn once so that independent realisations share it.

    Args:
        sigma: (B,) thermal SD of the mean.
        texture: the window that correlates neighbours.
        gain: (B, 1, K, J, I) relative thermal SD, mean one.
        physiological, motion: (B,) SDs relative to the thermal one.
        spikes: chance of a spoilt slice.
    """

    sigma: torch.Tensor
    texture: Window
    gain: torch.Tensor
    physiological: torch.Tensor
    motion: torch.Tensor
    spikes: float

    def local_sd(self, brain: torch.Tensor) -> torch.Tensor:
        """The SD of the noise (B, 1, K, J, I), motion and spikes aside."""
        smooth = self.physiological[:, None, None, None, None] * brain
        return self.sigma[:, None, None, None, None] * (self.gain.square() + smooth.square()).sqrt()


def draw_noise_parameters(
    gm_level: torch.Tensor, shape: tuple[int, int, int], settings: NoiseSettings, generator: torch.Generator
) -> NoiseDraw:
    """Noise for volumes of `shape` (K, J, I) whose GM signal is `gm_level` (B,), on the device of `gm_level`."""
    b, device = len(gm_level), gm_level.device

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(b, generator=generator, device=device)

    low, high = torch.log(torch.tensor(settings.gm_snr)).tolist()
    sigma = gm_level / torch.exp(uniform(low, high))
    in_plane, through = uniform(*settings.correlation), uniform(*settings.correlation_z)
    texture = gaussian_window(shape, torch.stack([through, in_plane, in_plane], dim=1), unit="noise")
    knots = torch.randn((b, 1, 3, 3, 3), generator=generator, device=device)
    bump = F.interpolate(knots, size=shape, mode="trilinear", align_corners=True)
    bump = bump - bump.amin(dim=(2, 3, 4), keepdim=True)
    bump = bump / bump.amax(dim=(2, 3, 4), keepdim=True).clamp_min(1e-6)
    gain = 1 + uniform(*settings.unevenness)[:, None, None, None, None] * bump
    gain = gain / gain.mean(dim=(2, 3, 4), keepdim=True)
    return NoiseDraw(sigma, texture, gain, uniform(*settings.physiological), uniform(*settings.motion), settings.spikes)


def draw_noise(
    draw: NoiseDraw, brain: torch.Tensor, generator: torch.Generator, *, pairs_share: float = 1.0
) -> torch.Tensor:
    """One realisation of the noise of the mean, (B, 1, K, J, I), for volumes with masks `brain` of that shape.

    Args:
        draw: the parameters.
        brain: 0/1.
        generator: on the device of `brain`.
        pairs_share: pairs in this mean over those `draw` speaks of; the noise is larger by one over its root.
    """
    b, _, *shape = brain.shape
    device = brain.device

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=generator, device=device)

    def smooth(knots: int) -> torch.Tensor:
        depth = min(knots, shape[0])
        return F.interpolate(normal(b, 1, depth, knots, knots), size=shape, mode="trilinear", align_corners=True)

    def each(values: torch.Tensor) -> torch.Tensor:
        return values[:, None, None, None, None]

    noise = draw.texture(normal(b, 1, *shape)) * draw.gain
    noise = noise + each(draw.physiological) * 1.6 * smooth(7) * brain  # 1.6: interpolation lowers the SD between knots
    shift = normal(b, 2, 1, 1)[:, :, None]
    edges = sum(shift[:, n : n + 1] * _slope(brain, axis) for n, axis in enumerate((-1, -2)))
    noise = noise + 2.0 * each(draw.motion) * edges
    hit = (torch.rand((b, 1, shape[0], 1, 1), generator=generator, device=device) < draw.spikes).float()
    noise = noise + hit * (smooth(5) + normal(b, 1, shape[0], 1, 1)) * 2.0 * brain
    return each(draw.sigma) * noise / pairs_share**0.5


def _slope(brain: torch.Tensor, axis: int) -> torch.Tensor:
    """Central difference along an axis; zero slope is assumed beyond the volume."""
    return 0.5 * (torch.roll(brain, 1, axis) - torch.roll(brain, -1, axis))
