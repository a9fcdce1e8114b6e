"""Smooth random functions of place, and the small tensor tools every part of the phantom uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """One uniform draw between `low` and `high`."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def stream(seed: int, number: int) -> torch.Generator:
    """One of several independent CPU generators of a seed, so that one part's draws never shift another's."""
    return torch.Generator().manual_seed((seed * 0x9E3779B1 + number * 0x85EBCA6B + 1) % (1 << 62))


def centred_points(shape: tuple[int, ...], spacing: tuple[float, ...], device: str = "cpu") -> torch.Tensor:
    """Voxel centres (K, J, I, 3) in mm from the centre of a grid; `shape`, `spacing` and result ordered (k, j, i)."""
    axes = [(torch.arange(n, device=device) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def smooth_field(shape: tuple[int, int, int], knots: int, generator: torch.Generator, device: str) -> torch.Tensor:
    """A smooth random field (K, J, I) of unit variance at its `knots`^3 control points, linearly interpolated."""
    control = torch.randn((1, 1, knots, knots, knots), generator=generator).to(device)
    return F.interpolate(control, size=shape, mode="trilinear", align_corners=True)[0, 0]


def gaussian_blur(array: torch.Tensor, sigma: tuple[float, float, float]) -> torch.Tensor:
    """Gaussian blur of (C, K, J, I) by SDs in voxels along (k, j, i); zero leaves an axis alone, beyond it all is zero.

    One product with a band matrix an axis, several times faster than 3D convolutions of one axis each.
    """
    for axis, s in enumerate(sigma):
        if s < 1e-3:
            continue
        n, radius = array.shape[axis + 1], max(1, int(np.ceil(3 * s)))
        steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
        total = float(torch.exp(-0.5 * (steps / s) ** 2).sum())
        apart = torch.arange(n)[:, None] - torch.arange(n)
        band = torch.exp(-0.5 * (apart / s) ** 2) / total * (apart.abs() <= radius)
        array = (array.movedim(axis + 1, -1) @ band.to(array)).movedim(-1, axis + 1)
    return array.contiguous()


@dataclass(frozen=True, eq=False)
class Waves:
    """A sum of random plane waves: smooth, with an exact gradient, and defined at any place in mm.

    Args:
        vectors: (M, 3) wave vectors, rad/mm.
        cosine, sine: (M, C) amplitudes of `C` independent fields.
    """

    vectors: torch.Tensor
    cosine: torch.Tensor
    sine: torch.Tensor

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        """The fields (..., C) at points (..., 3)."""
        phase = points @ self.vectors.T
        return torch.cos(phase) @ self.cosine + torch.sin(phase) @ self.sine

    def gradient(self, points: torch.Tensor) -> torch.Tensor:
        """d field / d point (..., C, 3) per mm at points (..., 3)."""
        phase = points @ self.vectors.T
        rise = (self.sine[:, :, None] * self.vectors[:, None]).flatten(1)
        fall = (self.cosine[:, :, None] * self.vectors[:, None]).flatten(1)
        slope = torch.cos(phase) @ rise - torch.sin(phase) @ fall
        return slope.unflatten(-1, (self.cosine.shape[1], 3))


def draw_waves(
    fields: int,
    wavelength: tuple[float, float],
    generator: torch.Generator,
    *,
    device: str = "cpu",
    count: int = 12,
    sd: float = 1.0,
) -> Waves:
    """Independent random fields of SD `sd` with wavelengths (mm) drawn log-uniformly from a range."""
    direction = torch.randn((count, 3), generator=generator)
    low, high = np.log(wavelength[0]), np.log(wavelength[1])
    length = torch.exp(low + (high - low) * torch.rand((count, 1), generator=generator))
    amplitude = torch.randn((2, count, fields), generator=generator) / np.sqrt(count)
    vectors = 2 * np.pi * direction / direction.norm(dim=1, keepdim=True) / length
    return Waves(vectors.to(device), sd * amplitude[0].to(device), sd * amplitude[1].to(device))
