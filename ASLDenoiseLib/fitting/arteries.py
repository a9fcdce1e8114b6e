"""Arterial blood volume: label that passes through arteries, at the time at which the tissue around them is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from ..spatial.smoothing import smooth_within
from .maps import DelayMeans, FittedMaps

_AROUND = 15.0  # mm FWHM over which arrival times are taken: that of the voxel follows the artery in it


@dataclass(frozen=True, eq=False)
class Arteries:
    """Label in arteries of every voxel.

    Args:
        volume: arterial blood volume, a fraction of the voxel; NaN where no delay sees label in arteries.
        sd: of its error.
        curve: (D, K, J, I), what a voxel full of arteries would read.
    """

    volume: np.ndarray
    sd: np.ndarray
    curve: np.ndarray

    def taken_from(self, images: np.ndarray, *, surely: float) -> np.ndarray:
        """Images (D, K, J, I) without label in arteries, where its volume exceeds its SD `surely` times."""
        there = np.nan_to_num(self.volume) > surely * np.nan_to_num(self.sd, nan=np.inf)
        return images - np.where(there, self.volume, 0.0) * self.curve


def arteries_in(fitted: FittedMaps, means: DelayMeans, model: KineticModel) -> Arteries:
    """Label in arteries, by weighted least squares of CBF and blood volume at the arrival time around.

    Where there is no artery the volume is noise about 0, and negative as often as not. NaN where nothing was fitted.

    Args:
        fitted: by a fit that is smooth over tissue.
        means: what was measured.
        model: whose arteries are meant.
    """
    att = smooth_within(fitted.att, np.isfinite(fitted.att), means.spacing[::-1], _AROUND)[None]
    known = np.isfinite(means.images) & np.isfinite(means.errors) & (means.errors > 0)
    weights = np.divide(1.0, means.errors, out=np.zeros(known.shape), where=known) ** 2
    images = np.where(known, means.images, 0.0)
    tissue, arteries = model.arrived(att, *means.times), model.arterial(att, *means.times)
    aa, bb, ab = (
        (weights * one * other).sum(0) for one, other in ((tissue, tissue), (arteries, arteries), (tissue, arteries))
    )
    ay, by = ((weights * each * images).sum(0) for each in (tissue, arteries))
    determinant = aa * bb - ab**2
    told = np.isfinite(fitted.cbf) & (determinant > 1e-3 * aa * bb)
    blank = np.full(told.shape, np.nan)
    volume = np.divide(aa * by - ab * ay, determinant, out=blank.copy(), where=told)
    variance = np.divide(aa, determinant, out=blank, where=told)
    return Arteries(volume.astype(np.float32), np.sqrt(variance).astype(np.float32), arteries)
