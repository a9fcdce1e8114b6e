"""The fit of a region's mean curve: one CBF and one arrival time for all of its voxels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from .maps import DelayMeans
from .voxelwise import fit_voxels


def fit_region(means: DelayMeans, weight: np.ndarray, model: KineticModel) -> tuple[float, float]:
    """CBF, in the unit of the images, and arrival time, s, of the mean of a region at every delay; NaN where unknown.

    Noise of single voxels, which lifts the mean of their CBF, averages out before anything is fitted; that voxels of
    the region have several arrival times is left out of account. Slices, which have delays of their own, are fitted
    together, each by its share.

    Args:
        means: of all voxels.
        weight: (K, J, I), how much of each voxel is the region; 0 outside.
        model: as of the voxels.
    """
    there = means.brain & (weight > 0) & np.isfinite(means.images).all(axis=0)
    weight = np.where(there, weight, 0.0).astype(np.float64)
    shares = weight.sum(axis=(1, 2))
    slices = np.flatnonzero(shares > 0)
    if not len(slices):
        return float("nan"), float("nan")
    sums = (np.where(there, means.images, 0.0) * weight).sum(axis=(2, 3))[:, slices]
    images = (sums / shares[slices]).reshape(-1, 1, 1, 1)
    count = len(means.images)
    noise = np.where(there, means.errors, 0.0).astype(np.float64)
    level = np.sqrt((noise**2 * weight).sum(axis=(2, 3))[:, slices] / shares[slices])
    errors = (level / np.sqrt(shares[slices])).reshape(images.shape)
    one = replace(
        means,
        images=images,
        errors=errors,
        delays=means.delays[:, slices].reshape(-1, 1),
        durations=np.repeat(np.broadcast_to(means.durations, count), len(slices)),
        brain=np.ones((1, 1, 1), bool),
    )
    fitted = fit_voxels(one, model)
    return float(fitted.cbf[0, 0, 0]), float(fitted.att[0, 0, 0])
