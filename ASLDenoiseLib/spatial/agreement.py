"""How much two images of one grid have to do with each other: correlation and mutual information."""

from __future__ import annotations

import numpy as np

_BINS = 32
_TAILS = (0.5, 99.5)  # percentiles; hot voxels would squeeze the tissues into a few bins


def correlation(one: np.ndarray, other: np.ndarray, inside: np.ndarray) -> float:
    """Pearson's correlation (-1..1) over voxels of `inside`; NaN counts as zero, 0 where one image is constant."""
    a, b = (np.nan_to_num(each[inside]).astype(np.float64) for each in (one, other))
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def shared_information(one: np.ndarray, other: np.ndarray, inside: np.ndarray | None = None) -> float:
    """Mutual information in nats (Mattes 2003, without its smooth bins) over voxels that both measured; 0 without any.

    `inside` is bool (K, J, I); None is everywhere.
    """
    use = np.isfinite(one) & np.isfinite(other)
    use = use if inside is None else use & inside
    if not use.any():
        return 0.0
    a, b = (np.clip(each[use], *np.percentile(each[use], _TAILS)) for each in (one, other))
    joint = np.histogram2d(a, b, _BINS)[0] / a.size
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / apart[there])).sum())
