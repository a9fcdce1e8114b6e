"""Classical denoisers of a mean difference, what a user could take instead of a network.

Each takes a case and gives the denoised difference. They get what the networks get: the pairs, the brain, the noise SD
estimated from the pairs, and, where they say so, the M0 and the T1's contrast classes. Strengths are tuned by
`methods.tune`, so that none is weakened by its default.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.smoothing import gaussian, smooth_within

from .cases import Case

Peer = Callable[[Case], Volume]
Box = tuple[slice, ...]
_EDGE = 3  # voxels kept round the brain


def raw_mean(case: Case) -> Volume:
    return case.raw


def smoothed(fwhm: float) -> Peer:
    """Gaussian smoothing within the brain, mm FWHM."""
    return lambda case: gaussian(case.raw, fwhm, mask=case.brain)


def brain_box(inside: np.ndarray) -> Box:
    """The slices that hold a mask, and some voxels round it."""
    where = np.argwhere(inside)
    low, high = np.maximum(where.min(axis=0) - _EDGE, 0), where.max(axis=0) + 1 + _EDGE
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True))


def _noise_sd(case: Case, box: Box, scale: float) -> float:
    return case.sigma / scale


def _noise_power(case: Case, box: Box, scale: float) -> np.ndarray:
    return noise_spectrum(case, box) / scale**2


def on_array(
    function: Callable[[np.ndarray, float | np.ndarray], np.ndarray],
    noise: Callable[[Case, Box, float], float | np.ndarray] = _noise_sd,
) -> Peer:
    """A method on the brain's box, zero outside the brain, scaled so that the brain's 99.9th percentile is 1.

    `function` takes that array and what `noise` tells of its noise.
    """

    def run(case: Case) -> Volume:
        box = brain_box(case.brain.array > 0)
        inside = np.where(case.brain.array > 0, np.nan_to_num(case.raw.array), 0).astype(np.float64)
        scale = float(np.percentile(inside, 99.9))
        result = case.raw.array.copy()
        result[box] = function(inside[box] / scale, noise(case, box, scale)) * scale
        return case.raw.with_array(result)

    return run


def non_local_means(strength: float) -> Peer:
    from skimage.restoration import denoise_nl_means

    return on_array(
        lambda a, s: denoise_nl_means(a, patch_size=3, patch_distance=4, h=strength * s, sigma=s, fast_mode=True)
    )


def total_variation(strength: float) -> Peer:
    from skimage.restoration import denoise_tv_chambolle

    return on_array(lambda a, s: denoise_tv_chambolle(a, weight=strength * s, max_num_iter=200))


def bm4d_white(strength: float) -> Peer:
    """BM4D (Maggioni 2013; Makinen 2022) told one noise SD."""
    from bm4d import bm4d

    return on_array(lambda a, s: bm4d(a, strength * s))


def bm4d_coloured(strength: float) -> Peer:
    """BM4D told the noise's power spectrum, estimated from how the pairs differ: it knows that neighbours correlate."""
    from bm4d import bm4d

    return on_array(lambda a, power: bm4d(a, strength**2 * power), _noise_power)


def noise_spectrum(case: Case, box: Box) -> np.ndarray:
    """Power spectrum of the mean's noise over `box` (mean |FFT|^2 of one realisation), smoothed over frequencies."""
    from scipy.ndimage import gaussian_filter

    n = len(case.pairs.context)
    inside = case.inside[box]
    deviations = np.where(inside, np.nan_to_num(case.kept - case.raw.array)[(slice(None), *box)], 0)
    power = sum(np.abs(np.fft.fftn(d)) ** 2 for d in deviations) / (n * (n - 1)) / inside.mean()
    return gaussian_filter(power, 1.5, mode="wrap")


def huber(case: Case) -> Volume:
    """Huber's M-estimator over the pairs, voxel by voxel (Maumet 2014): k = 1.345, reweighted 10 times.

    The scale is each voxel's median absolute deviation, floored at half the brain's median of it: few pairs make it
    small by chance.
    """
    pairs = case.kept.astype(np.float64)
    scale = 1.4826 * np.median(np.abs(pairs - np.median(pairs, axis=0)), axis=0)
    scale = np.maximum(scale, 0.5 * np.nanmedian(scale[case.inside]))
    estimate = np.median(pairs, axis=0)
    for _ in range(10):
        far = np.abs(pairs - estimate) / scale
        weights = np.minimum(1.0, 1.345 / np.maximum(far, 1e-9))
        estimate = (weights * pairs).sum(axis=0) / weights.sum(axis=0)
    return case.raw.with_array(estimate)


def robust_pca(case: Case) -> Volume:
    """Mean of the low-rank part of the pairs' matrix (Zhu 2018; Candes 2011), voxels x pairs, in the brain.

    Inexact augmented Lagrange multipliers (Lin 2010) with lambda = 1 / sqrt(longer side); outside the brain the mean.
    """
    matrix = np.nan_to_num(case.kept[:, case.inside]).T.astype(np.float64)
    low_rank, _ = low_rank_and_sparse(matrix)
    result = case.raw.array.copy()
    result[case.inside] = low_rank.mean(axis=1)
    return case.raw.with_array(result)


def low_rank_and_sparse(matrix: np.ndarray, *, tolerance: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """`matrix` as a sum of a low-rank and a sparse one: min |L|_* + lambda |S|_1 (inexact ALM, Lin 2010)."""
    weight = 1 / np.sqrt(max(matrix.shape))
    norm, top = np.linalg.norm(matrix), np.linalg.norm(matrix, 2)
    multiplier = matrix / max(top, np.abs(matrix).max() / weight)
    step, sparse = 1.25 / top, np.zeros_like(matrix)
    for _ in range(200):
        left, values, right = np.linalg.svd(matrix - sparse + multiplier / step, full_matrices=False)
        low_rank = (left * np.maximum(values - 1 / step, 0)) @ right
        rest = matrix - low_rank + multiplier / step
        sparse = np.sign(rest) * np.maximum(np.abs(rest) - weight / step, 0)
        gap = matrix - low_rank - sparse
        multiplier = multiplier + step * gap
        step = min(1.5 * step, 1e7 * 1.25 / top)
        if np.linalg.norm(gap) < tolerance * norm:
            break
    return low_rank, sparse


def _standardised(maps: list[np.ndarray], inside: np.ndarray) -> list[np.ndarray]:
    shown = [np.where(inside, np.nan_to_num(m), 0.0) for m in maps]
    return [np.where(inside, (m - m[inside].mean()) / max(float(m[inside].std()), 1e-9), 0.0) for m in shown]


def anatomy_maps(case: Case) -> list[np.ndarray]:
    """M0 (its coil bias divided out, clipped) and, where there is a T1, its classes but one: z-scored in the brain."""
    level = smooth_within(np.nan_to_num(case.m0.array), case.inside, case.raw.geometry.spacing, 40.0)
    m0 = np.clip(np.nan_to_num(case.m0.array) / np.where(level > 0, level, 1), 0.3, 2.0)
    return _standardised([m0, *(g.array for g in case.guides[1:])], case.inside)


def joint_bilateral(strength: float) -> Peer:
    """Mean of the difference over neighbours that look alike on M0 and T1 (Petschnigg 2004); 12 mm FWHM in space.

    `strength` is the width of the Gaussian of likeness, in SDs of the guides.
    """

    def run(case: Case) -> Volume:
        spacing = case.raw.geometry.spacing[::-1]
        sd = 12.0 / 2.355
        reach = [int(np.ceil(2 * sd / s)) for s in spacing]
        guides = np.stack(anatomy_maps(case)).astype(np.float32)
        data = np.where(case.inside, np.nan_to_num(case.raw.array), 0).astype(np.float32)
        weight_of = case.inside.astype(np.float32)
        total, weights = np.zeros_like(data), np.zeros_like(data)
        for offset in itertools.product(*(range(-r, r + 1) for r in reach)):
            here = tuple(slice(max(0, -o), n - max(0, o)) for o, n in zip(offset, data.shape, strict=True))
            there = tuple(slice(max(0, o), n - max(0, -o)) for o, n in zip(offset, data.shape, strict=True))
            apart = sum((o * s) ** 2 for o, s in zip(offset, spacing, strict=True)) / sd**2
            unlike = ((guides[(slice(None), *here)] - guides[(slice(None), *there)]) ** 2).sum(axis=0) / strength**2
            weight = np.exp(-0.5 * (apart + unlike)) * weight_of[there]
            total[here] += weight * data[there]
            weights[here] += weight
        result = np.where(case.inside, total / np.maximum(weights, 1e-9), case.raw.array)
        return case.raw.with_array(result)

    return run


def tissue_regression(fwhm: float) -> Peer:
    """Perfusion as a local linear function of the T1's classes (Asllani 2008), Gaussian window of `fwhm` mm.

    Without a T1 the M0's contrast and its square stand in.
    """

    def run(case: Case) -> Volume:
        inside, spacing = case.inside, case.raw.geometry.spacing
        maps = anatomy_maps(case)
        maps = maps[1:] if case.guides else [maps[0], maps[0] ** 2]
        features = np.stack([inside.astype(float), *(np.where(inside, m, 0) for m in maps)])
        data = np.where(inside, np.nan_to_num(case.raw.array), 0)

        def mean(array: np.ndarray) -> np.ndarray:
            return smooth_within(array, inside, spacing, fwhm)

        n = len(features)
        normal = np.stack([np.stack([mean(a * b) for b in features], -1) for a in features], -1)
        right = np.stack([mean(a * data) for a in features], -1)
        normal = normal + 0.02 * np.diag([0.0, *([1.0] * (n - 1))]) + 1e-9 * np.eye(n)
        fit = np.einsum("n...,...n->...", features, np.linalg.solve(normal, right[..., None])[..., 0])
        return case.raw.with_array(np.where(inside, fit, case.raw.array))

    return run
