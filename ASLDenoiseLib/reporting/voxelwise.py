"""Raw and processed maps voxel by voxel, on the acquired grid, in the masks of the readouts: what figures compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measuring.agreement import Agreement, bland_altman
from ..measuring.masks import grey_matter, white_matter
from ..result import Result
from ..result.maps import RESIDUAL, SUPERRESOLVED, Role, kind_of, named
from ..series import Volume


@dataclass(frozen=True, eq=False)
class SeriesMap:
    """A map on the grid of the series.

    Args:
        volume: the map.
        name: for people, as short as on an axis.
        label: with the pairs that it averages, where maps differ in that.
    """

    volume: Volume
    name: str
    label: str


def raw_map(result: Result) -> SeriesMap:
    """The raw mean."""
    return _series_map(result, result.raw)


def processed_map(result: Result) -> SeriesMap | None:
    """The processed map on the grid of the raw one, or None.

    A super-resolved map is taken as the scanner would have acquired it: the acquired map minus the residual.
    """
    key = result.processed
    if key is None:
        return None
    if key != named(SUPERRESOLVED, result.maps):
        volume = result.maps[key]
        same = volume.geometry.matches(result.maps[result.raw].geometry)
        return _series_map(result, key) if same else None
    residual = named(RESIDUAL, result.maps)
    if residual not in result.maps:
        return None
    source = result.maps[result.on_series]
    volume = source.with_array(source.array - result.maps[residual].array, name="superres")
    pairs, name = result.pairs.get(Role.SUPERRESOLVED), "Super-resolved, averaged back"
    return SeriesMap(volume, name, f"{name} ({pairs})" if pairs else name)


def _series_map(result: Result, key: str) -> SeriesMap:
    return SeriesMap(result.maps[key], kind_of(key, result.maps).label, result.kind(key).label)


def masks_of(result: Result) -> dict[str, np.ndarray]:
    """GM, WM and the run's own regions as bool (K, J, I): the voxels that each fills to more than half."""
    own = {name: region.fractions.array > 0.5 for name, region in result.regions.items()}
    return {"GM": grey_matter(result.tissue), "WM": white_matter(result.tissue), **own}


def gm_agreement(result: Result) -> Agreement | None:
    """Processed against raw in grey matter; None where there is nothing to compare."""
    processed = processed_map(result)
    if processed is None:
        return None
    inside = masks_of(result)["GM"]
    agreement = bland_altman(raw_map(result).volume.array[inside], processed.volume.array[inside])
    return agreement if agreement.count else None
