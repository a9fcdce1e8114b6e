"""The good member of a corrupted pair: kept, with the other replaced by its neighbours of the same kind.

When a tenth of the volumes are corrupted, leaving out the pairs they are in costs a fifth of the data, since every pair
takes a sound volume with it. Subtracting from the sound member the mean of the nearest sound volumes of the other kind,
as surround subtraction does throughout (Liu 2005, NeuroImage 24:207), wins a part of that back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..series import ASLSeries
from .outliers import OutlierReport
from .pairs import difference_volumes, pair_members

RESCUED = 0.5  # weight of such a pair: its neighbours' volumes are counted in their own pairs, too
_SPOILT = 1.5  # times the usual residual of its kind in the slice, from which on a member is the one to blame
_SOUND = 1.2  # and up to which the other one is sound
_FEWEST = 4  # volumes of a kind, for a usual residual to be known


@dataclass(frozen=True, eq=False)
class RescuedPairs:
    """Differences of which some have a borrowed member, and what each counts.

    Args:
        pairs: differences (N, K, J, I).
        weights: (N, K, 1, 1), 1 as acquired, `RESCUED` with a borrowed member, 0 left out.
        count: slices of pairs that were rescued.
    """

    pairs: ASLSeries
    weights: np.ndarray
    count: int


def rescue_members(series: ASLSeries, report: OutlierReport, inside: np.ndarray) -> RescuedPairs:
    """Slices of rejected pairs of which one member is sound are kept with half the weight, the other member borrowed.

    A member is to blame where its residual from the median of its kind, as a root mean square over the brain of the
    slice, is 1.5 times the usual, and sound up to 1.2 times. Where both are to blame, or neither (the pair was rejected
    for another reason), where it was not measured, or where no sound neighbour is left, the slice stays left out.
    Methods that weigh voxel by voxel reject nothing as a whole; their pairs come back as they are.

    Args:
        series: the controls and labels that `report` judged, perhaps with nuisances taken out since.
        report: what was left out.
        inside: bool (K, J, I), the brain.
    """
    pairs, weights = difference_volumes(series), np.array(report.weights, np.float32)
    flags = report.flags
    members = pair_members(series)
    if not flags.any() or weights.shape[2:] != (1, 1) or len(members[0]) == 1 or len(members) < _FEWEST:
        return RescuedPairs(pairs, weights, 0)
    controls, labels = (np.array([pair[n] for pair in members]) for n in (0, 1))
    array, count = pairs.array.copy(), 0
    for k in np.flatnonzero(flags.any(axis=0) & inside.any(axis=(1, 2))):
        sizes = [_residuals(series.array[of, k][:, inside[k]]) for of in (controls, labels)]
        sound = [size <= _SOUND for size in sizes]
        for n in np.flatnonzero(flags[:, k]):
            blamed = [bool(size[n] >= _SPOILT) for size in sizes]
            for bad, of in enumerate((controls, labels)):
                if not (blamed[bad] and sound[1 - bad][n]):
                    continue
                lenders = _neighbours(sound[bad], n)
                if len(lenders):
                    borrowed = series.array[of[lenders], k].mean(axis=0)
                    control = borrowed if bad == 0 else series.array[controls[n], k]
                    array[n, k] = control - (borrowed if bad == 1 else series.array[labels[n], k])
                    weights[n, k] = RESCUED
                    count += 1
    return RescuedPairs(replace(pairs, array=array), weights, count)


def _residuals(values: np.ndarray) -> np.ndarray:
    """(T,) root mean square of values (T, V) about their median volume, over the median of it; infinite: unmeasured."""
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.sqrt(np.mean((values - np.nanmedian(values, axis=0)) ** 2, axis=1))
        return np.nan_to_num(size / np.nanmedian(size), nan=np.inf)


def _neighbours(sound: np.ndarray, n: int) -> np.ndarray:
    """The nearest sound volume before and the nearest after place `n`, as far as there are any."""
    there = np.flatnonzero(sound)
    return np.concatenate([there[there < n][-1:], there[there > n][:1]])
