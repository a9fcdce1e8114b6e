"""Control and label images into perfusion differences, and the choice of which to use."""

from __future__ import annotations

import re

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, VolumeType


def difference_volumes(series: ASLSeries) -> ASLSeries:
    """The perfusion differences of a series, as a series of ``deltam`` (or ``cbf``) volumes (N, K, J, I).

    Each control is paired with its neighbour label, first with first, second with second in order of acquisition;
    what is left over when the counts differ is left out (the doctor reports it). M0, noRF and n/a volumes take no
    part. A series of ``deltam`` or ``cbf`` volumes gives those.

    Raises:
        InputError: nothing to subtract.
    """
    for ready in (VolumeType.CBF, VolumeType.DELTAM):
        indices = series.indices(ready)
        if indices:
            return _of(series, series.array[indices], ready)
    controls, labels = series.indices(VolumeType.CONTROL), series.indices(VolumeType.LABEL)
    n = min(len(controls), len(labels))
    if not n:
        raise InputError("The series has no control/label pair and no deltam or cbf volume; correct its aslcontext.")
    return _of(series, series.array[controls[:n]] - series.array[labels[:n]], VolumeType.DELTAM)


def _of(series: ASLSeries, array: np.ndarray, kind: VolumeType) -> ASLSeries:
    return ASLSeries(
        array, series.geometry, (kind,) * len(array), series.acquisition, series.m0, series.name, series.source
    )


def select_pairs(pairs: ASLSeries, choice: str | None) -> ASLSeries:
    """The chosen pairs: ``"10"`` the first ten, ``"11-20"`` the eleventh to the twentieth, None all.

    Raises:
        InputError: the choice cannot be read or asks for pairs that are not there.
    """
    if choice is None:
        return pairs
    total = len(pairs.context)
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(choice))
    if not match:
        raise InputError(f"--pairs '{choice}' is not understood; give a number such as 10 or a range such as 1-10.")
    first, last = (1, int(match[1])) if match[2] is None else (int(match[1]), int(match[2]))
    if not 1 <= first <= last <= total:
        raise InputError(f"--pairs {choice} asks for pairs that are not there; the series has pairs 1 to {total}.")
    return _of(pairs, pairs.array[first - 1 : last], pairs.context[0])
