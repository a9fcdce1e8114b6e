"""Whether what was given as a T1 can be an anatomical image at all, by its values alone; before any long work."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..remedies import GiveImage
from ..series import Volume

_FEWEST_VALUES = 20  # of an image's foreground; a T1 stored in 8 bits has some 100, a map of tissues 3 to 5
_FLAT = 0.6  # of neighbours alike along every axis; label maps of 1 mm reach 0.85, a T1 of 8 bits without noise 0.3
_FOREGROUND = 0.1  # of the span of values: below is air
_MOST_VOXELS = 4_000_000  # looked at to count values
_REMEDIES = (
    GiveImage("t1", "give a T1-weighted image of the head"),
    GiveImage("masks", "give tissue as masks"),
)


def require_image(t1: Volume) -> Volume:
    """The T1 as it is, unless its values are those of a mask or a label map; a second at the most.

    A mask or label map has few values, or is flat: neighbouring voxels are mostly alike along every axis, at edges
    that were interpolated too. Brain-extracted, cropped and coarse images pass; whether the contrast is that of a T1 is
    judged where it is segmented (`t1_contrast`).

    Args:
        t1: (K, J, I), any unit; NaN counts as outside.

    Raises:
        InputError: the image is empty, constant, a mask, or a label map.
    """
    values = t1.array[np.isfinite(t1.array)]
    if not values.size or values.min() == values.max():
        raise InputError("The T1 holds one value throughout, so there is no anatomy in it", _REMEDIES[:1])
    distinct = np.unique(values[:: 1 + values.size // _MOST_VOXELS])
    if len(distinct) <= _FEWEST_VALUES:
        kind = "a mask" if len(distinct) <= 2 else "a label map"
        listed = ", ".join(f"{value:g}" for value in distinct[:6]) + (", ..." if len(distinct) > 6 else "")
        raise InputError(
            f"The T1 is {kind}, not an image: it holds {len(distinct)} different values ({listed})", _REMEDIES
        )
    if (alike := _alike(t1.array)) > _FLAT:
        raise InputError(
            f"The T1 is a mask or a label map, not an image: {alike:.0%} of neighbouring voxels in it are equal",
            _REMEDIES,
        )
    return t1


def _alike(array: np.ndarray) -> float:
    """The share of neighbouring foreground voxels that are equal, along the axis where it is least.

    Slices repeated along one axis by an interpolation are no label map.
    """
    low, high = np.nanmin(array), np.nanpercentile(array, 99)
    inside = array > low + _FOREGROUND * (high - low)  # NaN is not
    shares = []
    for axis in range(array.ndim):
        one, other = (np.moveaxis(a, axis, 0) for a in (array, inside))
        both = other[1:] & other[:-1]
        if both.any():
            shares.append(float(np.mean((one[1:] == one[:-1])[both])))
    return min(shares, default=0.0)
