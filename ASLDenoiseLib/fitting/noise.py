"""How noisy the mean difference of each delay is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..preparing.averaging import effective_number, shrunk, weighted_mean
from ..spatial.smoothing import blur

_PRIOR = 12.0  # degrees of freedom that the variance around a voxel counts for beside its own
_AROUND = 10.0  # mm FWHM


def errors_of_means(
    differences: Sequence[np.ndarray],
    weights: Sequence[np.ndarray | None],
    *,
    brain: np.ndarray,
    spacing: tuple[float, float, float],
) -> np.ndarray | None:
    """SDs (D, K, J, I) of the noise of each delay's mean difference; None where no delay has two differences.

    The spread about the means is pooled over the delays, whose noise is that of the same two images, and a voxel's own
    variance is shrunk towards that around it (Smyth 2004), since few differences know it badly.

    Args:
        differences: of each delay (N, K, J, I); NaN where one was left out.
        weights: of the means, as in `preparing.averaging`; None weights all equally.
        brain: bool (K, J, I).
        spacing: mm along (i, j, k).
    """
    squares, freedom, shares = 0.0, 0.0, []
    for images, weight in zip(differences, weights, strict=True):
        weight = np.ones((len(images), 1, 1, 1)) if weight is None else weight
        weight = np.where(np.isfinite(images), np.broadcast_to(weight, images.shape), 0.0)
        mean, total = weighted_mean(np.nan_to_num(images), weight), weight.sum(axis=0)
        apart = np.square(np.where(weight > 0, images - mean, 0.0))
        effective = effective_number(weight)
        squares = squares + (weight * apart).sum(axis=0, dtype=np.float64)
        lost = np.divide(total, effective, out=np.zeros(total.shape), where=effective > 0)
        freedom = freedom + np.maximum(total - lost, 0.0)
        shares.append(np.sqrt(np.divide(1.0, effective, out=np.full(total.shape, np.nan), where=effective > 0)))
    known = brain & (freedom > 0)
    if not known.any():
        return None
    near = blur(np.where(known, squares, 0.0), spacing, _AROUND)
    count = blur(np.where(known, freedom, 0.0), spacing, _AROUND)
    around = np.divide(near, count, out=np.full(brain.shape, np.nan), where=count > 1e-6)
    own = np.divide(squares, freedom, out=np.zeros(brain.shape), where=known)
    variance = shrunk(own, np.where(known, freedom, 0.0), around, _PRIOR)
    return (np.sqrt(variance) * np.stack(shares)).astype(np.float32)


def scale_of_residual(images: np.ndarray, fitted: np.ndarray, errors: np.ndarray, *, parameters: int) -> float:
    """By what `errors` are to be multiplied for what a fit leaves to be as large as they say; 1 where that is unknown.

    Args:
        images, fitted, errors: (D, K, J, I); NaN is left out.
        parameters: that were fitted to each voxel.
    """
    apart = np.divide(images - fitted, errors, out=np.full(images.shape, np.nan), where=errors > 0)
    count = np.isfinite(apart).sum(axis=0)
    enough = count > parameters
    if not enough.any():
        return 1.0
    total = np.nansum(np.square(apart[:, enough]), dtype=np.float64)
    return float(np.sqrt(total / (count[enough] - parameters).sum()))


def weighted_alike(errors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Errors (D, K, J, I) as large as `known` ones over all delays, that weight the delays of a voxel as `errors` do.

    Where a model does not describe the measurement, what fits best depends on the weights: denoised images are fitted
    with those of the images they were made from, so that their fit is of the same.
    """
    ratio = np.divide(known, errors, out=np.full(errors.shape, np.nan), where=errors > 0)
    there = np.isfinite(ratio)
    squares = np.where(there, ratio, 0.0) ** 2
    level = np.sqrt(squares.sum(axis=0, dtype=np.float64) / np.maximum(there.sum(axis=0), 1))
    return (errors * np.where(level > 0, level, 1.0)).astype(np.float32)
