"""Rescue of the good member of a corrupted pair, with the other replaced by its neighbours of the same kind.

When a tenth of the volumes are corrupted, leaving out their pairs costs a fifth of the data. Subtraction with the mean
of the nearest good volumes of the other kind, as in surround subtraction (Liu 2005, NeuroImage 24:207), recovers some.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..series import ASLSeries
from .outliers import OutlierReport
from .pairs import difference_volumes, pair_members

RESCUED = 0.5  # weight of such a pair: its neighbours' volumes are counted in their own pairs, too
_CORRUPTED = 1.5  # times the usual residual of its kind in the slice, from which on a member is corrupted
_GOOD = 1.2  # and up to which the other one is good
_FEWEST = 4  # volumes of a kind, for a usual residual to be known


@dataclass(frozen=True, eq=False)
class RescuedPairs:
    """Differences of which some have a replaced member, and their weights."""

    pairs: ASLSeries  # differences (N, K, J, I)
    weights: np.ndarray  # (N, K, 1, 1), 1 as acquired, `RESCUED` with a replaced member, 0 left out
    count: int  # of rescued slices of pairs


def rescue_members(series: ASLSeries, report: OutlierReport, inside: np.ndarray) -> RescuedPairs:
    """Keep slices of rejected pairs with one good member at half the weight, with the other member replaced.

    A member is corrupted where its residual from the median of its kind, as a root mean square over the brain of the
    slice, is 1.5 times the usual, and good up to 1.2 times. Where both are corrupted, or neither (the pair was rejected
    for another reason), where it was not measured, or where no good neighbour is left, the slice stays left out.
    Methods that weight voxels reject nothing as a whole; their pairs stay as they are. What the user took out stays
    out, and replaces nothing.

    Args:
        series: the controls and labels that `report` judged, perhaps after nuisance regression.
        report: what was left out.
        inside: bool (K, J, I), the brain.
    """
    pairs, weights = difference_volumes(series), np.array(report.weights, np.float32)
    taken = report.taken_out
    flags = report.flags & ~taken
    members = pair_members(series)
    if not flags.any() or weights.shape[2:] != (1, 1) or len(members[0]) == 1 or len(members) < _FEWEST:
        return RescuedPairs(pairs, weights, 0)
    controls, labels = (np.array([pair[n] for pair in members]) for n in (0, 1))
    array, count = pairs.array.copy(), 0
    for k in np.flatnonzero(flags.any(axis=0) & inside.any(axis=(1, 2))):
        sizes = [_residuals(series.array[of, k][:, inside[k]]) for of in (controls, labels)]
        good = [(size <= _GOOD) & ~taken[:, k] for size in sizes]
        for n in np.flatnonzero(flags[:, k]):
            for bad, of in enumerate((controls, labels)):
                neighbours = _neighbours(good[bad], n)
                if sizes[bad][n] >= _CORRUPTED and good[1 - bad][n] and len(neighbours):
                    pair = [series.array[controls[n], k], series.array[labels[n], k]]
                    pair[bad] = series.array[of[neighbours], k].mean(axis=0)
                    array[n, k] = pair[0] - pair[1]
                    weights[n, k] = RESCUED
                    count += 1
    return RescuedPairs(replace(pairs, array=array), weights, count)


def _residuals(values: np.ndarray) -> np.ndarray:
    """Root mean square (T,) of values (T, V) about their median volume, over its median; infinite for NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.sqrt(np.mean((values - np.nanmedian(values, axis=0)) ** 2, axis=1))
        return np.nan_to_num(size / np.nanmedian(size), nan=np.inf)


def _neighbours(good: np.ndarray, n: int) -> np.ndarray:
    """The nearest good volume before and the nearest after place `n`, as far as there are any."""
    there = np.flatnonzero(good)
    return np.concatenate([there[there < n][-1:], there[there > n][:1]])
