"""A preview of the voxels of a series: the brain and the levels in it, which the checks share.

Early and late delays look different, so like is compared with like: volumes and pairs of one delay and label duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..preparing.pairs import pair_members

if TYPE_CHECKING:
    from .inspection import Inspection

_FEWEST_VOXELS = 8
_FEWEST_FREE = 3  # pairs beyond one a delay, for a spread over pairs


@dataclass(frozen=True, eq=False)
class Preview:
    """The brain, and what the volumes are like in it.

    Args:
        brain: boolean (K, J, I), measured in every volume.
        brain_found: whether the brain was found by its shape; else it is what is bright.
        millilitres: the volume of the brain as it was found.
        levels: mean in the brain of each volume, (T,), scanner units.
        differences: the voxels in the brain of each difference image, (N, voxels), control minus label.
        volume_delays: which of the delays each volume has, (T,), counted from 0.
        pair_delays: the same of each difference, (N,).
    """

    brain: np.ndarray
    brain_found: bool
    millilitres: float
    levels: np.ndarray
    differences: np.ndarray
    volume_delays: np.ndarray
    pair_delays: np.ndarray

    @property
    def pair_levels(self) -> np.ndarray:
        """The median in the brain of each difference image, (N,)."""
        return np.median(self.differences, axis=1)

    def centre(self, levels: np.ndarray) -> float:
        """The median of what each pair has, (N,), of several delays the mean of their medians."""
        return float(np.mean([np.median(levels[self.pair_delays == d]) for d in np.unique(self.pair_delays)]))

    def centre_error(self, levels: np.ndarray) -> float | None:
        """The standard error of `centre` under normal noise; None where too few pairs repeat another one's delay.

        From the median absolute deviation of the pairs of each delay from their median.
        """
        count, delays = len(levels), len(np.unique(self.pair_delays))
        if count - delays < _FEWEST_FREE:
            return None
        apart = np.abs(levels - medians_of(levels, self.pair_delays))
        spread = 1.4826 * float(np.median(apart)) * np.sqrt((count - 1) / (count - delays))
        return 1.2533 * spread / np.sqrt(count)


def medians_of(levels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Of each level the median of those in its group; arrays (N, ...) and (N,), gives (N, ...)."""
    medians = np.empty(np.shape(levels))
    for group in np.unique(groups):
        medians[groups == group] = np.nanmedian(levels[groups == group], axis=0)
    return medians


def preview_of(inspection: Inspection) -> Preview | None:
    """The preview of a series, from its brain as it was found; None where no brain can be told from air."""
    series, brain, differences = inspection.series, inspection.brain, inspection.differences
    head = _bright(inspection.reference.array) if brain is None else brain.array > 0
    inside = head & np.isfinite(series.array[series.indices(*series.perfusion)]).all(axis=0)
    if np.count_nonzero(inside) < _FEWEST_VOXELS or differences is None:
        return None
    millilitres = float(np.count_nonzero(head) * series.geometry.voxel_volume / 1000)
    levels = series.array[:, inside].mean(axis=1)
    timings = [series.timing(t) for t in range(len(series.context))]
    numbers = {timing: n for n, timing in enumerate(dict.fromkeys(timings))}
    volumes = np.array([numbers[timing] for timing in timings])
    pairs = volumes[[members[0] for members in pair_members(series)]]
    return Preview(inside, brain is not None, millilitres, levels, differences.array[:, inside], volumes, pairs)


def _bright(values: np.ndarray) -> np.ndarray:
    """All above Otsu's threshold (1979); of an image without contrast, all that was measured."""
    from skimage.filters import threshold_otsu

    finite = values[np.isfinite(values)]
    if not finite.size or not np.ptp(finite) > 0:
        return np.isfinite(values)

    return np.nan_to_num(values) > threshold_otsu(finite)
