"""Gaussian windows over a volume, read off on a coarser grid: a window of 60 mm needs no answer in every voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..spatial.smoothing import SD_OF_FWHM

_STEP = 0.3  # of the FWHM, between places where a window is read off; linear between them


@dataclass(frozen=True, eq=False)
class Windows:
    """Gaussian windows of one width over volumes of one grid.

    Args:
        shape: voxels (K, J, I).
        spacing: mm along (k, j, i).
        fwhm: mm.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    fwhm: float

    def sums(self, volumes: np.ndarray) -> np.ndarray:
        """Weighted sums (M, K', J', I') of volumes (M, K, J, I) on the coarse grid; the centre weighs one."""
        return _along_each(volumes, [down for down, _ in self._matrices])

    def spread(self, coarse: np.ndarray) -> np.ndarray:
        """Volumes (M, K, J, I) of coarse ones (M, K', J', I'), linear between their places."""
        return _along_each(coarse, [up for _, up in self._matrices])

    def means(self, volumes: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Means (M, K, J, I) of volumes that are zero where `weight` (K, J, I) is, each voxel counting by it."""
        *totals, weights = self.sums(np.concatenate([volumes, weight[None]]))
        least = 1e-6 * max(float(weights.max()), 1e-30)
        return self.spread(np.stack([total / np.maximum(weights, least) for total in totals]))

    @property
    def _matrices(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [_axis(n, s, self.fwhm) for n, s in zip(self.shape, self.spacing, strict=True)]


@lru_cache(maxsize=64)
def _axis(count: int, spacing: float, fwhm: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (places, count) of the voxels of a line at each place, and (count, places) back to the voxels."""
    step = max(1, int(fwhm * _STEP / spacing))
    places = 1 if count == 1 else -(-(count - 1) // step) + 1
    voxels, at = np.arange(count), np.linspace(0, count - 1, places)
    down = np.exp(-0.5 * ((at[:, None] - voxels) * spacing / (fwhm * SD_OF_FWHM)) ** 2)
    up = np.ones((count, 1))
    if places > 1:
        where = voxels / (count - 1) * (places - 1)
        low = np.minimum(where.astype(int), places - 2)
        up = np.zeros((count, places))
        up[voxels, low], up[voxels, low + 1] = 1 - (where - low), where - low
    return down.astype(np.float32), up.astype(np.float32)


def _along_each(volumes: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Volumes (M, K, J, I) after a matrix along k, j and i each."""
    k, j, i = matrices
    x = volumes @ i.T
    x = j @ x
    m, n, *rest = x.shape
    return (k @ x.reshape(m, n, -1)).reshape(m, len(k), *rest)
