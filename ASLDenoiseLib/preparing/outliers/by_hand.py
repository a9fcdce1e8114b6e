"""Pairs, and slices of pairs, that the user takes out of the mean or puts back, whatever the method found.

The method judges all pairs first and knows nothing of it, so that to take out one pair changes no verdict on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import InputError
from ...remedies import Choose
from ...series import Volume
from ..averaging import mean_difference, variance_of_mean
from ..places import flags_at, words_of
from .context import OutlierContext
from .report import FEWEST_KEPT, OutlierReport, Rejection, standing

TAKEN_OUT = "taken out by the user"


def decide_by_hand(
    report: OutlierReport,
    context: OutlierContext,
    *,
    numbers: Sequence[int],
    total: int,
    taken_out: str | None = None,
    put_back: str | None = None,
) -> OutlierReport:
    """The report with what the user decided, whose pairs are called by their numbers in the series.

    What was not measured cannot be put back; a note says so.

    Args:
        report: what the method found.
        context: what it was found in.
        numbers: of its pairs in the series, from 1.
        total: pairs of the series.
        taken_out, put_back: as `preparing.places` has it.

    Raises:
        InputError: a text cannot be read or names what is not there, one place is in both, or a slice of the brain
            would keep no pair at all.
    """
    known = {"numbers": numbers, "total": total, "slices": report.weights.shape[1]}
    out = flags_at(taken_out, **known, setting="take-out")
    back = flags_at(put_back, **known, setting="put-back")
    if (out & back).any():
        what = f"The places {words_of(out & back, numbers)} are taken out and put back at once"
        either = [Choose(name, text="name them in one of the two") for name in ("take-out", "put-back")]
        raise InputError(what, either)
    report = _numbered(report, numbers)
    if not (out.any() or back.any()):
        return report
    absent = back & report.flags & ~context.measured
    notes = [*report.notes]
    if absent.any():
        notes.append(f"{words_of(absent, numbers)} cannot be put back: too little of the brain was measured there.")
    back &= report.flags & context.measured
    kept_by_method = report.flags & ~back & ~out
    overruled = standing(report.rejections, back)
    rejections = [*standing(report.rejections, kept_by_method), *_taken(out, numbers)]
    weights = np.array(report.weights)
    weights[back], weights[out] = 1.0, 0.0
    _require_kept(weights, context)
    mean, error = _mean_and_error(context, weights)
    return replace(
        report,
        weights=weights,
        rejections=tuple(rejections),
        notes=tuple(notes),
        mean=mean,
        standard_error=error,
        kept=_kept(weights, context),
        put_back=tuple(overruled),
        found=report.flags,
    )


def _numbered(report: OutlierReport, numbers: Sequence[int]) -> OutlierReport:
    """Every rejection with the number that its pair has in the series."""
    return replace(report, rejections=tuple(replace(r, number=int(numbers[r.pair])) for r in report.rejections))


def _taken(out: np.ndarray, numbers: Sequence[int]) -> list[Rejection]:
    """A rejection for each pair, or slice of a pair, of `out` (N, K)."""
    found = []
    for n, row in enumerate(out):
        where = [None] if row.all() else [int(k) for k in np.flatnonzero(row)]
        nan = float("nan")
        found += [Rejection(n, k, TAKEN_OUT, nan, nan, number=int(numbers[n]), by_user=True) for k in where]
    return found


def _require_kept(weights: np.ndarray, context: OutlierContext) -> None:
    """A slice of the brain keeps a pair, if any was measured there."""
    kept = (weights.reshape(*weights.shape[:2], -1).max(axis=2) > 0) & context.measured
    bare = context.inside.any(axis=(1, 2)) & context.measured.any(axis=0) & ~kept.any(axis=0)
    if bare.any():
        first = int(np.flatnonzero(bare)[0]) + 1
        what = f"No pair is left in {int(bare.sum())} slices of the brain, of which {first} is the first"
        raise InputError(what, [Choose("take-out", text="leave a pair in every slice")])


def _kept(weights: np.ndarray, context: OutlierContext) -> np.ndarray:
    """(K,) as `OutlierReport.kept`: pairs in each slice, or the mean sum of weights over its brain."""
    if weights.shape[2:] == (1, 1):
        return weights[:, :, 0, 0].sum(axis=0).astype(float)
    brain = np.maximum(context.solid.sum(axis=(1, 2)), 1)
    by_slice = np.where(context.solid, weights, 0).sum(axis=(2, 3)) / brain
    return np.where(context.judged, by_slice.sum(axis=0), (weights.max(axis=(2, 3)) > 0).sum(axis=0)).astype(float)


def _mean_and_error(context: OutlierContext, weights: np.ndarray) -> tuple[Volume, Volume]:
    """Mean and standard error, the latter only where three pairs or more are kept."""
    mean = mean_difference(context.pairs, weights)
    few = (weights > 0).sum(axis=0) < FEWEST_KEPT
    error = np.where(few, np.nan, np.sqrt(variance_of_mean(context.pairs.array, weights)))
    return mean, mean.with_array(error, name="standard error")
