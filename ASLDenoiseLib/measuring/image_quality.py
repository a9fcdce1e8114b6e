"""How near an estimate is to a truth, within a mask. Pure functions on arrays.

All take `(estimate, truth, mask)`, arrays of one shape in one unit, the mask bool or above 0.5. A voxel where either
image is NaN is not measured and is left out; with fewer than two voxels left the figure is NaN. An estimate that leaves
NaN where the truth is known is thus not punished: report the number of voxels beside the figure. Arrays of different
shapes raise `InputError`.
"""

from __future__ import annotations

import numpy as np

from .masks import measured

_FEWEST = 2
_SSIM_SIGMA = 1.5  # voxels
_SSIM_RADIUS = 5  # 11 taps


def psnr(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray, *, data_range: float | None = None) -> float:
    """Peak signal-to-noise ratio, dB: 10 log10(R^2 / MSE).

    R is the maximum of the truth in the mask unless `data_range` is given; state it beside the number. Infinite for a
    perfect estimate, NaN when R is not positive.
    """
    e, t = measured(mask, estimate, truth)
    if t.size < _FEWEST:
        return float("nan")
    peak = float(t.max()) if data_range is None else float(data_range)
    if not peak > 0:
        return float("nan")
    error = float(np.mean((e - t) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def ssim(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray, *, data_range: float | None = None) -> float:
    """Structural similarity (Wang 2004): 11-tap Gaussian, sigma 1.5 voxels, K 0.01 and 0.03, averaged over the mask,
    -1..1.

    Windows are as many-dimensional as the arrays. The data range is the maximum of the truth in the mask unless given,
    as in `psnr`. Unmeasured voxels are set to zero in both images before the windows pass, and left out of the average.
    An axis shorter than 11 voxels is mirrored out to fit.
    """
    from skimage.metrics import structural_similarity

    _, true = measured(mask, estimate, truth)
    if true.size < _FEWEST:
        return float("nan")
    span = float(true.max()) if data_range is None else float(data_range)
    if not span > 0:
        return float("nan")
    known = np.isfinite(estimate) & np.isfinite(truth)
    whole = (np.where(known, np.asarray(a, np.float64), 0.0) for a in (estimate, truth))
    e, t = (np.pad(a, _SSIM_RADIUS, mode="symmetric") for a in whole)
    _, local = structural_similarity(
        t, e, data_range=span, gaussian_weights=True, sigma=_SSIM_SIGMA, use_sample_covariance=False,
        truncate=(_SSIM_RADIUS + 0.25) / _SSIM_SIGMA, K1=0.01, K2=0.03, full=True,
    )  # fmt: skip
    inner = (slice(_SSIM_RADIUS, -_SSIM_RADIUS),) * t.ndim
    return float(local[inner][known & (np.asarray(mask) > 0.5)].mean())


def rmse(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Root mean squared error, in the unit of the images."""
    e, t = measured(mask, estimate, truth)
    return float(np.sqrt(np.mean((e - t) ** 2))) if t.size >= _FEWEST else float("nan")


def nmae(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Sum of absolute errors over the sum of the truth, no unit; NaN when that sum is not positive."""
    e, t = measured(mask, estimate, truth)
    total = float(t.sum())
    return float(np.abs(e - t).sum() / total) if t.size >= _FEWEST and total > 0 else float("nan")


def ccc(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Lin's concordance (Lin 1989): 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2), -1..1; NaN for two equal constants."""
    e, t = measured(mask, estimate, truth)
    if t.size < _FEWEST:
        return float("nan")
    below = e.var() + t.var() + (e.mean() - t.mean()) ** 2
    return float(2 * np.mean((e - e.mean()) * (t - t.mean())) / below) if below > 0 else float("nan")


def decibels(before: float, after: float) -> float:
    """By how much a squared error is smaller afterwards; NaN where one of the two is not above zero."""
    return float(10 * np.log10(before / after)) if before > 0 and after > 0 else float("nan")


def pearson(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Pearson's correlation, -1..1; NaN when one of the two does not vary."""
    e, t = measured(mask, estimate, truth)
    if t.size < _FEWEST or not (np.ptp(e) > 0 and np.ptp(t) > 0):
        return float("nan")
    return float(np.corrcoef(e, t)[0, 1])


def bias(estimate: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Difference of the two means in the mask, % of the truth's; NaN when the truth's mean is zero."""
    e, t = measured(mask, estimate, truth)
    if t.size < _FEWEST or t.mean() == 0:
        return float("nan")
    return float(100 * (e.mean() - t.mean()) / abs(t.mean()))
