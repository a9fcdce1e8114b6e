"""Interpolation: what a super-resolution method has to beat. No T1, no point spread, no noise model but the last's."""

from __future__ import annotations

import numpy as np

from ..progress import Progress, silent
from ..series import Origin, Parameter
from ..spatial.resampling import resample
from ..spatial.smoothing import SD_OF_FWHM, gaussian
from .resolver import LowResolution, SuperResolvedMap, measured_on_target, with_residual

WIDTHS = (0.0, *(float(w) for w in np.arange(2.0, 16.1, 0.5)))  # mm FWHM that `gaussian_matched` chooses from


def interpolated(
    scan: LowResolution, *, how: str, fwhm: float | None = None, progress: Progress = silent
) -> SuperResolvedMap:
    """The map interpolated, ``nearest``, ``linear`` or ``bspline`` (may overshoot), after a Gaussian of `fwhm` mm.

    Raises:
        InputError: the map has fewer than four voxels along an axis, for ``bspline``.
    """
    progress(0.0, f"{how} interpolation")
    back = np.linalg.inv(scan.target_to_asl)
    low = scan.low if fwhm is None else gaussian(scan.low, fwhm)
    used = [] if fwhm is None else [Parameter("smoothing", fwhm, "mm FWHM", Origin.IMAGE)]
    array = resample(low, scan.target, transform=back, interpolation=how).array
    result = with_residual(scan, np.where(measured_on_target(scan), array, np.nan), used=used)
    progress(1.0, "interpolated")
    return result


def gaussian_matched(scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap:
    """A Gaussian as wide as the noise asks for, then the cubic spline: the best that blurring can do.

    The width is the one of least expected squared error by Stein's unbiased estimate (1981) with the noise SD of
    `scan`, between 0 and 16 mm FWHM.
    """
    inside, spacing = scan.measured, scan.low.geometry.spacing
    variance = scan.noise()[inside].astype(float) ** 2

    def risk(fwhm: float) -> float:
        if fwhm == 0:
            return float(variance.mean())
        apart = scan.low.array[inside] - gaussian(scan.low, fwhm).array[inside]
        centre = np.prod([_centre_weight(s, fwhm) for s in spacing])
        return float(np.mean(apart**2) - variance.mean() + 2 * variance.mean() * centre)

    return interpolated(scan, how="bspline", fwhm=min(WIDTHS, key=risk), progress=progress)


def _centre_weight(spacing: float, fwhm: float) -> float:
    """What a voxel contributes to its own Gaussian mean, along one axis."""
    steps = np.arange(-30, 31) * spacing / (fwhm * SD_OF_FWHM)
    return float(1 / np.exp(-0.5 * steps**2).sum())
