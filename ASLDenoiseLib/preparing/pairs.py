"""Perfusion differences of control and label images, and the choice of pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..remedies import Choose
from ..series import PERFUSION, ASLSeries, VolumeType


def difference_volumes(series: ASLSeries) -> ASLSeries:
    """The perfusion differences of a series, as a series of ``deltam`` (or ``cbf``) volumes (N, K, J, I).

    Pairs and errors are those of `pair_members`.
    """
    members = np.array(pair_members(series))
    if members.shape[1] == 1:
        kind = series.context[members[0, 0]]
        return replace(series, array=series.array[members[:, 0]], context=(kind,) * len(members))
    array = series.array[members[:, 0]] - series.array[members[:, 1]]
    return replace(series, array=array, context=(VolumeType.DELTAM,) * len(members))


def some_pairs(pairs: ASLSeries, positions: np.ndarray) -> ASLSeries:
    """The differences at some positions, in that order."""
    return replace(pairs, array=pairs.array[positions], context=tuple(pairs.context[n] for n in positions))


def pair_members(series: ASLSeries) -> list[tuple[int, ...]]:
    """The positions of each pair's control and label, or of each ``deltam`` or ``cbf`` volume where those are used.

    `ASLSeries.perfusion` says which are.

    The first control is paired with the first label of its delay and label duration, the second with the second; a
    surplus of either is left out. Pairs come in the order of their first volumes.

    Raises:
        InputError: there is no difference.
    """
    timings = dict.fromkeys(series.timing(t) for t in series.indices(*series.perfusion))
    members = []
    for timing in timings:
        alike = ([t for t in series.indices(kind) if series.timing(t) == timing] for kind in series.perfusion)
        members += zip(*alike, strict=False)
    members.sort(key=min)
    if not members:
        raise InputError("The series has no control/label pair and no deltam or cbf volume; correct its aslcontext.")
    return members


def pair_numbers(choice: str | None) -> tuple[range, ...] | None:
    """The pairs of a choice, counted from 1, as ranges in its order; None for all; `InputError` if it cannot be read.

    ``"10"`` is the first ten; otherwise numbers and ranges: ``"11-20"``, ``"1,4,7-9"``, ``"4,"`` (the fourth).

    >>> pair_numbers("10"), pair_numbers("1,7-9")
    ((range(1, 11),), (range(1, 2), range(7, 10)))
    """
    if choice is None:
        return None
    parts = [part.split("-") for part in str(choice).split(",")]
    if len(parts) > 1 and parts[-1] == [""]:
        parts.pop()
    elif len(parts) == len(parts[0]) == 1:
        parts = [["1", *parts[0]]]
    try:
        ranges = tuple(range(int(first), int((rest or [first])[0]) + 1) for first, *rest in parts if len(rest) < 2)
    except ValueError:
        ranges = ()
    if len(ranges) < len(parts) or not all(len(each) and each[0] > 0 for each in ranges):
        raise InputError(
            f"The choice of pairs '{choice}' is not understood",
            [Choose("pairs", text="give a number such as 10, a range such as 1-10 or a list such as 1,4,7-9")],
        )
    return ranges


def chosen_numbers(series: ASLSeries, choice: str | None) -> tuple[int, ...]:
    """The numbers, from 1 and ascending, that the pairs of a choice have in the series; errors as `choose_pairs`."""
    ranges = pair_numbers(choice)
    every = range(1, len(pair_members(series)) + 1)
    return tuple(every) if ranges is None else tuple(sorted({n for each in ranges for n in each}))


def choose_pairs(series: ASLSeries, choice: str | None) -> ASLSeries:
    """The series with all but the chosen pairs (`pair_numbers`) as n/a; volumes keep their places, as delays need.

    Raises:
        InputError: there is no difference, or the choice cannot be read or asks for pairs that are not there.
    """
    members = pair_members(series)
    ranges = pair_numbers(choice)
    if ranges is None:
        return series
    if max(each[-1] for each in ranges) > len(members):
        raise InputError(
            f"The choice of pairs '{choice}' asks for pairs that are not there",
            [Choose("pairs", text=f"choose of 1 to {len(members)}")],
        )
    chosen = {t for each in ranges for n in each for t in members[n - 1]}
    context = tuple(
        kind if t in chosen or kind not in PERFUSION else VolumeType.NOT_AVAILABLE
        for t, kind in enumerate(series.context)
    )
    return replace(series, context=context)
