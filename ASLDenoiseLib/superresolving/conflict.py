"""Where the acquired map contradicts what its anatomy predicts, so that anatomy must not be asked there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import Geometry
from ..spatial.smoothing import smooth_within


@dataclass(frozen=True)
class ConflictSettings:
    """When anatomy is doubted.

    Args:
        scale: mm FWHM over which the misfit is averaged: lesions are larger, noise smaller.
        doubted, rejected: size of the averaged misfit, in robust SDs over the brain, where doubt begins and is full.
        reach: mm round a rejected place within which anatomy is doubted too.
    """

    scale: float = 8.0
    doubted: float = 2.0
    rejected: float = 3.5
    reach: float = 5.0


def conflict(
    misfit: np.ndarray, measured: np.ndarray, geometry: Geometry, settings: ConflictSettings | None = None
) -> np.ndarray:
    """How far (0..1) anatomy is to be left out of each acquired voxel; all arrays (K, J, I).

    The misfit (acquired minus foretold) is averaged over `scale`; its usual size (1.4826 times the median magnitude)
    holds both the noise and how well anatomy explains this map at all, so only places unlike the rest stand out: a
    lesion that perfusion has and the T1 has not, or the T1 has and perfusion has not, or a bright vessel.
    """
    from scipy.ndimage import distance_transform_edt

    s = settings or ConflictSettings()
    mean = smooth_within(np.where(measured, misfit, 0.0), measured, geometry.spacing, s.scale)
    usual = 1.4826 * float(np.median(np.abs(mean[measured])))
    if not usual > 0:
        return np.zeros(measured.shape, np.float32)
    doubt = np.clip((np.abs(mean) / usual - s.doubted) / (s.rejected - s.doubted), 0, 1)
    rejected = measured & (doubt >= 1)
    if rejected.any():
        away = distance_transform_edt(~rejected, sampling=geometry.spacing[::-1])
        doubt = np.maximum(doubt, np.clip(1.5 - away / s.reach, 0, 1))
    return np.where(measured, doubt, 0.0).astype(np.float32)
