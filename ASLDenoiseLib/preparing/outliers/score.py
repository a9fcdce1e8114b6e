"""SCORE, structural correlation based outlier rejection: whole pairs that make tissue uneven (Dolui 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .context import OutlierContext, correlations, mean_of, row_means
from .report import OutlierReport, Rejection, fewest_kept, pairs_above, report_rejections


@dataclass(frozen=True)
class ScoreSettings:
    """The thresholds of SCORE.

    Args:
        deviations: robust SDs (median absolute deviation over 0.675) of mean GM CBF from the median.
        tissue: fraction above which a voxel counts as its tissue.
    """

    deviations: float = 2.5
    tissue: float = 0.7


def score(context: OutlierContext, settings: ScoreSettings) -> OutlierReport:
    """SCORE: drop pairs of extreme grey-matter CBF, then, one by one, the pair most like the mean map.

    An outlier dominates the mean, so it resembles it most. Removal goes on while V falls, the variance of the mean map
    within grey matter, white matter and CSF, pooled; the removal that did not lower it is undone. J Magn Reson Imaging
    45:1786-1797. Tissues with too few voxels take no part; without grey matter nothing is rejected.
    """
    masks = {kind: context.tissue_mask(kind, settings.tissue) for kind in ("gm", "wm", "csf")}
    if masks["gm"] is None:
        return report_rejections("score", context, (), ("There is no grey matter to judge by: nothing was rejected.",))
    missing = [name for kind, name in (("wm", "white matter"), ("csf", "CSF")) if masks[kind] is None]
    notes = [f"Without {' and '.join(missing)}, the other tissues were judged by."] if missing else []
    tissues = [m for m in masks.values() if m is not None]
    level = row_means(context.cbf[:, masks["gm"]])
    apart = np.abs(level - np.nanmedian(level))
    limit = settings.deviations * float(np.nanmedian(apart)) / 0.675
    rejections = pairs_above(apart, limit, f"mean grey-matter perfusion lies apart from the median, {context.unit}")

    inside = np.any(tissues, axis=0)
    values, parts = context.cbf[:, inside], [m[inside] for m in tissues]
    keep = np.isfinite(row_means(values))
    least = fewest_kept(int(keep.sum()))
    keep[[r.pair for r in rejections]] = False
    mean = mean_of(values, keep)
    variance = pooled_variance(mean, parts)
    while keep.sum() > least:
        most = int(np.argmax(np.where(keep, np.nan_to_num(correlations(values, mean), nan=-2.0), -3.0)))
        keep[most] = False
        mean = mean_of(values, keep)
        after = pooled_variance(mean, parts)
        if not after < variance:
            break
        reason = f"without it the tissues are more even, variance in ({context.unit})^2"
        rejections.append(Rejection(most, None, reason, variance, after))
        variance = after
    else:
        notes.append(f"SCORE stopped at {least} pairs, the fewest that may be kept.")
    return report_rejections("score", context, rejections, notes)


def pooled_variance(mean: np.ndarray, tissues: list[np.ndarray]) -> float:
    """V of SCORE: sum over tissues of (n - 1) times the variance of `mean` (V,) in it, over the sum of n - 1."""
    within = [mean[mask & np.isfinite(mean)] for mask in tissues]
    within = [v for v in within if v.size > 1]
    return float(sum((v.size - 1) * v.var(ddof=1) for v in within) / sum(v.size - 1 for v in within))
