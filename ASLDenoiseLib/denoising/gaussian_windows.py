"""Gaussian windows over volumes on any torch device, as one small matrix an axis: exact at the edges, and fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch  # at file scope: nearly every line computes with it, and no module imports this one but in a function

from ..spatial.smoothing import SD_OF_FWHM


@dataclass(frozen=True, eq=False)
class Window:
    """A separable window of a batch of volumes: matrices (B or 1, n, n) along k, j and i.

    Row r holds the weights with which voxel r sees its line.
    """

    k: torch.Tensor
    j: torch.Tensor
    i: torch.Tensor

    def __call__(self, volumes: torch.Tensor) -> torch.Tensor:
        """Weighted sums round each voxel; volumes (B, C, K, J, I), zero where they are not to be seen."""
        b, c, nk, nj, ni = volumes.shape
        i, j, k = (m.expand(b, -1, -1) for m in (self.i, self.j, self.k))
        x = torch.bmm(volumes.reshape(b, c * nk * nj, ni), i.mT)
        x = torch.matmul(j[:, None], x.reshape(b, c * nk, nj, ni))
        return torch.matmul(k[:, None], x.reshape(b, c, nk, nj * ni)).reshape(b, c, nk, nj, ni)

    def after(self, other: Window) -> Window:
        """This window of what `other` gives of white noise, so that it too keeps unit variance up to the edge."""
        joined = (self.k @ other.k, self.j @ other.j, self.i @ other.i)
        return Window(*(m / m.square().sum(-1, keepdim=True).sqrt() for m in joined))


def window_matrices(count: int, sd: torch.Tensor, *, unit: str = "sum") -> torch.Tensor:
    """Gaussian weights (B, count, count) between the voxels of a line.

    Args:
        count: voxels along the axis.
        sd: (B,) standard deviations in voxels.
        unit: ``sum`` rows add up to one far from the edges; ``noise`` squares add up to one in every row, so that
            white noise of unit variance keeps it.
    """
    places = torch.arange(count, device=sd.device, dtype=torch.float32)
    weights = torch.exp(-0.5 * ((places[:, None] - places[None, :]) / sd.clamp_min(0.05)[:, None, None]) ** 2)
    if unit == "noise":
        return weights / weights.square().sum(-1, keepdim=True).sqrt()
    return weights / weights.sum(-1).amax(-1)[:, None, None]


def gaussian_window(shape: Sequence[int], sd: torch.Tensor, *, unit: str = "sum") -> Window:
    """The window of SD `sd` (B, 3) voxels along (k, j, i) over volumes of `shape` (K, J, I)."""
    return Window(*(window_matrices(n, sd[:, axis], unit=unit) for axis, n in enumerate(shape)))


def window_of_mm(shape: Sequence[int], spacing: torch.Tensor, fwhm: float) -> Window:
    """The window of `fwhm` mm over volumes of `shape` (K, J, I) with voxels of `spacing` (B, 3) mm along (k, j, i)."""
    return gaussian_window(shape, fwhm * SD_OF_FWHM / spacing)
