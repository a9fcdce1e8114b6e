"""Raw against processed over the participants of a study: paired tests, with the size of the effect and its interval.

The unit is the participant. Sessions of one person are not independent, so each participant counts once, with the mean
over the sessions in which both maps gave the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from .columns import PROCESSED, RAW, READOUTS, Column

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")
FEWEST = 3  # participants of a test
_CONFIDENCE = 0.95
_NODES = 200  # of an integral over the chi distribution
_MOST_EXACT = 50  # differences up to which Wilcoxon's distribution is counted out, where no two are equal


@dataclass(frozen=True)
class PairedTest:
    """A figure in two conditions of the same participants.

    Args:
        n: participants with both.
        means, deviations: of the first and the second condition over participants; SDs with n - 1.
        difference: mean of second minus first; `interval` its 95 % confidence interval (Student).
        t, t_p: paired t-test, two-sided.
        w, w_p: Wilcoxon's signed-rank statistic (the smaller sum of ranks) and p, two-sided; differences of zero are
            left out; exact where there are no ties and at most 50 differences, else normal with continuity correction.
        dz: Cohen's d of paired differences, mean over SD of the differences; `dz_interval` its 95 % confidence interval
            from the noncentral t distribution (Cumming & Finch 2001).
        rank_biserial: of matched pairs, (sum of ranks up - down) over their sum, -1..1 (Kerby 2014).
    """

    n: int
    means: tuple[float, float] = (_NAN, _NAN)
    deviations: tuple[float, float] = (_NAN, _NAN)
    difference: float = _NAN
    interval: tuple[float, float] = (_NAN, _NAN)
    t: float = _NAN
    t_p: float = _NAN
    w: float = _NAN
    w_p: float = _NAN
    dz: float = _NAN
    dz_interval: tuple[float, float] = (_NAN, _NAN)
    rank_biserial: float = _NAN


@dataclass(frozen=True)
class Comparison:
    """A readout raw against processed.

    Args:
        readout: which.
        scans: of how many scans the participants' figures are means.
        participants: their labels, in the order of `raw` and `processed`.
        raw, processed: (n,) a participant, the mean over sessions.
        test: of them.
    """

    readout: Column
    scans: int
    participants: tuple[str, ...]
    raw: np.ndarray
    processed: np.ndarray
    test: PairedTest


def compare_readouts(table: pd.DataFrame, names: Iterable[str] = ()) -> tuple[Comparison, ...]:
    """Raw against processed, a readout, over the participants.

    Args:
        table: of scans that are done (`tables.done`), in one unit.
        names: of readouts; all that both maps have in one scan or more where none is given.
    """
    wanted = set(names)
    found = []
    for readout in READOUTS:
        if (wanted and readout.name not in wanted) or not {RAW + readout.name, PROCESSED + readout.name} <= set(table):
            continue
        compared = compare_readout(table, readout)
        if compared.scans or wanted:
            found.append(compared)
    return tuple(found)


def compare_readout(table: pd.DataFrame, readout: Column) -> Comparison:
    """One readout raw against processed, over the participants."""
    columns = [RAW + readout.name, PROCESSED + readout.name]
    both = table[["participant", *columns]].dropna()
    means = both.groupby("participant", sort=True)[columns].mean()
    raw, processed = (means[name].to_numpy(np.float64) for name in columns)
    return Comparison(readout, len(both), tuple(means.index), raw, processed, paired_test(raw, processed))


def paired_test(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Tests of second against first, of pairs that are both finite; NaN where there are fewer than three, or where all
    differences are the same.

    >>> one_drug = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]  # Student 1908
    >>> test = paired_test(one_drug, [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    >>> round(test.t, 4), round(test.t_p, 6), round(test.dz, 2)
    (4.0621, 0.002833, 1.28)
    """
    from scipy import stats

    before, after = (np.asarray(values, np.float64) for values in (first, second))
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    n, change = before.size, after - before
    if n == 0:
        return PairedTest(0)
    means = float(before.mean()), float(after.mean())
    if n < FEWEST:
        return PairedTest(n, means, difference=float(change.mean()))
    described = PairedTest(n, means, (float(before.std(ddof=1)), float(after.std(ddof=1))), float(change.mean()))
    spread = float(change.std(ddof=1))
    if not spread > 1e-12 * max(1.0, float(np.abs(before).max()), float(np.abs(after).max())):
        return described
    error, dz = spread / math.sqrt(n), described.difference / spread
    half = float(stats.t.ppf((1 + _CONFIDENCE) / 2, n - 1)) * error
    t_test = stats.ttest_rel(after, before)
    w, w_p, rank_biserial = _wilcoxon(change)
    return PairedTest(
        n,
        means,
        described.deviations,
        described.difference,
        (described.difference - half, described.difference + half),
        float(t_test.statistic),
        float(t_test.pvalue),
        w,
        w_p,
        dz,
        dz_interval(dz, n),
        rank_biserial,
    )


def _wilcoxon(change: np.ndarray) -> tuple[float, float, float]:
    """The smaller sum of ranks, p, and the rank-biserial correlation of differences."""
    from scipy import stats

    moved = change[change != 0]
    if not moved.size:
        return _NAN, _NAN, _NAN
    ranks = stats.rankdata(np.abs(moved))
    up, down = float(ranks[moved > 0].sum()), float(ranks[moved < 0].sum())
    ties = np.unique(ranks).size < ranks.size
    exact = moved.size == change.size <= _MOST_EXACT and not ties
    test = stats.wilcoxon(change, zero_method="wilcox", correction=True, method="exact" if exact else "approx")
    return min(up, down), float(test.pvalue), (up - down) / (up + down)


def dz_interval(dz: float, n: int, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """Confidence interval of Cohen's dz of n pairs: noncentral t distributions that have the observed t at their tails.

    >>> [round(end, 2) for end in dz_interval(1.2845586, 10)]
    [0.41, 2.12]
    """
    from scipy import optimize, special

    if dz < 0:
        low, high = dz_interval(-dz, n, confidence)
        return -high, -low
    t, tail = dz * math.sqrt(n), (1 - confidence) / 2
    chi, weights = _chi(n - 1)

    def below(parameter: float) -> float:
        return float(weights @ special.ndtr(t * chi - parameter))

    def end(share: float) -> float:
        return float(optimize.brentq(lambda parameter: below(parameter) - share, -10.0, 10.0 + t * chi[-1]))

    return end(1 - tail) / math.sqrt(n), end(tail) / math.sqrt(n)


@lru_cache(maxsize=64)
def _chi(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of chi over the root of its degrees of freedom, and weights that average over its distribution.

    A noncentral t is (normal + parameter) over it; averaged so, its distribution is known where scipy's own is NaN.
    """
    from scipy import stats

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.sqrt(stats.chi2.ppf((nodes + 1) / 2, freedom) / freedom), weights / 2
