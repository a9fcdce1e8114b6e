"""What each pair moves the mean of the pairs by, small enough to be kept with a result: how well any mean is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import Geometry

MOST_GROUPS = 32  # of neighbouring pairs; more tell an SD hardly better, and cost the scene their size
UNKNOWN = np.iinfo(np.int16).min


@dataclass(frozen=True, eq=False)
class PairErrors:
    """By how much each group of neighbouring pairs moves the mean map, in a box of its grid.

    The sum over the groups is zero; `UNKNOWN` marks voxels that were not kept.

    Args:
        values: int16 (G, k, j, i), in steps of `step`.
        step: in the unit of the map.
        start: (k, j, i) of the box in the grid.
    """

    values: np.ndarray
    step: float
    start: tuple[int, int, int]

    @classmethod
    def of(
        cls, pairs: np.ndarray, weights: np.ndarray | None, within: np.ndarray, *, groups: int = MOST_GROUPS
    ) -> PairErrors | None:
        """Of the weighted mean of pairs; None for fewer than three.

        Args:
            pairs: (N, K, J, I), in the unit of the map.
            weights: (N, K, 1, 1) or (N, K, J, I), as of `preparing.averaging`; None weights all equally.
            within: bool (K, J, I), the voxels to keep.
            groups: at most so many; neighbours share one.
        """
        if len(pairs) < 3 or not within.any():
            return None
        weights = np.ones((len(pairs), 1, 1, 1)) if weights is None else weights
        box, _ = _box(within)
        return cls.of_moves(moves_of_mean(pairs, weights, box), within, groups=groups)

    @classmethod
    def of_moves(cls, moved: np.ndarray, within: np.ndarray, *, groups: int = MOST_GROUPS) -> PairErrors | None:
        """Of what pairs move a map by; None for fewer than three.

        Args:
            moved: (N, k, j, i), in the unit of the map, in the box round `within`; NaN where that is not known.
            within: bool (K, J, I), the voxels to keep.
            groups: at most so many; neighbours share one.
        """
        if len(moved) < 3 or not within.any():
            return None
        box, start = _box(within)
        known = within[box] & np.isfinite(moved).all(axis=0)
        first = np.linspace(0, len(moved), min(groups, len(moved)) + 1).astype(int)[:-1]
        moved = np.where(known, np.add.reduceat(np.where(known, moved, 0.0), first, axis=0), 0.0)
        step = max(float(np.abs(moved).max()) / 32767, 1e-12)
        values = np.where(known, np.round(moved / step), UNKNOWN).astype(np.int16)
        return cls(values, step, start)

    def of_mean(self, index: np.ndarray, weight: np.ndarray, geometry: Geometry) -> np.ndarray | None:
        """(G,) what the groups move the mean of voxels by; None where a tenth or more of its weight is not known.

        Args:
            index: of voxels, in the order of the flattened grid.
            weight: theirs, summing to 1.
            geometry: the grid.
        """
        place = np.array(np.unravel_index(index, geometry.shape)) - np.array(self.start)[:, None]
        size = np.array(self.values.shape[1:])
        inside = np.all((place >= 0) & (place < size[:, None]), axis=0)
        k, j, i = place[:, inside]
        values, weight = self.values[:, k, j, i], weight[inside]
        known = values[0] != UNKNOWN
        share = float(weight[known].sum())
        if not share > 0.9:
            return None
        return values[:, known].astype(np.float64) @ weight[known] * (self.step / share)


def moves_of_mean(pairs: np.ndarray, weights: np.ndarray, box: tuple[slice, ...] = (slice(None),) * 3) -> np.ndarray:
    """What each pair (N, k, j, i) moves the weighted mean of all by, in a box; NaN where there is no mean.

    `weights` are as of `preparing.averaging`.
    """
    share = np.broadcast_to(weights, pairs.shape)[(slice(None), *box)]
    total = share.sum(axis=0, dtype=np.float64)
    counts = np.where(share > 0, np.asarray(pairs)[(slice(None), *box)], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (counts * share).sum(axis=0, dtype=np.float64) / total
        moved = np.where(share > 0, (counts - mean) * (share / total), 0.0)
    return np.where(total > 0, moved, np.nan)


def box_of(within: np.ndarray) -> tuple[slice, slice, slice]:
    """The box round the voxels of a mask, bool (K, J, I)."""
    return _box(within)[0]


def _box(within: np.ndarray) -> tuple[tuple[slice, slice, slice], tuple[int, int, int]]:
    places = np.argwhere(within)
    low, high = places.min(axis=0), places.max(axis=0) + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)), tuple(int(a) for a in low)
