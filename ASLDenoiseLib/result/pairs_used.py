"""Which pairs a map is the mean of: raw has all that were acquired, what was made of it those that were kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .maps import Role

if TYPE_CHECKING:
    from . import Result

_OF_KEPT = (Role.PREPARED, Role.PROCESSED, Role.SUPERRESOLVED, Role.COMPARISON)


def left_out(result: Result) -> np.ndarray | None:
    """The fraction of each slice of each pair that is not in the mean, 0..1 (pairs, slices).

    It is 0 where nothing was rejected. None where no outliers were looked for.
    """
    report = result.outliers
    if report is None:
        return None
    lost = 1 - report.weights.reshape(*report.flags.shape, -1).mean(axis=2)
    return np.where(report.flags, lost, 0.0)


def pairs_used(result: Result) -> Mapping[Role, str]:
    """In words, the pairs that maps of each role average; empty where all maps have the same pairs.

    Raw is what was acquired, whatever was left out afterwards: 'all 10 pairs' beside '9 of 10 pairs, 1 in part'. It is
    'all' where the run was not given a choice of pairs.
    """
    lost = left_out(result)
    if lost is None or not lost.any():
        return {}
    share, total = lost.mean(axis=1), len(lost)
    gone = int(np.count_nonzero(share > 1 - 1e-6))
    partly = int(np.count_nonzero(share)) - gone
    every = f"{total} pair{'' if total == 1 else 's'}"
    kept = f"{total - gone} of {every}" if gone else every
    kept += f", {partly} in part" if partly else ""
    raw = f"all {every}" if total == acquired_pairs(result) > 1 else every
    return {Role.RAW: raw, Role.UNCORRECTED: raw, **dict.fromkeys(_OF_KEPT, kept)}


def acquired_pairs(result: Result) -> int:
    """The pairs of the series, or its differences."""
    return min((len(result.series.indices(kind)) for kind in result.series.perfusion), default=0)
