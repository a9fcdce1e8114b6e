"""The means of tissues, which people publish: kept within the raw map's standard error, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..result.audit import TissueMean
from .levels import wiener_weight
from .noise import Noise
from .residual import Residual


@dataclass(frozen=True, eq=False)
class TissueMask:
    """The voxels of a tissue whose mean people publish.

    Args:
        tissue: ``GM`` or ``WM``.
        weight: (K, J, I) that makes their mean perfusion of a difference: sum(weight x difference).
        unit: (K, J, I) what one unit of perfusion of the tissue is in the difference, by its fraction.
        error: standard error of the raw mean.
    """

    tissue: str
    weight: np.ndarray
    unit: np.ndarray
    error: float

    def mean(self, difference: np.ndarray) -> float:
        """The mean perfusion."""
        return float((self.weight * difference).sum(dtype=np.float64))


def tissue_mask(noise: Noise, tissue: str, mask: np.ndarray, unit: np.ndarray) -> TissueMask:
    """The tissue's mask (bool, K, J, I) with what is known of its mean."""
    within = mask & noise.inside
    weight = np.divide(1.0, noise.signal, out=np.zeros_like(noise.signal), where=within) / within.sum()
    return TissueMask(tissue, weight, unit, noise.of_average(weight) ** 0.5)


def restore_means(residual: Residual, masks: Sequence[TissueMask]) -> np.ndarray:
    """What (K, J, I) brings each mean within its standard error of the raw one, spread over the tissue's fraction.

    Each mean moves by its Wiener share max(0, t^2 - v) / t^2, so that v / t is left, which is no more than its error.
    """
    if not masks:
        return np.zeros_like(residual.values)
    lost = np.array([mask.mean(residual.values) for mask in masks])
    noise = np.array([mask.error**2 for mask in masks])
    moved = np.array([[mask.mean(other.unit) for other in masks] for mask in masks])
    shares = np.linalg.solve(moved, wiener_weight(lost**2, noise) * lost)
    return sum(share * mask.unit for share, mask in zip(shares, masks, strict=True)).astype(np.float32)


def judge_means(before: Residual, after: Residual, masks: Sequence[TissueMask]) -> tuple[TissueMean, ...]:
    """Each mask's mean, from the residual before the audit and after it."""
    raw = before.values + before.denoised
    return tuple(
        TissueMean(m.tissue, m.mean(raw), m.mean(before.denoised), m.mean(after.denoised), m.error) for m in masks
    )
