"""Interpolation: what a super-resolution method has to beat. No T1, no point spread, no noise model but the last's."""

from __future__ import annotations

import numpy as np

from ..progress import Progress, silent
from ..series import Origin, Parameter, Volume
from ..spatial.resampling import resample
from ..spatial.smoothing import SD_OF_FWHM, gaussian
from .resolver import LowResolution, SuperResolvedMap, finished, measured_on_target

WIDTHS = (0.0, *(float(w) for w in np.arange(2.0, 16.1, 0.5)))  # mm FWHM that `gaussian_matched` chooses from


def nearest(scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap:
    """Every target voxel takes the acquired voxel it lies in."""
    return _interpolated(scan, scan.low, "nearest", progress)


def linear(scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap:
    """Trilinear interpolation."""
    return _interpolated(scan, scan.low, "linear", progress)


def spline(scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap:
    """Cubic B-spline interpolation (Unser 1999), which may overshoot.

    Raises:
        InputError: the map has fewer than four voxels along an axis.
    """
    return _interpolated(scan, scan.low, "bspline", progress)


def gaussian_matched(scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap:
    """A Gaussian as wide as the noise asks for, then the cubic spline: the best that blurring can do.

    The width is the one of least expected squared error by Stein's unbiased estimate (1981) with the noise SD of
    `scan`, between 0 and 16 mm FWHM.
    """
    fwhm = _least_risk(scan)
    smooth = gaussian(scan.low, fwhm)
    width = Parameter("smoothing", fwhm, "mm FWHM", Origin.IMAGE)
    return _interpolated(scan, smooth, "bspline", progress, width)


def _interpolated(scan: LowResolution, low: Volume, how: str, progress: Progress, *used: Parameter) -> SuperResolvedMap:
    progress(0.0, f"{how} interpolation")
    back = np.linalg.inv(scan.target_to_asl)
    array = resample(low, scan.target, transform=back, interpolation=how).array
    result = finished(scan, np.where(measured_on_target(scan), array, np.nan), used=used)
    progress(1.0, "interpolated")
    return result


def _least_risk(scan: LowResolution) -> float:
    inside, spacing = scan.measured, scan.low.geometry.spacing
    variance = scan.noise()[inside].astype(float) ** 2

    def risk(fwhm: float) -> float:
        if fwhm == 0:
            return float(variance.mean())
        apart = scan.low.array[inside] - gaussian(scan.low, fwhm).array[inside]
        centre = np.prod([_centre_weight(s, fwhm) for s in spacing])
        return float(np.mean(apart**2) - variance.mean() + 2 * variance.mean() * centre)

    return min(WIDTHS, key=risk)


def _centre_weight(spacing: float, fwhm: float) -> float:
    """What a voxel contributes to its own Gaussian mean, along one axis."""
    steps = np.arange(-30, 31) * spacing / (fwhm * SD_OF_FWHM)
    return float(1 / np.exp(-0.5 * steps**2).sum())
