"""Where the acquired map contradicts what its anatomy predicts, so that anatomy must not be asked there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import Geometry
from ..spatial.smoothing import smooth_within


@dataclass(frozen=True)
class ConflictSettings:
    """When a map is in conflict with anatomy.

    Args:
        scale: mm FWHM over which the misfit is averaged: lesions are larger, noise smaller.
        onset, full: size of the averaged misfit, in robust SDs over the brain, where conflict begins and is full.
        reach: mm round a place of full conflict that are in conflict, too.
    """

    scale: float = 8.0
    onset: float = 2.0
    full: float = 3.5
    reach: float = 5.0


def conflict(
    misfit: np.ndarray, measured: np.ndarray, geometry: Geometry, settings: ConflictSettings | None = None
) -> np.ndarray:
    """The share (0..1) of each acquired voxel in conflict with anatomy, to be rebuilt without it; arrays (K, J, I).

    The misfit (acquired minus predicted) is averaged over `scale`; its usual size (1.4826 times the median magnitude)
    holds both the noise and how well anatomy explains this map at all, so only places unlike the rest stand out: a
    lesion that perfusion has and the T1 has not, or the T1 has and perfusion has not, or a bright vessel.
    """
    from scipy.ndimage import distance_transform_edt

    s = settings or ConflictSettings()
    mean = smooth_within(np.where(measured, misfit, 0.0), measured, geometry.spacing, s.scale)
    usual = 1.4826 * float(np.median(np.abs(mean[measured])))
    if not usual > 0:
        return np.zeros(measured.shape, np.float32)
    share = np.clip((np.abs(mean) / usual - s.onset) / (s.full - s.onset), 0, 1)
    full = measured & (share >= 1)
    if full.any():
        away = distance_transform_edt(~full, sampling=geometry.spacing[::-1])
        share = np.maximum(share, np.clip(1.5 - away / s.reach, 0, 1))
    return np.where(measured, share, 0.0).astype(np.float32)
