"""The data that outliers are found by: pairs in ml/100g/min, where they are measured, tissue, head motion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import InputError
from ...series import CBF_UNIT, ASLSeries, Tissue, Volume

FEWEST_VOXELS = 10  # of a tissue or a slice, for a figure taken over them to mean anything
LEAST_COVERAGE = 0.5  # of a slice's brain that a pair must have measured to take part in it
NO_MOTION = "Motion is not known: no pair was judged by it."


@dataclass(frozen=True, eq=False)
class PairMotion:
    """Head motion of each pair, mm.

    Args:
        relative: (N,) displacement between control and label of a pair.
        position: (N,) displacement of the pair from the reference.

    Raises:
        InputError: they are not two rows of one length, or not finite.
    """

    relative: np.ndarray
    position: np.ndarray

    def __post_init__(self) -> None:
        for name in ("relative", "position"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        if self.relative.ndim != 1 or self.relative.shape != self.position.shape:
            raise InputError(
                f"Pair motion has shapes {self.relative.shape} and {self.position.shape}; give one number a pair each."
            )
        if not (np.isfinite(self.relative).all() and np.isfinite(self.position).all()):
            raise InputError("Pair motion holds values that are not finite; leave motion out where it is not known.")


@dataclass(frozen=True, eq=False)
class OutlierContext:
    """The pairs of a series with all that a method may judge them by.

    Args:
        pairs: differences (N, K, J, I), scanner units; NaN where not measured.
        factor: (K, J, I) ml/100g/min per unit of a difference (`Quantification.factor`); 1 for pairs that are CBF.
        brain: 0/1 mask.
        tissue: on the same grid, or None.
        motion: of the pairs, or None.
        unit: of a difference times `factor`; another than that of CBF where nothing calibrates the pairs.

    Raises:
        InputError: something is on another grid, or there is not one motion a pair.
    """

    pairs: ASLSeries
    factor: Volume
    brain: Volume
    tissue: Tissue | None = None
    motion: PairMotion | None = None
    unit: str = CBF_UNIT

    def __post_init__(self) -> None:
        grid = self.pairs.geometry
        others = {"CBF factor": self.factor, "brain mask": self.brain}
        if self.tissue is not None:
            others["tissue"] = self.tissue.gm
        for name, other in others.items():
            if not other.geometry.matches(grid):
                raise InputError(f"The {name} is not on the grid of the pairs; resample it to the series first.")
        if self.motion is not None and len(self.motion.relative) != self.count:
            raise InputError(
                f"There are {self.count} pairs but motion of {len(self.motion.relative)}; give one number a pair."
            )

    @property
    def count(self) -> int:
        """Pairs."""
        return len(self.pairs.context)

    @cached_property
    def inside(self) -> np.ndarray:
        """Bool (K, J, I): brain in which CBF can be measured and at least one pair was."""
        measurable = (np.nan_to_num(self.brain.array) > 0.5) & np.isfinite(self.factor.array)
        return measurable & np.isfinite(self.pairs.array).any(axis=0)

    @cached_property
    def coverage(self) -> np.ndarray:
        """(N, K) the fraction of a slice's brain measured in a pair; 1 in slices without brain."""
        brain = self.inside.sum(axis=(1, 2))
        found = (np.isfinite(self.pairs.array) & self.inside).sum(axis=(2, 3))
        return np.where(brain > 0, found / np.maximum(brain, 1), 1.0)

    @cached_property
    def measured(self) -> np.ndarray:
        """Bool (N, K): whether a pair was measured in half of a slice's brain or more, and so takes part in it."""
        return self.coverage >= LEAST_COVERAGE

    @cached_property
    def solid(self) -> np.ndarray:
        """Bool (K, J, I): voxels inside that were measured by every pair that takes part in the slice."""
        finite = np.isfinite(self.pairs.array) | ~self.measured[:, :, None, None]
        return self.inside & finite.all(axis=0) & self.measured.any(axis=0)[:, None, None]

    @cached_property
    def cbf(self) -> np.ndarray:
        """(N, K, J, I) in `unit`, float32; NaN outside `solid` and where a pair was not measured."""
        known = self.solid & self.measured[:, :, None, None]
        with np.errstate(invalid="ignore"):  # of what is left out here
            return np.where(known, self.pairs.array * self.factor.array, np.float32(np.nan))

    @cached_property
    def judged(self) -> np.ndarray:
        """Bool (K,): slices with enough brain to be judged."""
        return self.solid.sum(axis=(1, 2)) >= FEWEST_VOXELS

    def tissue_mask(self, kind: str, above: float) -> np.ndarray | None:
        """Bool (K, J, I): `solid` voxels with more than `above` of ``gm``, ``wm`` or ``csf``; None: too few of them."""
        fraction = None if self.tissue is None else getattr(self.tissue, kind)
        if fraction is None:
            return None
        mask = self.solid & (np.nan_to_num(fraction.array) > above)
        return mask if mask.sum() >= FEWEST_VOXELS else None


def mean_of(values: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The mean (V,) of the rows of `values` (N, V) in `keep` (N,), over those measured; NaN where none is."""
    kept = values[keep]
    finite = np.isfinite(kept)
    total, count = np.where(finite, kept, 0).sum(axis=0, dtype=np.float64), finite.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def row_means(values: np.ndarray) -> np.ndarray:
    """The mean (N,) of each row of `values` (N, V), NaN ignored; NaN for a row of NaN."""
    return mean_of(values.T, np.ones(values.shape[1], bool))


def correlations(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Pearson's r (N,) of each row of `values` (N, V) with `reference` (V,), NaN ignored; NaN where one is constant."""
    result = np.full(len(values), np.nan)
    for n, row in enumerate(values):
        both = np.isfinite(row) & np.isfinite(reference)
        if both.sum() < FEWEST_VOXELS:
            continue
        a, b = row[both].astype(np.float64), reference[both].astype(np.float64)
        a, b = a - a.mean(), b - b.mean()
        size = np.sqrt((a @ a) * (b @ b))
        if size > 0:
            result[n] = a @ b / size
    return result
