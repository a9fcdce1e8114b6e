"""Huber's M-estimator over the pairs, voxel by voxel: outliers lose weight, none is left out (Maumet 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...series import Volume
from .context import OutlierContext
from .report import FEWEST_KEPT, OutlierReport, rejections_of, unmeasured

MAD = 1.4826  # times the median absolute deviation is the SD of Gaussian noise


@dataclass(frozen=True)
class HuberSettings:
    """How Huber's estimator weights values.

    Args:
        k: SDs beyond which a value loses weight; 1.345 keeps 95 % of the mean's efficiency in Gaussian noise.
        floor: the least SD of a voxel, relative to the brain's median one: few pairs make it small by chance.
        iterations: of reweighting, at most; it ends when no voxel moves by a thousandth of the brain's median SD.
        reported: mean weight over a slice's brain below which it is reported; Gaussian noise has 0.96.
    """

    k: float = 1.345
    floor: float = 0.5
    iterations: int = 20
    reported: float = 0.85


def huber(context: OutlierContext, settings: HuberSettings) -> OutlierReport:
    """Huber's M-estimator of each voxel's mean, its SD from the median absolute deviation, by reweighted means.

    Weights are of the voxel: 1 within k SDs, k SDs over the distance beyond. Magn Reson Imaging 32:497-504. The
    standard error is sqrt(sum psi^2 / (n (n - 1))) / m with Huber's correction 1 + (1 - m) / (n m) for few values
    (Huber 1973), psi the distance cut off at k SDs and m the share that was not cut. Nothing is rejected but what was
    not measured; rejections name slices that lost much of their weight.
    """
    measured = context.measured
    array = context.pairs.array.astype(np.float64)
    usable = np.broadcast_to(measured[:, :, None, None], array.shape)
    values = np.where(usable, array, 0.0)
    estimate = _median(array, usable)
    scale = MAD * _median(np.abs(array - estimate), usable)
    scale = np.maximum(scale, settings.floor * np.median(scale[context.solid]))
    enough = 1e-3 * float(np.median(scale[context.solid]))
    for _ in range(settings.iterations):
        weights = _weights(values - estimate, scale, settings.k) * usable
        with np.errstate(invalid="ignore"):  # of slices that no pair measured, which are NaN
            before, estimate = estimate, (weights * values).sum(axis=0) / weights.sum(axis=0)
        if not np.nanmax(np.abs(estimate - before)) > enough:
            break
    error = _standard_error(values - estimate, usable, scale, settings.k)
    solid = context.solid & measured[:, :, None, None]
    brain = np.maximum(context.solid.sum(axis=(1, 2)), 1)
    by_slice = np.where(solid, np.nan_to_num(weights), 0).sum(axis=(2, 3)) / brain
    kept = np.where(context.judged, by_slice.sum(axis=0), measured.sum(axis=0))
    low = context.judged & measured & (by_slice < settings.reported)
    rejections = rejections_of(low, by_slice, settings.reported, "mean weight of the slice is low")
    geometry = context.pairs.geometry
    return OutlierReport(
        "huber",
        np.nan_to_num(weights).astype(np.float32),
        (*rejections, *unmeasured(context)),
        (),
        Volume(estimate, geometry, name="mean difference"),
        Volume(error, geometry, name="standard error"),
        kept,
    )


def _median(array: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The median (K, J, I) over the usable pairs; NaN where none was measured."""
    if usable.all():
        return np.median(array, axis=0)
    return np.ma.median(np.ma.masked_array(array, ~usable), axis=0).filled(np.nan)


def _weights(apart: np.ndarray, scale: np.ndarray, k: float) -> np.ndarray:
    """1 within k SDs, k SDs over the distance beyond; NaN stays NaN."""
    far = np.abs(apart)
    return np.divide(k * scale, far, out=np.where(np.isnan(far), np.nan, 1.0), where=far > k * scale)


def _standard_error(apart: np.ndarray, usable: np.ndarray, scale: np.ndarray, k: float) -> np.ndarray:
    """The asymptotic standard error (K, J, I) from the deviations `apart` (N, K, J, I) of pairs from the estimate."""
    n = usable.sum(axis=0)
    psi = np.where(usable, np.clip(apart, -k * scale, k * scale), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):  # of fewer than three pairs
        share = (usable & (np.abs(apart) <= k * scale)).sum(axis=0) / n
        error = np.sqrt((psi**2).sum(axis=0) / (n * (n - 1))) / share * (1 + (1 - share) / (n * share))
    return np.where(n >= FEWEST_KEPT, error, np.nan)
