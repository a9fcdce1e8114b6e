"""Smooth fields in the brain: values at the nodes of a coarse grid, linear between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FINEST = 6.0  # mm between nodes


@dataclass(frozen=True, eq=False)
class CoarseGrid:
    """How N voxels lie among n nodes.

    Args:
        nodes: (N, 8), the nodes at the corners of the cell that a voxel lies in.
        shares: (N, 8), how much of each the voxel takes; they add up to 1.
        places: (n, 3), mm.
    """

    nodes: np.ndarray
    shares: np.ndarray
    places: np.ndarray

    @property
    def size(self) -> int:
        """n."""
        return len(self.places)

    @cached_property
    def to_voxels(self) -> csr_matrix:
        """(N, n): from values at the nodes to values of the voxels."""
        from scipy.sparse import csr_matrix

        count = len(self.nodes)
        rows = np.repeat(np.arange(count), 8)
        return csr_matrix((self.shares.ravel(), (rows, self.nodes.ravel())), shape=(count, self.size))

    def gathered(self, weights: np.ndarray) -> np.ndarray:
        """(n, n): the sum over voxels of their shares' outer product, each times its weight (N,)."""
        weighted = self.to_voxels.copy()
        weighted.data = weighted.data * np.repeat(weights, np.diff(weighted.indptr))
        return (self.to_voxels.T @ weighted).toarray()

    def variances(self, covariance: np.ndarray) -> np.ndarray:
        """(N,): the variance of each voxel's value, by the covariance (n, n) of the nodes, of one field or of two."""
        total = np.zeros(len(self.nodes))
        for a in range(8):
            near = covariance[self.nodes[:, a, None], self.nodes]
            total += self.shares[:, a] * (near * self.shares).sum(1)
        return total

    def similarity(self, length: float) -> np.ndarray:
        """(n, n): exp(-distance / length), in mm."""
        squares = (self.places**2).sum(1)
        apart = squares[:, None] + squares[None] - 2 * self.places @ self.places.T
        return np.exp(-np.sqrt(np.maximum(apart, 0)) / length)


def coarse_grid(voxels: np.ndarray, spacing: tuple[float, float, float], *, nodes: int) -> CoarseGrid:
    """The grid for the voxels that are True in (K, J, I), with about as many nodes as asked.

    Args:
        spacing: mm along (k, j, i).
    """
    places = np.argwhere(voxels) * np.asarray(spacing, float)
    apart = max((len(places) * float(np.prod(spacing)) / nodes) ** (1 / 3), FINEST)
    for _ in range(4):  # a folded edge takes more nodes than the volume says
        corners, shares, shape = _corners(places, apart)
        used, found = np.unique(corners, return_inverse=True)
        if len(used) <= 1.15 * nodes:
            break
        apart *= (len(used) / nodes) ** (1 / 3)
    at = np.stack(np.unravel_index(used, shape), 1) * apart
    return CoarseGrid(found.reshape(corners.shape), shares, at)


def _corners(places: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """Numbers (N, 8) of the corners around places (N, 3), mm, their shares, and the shape of the grid."""
    inside = (places - places.min(0)) / apart + 0.5
    low = np.floor(inside).astype(int)
    beyond = inside - low
    shape = tuple(low.max(0) + 2)
    corners = [np.ravel_multi_index(tuple((low + step).T), shape) for step in np.ndindex(2, 2, 2)]
    shares = [np.prod(np.where(step, beyond, 1 - beyond), 1) for step in np.ndindex(2, 2, 2)]
    return np.stack(corners, 1), np.stack(shares, 1), shape
