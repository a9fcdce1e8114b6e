"""Robust z-scores, slice by slice: slices whose noise is out of proportion (Tan et al. 2009, by medians) [ours]."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .context import OutlierContext, row_means
from .huber import MAD
from .report import OutlierReport, Rejection, pairs_above, rejections_of, report_rejections


@dataclass(frozen=True)
class ZScoreSettings:
    """When a slice is out of proportion.

    Args:
        deviations: robust SDs of what is usual; of a slice's log noise, and of a pair's share of the perfusion pattern.
        floor: the least noise SD of a voxel, relative to the brain's median one: few pairs make it small by chance.
        level: how far below the median one that share must also lie, relative to it.
    """

    deviations: float = 4.0
    floor: float = 0.5
    level: float = 0.5


def zscore(context: OutlierContext, settings: ZScoreSettings) -> OutlierReport:
    """Reject slices of pairs that are much noisier than the same slice of the others, and pairs without the pattern.

    Tan et al. (J Magn Reson Imaging 29:1134-1139) reject by z-scores of the mean and the SD of each image, which
    outliers inflate; here all is compared with medians over pairs. The noise of a slice is the mean square of its
    distance from the median pair, each voxel in units of its own SD (median absolute deviation). A slice is rejected
    when its noise is more than `deviations` above the usual and the mean is better without it: with n pairs, from
    2 + 1 / (n - 1) times the usual variance on, where (n - 1 + v) / n^2 exceeds 1 / (n - 1). A pair is rejected when it
    holds so little of the perfusion pattern of the median pair that labelling must have failed or been swapped; global
    CBF does not show that, since head motion changes it by whole multiples.
    """
    values = context.cbf[:, context.solid]
    apart = values - np.nanmedian(values, axis=0)
    scale = MAD * np.nanmedian(np.abs(apart), axis=0)
    least = settings.floor * float(np.median(scale))
    if not least > 0:
        return report_rejections("zscore", context, (), ("The pairs hardly differ: nothing was rejected.",))
    rejections = _lacking_pattern(values, settings)
    noise, slices = _by_slice((apart / np.maximum(scale, least)) ** 2, context)
    usual = np.broadcast_to(np.nanmedian(noise, axis=0), noise.shape)
    noise = np.divide(noise, usual, out=np.full(noise.shape, np.nan), where=usual > 0)  # a blank slice has no noise
    spread = MAD * float(np.nanmedian(np.abs(np.log(np.maximum(noise, np.finfo(float).tiny)))))
    pays = 2 + 1 / np.maximum(context.measured[:, slices].sum(axis=0) - 1, 1)
    limit = np.maximum(pays, np.exp(settings.deviations * spread))
    reason = "noise out of proportion, variance over that of the other pairs"
    for noisy in rejections_of(noise > limit, noise, limit, reason):
        rejections.append(replace(noisy, slice=int(slices[noisy.slice])))
    return report_rejections("zscore", context, rejections, ranked=True)


def _lacking_pattern(values: np.ndarray, settings: ZScoreSettings) -> list[Rejection]:
    """Pairs whose slope on the median pair over the brain, offset aside, lies far below the usual one."""
    pattern = np.nanmedian(values, axis=0)
    pattern = np.nan_to_num(pattern - np.nanmean(pattern))
    known = np.isfinite(values)
    centred = np.where(known, values - row_means(values)[:, None], 0.0)
    size = np.sum(known * pattern**2, axis=1)
    share = np.divide(centred @ pattern, size, out=np.full(len(values), np.nan), where=size > 0)
    middle = float(np.nanmedian(share))
    if not middle > 0:  # no pattern stands out of the noise
        return []
    missing = 1 - share / middle
    limit = max(settings.deviations * MAD * float(np.nanmedian(np.abs(missing))), settings.level)
    return pairs_above(missing, limit, "perfusion pattern is missing, share of the usual one that is")


def _by_slice(values: np.ndarray, context: OutlierContext) -> tuple[np.ndarray, np.ndarray]:
    """Means (N, S) over each judged slice of values (N, V) at the `solid` voxels, and which slices (S,) these are."""
    slices, of_voxel = np.flatnonzero(context.judged), np.nonzero(context.solid)[0]
    return np.stack([values[:, of_voxel == k].mean(axis=1) for k in slices], axis=1), slices
