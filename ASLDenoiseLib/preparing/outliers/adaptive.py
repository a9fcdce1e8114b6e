"""AOC, adaptive outlier cleaning: whole pairs by motion, global CBF and likeness to the mean (Wang et al. 2013)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .context import NO_MOTION, OutlierContext, PairMotion, correlations, mean_of, row_means
from .report import OutlierReport, Rejection, pairs_above, rejections_of, report_rejections


@dataclass(frozen=True)
class AdaptiveSettings:
    """The thresholds of AOC; the defaults are the paper's but for `least_motion`.

    Args:
        relative_sds, position_sds: SDs above the mean beyond which a pair has moved too far.
        least_motion: mm below which no motion counts [ours]; by the paper's rule, 0, which is relative to the series'
            own motion, a still head would lose a sixth of its pairs.
        lowest, highest: global CBF, ml/100g/min; above the highest a pair must also lie above mean + 1 SD.
        correlation: least r of a pair's map with the mean map.
        lowered: by how much that is lowered after a round.
        rounds: at most.
    """

    relative_sds: float = 1.0
    position_sds: float = 2.0
    least_motion: float = 0.3
    lowest: float = 5.0
    highest: float = 120.0
    correlation: float = 0.17
    lowered: float = 0.01
    rounds: int = 2


def adaptive(context: OutlierContext, settings: AdaptiveSettings) -> OutlierReport:
    """AOC: drop pairs that moved or have an impossible global CBF, then those unlike the mean of the others.

    Each round correlates all pairs left by the first step with the mean of those not rejected, in the brain; the last
    round decides, so a pair may come back. NeuroImage: Clinical 2:630-636.
    """
    values = context.cbf[:, context.solid]
    rejections = _moved(context.motion, settings) + _impossible(row_means(values), settings)
    left = np.ones(context.count, bool)
    left[[r.pair for r in rejections]] = False
    unlike: dict[int, Rejection] = {}
    for n in range(settings.rounds):
        keep = left.copy()
        keep[list(unlike)] = False
        threshold = settings.correlation - n * settings.lowered
        r = correlations(values, mean_of(values, keep))
        low = rejections_of(left & (r < threshold), r, threshold, "correlation with the mean map is low")
        before, unlike = unlike, {each.pair: each for each in low}
        if unlike.keys() == before.keys():
            break
    notes = () if context.motion is not None else (NO_MOTION,)
    return report_rejections("aoc", context, [*rejections, *unlike.values()], notes)


def _moved(motion: PairMotion | None, settings: AdaptiveSettings) -> list[Rejection]:
    """Pairs whose control and label moved against each other, or that lie far from the reference."""
    if motion is None:
        return []
    result = []
    for reason, values, sds in (
        ("control and label moved against each other, mm", motion.relative, settings.relative_sds),
        ("the head lay apart from the reference, mm", motion.position, settings.position_sds),
    ):
        threshold = float(values.mean() + sds * values.std(ddof=1))
        result += pairs_above(values, max(threshold, settings.least_motion), reason)
    return result


def _impossible(level: np.ndarray, settings: AdaptiveSettings) -> list[Rejection]:
    """Pairs whose global CBF (N,) is too low, or too high for a brain and for this series."""
    high = max(settings.highest, float(np.nanmean(level) + np.nanstd(level, ddof=1)))
    low = rejections_of(level < settings.lowest, level, settings.lowest, "global CBF is low, ml/100g/min")
    return low + pairs_above(level, high, "global CBF is high, ml/100g/min")
