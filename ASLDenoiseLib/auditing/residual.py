"""What a denoiser took away, with how uncertain any average of it is: known from the pairs themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..series import ASLSeries, Volume
from .windows import Windows

MOST_GROUPS = 10  # of consecutive pairs, whose means tell of the noise: as many as there are pairs up to here
_POOLED = 12.0  # mm FWHM over which the noise that weighs voxels is pooled
_QUIETEST = 0.05  # of the median variance: below it a voxel weighs no more


@dataclass(frozen=True, eq=False)
class Residual:
    """Raw minus denoised in the box of the brain, and the pairs' deviations, both in the unit of the difference.

    Args:
        values: (K, J, I), zero outside the brain.
        denoised: what is left (K, J, I), zero outside.
        deviations: (G, K, J, I) of the means of groups of pairs from the mean of all, scaled so that the sum of the
            squares of any average of them estimates the variance of that average of the mean; correlated noise counts.
        inside: bool (K, J, I).
        signal: (K, J, I) what one unit of perfusion is in the difference; zero outside.
        certainty: (K, J, I) one over the noise SD, pooled over neighbours, about one; zero outside.
        spacing: mm along (k, j, i).
    """

    values: np.ndarray
    denoised: np.ndarray
    deviations: np.ndarray
    inside: np.ndarray
    signal: np.ndarray
    certainty: np.ndarray
    spacing: tuple[float, float, float]

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a variance from the deviations."""
        return len(self.deviations) - 1

    @property
    def variance(self) -> np.ndarray:
        """Of the mean, voxel by voxel (K, J, I)."""
        return np.square(self.deviations).sum(axis=0)

    def windows(self, fwhm: float) -> Windows:
        """Gaussian windows over its grid."""
        return Windows(self.inside.shape, self.spacing, fwhm)

    def without(self, restored: np.ndarray) -> Residual:
        """What is left of it once `restored` (K, J, I) has gone back into the denoised map."""
        return replace(self, values=self.values - restored, denoised=self.denoised + restored)


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
        """As `Residual` has them."""
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
    bare = Residual(values, kept, groups.deviations, within, unit, within.astype(np.float32), spacing)
    return replace(bare, certainty=_certainty(bare))


def _certainty(residual: Residual) -> np.ndarray:
    inside = residual.inside
    pooled = residual.windows(_POOLED).means(residual.variance[None], inside.astype(np.float32))[0]
    middle = float(np.median(pooled[inside]))
    if not middle > 0:  # one image, or pairs that are all alike
        return inside.astype(np.float32)
    return np.where(inside, (middle / np.maximum(pooled, _QUIETEST * middle)) ** 0.5, 0.0).astype(np.float32)
