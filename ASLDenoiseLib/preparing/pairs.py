"""Control and label images into perfusion differences, and the choice of which to use."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, VolumeType

_IN_PAIRS = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM, VolumeType.CBF)


def difference_volumes(series: ASLSeries) -> ASLSeries:
    """The perfusion differences of a series, as a series of ``deltam`` (or ``cbf``) volumes (N, K, J, I).

    Each control is paired with its neighbour label, first with first, second with second in order of acquisition;
    what is left over when the counts differ is left out (the doctor reports it). M0, noRF and n/a volumes take no
    part. A series of ``deltam`` or ``cbf`` volumes gives those.

    Raises:
        InputError: nothing to subtract.
    """
    members = np.array(pair_members(series))
    if members.shape[1] == 1:
        kind = series.context[members[0, 0]]
        return replace(series, array=series.array[members[:, 0]], context=(kind,) * len(members))
    array = series.array[members[:, 0]] - series.array[members[:, 1]]
    return replace(series, array=array, context=(VolumeType.DELTAM,) * len(members))


def pair_members(series: ASLSeries) -> list[tuple[int, ...]]:
    """The positions of each pair's control and label, or of each ready difference, by the rule of `difference_volumes`.

    Raises:
        InputError: nothing to subtract.
    """
    for ready in (VolumeType.CBF, VolumeType.DELTAM):
        if series.indices(ready):
            return [(t,) for t in series.indices(ready)]
    members = list(zip(series.indices(VolumeType.CONTROL), series.indices(VolumeType.LABEL), strict=False))
    if not members:
        raise InputError("The series has no control/label pair and no deltam or cbf volume; correct its aslcontext.")
    return members


def choose_pairs(series: ASLSeries, choice: str | None) -> ASLSeries:
    """The series in which all but the chosen pairs are n/a: ``"10"`` the first ten, ``"11-20"`` a range, None all.

    Volumes keep their places, so that what is known of them (delays, motion) still belongs to them.

    Raises:
        InputError: nothing to subtract, or the choice cannot be read or asks for pairs that are not there.
    """
    members = pair_members(series)
    if choice is None:
        return series
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(choice))
    if not match:
        raise InputError(f"--pairs '{choice}' is not understood; give a number such as 10 or a range such as 1-10.")
    first, last = (1, int(match[1])) if match[2] is None else (int(match[1]), int(match[2]))
    if not 1 <= first <= last <= len(members):
        raise InputError(
            f"--pairs {choice} asks for pairs that are not there; the series has pairs 1 to {len(members)}."
        )
    chosen = {t for pair in members[first - 1 : last] for t in pair}
    context = tuple(
        kind if t in chosen or kind not in _IN_PAIRS else VolumeType.NOT_AVAILABLE
        for t, kind in enumerate(series.context)
    )
    return replace(series, context=context)
