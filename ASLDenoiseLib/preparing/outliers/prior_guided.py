"""PAOCSL, priors-guided slice-wise adaptive outlier cleaning: slices unlike what anatomy predicts (Li et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .context import NO_MOTION, OutlierContext, correlations, row_means
from .report import OutlierReport, Rejection, pairs_above, rejections_of, report_rejections

_SCATTERED = 0.2  # of the judged slices


@dataclass(frozen=True)
class PriorGuidedSettings:
    """How PAOCSL judges; [public] values are those of the authors' toolbox, the paper gives none.

    Args:
        global_sds: most SDs of a pair's global CBF from its mean, and of its motion above the median [public].
        least_motion: mm below which no motion counts [ours], see `AdaptiveSettings`.
        likeness_sds: SDs below the mean of the positive correlations at which a slice of a pair is suspicious [ours,
            tuned on a phantom]; the toolbox takes -1 or -2, which suspects nearly all and rejects many good slices.
        reach: slices above and below that are judged together [public].
        grey, white: fractions above which a voxel counts as its tissue [public].
        ends: slices at either end of the volume that are left out [public].
        lowest: mean CBF (ml/100g/min) of a slice below which it is not judged [public].
        everywhere: share of the judged slices beyond which a pair is rejected in all of them [public].
        release: whether scattered flags are taken back: of a pair flagged in one slice, and of one flagged in less than
            a fifth of the judged slices, none next to another. The toolbox does so [public]; then no single corrupted
            slice can ever be rejected, so we do not [ours].
    """

    global_sds: float = 3.0
    least_motion: float = 0.3
    likeness_sds: float = 0.5
    reach: int = 2
    grey: float = 0.4
    white: float = 0.8
    ends: int = 2
    lowest: float = 5.0
    everywhere: float = 0.9
    release: bool = False


def prior_guided(context: OutlierContext, settings: PriorGuidedSettings) -> OutlierReport:
    """PAOCSL: reject single slices of pairs by a pseudo-CBF map instead of a mean that outliers may dominate.

    Whole pairs of extreme global CBF or motion are rejected first. In each slice, with its neighbours, the others are
    correlated with the pseudo-CBF 10 (1.8 GM + WM); of those with low r the one is removed, again and again, whose
    removal from the mean of the slice most lowers its SD in grey plus that in white matter. Flags are then made
    consistent over slices. J Neurosci Methods 307:248-253.
    """
    grey, white = context.tissue_mask("gm", settings.grey), context.tissue_mask("wm", settings.white)
    if grey is None:
        return report_rejections("paocsl", context, (), ("There is no grey matter to judge by: nothing was rejected.",))
    notes = [] if context.motion is not None else [NO_MOTION]
    if white is None:
        notes.append("There is no white matter: the SD of grey matter alone was judged by.")
    whole = _extreme(context, settings)
    left = context.measured.copy()
    left[[r.pair for r in whole]] = False
    mean = _slice_means(context.cbf, left)
    judged = context.judged & (row_means(mean.reshape(len(mean), -1)) >= settings.lowest)
    if not judged.any():
        notes.append(f"No slice has a mean CBF of {settings.lowest:g} ml/100g/min: no single slice was judged.")
    tissues = [grey] if white is None else [grey, white]
    found = {}
    for k in np.flatnonzero(judged):
        for rejection in _clean_slice(context, mean, left[:, k], tissues, int(k), settings):
            found[rejection.pair, rejection.slice] = rejection
    flags = np.zeros_like(left)
    flags[tuple(np.array(list(found), int).reshape(-1, 2).T)] = True
    everywhere, flags = consistent(flags, judged, settings)
    share = flags.sum(axis=1) / max(judged.sum(), 1)
    reason = "suspicious in nearly every slice, share of slices"
    rejections = rejections_of(everywhere, share, settings.everywhere, reason)
    rejections += [r for (t, k), r in found.items() if flags[t, k] and not everywhere[t]]
    return report_rejections("paocsl", context, [*whole, *rejections], notes)


def _extreme(context: OutlierContext, settings: PriorGuidedSettings) -> list[Rejection]:
    """Whole pairs far from the others in global CBF or in motion."""
    level = row_means(context.cbf[:, context.solid])
    apart = np.abs(level - np.nanmean(level))
    limit = settings.global_sds * float(np.nanstd(level, ddof=1))
    rejections = pairs_above(apart, limit, "global CBF lies apart from the mean, ml/100g/min")
    if context.motion is None:
        return rejections
    moved = context.motion.relative
    limit = max(float(np.median(moved) + settings.global_sds * moved.std(ddof=1)), settings.least_motion)
    return rejections + pairs_above(moved, limit, "control and label moved against each other, mm")


def _slice_means(cbf: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The mean (K, J, I) over the pairs left (N, K) in each slice; NaN where nothing was measured."""
    mean = np.full(cbf.shape[1:], np.nan)
    for k in range(cbf.shape[1]):
        if left[:, k].any():
            mean[k] = cbf[left[:, k], k].mean(axis=0, dtype=np.float64)
    return mean


def _clean_slice(
    context: OutlierContext,
    mean: np.ndarray,
    left: np.ndarray,
    tissues: list[np.ndarray],
    k: int,
    settings: PriorGuidedSettings,
) -> list[Rejection]:
    """The pairs rejected in slice `k`; `mean` (K, J, I) is updated there, for the slices that follow."""
    window = slice(max(0, k - settings.reach), k + settings.reach + 1)
    inside = context.solid[window]
    gm, wm = (np.nan_to_num(t.array[window][inside]) for t in (context.tissue.gm, context.tissue.wm))
    r = np.where(left, correlations(context.cbf[:, window][:, inside], 10 * (1.8 * gm + wm)), np.nan)
    positive = r[r > 0]
    threshold = 0.0
    if positive.size > 1:
        threshold = max(0.0, float(positive.mean() - settings.likeness_sds * positive.std(ddof=1)))
    suspects = [int(t) for t in np.flatnonzero(r <= threshold)]
    tissues = [t for t in tissues if t[k].any()]
    others = [mean[window][t[window] & (np.arange(len(mean))[window] != k)[:, None, None]] for t in tissues]
    here = [np.flatnonzero(t[k]) for t in tissues]
    values = context.cbf[:, k].reshape(context.count, -1)
    keep, rejected = left.copy(), []

    def unevenness(keep: np.ndarray) -> float:
        average = values[keep].mean(axis=0, dtype=np.float64)
        return sum(float(np.std(np.append(o, average[v]))) for o, v in zip(others, here, strict=True))

    best = unevenness(keep)
    while suspects and keep.sum() > 2:
        without = {t: unevenness(keep & (np.arange(len(keep)) != t)) for t in suspects}
        worst = min(without, key=without.get)
        if not without[worst] < best:
            break
        best = without[worst]
        keep[worst] = False
        suspects.remove(worst)
        reason = "unlike the pseudo-CBF, and without it tissue is more even, r"
        rejected.append(Rejection(worst, k, reason, float(r[worst]), threshold))
    mean[k] = values[keep].mean(axis=0, dtype=np.float64).reshape(mean[k].shape)
    return rejected


def consistent(flags: np.ndarray, judged: np.ndarray, settings: PriorGuidedSettings) -> tuple[np.ndarray, np.ndarray]:
    """Make flags (N, K) consistent over slices: pairs to reject everywhere (N,), and the remaining flags (N, K)."""
    count, slices = flags.sum(axis=1), int(judged.sum())
    everywhere = count > settings.everywhere * slices
    if not settings.release:
        return everywhere, flags
    touching = (flags[:, 1:] & flags[:, :-1]).any(axis=1)
    released = (count < 2) | ((count < max(2, np.ceil(_SCATTERED * slices))) & ~touching)
    return everywhere, flags & ~released[:, None]
