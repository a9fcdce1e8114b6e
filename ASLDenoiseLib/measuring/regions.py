"""The figures of a region of a map, each voxel by the fraction that the region fills, and how well its mean is known.

One for run, shell and panel, so that their numbers agree; NumPy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..result.pair_errors import PairErrors
from ..spatial.regions import PlacedRegion

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class RegionFigures:
    """What is measured in a region of one map.

    Args:
        mean: weighted by the fractions, in the unit of the map; NaN where nothing of the region is measured.
        median: likewise weighted: half of what is measured lies below it.
        sd: of the voxels about it, likewise weighted (of the population); NaN for a single voxel.
        voxels: the sum of the fractions on the grid of the map.
        millilitres: of the drawing.
        coverage: share (0..1) of the drawing that lies in voxels which the map has measured.
        error: SD of the mean, from the spread over the pairs; NaN where that is not known.
        deviations: (G,) what each group of pairs moves the mean by; None where that is not known.
    """

    mean: float
    median: float
    sd: float
    voxels: float
    millilitres: float
    coverage: float
    error: float = _NAN
    deviations: np.ndarray | None = None


@dataclass(frozen=True)
class Asymmetry:
    """A region against its mirror image.

    Args:
        mirrored: the mean of the mirrored region.
        index: 100 (region - mirrored) / ((region + mirrored) / 2), %; NaN where the sum is not positive.
        error: its SD, %, from the pairs, which both sides share.
        overlap: share (0..1) of the region that its mirror image lies over: across the midline there is no other side.
    """

    mirrored: float
    index: float
    error: float
    overlap: float


def region_figures(region: PlacedRegion, array: np.ndarray, errors: PairErrors | None = None) -> RegionFigures:
    """The figures of a region in a map (K, J, I) on its grid; NaN voxels are left out.

    The error is the SD of the mean over repetitions of the scan, as the spread of the pairs tells it: each pair (or
    group of pairs) moves the mean by its own share, and these are the independent draws. Noise that voxels share, and
    pairs or slices that were left out, are in it; a bias is not.
    """
    values = np.asarray(array).ravel()[region.index].astype(np.float64)
    measured = np.isfinite(values)
    values, weight = values[measured], region.fraction[measured]
    total, voxels = float(weight.sum()), region.voxels
    drawn = region.millilitres * 1000 / region.geometry.voxel_volume
    coverage = total / max(drawn, 1e-12) if drawn else _NAN
    coverage = 1.0 if abs(coverage - 1) < 1e-6 else coverage
    if not total > 0:
        return RegionFigures(_NAN, _NAN, _NAN, voxels, region.millilitres, coverage)
    mean = float(weight @ values / total)
    sd = float(np.sqrt(weight @ np.square(values - mean) / total)) if len(values) > 1 else _NAN
    moved = None if errors is None else errors.of_mean(region.index[measured], weight / total, region.geometry)
    median = weighted_median(values, weight)
    return RegionFigures(mean, median, sd, voxels, region.millilitres, coverage, spread(moved), moved)


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """The value (of n, finite) below which half of the weight lies; between two where they share it evenly.

    With equal weights it is the median of `numpy`.

    >>> weighted_median(np.array([10.0, 20.0, 60.0]), np.array([1.0, 1.0, 0.5]))
    20.0
    """
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(weight[order])
    half = below[-1] / 2
    at = int(np.searchsorted(below, half * (1 - 1e-12)))
    if at + 1 < len(values) and below[at] <= half * (1 + 1e-12):
        return float(values[at] + values[at + 1]) / 2
    return float(values[at])


def asymmetry(region: PlacedRegion, mirrored: PlacedRegion, one: RegionFigures, other: RegionFigures) -> Asymmetry:
    """A region against its mirror image, by the figures of both in one map."""
    total = one.mean + other.mean
    overlap = np.minimum(region.fraction, _fraction_at(mirrored, region.index)).sum() / max(region.voxels, 1e-12)
    if not total > 0:
        return Asymmetry(other.mean, _NAN, _NAN, float(overlap))
    error = _NAN
    if one.deviations is not None and other.deviations is not None:
        moved = 400 * (other.mean * one.deviations - one.mean * other.deviations) / total**2
        error = spread(moved)
    return Asymmetry(other.mean, 200 * (one.mean - other.mean) / total, error, float(overlap))


def spread(deviations: np.ndarray | None) -> float:
    """SD of a figure that independent draws move by `deviations` (G,); NaN for fewer than three or none.

    With the mean of G equal pairs it is their SD over the square root of G.

    >>> round(spread(np.array([1.0, -1.0, 2.0, -2.0]) / 4), 6)
    0.912871
    """
    moved = 0 if deviations is None else np.count_nonzero(deviations)
    if moved < 3:
        return _NAN
    return float(np.sqrt(moved / (moved - 1) * np.square(deviations).sum()))


def _fraction_at(region: PlacedRegion, index: np.ndarray) -> np.ndarray:
    dense = np.zeros(int(np.prod(region.geometry.size)))
    dense[region.index] = region.fraction
    return dense[index]
