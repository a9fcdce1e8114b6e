"""Regions of interest, brought onto the grid of a series."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume
from .resampling import average_onto


def regions_on(
    onto: Geometry, masks: Mapping[str, Volume], *, transform: np.ndarray | None = None
) -> dict[str, Volume]:
    """Masks (any grid, above zero inside) as 0/1 masks on `onto`: a voxel belongs where the region fills half of it.

    Args:
        onto: the grid of the series.
        masks: by name.
        transform: 4x4 LPS, from the masks' space to the series'; None when they share one.

    Raises:
        InputError: a region does not reach the series.
    """
    regions = {}
    for name, mask in masks.items():
        binary = mask.with_array(np.nan_to_num(mask.array) > 0)
        fraction = average_onto(binary, onto, transform=transform, outside=0.0)
        if not (fraction.array >= 0.5).any():
            raise InputError(f"The region '{name}' fills no voxel of the series; check that they are of one space.")
        regions[name] = fraction.with_array(fraction.array >= 0.5, name=name)
    return regions
