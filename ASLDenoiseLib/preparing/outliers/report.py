"""The result of a method: weights, each rejection with its reason, and the mean of what is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ...series import Volume
from .context import LEAST_COVERAGE, OutlierContext

FEWEST_KEPT = 3  # pairs a slice keeps in any case: fewer have no spread to speak of


@dataclass(frozen=True)
class Rejection:
    """One pair, or one slice of it, that a method rejects.

    Args:
        pair: counted from 0.
        slice: counted from 0; None is the whole pair.
        reason: in words.
        value, threshold: in the unit of the reason; NaN where the user decided.
        number: of the pair in the series, from 1; None: `pair` counts all of its pairs.
        by_user: the user took it out.
    """

    pair: int
    slice: int | None
    reason: str
    value: float
    threshold: float
    number: int | None = None
    by_user: bool = False

    @property
    def severity(self) -> float:
        """How far the value lies beyond the threshold, as a ratio of at least 1."""
        high, low = max(self.value, self.threshold), min(self.value, self.threshold)
        return high / low if low > 0 else float("inf")

    @property
    def called(self) -> int:
        """The number of the pair, for people."""
        return self.pair + 1 if self.number is None else self.number

    def __str__(self) -> str:
        where = f"pair {self.called}" + ("" if self.slice is None else f", slice {self.slice + 1}")
        figures = "" if self.by_user else f" ({self.value:.3g} against {self.threshold:.3g})"
        return f"{where}: {self.reason}{figures}"


def rejections_of(flags: np.ndarray, values: np.ndarray, threshold: float | np.ndarray, reason: str) -> list[Rejection]:
    """The rejections of flagged pairs (N,), or slices of pairs (N, K), with the values they were judged by."""
    thresholds, result = np.broadcast_to(threshold, flags.shape), []
    for at in map(tuple, np.argwhere(flags)):
        pair, where = int(at[0]), int(at[1]) if len(at) > 1 else None
        result.append(Rejection(pair, where, reason, float(values[at]), float(thresholds[at])))
    return result


def pairs_above(values: np.ndarray, threshold: float, reason: str) -> list[Rejection]:
    """The rejections of whole pairs whose value (N,) lies above a threshold; NaN does not."""
    return rejections_of(values > threshold, values, threshold, reason)


@dataclass(frozen=True, eq=False)
class OutlierReport:
    """The outcome of one method.

    Args:
        method: its name in `METHODS`.
        weights: (N, K, 1, 1), or (N, K, J, I) of a method that weights voxels; 0 rejected, 1 kept; float32.
        rejections: what was rejected (by a method that weights voxels: what lost much of its weight) and why.
        notes: what the method could not do, or did instead, in words that count pairs and slices from 1.
        mean: the mean difference of what is kept, in the unit of the pairs; NaN where a kept pair was not measured.
        standard_error: of `mean`, from the spread of what is kept, which is a little less than that of the noise; NaN
            in slices that keep fewer than three pairs.
        kept: (K,) pairs in the mean of each slice; of a method that weights voxels, the mean sum of weights.
        put_back: what the method rejected and the user put back into the mean; not among `rejections`.
        found: bool (N, K), what the method rejected before the user decided; None: `flags`.
    """

    method: str
    weights: np.ndarray
    rejections: tuple[Rejection, ...]
    notes: tuple[str, ...]
    mean: Volume
    standard_error: Volume
    kept: np.ndarray
    put_back: tuple[Rejection, ...] = ()
    found: np.ndarray | None = None

    @property
    def flags(self) -> np.ndarray:
        """Bool (N, K): what `rejections` name."""
        return flags_of(self.rejections, self.weights.shape[:2])

    def kinds(self, measured: np.ndarray) -> tuple[tuple[Rejection, ...], tuple[Rejection, ...]]:
        """What the method rejected, and what was not `measured` (bool (N, K)) and is left out by every method.

        What the user took out is neither (`by_user`).
        """
        found = [r for r in self.rejections if not r.by_user]
        absent = tuple(r for r in found if not measured[flags_of([r], measured.shape)].any())
        return tuple(r for r in found if r not in absent), absent

    @property
    def by_user(self) -> tuple[Rejection, ...]:
        """What the user took out."""
        return tuple(r for r in self.rejections if r.by_user)

    @property
    def taken_out(self) -> np.ndarray:
        """Bool (N, K): what `by_user` names."""
        return flags_of(self.by_user, self.weights.shape[:2])

    @property
    def slices_of_pairs(self) -> np.ndarray:
        """(N,) how many slices of each pair were rejected."""
        return self.flags.sum(axis=1)


def fewest_kept(count: int) -> int:
    """Pairs that each slice of `count` keeps: half of them, for a median to hold, and three if there are so many."""
    return min(count, max(FEWEST_KEPT, -(-count // 2)))


def flags_of(rejections: Iterable[Rejection], shape: tuple[int, int]) -> np.ndarray:
    """Bool (N, K): which pairs are rejected in which slices."""
    flags = np.zeros(shape, bool)
    for rejection in rejections:
        flags[rejection.pair, slice(None) if rejection.slice is None else rejection.slice] = True
    return flags


def report_rejections(
    method: str,
    context: OutlierContext,
    rejections: Iterable[Rejection],
    notes: Iterable[str] = (),
    *,
    ranked: bool = False,
) -> OutlierReport:
    """The report of a method that keeps or rejects.

    A slice that would keep fewer than `fewest_kept` of the pairs measured in it keeps them all, or, if `ranked`, takes
    the least severe rejections back until it has so many; a note says so. `ranked` methods judge by how much a pair
    harms the mean, which likeness to the mean map does not say: when spikes dominate the mean, they are most like it.
    A pair that was not measured in a slice is rejected there whatever the method.
    """
    rejections, notes = list(rejections), list(notes)
    measured = context.measured
    flags = flags_of(rejections, measured.shape)
    least = np.array([fewest_kept(n) for n in measured.sum(axis=0)])
    lacking = np.maximum(least - (measured & ~flags).sum(axis=0), 0)
    if lacking.any():
        if ranked:
            flags &= ~_taken_back(rejections, measured & flags, lacking)
        else:
            flags[:, lacking > 0] = False
        rejections = standing(rejections, flags)
        notes.append(
            f"{_slices((lacking > 0) & context.judged, context.judged)} would have kept fewer than half of the pairs, "
            f"or fewer than three: {'the least suspicious of the rejected' if ranked else 'all'} were kept there."
        )
    kept = measured & ~flags
    rejections += unmeasured(context)
    weights = kept.astype(np.float32)[:, :, None, None]
    mean, error = _mean_and_error(context, kept)
    return OutlierReport(method, weights, tuple(rejections), tuple(notes), mean, error, kept.sum(axis=0).astype(float))


def _taken_back(rejections: list[Rejection], rejected: np.ndarray, lacking: np.ndarray) -> np.ndarray:
    """Bool (N, K): of the `rejected` (N, K), as many of the least severe as each slice is `lacking` (K,)."""
    severity = np.zeros(rejected.shape)
    for r in rejections:
        where = (r.pair, slice(None) if r.slice is None else r.slice)
        severity[where] = np.maximum(severity[where], r.severity)
    back = np.zeros(rejected.shape, bool)
    for k in np.flatnonzero(lacking):
        order = np.argsort(np.where(rejected[:, k], severity[:, k], np.inf), kind="stable")
        back[order[: lacking[k]], k] = True
    return back & rejected


def standing(rejections: Iterable[Rejection], flags: np.ndarray) -> list[Rejection]:
    """The rejections that `flags` (N, K) still has; a whole pair that is kept in some slices is split into slices."""
    result = []
    for r in rejections:
        if r.slice is not None:
            result += [r] if flags[r.pair, r.slice] else []
        elif flags[r.pair].all():
            result.append(r)
        else:
            result += [replace(r, slice=int(k)) for k in np.flatnonzero(flags[r.pair])]
    return result


def unmeasured(context: OutlierContext) -> list[Rejection]:
    """The slices of pairs that every method leaves out, since too little of the brain was measured."""
    reason = "too little of the slice's brain was measured, share"
    return rejections_of(~context.measured, context.coverage, LEAST_COVERAGE, reason)


def _slices(chosen: np.ndarray, judged: np.ndarray) -> str:
    numbers = np.flatnonzero(chosen) + 1
    if len(numbers) == judged.sum() > 1:
        return "Every slice"
    return f"{'Slice' if len(numbers) == 1 else 'Slices'} {', '.join(map(str, numbers))}"


def _mean_and_error(context: OutlierContext, kept: np.ndarray) -> tuple[Volume, Volume]:
    """Mean and standard error of the kept pairs, slice by slice."""
    array = context.pairs.array
    mean, error = (np.full(array.shape[1:], np.nan, np.float32) for _ in range(2))
    for k in range(array.shape[1]):
        values = array[kept[:, k], k]
        if len(values):
            mean[k] = values.mean(axis=0)
        if len(values) >= FEWEST_KEPT:
            error[k] = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    geometry = context.pairs.geometry
    return Volume(mean, geometry, name="mean difference"), Volume(error, geometry, name="standard error")
