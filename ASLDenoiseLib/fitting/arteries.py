"""Arterial blood volume: label that passes through arteries, at the time at which the tissue around them is reached."""

from __future__ import annotations

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from ..spatial.smoothing import smooth_within
from .maps import DelayMeans, FittedMaps

_AROUND = 15.0  # mm FWHM over which arrival times are taken: that of the voxel follows the artery in it


def arterial_volume(fitted: FittedMaps, means: DelayMeans, model: KineticModel) -> tuple[np.ndarray, np.ndarray]:
    """Arterial blood volume of every voxel, a fraction of it, and the SD of its error; float32 (K, J, I).

    Weighted least squares of CBF and blood volume at the arrival time around; where there is no artery it is noise
    about 0, and negative as often as not. NaN where no delay sees label in arteries, or nothing was fitted.

    Args:
        fitted: by a fit that is smooth over tissue.
        means: what was measured.
        model: whose arteries are meant.
    """
    att, known = _around(fitted, means), np.isfinite(means.images) & np.isfinite(means.errors) & (means.errors > 0)
    weights = np.divide(1.0, means.errors, out=np.zeros(known.shape), where=known) ** 2
    images = np.where(known, means.images, 0.0)
    tissue, arteries = model.arrived(att, *_times(means)), model.arterial(att, *_times(means))
    aa, bb, ab = (
        (weights * one * other).sum(0) for one, other in ((tissue, tissue), (arteries,) * 2, (tissue, arteries))
    )
    ay, by = ((weights * each * images).sum(0) for each in (tissue, arteries))
    determinant = aa * bb - ab**2
    told = np.isfinite(fitted.cbf) & (determinant > 1e-3 * aa * bb)
    blank = np.full(told.shape, np.nan)
    volume = np.divide(aa * by - ab * ay, determinant, out=blank.copy(), where=told)
    variance = np.divide(aa, determinant, out=blank, where=told)
    return volume.astype(np.float32), np.sqrt(variance).astype(np.float32)


def without_arteries(
    volume: np.ndarray, sd: np.ndarray, fitted: FittedMaps, means: DelayMeans, model: KineticModel, *, surely: float
) -> np.ndarray:
    """The images (D, K, J, I) without label in arteries, where its volume exceeds its SD `surely` times."""
    there = np.where(np.nan_to_num(volume) > surely * np.nan_to_num(sd, nan=np.inf), volume, 0.0)
    return means.images - there * model.arterial(_around(fitted, means), *_times(means))


def _around(fitted: FittedMaps, means: DelayMeans) -> np.ndarray:
    """The arrival time (1, K, J, I) around each voxel, s; 0 where nothing was fitted."""
    return smooth_within(fitted.att, np.isfinite(fitted.att), means.spacing[::-1], _AROUND)[None]


def _times(means: DelayMeans) -> tuple[np.ndarray, np.ndarray]:
    """Delays and durations, to be broadcast over the images."""
    return means.delays[:, :, None, None], np.asarray(means.durations, float)[:, None, None, None]
