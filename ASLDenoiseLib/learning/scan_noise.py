"""What corrupts the volumes of a series one by one: coil noise, physiology, spikes, and a head that moves."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from .smooth import centred_points, gaussian_blur, smooth_field


def coil_noise(
    shape: tuple[int, int, int], texture: tuple[float, float, float], generator: torch.Generator, device: str = "cpu"
) -> torch.Tensor:
    """Complex Gaussian noise (2, K, J, I) of unit SD a channel, neighbours correlated by a Gaussian of SD `texture`.

    `texture` is in voxels along (k, j, i): what filtering, partial Fourier and interpolation leave. It correlates
    neighbours by 0.09 at an SD of 0.4, 0.26 at 0.5, 0.45 at 0.6, 0.67 at 0.8, and beyond by exp(-1 / (4 SD^2)).
    """
    noise = torch.randn((2, *shape), generator=generator).to(device)
    for axis, s in enumerate(texture):
        if s < 1e-3:
            continue
        probe = torch.zeros(1, 13, 1, 1)
        probe[0, 6] = 1
        norm = gaussian_blur(probe, (s, 0.0, 0.0)).norm()  # the blur of white noise has this SD
        width = tuple(s if a == axis else 0.0 for a in range(3))
        noise = gaussian_blur(noise, width) / float(norm)
    return noise


def coil_gain(
    shape: tuple[int, int, int], unevenness: float, inside: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Relative noise SD (K, J, I) of parallel imaging: 1 to 1 + `unevenness`, scaled to mean 1 over `inside` (bool)."""
    bump = smooth_field(shape, 3, generator, str(inside.device))
    bump = (bump - bump.min()) / (bump.max() - bump.min()).clamp_min(1e-6)
    gain = 1 + unevenness * bump
    return gain / gain[inside].mean() if bool(inside.any()) else gain / gain.mean()


class Physiology:
    """Relative fluctuation of the signal: a global part and a smooth part, both with memory from volume to volume.

    Args:
        shape: (K, J, I).
        sd: of the whole fluctuation.
        memory: correlation of successive volumes (AR(1)).
        common: share of the variance that is the same everywhere.
        generator: where the draws come from (CPU).
    """

    _KNOTS = (4, 6, 6)

    def __init__(
        self, shape: tuple[int, int, int], sd: float, memory: float, common: float, generator: torch.Generator
    ) -> None:
        self._shape, self._sd, self._memory, self._common, self._generator = shape, sd, memory, common, generator
        self._state = self._fresh()

    def _fresh(self) -> tuple[torch.Tensor, torch.Tensor]:
        everywhere = torch.randn((), generator=self._generator)
        return everywhere, torch.randn((1, 1, *self._KNOTS), generator=self._generator)

    def next(self, device: str = "cpu") -> torch.Tensor:
        """The factor (K, J, I) around 1 on the next volume."""
        everywhere, local = self._state
        field = F.interpolate(local.to(device), size=self._shape, mode="trilinear", align_corners=True)[0, 0]
        field = 1.6 * field  # interpolation lowers the SD between knots
        factor = 1 + self._sd * (self._common**0.5 * float(everywhere) + (1 - self._common) ** 0.5 * field)
        new = (1 - self._memory**2) ** 0.5
        self._state = tuple(self._memory * a + new * b for a, b in zip(self._state, self._fresh(), strict=True))
        return factor


def spikes(
    shape: tuple[int, int, int], chance: float, generator: torch.Generator, *, size: tuple[float, float] = (2.0, 6.0)
) -> torch.Tensor:
    """Stripes (K, J, I) across corrupted slices: one bad point of k-space each, `size` noise SDs high."""
    image = torch.zeros(shape)
    _, nj, ni = shape
    j, i = torch.meshgrid(torch.arange(nj) / nj, torch.arange(ni) / ni, indexing="ij")
    for k in (torch.rand(shape[0], generator=generator) < chance).nonzero()[:, 0].tolist():
        fj, fi = (torch.rand(2, generator=generator) - 0.5) * torch.tensor([nj, ni]) * 0.6
        phase, height = torch.rand(2, generator=generator).tolist()
        image[k] = (size[0] + (size[1] - size[0]) * height) * torch.cos(2 * np.pi * (fj * j + fi * i + phase))
    return image


def draw_motion(volumes: int, sd: float, generator: torch.Generator, *, memory: float = 0.9) -> torch.Tensor:
    """Head poses (T, 6): shifts (k, j, i) in mm of SD `sd` and turns about these axes in radians.

    Poses drift (AR(1) with `memory`); turns have an SD of 0.6 degrees for each mm of shift.
    """
    steps = torch.randn((volumes, 6), generator=generator)
    poses = torch.empty_like(steps)
    for t, step in enumerate(steps):
        poses[t] = step if t == 0 else memory * poses[t - 1] + (1 - memory**2) ** 0.5 * step
    return poses * torch.tensor([sd] * 3 + [np.deg2rad(0.6) * sd] * 3)


class Mover:
    """Resamples images of one head at rigid poses: cubic to twice the lattice once, linear in that each time.

    Args:
        images: (C, K, J, I).
        spacing: (k, j, i) mm.
    """

    def __init__(self, images: torch.Tensor, spacing: tuple[float, float, float]) -> None:
        self._fine = _doubled(images)[None]
        shape = tuple(images.shape[1:])
        self._points = centred_points(shape, spacing, str(images.device))
        self._half = torch.tensor([s * (n - 1) / 2 for s, n in zip(spacing, shape, strict=True)]).to(images)

    def at(self, pose: torch.Tensor) -> torch.Tensor:
        """The images (C, K, J, I) of the head at `pose` (6,): shifts (mm) and turns (radians) along (k, j, i)."""
        a, b, c = pose[3:].tolist()
        turn = torch.linalg.matrix_exp(torch.tensor([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]]))
        back = (self._points - pose[:3].to(self._points)) @ turn.to(self._points)  # rows times R is its inverse
        grid = (back / self._half.clamp_min(1e-6)).flip(-1)[None]
        return F.grid_sample(self._fine, grid, mode="bilinear", padding_mode="border", align_corners=True)[0]


def _doubled(images: torch.Tensor) -> torch.Tensor:
    """(C, K, J, I) on a lattice twice as fine, (C, 2K-1, 2J-1, 2I-1), by Keys' cubic convolution (1981)."""
    for axis in (1, 2, 3):
        n = images.shape[axis]
        if n < 2:
            continue
        apart = (torch.arange(2 * n - 1)[:, None] / 2 - torch.arange(-1, n + 1)).abs()
        near, far = 1 - 2.5 * apart**2 + 1.5 * apart**3, 2 - 4 * apart + 2.5 * apart**2 - 0.5 * apart**3
        weight = torch.where(apart < 1, near, torch.where(apart < 2, far, torch.zeros(())))
        weight[:, 1] += weight[:, 0]  # beyond the border lies its value
        weight[:, -2] += weight[:, -1]
        images = (images.movedim(axis, -1) @ weight[:, 1:-1].T.to(images)).movedim(-1, axis)
    return images.contiguous()
