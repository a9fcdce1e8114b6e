"""The squared error of a map whose truth nobody knows, unbiased, from pairs that the map has not seen.

With f a map of some pairs, and a and c two pairs apart from those and from each other, the mean of (a - f)(c - f) is
the squared error of f against the truth, whatever the noise of a and c: the noise of neither is in f nor in the other.
It is the uMSE of Marcos Morales et al. (2023), E[(a - f)^2] - E[(a - c)^2] / 2, symmetrised over a and c. Here it is
averaged over every choice of a and c among the unseen pairs, which has half the variance of one split of them.
A plain squared error against their mean is too large by that mean's variance; against a mean that shares pairs with f
it rewards noise that was left in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measuring.image_quality import decibels
from .scan import AdaptationScan

BLOCK = 30.0  # mm: the edge of the cubes that stand for independent places
_FEWEST_BLOCKS = 8


def error_map(estimate: np.ndarray, unseen: AdaptationScan) -> np.ndarray:
    """The unbiased squared error (K, J, I), float64, of a mean difference; NaN where fewer than two pairs tell.

    A single voxel's is mostly noise, of either sign; means over many are what it is for.

    Args:
        estimate: (K, J, I), of pairs that are not among those of `unseen`.
        unseen: two pairs or more.
    """
    weights = np.ones((len(unseen.pairs.array), 1, 1, 1)) if unseen.weights is None else unseen.weights
    apart = np.where(weights > 0, unseen.pairs.array - estimate, 0.0) * weights
    total, squares = apart.sum(axis=0, dtype=np.float64), np.square(apart).sum(axis=0, dtype=np.float64)
    every = np.broadcast_to(weights.sum(axis=0, dtype=np.float64) ** 2, total.shape)
    same = np.broadcast_to(np.square(weights).sum(axis=0, dtype=np.float64), total.shape)
    choices = every - same
    return np.divide(total**2 - squares, choices, out=np.full(total.shape, np.nan), where=choices > 1e-6 * every)


def blocks_of(inside: np.ndarray, spacing: tuple[float, float, float], *, edge: float = BLOCK) -> np.ndarray:
    """The number (K, J, I) of the cube of `edge` mm that each voxel lies in, from 0; -1 outside.

    Args:
        inside: bool (K, J, I).
        spacing: mm along (k, j, i).
    """
    steps = [np.arange(n) * s // edge for n, s in zip(inside.shape, spacing, strict=True)]
    k, j, i = np.meshgrid(*(s.astype(np.int64) for s in steps), indexing="ij")
    cubes = (k * (j.max() + 1) + j) * (i.max() + 1) + i
    numbers = np.full(inside.shape, -1, np.int64)
    numbers[inside] = np.unique(cubes[inside], return_inverse=True)[1]
    return numbers


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums over blocks of the brain of what was measured of two networks: (B,) each."""

    before: np.ndarray
    after: np.ndarray

    @classmethod
    def of(cls, before: np.ndarray, after: np.ndarray, blocks: np.ndarray) -> BlockSums:
        """Of two maps (K, J, I) over the blocks of `blocks_of`; voxels that are NaN in one are in neither."""
        known = (blocks >= 0) & np.isfinite(before) & np.isfinite(after)
        count = int(blocks.max()) + 1
        sums = (np.bincount(blocks[known], weights=each[known], minlength=count) for each in (before, after))
        return cls(*sums)

    @classmethod
    def joined(cls, parts: list[BlockSums]) -> BlockSums:
        """Of several scans, whose blocks are different places."""
        return cls(np.concatenate([p.before for p in parts]), np.concatenate([p.after for p in parts]))

    @property
    def ratio(self) -> float:
        """After over before; NaN where what was measured before is no error at all."""
        before = self.before.sum()
        return float(self.after.sum() / before) if before > 0 else float("nan")

    @property
    def gain(self) -> float:
        """In dB: by how much the error afterwards is smaller; NaN where one of the two is not above zero."""
        return decibels(self.before.sum(), self.after.sum())

    @property
    def gain_error(self) -> float:
        """The standard error of `gain` over the blocks, by the jackknife; NaN where there are too few of them."""
        used = (self.before != 0) | (self.after != 0)
        before, after = self.before[used], self.after[used]
        count = len(before)
        if count < _FEWEST_BLOCKS:
            return float("nan")
        each = np.array([decibels(before.sum() - b, after.sum() - a) for b, a in zip(before, after, strict=True)])
        return float(np.sqrt((count - 1) / count * np.square(each - each.mean()).sum()))

    @property
    def apart_error(self) -> float:
        """The standard error of the sum of before less after, by the jackknife; NaN where there are too few blocks."""
        apart, count = self.before - self.after, len(self.before)
        if count < _FEWEST_BLOCKS:
            return float("nan")
        return float(np.sqrt(np.square(apart - apart.mean()).sum() * count / (count - 1)))

    @property
    def surely_fell(self) -> bool:
        """Whether the error fell by more than its standard error."""
        return bool((self.before - self.after).sum() > self.apart_error)
