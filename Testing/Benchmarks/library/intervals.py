"""Whether a map of standard deviations keeps its word: how often the truth lies within the interval it gives."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ASLDenoiseLib.measuring.masks import measured


def coverage(
    estimate: np.ndarray, deviation: np.ndarray, truth: np.ndarray, mask: np.ndarray, *, level: float = 0.95
) -> float:
    """Share (0..1) of voxels whose truth lies within estimate +- z * deviation, z the normal quantile of `level`.

    An honest map gives `level`; more says its intervals are too wide, less too narrow. NaN with fewer than two voxels.

    Args:
        estimate, deviation, truth: arrays of one shape and unit; voxels that are NaN in one of them are left out.
        mask: where to look.
        level: of the interval, two-sided.
    """
    e, s, t = measured(mask, estimate, deviation, truth)
    if e.size < 2:
        return float("nan")
    return float(np.mean(np.abs(e - t) <= NormalDist().inv_cdf(0.5 + level / 2) * s))
