"""A preview of the voxels of a series: the brain and the levels in it, which the checks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .inspection import Inspection

_FEWEST_VOXELS = 8


@dataclass(frozen=True, eq=False)
class Preview:
    """The brain, and what the volumes are like in it.

    Args:
        brain: boolean (K, J, I), measured in every volume.
        brain_found: whether the brain was found by its shape; else it is what is bright.
        millilitres: the volume of the brain as it was found.
        levels: mean in the brain of each volume, (T,), scanner units.
        differences: the voxels in the brain of each difference image, (N, voxels), control minus label.
    """

    brain: np.ndarray
    brain_found: bool
    millilitres: float
    levels: np.ndarray
    differences: np.ndarray

    @property
    def pair_levels(self) -> np.ndarray:
        """The median in the brain of each difference image, (N,)."""
        return np.median(self.differences, axis=1)


def preview_of(inspection: Inspection) -> Preview | None:
    """The preview of a series, from its brain as it was found; None where no brain can be told from air."""
    series, brain, differences = inspection.series, inspection.brain, inspection.differences
    head = _bright(inspection.reference.array) if brain is None else brain.array > 0
    inside = head & np.isfinite(series.array[series.indices(*series.perfusion)]).all(axis=0)
    if np.count_nonzero(inside) < _FEWEST_VOXELS or differences is None:
        return None
    millilitres = float(np.count_nonzero(head) * series.geometry.voxel_volume / 1000)
    levels = series.array[:, inside].mean(axis=1)
    return Preview(inside, brain is not None, millilitres, levels, differences.array[:, inside])


def _bright(values: np.ndarray) -> np.ndarray:
    """All above Otsu's threshold (1979); of an image without contrast, all that was measured."""
    from skimage.filters import threshold_otsu

    finite = values[np.isfinite(values)]
    if not finite.size or not np.ptp(finite) > 0:
        return np.isfinite(values)

    return np.nan_to_num(values) > threshold_otsu(finite)
