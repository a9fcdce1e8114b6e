"""What a denoiser took away, with how uncertain any average of it is: known from the pairs themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import ASLSeries, Volume
from .noise import Noise

MOST_GROUPS = 10  # of consecutive pairs, whose means tell of the noise: as many as there are pairs up to here


@dataclass(frozen=True, eq=False)
class Residual:
    """Raw minus denoised in the box of the brain, in the unit of the difference.

    Args:
        values: (K, J, I), zero outside the brain.
        denoised: what is left (K, J, I), zero outside.
        noise: of the mean.
    """

    values: np.ndarray
    denoised: np.ndarray
    noise: Noise

    def without(self, restored: np.ndarray) -> Residual:
        """What is left of it once `restored` (K, J, I) has gone back into the denoised map."""
        return Residual(self.values - restored, self.denoised + restored, self.noise)


@dataclass(frozen=True, eq=False)
class Groups:
    """Means (G, K, J, I) of groups of consecutive pairs, zero outside the brain, and the weight in each."""

    means: np.ndarray
    weights: np.ndarray

    def without(self, left_out: int) -> Groups:
        """All but one."""
        kept = np.arange(len(self.means)) != left_out
        return Groups(self.means[kept], self.weights[kept])

    @property
    def mean(self) -> np.ndarray:
        """Over all groups (K, J, I)."""
        return (self.weights * self.means).sum(axis=0) / np.maximum(self.weights.sum(axis=0), 1e-6)

    @property
    def deviations(self) -> np.ndarray:
        """As `Noise` has them."""
        count = len(self.means)
        share = self.weights / np.maximum(self.weights.sum(axis=0), 1e-6)
        return (share * (self.means - self.mean) * (count / max(count - 1, 1)) ** 0.5).astype(np.float32)


def group_pairs(
    pairs: ASLSeries, box: tuple[slice, ...], inside: np.ndarray, weights: np.ndarray | None, *, most: int = MOST_GROUPS
) -> Groups:
    """Means of up to `most` groups of consecutive pairs, so that slow drifts count as noise, in the box of the brain.

    Args:
        pairs: differences (N, K, J, I).
        box: where.
        inside: bool, of the box.
        weights: of the differences, as in `preparing.averaging`.
    """
    array = np.nan_to_num(pairs.array[(slice(None), *box)])
    if weights is None:
        weights = np.ones((len(array), 1, 1, 1), np.float32)
    weights = np.broadcast_to(weights, pairs.array.shape)[(slice(None), *box)]
    number = min(most, len(array))
    member = np.arange(len(array)) * number // len(array)
    total = np.stack([weights[member == g].sum(axis=0) for g in range(number)]) * inside
    sums = np.stack([(weights[member == g] * array[member == g]).sum(axis=0) for g in range(number)]) * inside
    return Groups((sums / np.maximum(total, 1e-6)).astype(np.float32), total.astype(np.float32))


def find_residual(
    denoised: Volume, raw: Volume, groups: Groups, box: tuple[slice, ...], inside: np.ndarray, signal: np.ndarray
) -> Residual:
    """The residual of a denoised mean in the box of its brain; `signal` (K, J, I) is of the whole grid."""
    spacing = tuple(float(s) for s in denoised.geometry.spacing[::-1])
    within = inside[box]
    values = np.where(within, raw.array[box] - denoised.array[box], 0.0).astype(np.float32)
    kept = np.where(within, denoised.array[box], 0.0).astype(np.float32)
    unit = np.where(within, signal[box], 0.0).astype(np.float32)
    return Residual(values, kept, Noise(groups.deviations, within, unit, spacing))
