"""One look at the voxels of a series: the brain and the levels in it that the doctor's checks share."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Volume, VolumeType

PERFUSION = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM, VolumeType.CBF)
_FEWEST_VOXELS = 8
# A brain is found in seconds, and inspecting, mending and inspecting again ask for the same one: by M0, else by series.
_heads: WeakKeyDictionary[Volume | ASLSeries, tuple[np.ndarray, bool]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Preview:
    """What the checks share.

    Args:
        brain: boolean (K, J, I), measured in every volume.
        shaped: whether the brain was found by its shape; else it is what is bright.
        millilitres: the volume of the brain as it was found.
        levels: mean in the brain of each volume, (T,), scanner units.
        differences: the voxels in the brain of each difference image, (N, voxels), control minus label.
    """

    brain: np.ndarray
    shaped: bool
    millilitres: float
    levels: np.ndarray
    differences: np.ndarray

    @property
    def pair_levels(self) -> np.ndarray:
        """The median in the brain of each difference image, (N,)."""
        return np.median(self.differences, axis=1)


def preview_of(series: ASLSeries) -> Preview | None:
    """None where no brain can be told from air."""
    from ..preparing.pairs import difference_volumes

    key = series if series.m0 is None else series.m0
    if key not in _heads:
        _heads[key] = _head(reference_image(series))
    head, shaped = _heads[key]
    millilitres = float(np.count_nonzero(head) * series.geometry.voxel_volume / 1000)
    brain = head & np.isfinite(series.array[series.indices(*PERFUSION)]).all(axis=0)
    if np.count_nonzero(brain) < _FEWEST_VOXELS:
        return None
    pairs = difference_volumes(series)
    return Preview(brain, shaped, millilitres, series.array[:, brain].mean(axis=1), pairs.array[:, brain])


def reference_image(series: ASLSeries) -> Volume:
    """The image the brain is looked for in: M0, else the mean control, else the mean of what there is."""
    if series.m0 is not None:
        return series.m0
    kinds = (VolumeType.CONTROL,) if series.indices(VolumeType.CONTROL) else PERFUSION
    return series.mean(*kinds)


def _head(reference: Volume) -> tuple[np.ndarray, bool]:
    """The brain and True; where its shape cannot be found, all above Otsu's threshold (1979) and False."""
    from ..preparing.brain_mask import brain_mask

    values = reference.array
    finite = values[np.isfinite(values)]
    if not finite.size or not np.ptp(finite) > 0:
        return np.isfinite(values), False
    try:
        return brain_mask(reference).array > 0, True
    except InputError:
        from skimage.filters import threshold_otsu

        return np.nan_to_num(values) > threshold_otsu(finite), False
