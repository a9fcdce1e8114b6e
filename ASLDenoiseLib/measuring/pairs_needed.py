"""How many pairs are enough: what denoised and plain means of some pairs miss, by what the other pairs show.

For a few numbers of pairs, up to half of them, and a few random draws each: the denoised map of the drawn pairs is held
against the other pairs, which it has not seen. With r_i the difference between the map and another pair i, the mean of
r_i r_j over two different pairs is the map's squared error without their noise, whatever that noise is, as long as it
differs from pair to pair: noise^2 stands only where i = j. (It is the square of map minus mean of the others, less the
variance of that mean.) So blur and bias are inside the error, and single figures can come out negative.

The plain mean's error follows from the spread of the pairs; it is measured as well, which checks the arithmetic.

Intervals: draws share most of the pairs that they are held against, so their scatter alone says too little. Each pair
is left out of all comparisons in turn (jackknife: Efron and Tibshirani 1993, chapter 11), which also counts noise that
voxels share; to that comes the scatter of the draws, over as many draws as can be of different pairs. Both numbers of
pairs and the plain mean's error go through the same jackknife, so that what they share cancels in the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..progress import Progress, silent
from ..result.pairs_needed import MapError, PairsNeeded
from .masks import FEWEST_VOXELS

FEWEST_PAIRS = 8  # fewer have halves of fewer than four, and no interval worth drawing
DRAWS = 4
_SIZES = 6
_SEED = 18
_REPLICATES = 4000
_ENDS = (2.5, 97.5)  # percentiles

Denoise = Callable[[np.ndarray], np.ndarray]  # positions of pairs -> their denoised map (K, J, I)


def pairs_needed(
    pairs: np.ndarray,
    denoise: Denoise,
    *,
    inside: np.ndarray,
    unit: str,
    weights: np.ndarray | None = None,
    progress: Progress = silent,
) -> PairsNeeded | None:
    """The errors of denoised and plain means of some of the pairs, and how many denoised ones do for all.

    Args:
        pairs: (N, K, J, I) perfusion, one map a pair; NaN where not measured.
        denoise: gives the denoised map (K, J, I), in the same unit, of the pairs at some positions.
        inside: (K, J, I) bool, the brain.
        unit: of `pairs`.
        weights: (N, K, 1, 1) or (N, K, J, I), how much of each pair counts, as in the run's mean; None all of all.
        progress: told after each map.

    Returns:
        None where fewer than `FEWEST_PAIRS` pairs count anywhere in the brain, or too few of its voxels are measured.
    """
    scan = _scan_of(pairs, inside, weights)
    if scan is None:
        return None
    total = len(scan.used)
    plan = [(n, draw) for n in sizes(total) for draw in draws(total, n)]
    found: dict[int, list[tuple[_Compared, _Compared]]] = {}
    for done, (n, chosen) in enumerate(plan):
        maps = (scan.voxels_of(denoise(scan.used[chosen])), scan.mean_of(chosen))
        found.setdefault(n, []).append(tuple(scan.compared(each, chosen) for each in maps))
        progress((done + 1) / len(plan), f"denoised {n} of {total} pairs, map {done + 1} of {len(plan)}")
    denoised, plain = ([[both[k] for both in found[n]] for n in found] for k in (0, 1))
    return _judged(scan, tuple(found), denoised, plain, unit)


def sizes(total: int) -> tuple[int, ...]:
    """The numbers of pairs to try, evenly on a logarithmic scale from two to half of all.

    >>> sizes(40), sizes(9)
    ((2, 3, 5, 8, 13, 20), (2, 3, 4))
    """
    return tuple(np.unique(np.round(np.geomspace(2, total // 2, _SIZES)).astype(int)).tolist())


def draws(total: int, n: int) -> list[np.ndarray]:
    """Positions of `n` pairs out of `total`, `DRAWS` times, of different pairs as long as there are any."""
    random = np.random.default_rng((_SEED, total, n))
    orders = [random.permutation(total) for _ in range(DRAWS)]
    apart = [np.sort(order[k * n : (k + 1) * n]) for order in orders for k in range(total // n)]
    return apart[:DRAWS]


@dataclass(frozen=True)
class _Compared:
    """A map's squared error, and what it were without each of the pairs (N,), which a drawn one does not change."""

    square: float
    without: np.ndarray


@dataclass(frozen=True, eq=False)
class _Scan:
    """The pairs that count, in the voxels of the brain where they do: `used` their positions, values and weights."""

    mask: np.ndarray  # (K, J, I)
    used: np.ndarray  # (N,)
    values: np.ndarray  # (N, V), zero where the weight is
    weights: np.ndarray  # (N, V)

    def voxels_of(self, image: np.ndarray) -> np.ndarray:
        return np.asarray(image, np.float64)[self.mask]

    def mean_of(self, chosen: np.ndarray) -> np.ndarray:
        """The weighted mean (V,); NaN where none of them counts."""
        weight = self.weights[chosen].sum(axis=0)
        total = (self.weights[chosen] * self.values[chosen]).sum(axis=0)
        return np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight > 0)

    def compared(self, image: np.ndarray, chosen: np.ndarray) -> _Compared:
        """A map (V,) of the chosen pairs against all others."""
        others = np.setdiff1d(np.arange(len(self.used)), chosen)
        known = np.isfinite(image)
        weights = self.weights[np.ix_(others, known)]
        apart = weights * (image[known] - self.values[np.ix_(others, known)])
        figures = _jackknife((apart, apart**2, weights, weights**2), _square)
        without = np.full(len(self.used), figures[0])
        without[others] = figures[1:]
        return _Compared(float(figures[0]), without)

    def variance(self) -> _Compared:
        """Of the mean of all, times their number: of one pair, where all weigh the same. Mean over the voxels."""
        w, d = self.weights, self.values
        figures = _jackknife((np.ones_like(w), w, w**2, w * d, w * d**2), _variance)
        return _Compared(float(figures[0]), figures[1:])


def _variance(n: np.ndarray, w: np.ndarray, w2: np.ndarray, wd: np.ndarray, wd2: np.ndarray) -> float:
    """From sums over pairs of 1, weights, their squares, weighted values and their squares."""
    return _mean(n * w2 * (w * wd2 - wd**2), w**2 * (w**2 - w2))


def _square(r: np.ndarray, r2: np.ndarray, w: np.ndarray, w2: np.ndarray) -> float:
    """From sums over pairs of weighted differences, their squares, weights, and their squares."""
    return _mean(r**2 - r2, w**2 - w2)


def _jackknife(parts: Sequence[np.ndarray], figure: Callable[..., float]) -> np.ndarray:
    """A figure of the sums over pairs of some arrays (N, V), then the same without each of the pairs: (1 + N,)."""
    sums = [part.sum(axis=0) for part in parts]
    left_out = ([total - part[i] for total, part in zip(sums, parts, strict=True)] for i in range(len(parts[0])))
    return np.array([figure(*sums), *(figure(*each) for each in left_out)])


def _mean(above: np.ndarray, below: np.ndarray) -> float:
    """The mean over voxels of a ratio, of those where it has a denominator; NaN without any."""
    good = below > 1e-9
    return float(np.mean(above[good] / below[good])) if good.any() else math.nan


def _scan_of(pairs: np.ndarray, inside: np.ndarray, weights: np.ndarray | None) -> _Scan | None:
    """What counts of the pairs in the brain; None where that is too little."""
    weight = np.broadcast_to(np.float64(1.0) if weights is None else weights, pairs.shape)
    counts = weight > 0
    broken = (counts & ~np.isfinite(pairs)).any(axis=0)
    mask = inside & ~broken & (counts.sum(axis=0) >= FEWEST_PAIRS)
    used = np.flatnonzero(counts[:, mask].any(axis=1))
    if len(used) < FEWEST_PAIRS or mask.sum() < FEWEST_VOXELS:
        return None
    weight = weight[:, mask][used].astype(np.float64)
    return _Scan(mask, used, np.where(weight > 0, pairs[:, mask][used], 0.0).astype(np.float64), weight)


def _judged(
    scan: _Scan,
    numbers: Sequence[int],
    denoised: Sequence[Sequence[_Compared]],
    plain: Sequence[Sequence[_Compared]],
    unit: str,
) -> PairsNeeded | None:
    """The figures with their intervals, and the answer with its own; None where one cannot be made of numbers."""
    total, variance = len(scan.used), scan.variance()
    goal = _Compared(variance.square / total, variance.without / total)
    curves = [_curve(numbers, each, goal, total) for each in (denoised, plain)]
    middle, spread = curves[0]
    if not all(np.isfinite(covariance).all() for _, covariance in curves):
        return None
    answers = np.array([crossing(numbers, each[:-1], each[-1]) for each in _replicates(middle, spread, total)])
    low, high = (float(np.percentile(answers, end, method="nearest")) for end in _ENDS)
    needed = crossing(numbers, middle[:-1], middle[-1])
    errors = [_errors(numbers, curve, total) for curve in curves]
    return PairsNeeded(total, unit, variance.square, *errors, needed, low, high)


def _curve(
    numbers: Sequence[int], found: Sequence[Sequence[_Compared]], goal: _Compared, total: int
) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors, a number of pairs each, with the goal last, and their covariance."""
    middle = np.array([*(np.mean([each.square for each in row]) for row in found), goal.square])
    without = np.array([*(np.mean([each.without for each in row], axis=0) for row in found), goal.without])
    apart = without - without.mean(axis=1, keepdims=True)
    covariance = (total - 1) / total * apart @ apart.T
    for k, (n, row) in enumerate(zip(numbers, found, strict=True)):
        independent = min(len(row), total / n)
        covariance[k, k] += np.var([each.square for each in row], ddof=1) / independent
    return middle, covariance


def _errors(numbers: Sequence[int], curve: tuple[np.ndarray, np.ndarray], total: int) -> tuple[MapError, ...]:
    from scipy.stats import t

    middle, covariance = curve
    half = float(t.ppf(_ENDS[1] / 100, total - 1)) * np.sqrt(np.diag(covariance))
    return tuple(
        MapError(n, DRAWS, float(middle[k]), float(middle[k] - half[k]), float(middle[k] + half[k]))
        for k, n in enumerate(numbers)
    )


def _replicates(middle: np.ndarray, covariance: np.ndarray, total: int) -> np.ndarray:
    """What other scans of this kind might give, (replicates, figures): Student's t, as wide as the covariance says."""
    random = np.random.default_rng(_SEED)
    normal = random.multivariate_normal(np.zeros(len(middle)), covariance, _REPLICATES, method="svd")
    return middle + normal * np.sqrt((total - 1) / random.chisquare(total - 1, (_REPLICATES, 1)))


def crossing(numbers: Sequence[int], squares: Sequence[float], goal: float) -> float:
    """The number of pairs from which squared errors stay at or under `goal`, linear in 1 / pairs between those tried.

    The fewest that were tried where all do; infinite where the most do not.

    >>> round(crossing((2, 4, 8), (20.0, 10.0, 5.0), 7.5), 6), crossing((2, 4), (3.0, 2.0), 5.0)
    (5.333333, 2.0)
    >>> crossing((2, 4), (3.0, 2.0), 1.0)
    inf
    """
    above = np.flatnonzero(np.asarray(squares) > goal)
    if not above.size:
        return float(numbers[0])
    k = int(above[-1])
    if k == len(squares) - 1:
        return math.inf
    share = (squares[k] - goal) / (squares[k] - squares[k + 1])
    return float(1 / ((1 - share) / numbers[k] + share / numbers[k + 1]))
