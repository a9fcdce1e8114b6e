"""What motion correction leaves of image and noise: the mean of pairs that were interpolated at different shifts.

Interpolation at a fraction of a voxel is a low pass, strongest half-way between voxels. The head keeps its place, so
the mean image sees the mean of the pairs' transfer functions; noise is independent from pair to pair, so its power sees
the mean of their squares. Image and noise are therefore not blurred alike, and neither has the spectrum it was acquired
with. Shifts of the axes are independent, so each axis has a matrix of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..denoising.gaussian_windows import Window

_PAIRS = 8  # shifts that are averaged
_FREQUENCIES = 48  # of the transfer functions, up to one cycle a voxel
_SHIFT_MM = (0.1, 3.0)  # SD of the shifts of a scan's pairs, drawn log-uniformly
_CUBIC = 0.75  # chance of a cubic spline, as `preparing.motion` resamples; else linear, as many scanners do


@dataclass(frozen=True, eq=False)
class Resampling:
    """What the mean of resampled pairs shows: `image` is applied to the truth, `noise` to white noise (B scans)."""

    image: Window
    noise: Window


def draw_resampling(
    shape: tuple[int, int, int], spacing: torch.Tensor, generator: torch.Generator, *, chance: float
) -> Resampling:
    """Resampling of a batch of scans; those that were not corrected for motion (1 - `chance`) pass unchanged.

    Args:
        shape: (K, J, I).
        spacing: (B, 3) mm along (k, j, i).
        generator: on the device of `spacing`.
        chance: that the pairs of a scan were resampled.
    """
    b, device = len(spacing), spacing.device

    def uniform(*size: int) -> torch.Tensor:
        return torch.rand(size, generator=generator, device=device)

    low, high = torch.log(torch.tensor(_SHIFT_MM)).tolist()
    sd = torch.exp(low + (high - low) * uniform(b, 1))
    moved, cubic = uniform(b, 1) < chance, uniform(b, 1) < _CUBIC
    image, noise = [], []
    for axis, count in enumerate(shape):
        away = torch.randn((b, _PAIRS + 1), generator=generator, device=device)
        shifts = sd * (away[:, 1:] + away[:, :1]) / spacing[:, axis, None]  # the reference is one of the scan's poses
        shifts = torch.where(moved, shifts, 0.0)
        seen = torch.where(cubic[..., None], transfer(shifts, cubic=True), transfer(shifts, cubic=False))
        image.append(_toeplitz(seen.real.mean(1), count))
        noise.append(_toeplitz(seen.abs().square().mean(1).sqrt(), count))
    return Resampling(
        Window(*(m / m.sum(-1, keepdim=True) for m in image)),
        Window(*(m / m.square().sum(-1, keepdim=True).sqrt() for m in noise)),
    )


def transfer(shifts: torch.Tensor, *, cubic: bool) -> torch.Tensor:
    """Transfer functions (..., F), complex, of interpolation at `shifts` (...) voxels, without the shift itself.

    F frequencies from 0 to just below one cycle a voxel. Linear, or the cubic B-spline with its prefilter (Unser 1999).

    >>> half = transfer(torch.tensor([0.0, 0.5]), cubic=False).abs()[:, _FREQUENCIES // 2]
    >>> [round(float(h), 6) for h in half]  # at half a cycle a voxel
    [1.0, 0.0]
    """
    f = torch.arange(_FREQUENCIES, device=shifts.device) / _FREQUENCIES
    f = torch.where(f > 0.5, f - 1, f)  # so that a shift's phase is that of the band
    part = shifts - shifts.floor()
    taps = torch.arange(-2, 4, device=shifts.device)
    apart = (taps - part[..., None]).abs()
    if cubic:
        near, far = 2 / 3 - apart**2 + apart**3 / 2, (2 - apart).clamp_min(0) ** 3 / 6
        weight, before = torch.where(apart < 1, near, far), (2 + torch.cos(2 * torch.pi * f)) / 3
    else:
        weight, before = (1 - apart).clamp_min(0), torch.ones_like(f)
    phase = 2 * torch.pi * (taps - part[..., None])[..., None] * f
    return (weight[..., None] * torch.polar(torch.ones_like(phase), phase)).sum(-2) / before


def _toeplitz(response: torch.Tensor, count: int) -> torch.Tensor:
    """Matrices (B, count, count) of the symmetric filters whose real responses are (B, F)."""
    taps = torch.fft.ifft(response).real
    places = torch.arange(count, device=response.device)
    apart = (places[:, None] - places[None, :]).abs()
    return torch.where(apart < _FREQUENCIES // 2, taps[:, apart.clamp_max(_FREQUENCIES // 2)], 0.0)
