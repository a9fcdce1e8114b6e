"""The last step of every method: the fine map, averaged back, equals the acquired one within its noise.

In single voxels at low SNR that says little: a whole lesion may be an SD too low. Averaged over a centimetre noise is
small, so the misfit is held to the noise of such averages as well.
"""

from __future__ import annotations

import math

import numpy as np

from ..progress import Progress, silent
from ..series import Volume
from ..spatial.resampling import resample
from ..spatial.smoothing import SD_OF_FWHM, blur, smooth_within
from .forward import AcquisitionModel

WITHIN = 2.0  # SDs of the noise
ROUNDS = 60
_SMOOTH_ROUNDS = 6  # of them
WIDTHS = (16.0, 10.0)  # mm FWHM of the averages that are held to their own noise, too
_WIDE_ROUNDS = 5  # for each
_NEAR = 0.05  # SDs beyond the bound that are let be


def consistent(
    fine: Volume,
    low: Volume,
    sd: np.ndarray,
    model: AcquisitionModel,
    *,
    within: float = WITHIN,
    rounds: int = ROUNDS,
    progress: Progress = silent,
) -> Volume:
    """`fine`, changed until its average over every acquired voxel is within `within` SDs of `low`.

    First averages of the misfit over centimetres are held to their noise (`over_centimetres`), then single voxels. What
    exceeds the noise, and only that, is put back: first interpolated, so that a correction is no coarser than it
    must be, and at last spread by the transpose of the acquisition, which meets the bound. Noise alone exceeds two SDs
    in one voxel of twenty, so a map that explains its data hardly changes.

    Args:
        fine: the estimate on the grid of `model.fine`; NaN stays NaN.
        low: the acquired map; NaN is not enforced.
        sd: noise SD (K, J, I) of `low`.
        model: the acquisition, its measured voxels those of `fine`.
        within: SDs.
        rounds: most of them; fewer end early, with some voxels still beyond the bound.
    """
    array = over_centimetres(fine, low, sd, model, within=within).array.copy()
    # what a transpose and a forward pass make of a map of ones: so much a correction must be divided by
    gain = np.maximum(model.forward(model.adjoint(np.ones(model.acquired.shape, np.float32))), 1e-12)
    back = np.linalg.inv(model.transform)
    for n in range(rounds):
        progress(n / rounds, "agreeing with the acquired map")
        over = excess(low.array, model.forward(np.nan_to_num(array)), sd, model.covered, within)
        if not np.any(np.abs(over) > _NEAR * sd):
            break
        if n < _SMOOTH_ROUNDS:
            array = array + resample(low.with_array(over), model.fine, transform=back, outside=0.0).array
        else:
            array = array + np.where(np.isfinite(array), model.adjoint(over / gain), np.nan)
    return fine.with_array(array)


def over_centimetres(
    fine: Volume, low: Volume, sd: np.ndarray, model: AcquisitionModel, *, within: float = WITHIN
) -> Volume:
    """The map with what its misfit has beyond the noise in Gaussian means over 16 and 10 mm put back, interpolated.

    The noise of such a mean follows from the voxels' own if it is white; where neighbours share it, the spread of the
    means over the brain is larger, and the larger of the two is what is allowed `within` times.

    Args as `consistent`.
    """
    array, back, inside = fine.array.copy(), np.linalg.inv(model.transform), np.isfinite(low.array) & model.covered
    if not inside.any():
        return fine
    for width in WIDTHS:
        reached = blur(inside.astype(np.float64), low.geometry.spacing, width)  # at the edge a mean has fewer voxels
        noise = sd * np.sqrt(_kept_variance(low.geometry.spacing, width) / np.clip(reached, 1e-3, 1.0))
        for _ in range(_WIDE_ROUNDS):
            apart = np.where(inside, low.array - model.forward(np.nan_to_num(array)), 0.0)
            mean = smooth_within(apart, inside, low.geometry.spacing, width)
            usual = 1.4826 * float(np.median(np.abs(mean[inside])))
            limit = within * np.maximum(noise, usual)
            over = np.where(inside, mean - np.clip(mean, -limit, limit), 0.0)
            if not np.any(np.abs(over) > _NEAR * noise):
                break
            array = array + resample(low.with_array(over), model.fine, transform=back, outside=0.0).array
    return fine.with_array(array)


def _kept_variance(spacing: tuple[float, float, float], fwhm: float) -> float:
    """The share of a voxel's variance of white noise that is left in a Gaussian mean: the sum of squared weights."""
    lines = [np.exp(-0.5 * (np.arange(-50, 51) * step / (fwhm * SD_OF_FWHM)) ** 2) for step in spacing]
    return math.prod(float(np.sum(w**2) / np.sum(w) ** 2) for w in lines)


def excess(low: np.ndarray, averaged: np.ndarray, sd: np.ndarray, covered: np.ndarray, within: float) -> np.ndarray:
    """What of `low` - `averaged` lies beyond `within` SDs, 0 where nothing is known; arrays (K, J, I)."""
    apart = np.where(np.isfinite(low) & covered, low - averaged, 0.0)
    return (apart - np.clip(apart, -within * sd, within * sd)).astype(np.float32)
