"""What a scanner adds to the truth of a phantom: noise of the mean difference, with its real texture.

Thermal noise of the difference of two images is Gaussian; reconstruction and resampling correlate neighbours (0.3-0.5
in real series), coils make it uneven, physiology adds a smooth part where there is signal, CSF pulses, motion leaves
edges, the rim of the head is uneven from voxel to voxel, and now and then a slice is corrupted. Where pairs were
corrected for motion, interpolation is in their noise and in their image (`resampling.py`). The ranges bracket three
real series (Testing/Benchmarks/noise_texture.md).
Drawn at the level of the mean, afresh for every training step and on any device; `simulate.py` draws it pair by pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..denoising.gaussian_windows import Window, gaussian_window
from .resampling import Resampling

_EDGE = 4.0  # slope of the static signal at the rim of the brain is about a quarter of it a voxel


@dataclass(frozen=True)
class NoiseSettings:
    """What the noise of one mean difference is drawn from; pairs are (lowest, highest).

    Args:
        gm_snr: GM signal over the noise SD of the mean, drawn log-uniformly.
        correlation: Gaussian SD in voxels whose blur correlates in-plane neighbours; 0.5 by 0.26, 0.6 by 0.45.
        correlation_z: the same between slices.
        physiological: SD of the smooth part relative to the thermal SD.
        unevenness: noise in the brightest place over the mean one, minus one (coil g-factor).
        patchiness: SD of the logarithm of a finer field that multiplies the noise.
        pulsation: SD in CSF of what its pulsation adds, relative to the thermal SD.
        common: SD of a constant over the brain, relative to the thermal SD.
        motion: SD of the rim that motion leaves at edges of the static signal, relative to the thermal SD.
        spikes: chance that a slice carries an outlier left by averaging.
        rim: SD at steep edges of the static signal that differs from voxel to voxel, relative to the thermal SD; in
            three real series 1 % of the brain's voxels have 4 to 6 times the median SD, most of them at its rim.
        ruggedness: SD of the logarithm of that difference.
        resampled: chance that the pairs were corrected for motion, and so interpolated.
    """

    gm_snr: tuple[float, float] = (1.0, 12.0)
    correlation: tuple[float, float] = (0.0, 0.7)
    correlation_z: tuple[float, float] = (0.0, 0.6)
    physiological: tuple[float, float] = (0.0, 0.4)
    unevenness: tuple[float, float] = (0.0, 1.5)
    patchiness: tuple[float, float] = (0.0, 0.6)
    pulsation: tuple[float, float] = (0.0, 3.0)
    common: tuple[float, float] = (0.0, 0.15)
    motion: tuple[float, float] = (0.0, 2.0)
    spikes: float = 0.02
    rim: tuple[float, float] = (0.0, 0.0)
    ruggedness: tuple[float, float] = (0.3, 0.8)
    resampled: float = 0.0


@dataclass(frozen=True, eq=False)
class NoiseDraw:
    """The noise of a batch of volumes, drawn once so that independent realisations share it.

    Args:
        sigma: (B,) thermal SD of the mean.
        texture: the window that correlates neighbours.
        gain: (B, 1, K, J, I) relative thermal SD, mean one.
        physiological, common, motion: (B,) SDs relative to the thermal one.
        pulsing: (B, 1, K, J, I) or 0: the SD of pulsation and of the rim, relative to the thermal one.
        static: (B, 1, K, J, I) or None: the static signal, whose edges motion shows; None takes the brain mask for it.
        spikes: chance of a corrupted slice.
    """

    sigma: torch.Tensor
    texture: Window
    gain: torch.Tensor
    physiological: torch.Tensor
    common: torch.Tensor
    motion: torch.Tensor
    pulsing: torch.Tensor | float
    static: torch.Tensor | None
    spikes: float

    def local_sd(self, brain: torch.Tensor) -> torch.Tensor:
        """The SD of the noise (B, 1, K, J, I), spikes aside."""
        variance = self.gain.square() + (_each(self.physiological) * brain).square() + (0.0 + self.pulsing) ** 2
        edges = edges_of(brain if self.static is None else self.static)
        variance = variance + (_each(self.motion) * edges).square()
        return _each(self.sigma) * variance.sqrt()


def draw_noise_parameters(
    gm_level: torch.Tensor,
    shape: tuple[int, int, int],
    settings: NoiseSettings,
    generator: torch.Generator,
    *,
    csf: torch.Tensor | None = None,
    static: torch.Tensor | None = None,
    resampling: Resampling | None = None,
) -> NoiseDraw:
    """Noise for volumes, on their device.

    Args:
        gm_level: (B,) GM signal.
        shape: (K, J, I).
        settings: what to draw from.
        generator: on the same device.
        csf: (B, 1, K, J, I) fraction that pulses; None: nothing does.
        static: (B, 1, K, J, I) static signal, about 1, whose edges motion shows; None: the brain mask's.
        resampling: what motion correction has made of the pairs' noise, and of the image that goes with it.
    """
    b, device = len(gm_level), gm_level.device

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(b, generator=generator, device=device)

    low, high = torch.log(torch.tensor(settings.gm_snr)).tolist()
    sigma = gm_level / torch.exp(uniform(low, high))
    in_plane, through = uniform(*settings.correlation), uniform(*settings.correlation_z)
    texture = gaussian_window(shape, torch.stack([through, in_plane, in_plane], dim=1), unit="noise")
    if resampling is not None:
        texture = texture.after(resampling.noise)
    bump = smooth_fields(b, shape, 3, generator)
    bump = bump - bump.amin(dim=(2, 3, 4), keepdim=True)
    bump = bump / bump.amax(dim=(2, 3, 4), keepdim=True).clamp_min(1e-6)
    gain = 1 + _each(uniform(*settings.unevenness)) * bump
    gain = gain * torch.exp(_each(uniform(*settings.patchiness)) * smooth_fields(b, shape, 8, generator))
    gain = gain / gain.mean(dim=(2, 3, 4), keepdim=True)
    pulsing = 0.0
    if csf is not None:
        swell = smooth_fields(b, shape, 3, generator)
        near = gaussian_window(shape, torch.full((1, 3), 0.5, device=device))(csf)
        pulsing = _each(uniform(*settings.pulsation)) * near * torch.exp(0.6 * swell)
    if settings.rim[1] > 0 and static is not None:
        pulsing = _beside(pulsing, _rim(static, settings, uniform, generator))
    smooth_parts = (uniform(*ends) for ends in (settings.physiological, settings.common, settings.motion))
    return NoiseDraw(sigma, texture, gain, *smooth_parts, pulsing, static, settings.spikes)


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

    noise = draw.texture(normal(b, 1, *shape)) * draw.gain
    if isinstance(draw.pulsing, torch.Tensor):
        noise = noise + draw.pulsing * draw.texture(normal(b, 1, *shape))
    noise = noise + _each(draw.common * normal(b)) * brain
    slow = 1.6 * smooth_fields(b, shape, 7, generator)  # interpolation lowers the SD between knots
    noise = noise + _each(draw.physiological) * slow * brain
    edges = shifted_edges(brain if draw.static is None else draw.static, generator)
    noise = noise + _each(draw.motion) * edges
    hit = (torch.rand((b, 1, shape[0], 1, 1), generator=generator, device=device) < draw.spikes).float()
    noise = noise + hit * (smooth_fields(b, shape, 5, generator) + normal(b, 1, shape[0], 1, 1)) * 2.0 * brain
    return _each(draw.sigma) * noise / pairs_share**0.5


def shifted_edges(static: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What a shift in plane, drawn at random, shows at edges of the static signal (B, 1, K, J, I)."""
    shift = torch.randn((len(static), 2, 1, 1, 1), generator=generator, device=static.device)
    return _EDGE * sum(shift[:, n : n + 1] * _slope(static, axis) for n, axis in enumerate((-1, -2)))


def smooth_fields(batch: int, shape: Sequence[int], knots: int, generator: torch.Generator) -> torch.Tensor:
    """Smooth random fields (B, 1, K, J, I): normal at `knots` points an axis (at most the slices), linear between."""
    size = (batch, 1, min(knots, shape[0]), knots, knots)
    control = torch.randn(size, generator=generator, device=generator.device)
    return F.interpolate(control, size=tuple(shape), mode="trilinear", align_corners=True)


def _rim(static: torch.Tensor, settings: NoiseSettings, uniform, generator: torch.Generator) -> torch.Tensor:
    """The SD of the rim (B, 1, K, J, I), relative to the thermal one."""
    uneven = torch.randn(static.shape, generator=generator, device=static.device)
    uneven = torch.exp(_each(uniform(*settings.ruggedness)) * uneven)
    return _each(uniform(*settings.rim)) * edges_of(static) * uneven


def _beside(sd: torch.Tensor | float, other: torch.Tensor) -> torch.Tensor:
    """The SD of a sum of two independent parts."""
    return (sd**2 + other.square()).sqrt()


def edges_of(static: torch.Tensor) -> torch.Tensor:
    """How steep the static signal is in plane: about 1 at the rim of the brain."""
    return _EDGE * sum(_slope(static, axis).square() for axis in (-1, -2)).sqrt()


def _each(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None, None]


def _slope(signal: torch.Tensor, axis: int) -> torch.Tensor:
    """Central difference along an axis, zero at both ends."""
    slope = torch.zeros_like(signal)
    inner = signal.shape[axis] - 2
    if inner > 0:
        slope.narrow(axis, 1, inner).copy_(0.5 * (signal.narrow(axis, 2, inner) - signal.narrow(axis, 0, inner)))
    return slope
