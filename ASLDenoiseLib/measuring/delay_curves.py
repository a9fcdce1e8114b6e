"""What regions measured at each delay of a series, beside the curves that were fitted to its voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..result.delay_curves import RegionCurve
from ..series import Tissue, Volume
from ..spatial.regions import PlacedRegion
from .masks import FEWEST_VOXELS, tissue_masks

_FEWEST_PAIRS = 3


@dataclass(frozen=True, eq=False)
class CurveImages:
    """The images that curves of regions are read off, in the unit of CBF, NaN where nothing is known.

    Args:
        measured: (D, K, J, I), the prepared mean of each delay.
        pairs: of each delay (N, K, J, I), what was averaged; NaN where a pair was left out.
        fitted, plain: (D, K, J, I), the curves of the furthest maps, and of the plain fit of `measured`.
        cbf, att: (K, J, I), the furthest maps; `att` in s.
    """

    measured: np.ndarray
    pairs: Sequence[np.ndarray]
    fitted: np.ndarray
    plain: np.ndarray
    cbf: np.ndarray
    att: np.ndarray


def region_curves(images: CurveImages, tissue: Tissue, regions: Mapping[str, PlacedRegion]) -> tuple[RegionCurve, ...]:
    """The curves of grey and white matter, where there is enough of them, and of regions.

    Only voxels that every image knows take part, so that measured and fitted are means of the same.
    """
    known = np.isfinite(images.cbf) & np.isfinite(images.att)
    known &= np.isfinite(np.concatenate([images.measured, images.fitted, images.plain])).all(axis=0)
    found = []
    for name, (mask, _) in tissue_masks(tissue).items():
        if (mask & known).sum() >= FEWEST_VOXELS:
            found.append(_curve(name, PlacedRegion.of(_volume(mask, tissue)), images, known))
    found += [_curve(name, region, images, known) for name, region in regions.items()]
    return tuple(curve for curve in found if curve is not None)


def _volume(mask: np.ndarray, tissue: Tissue) -> Volume:
    return tissue.gm.with_array(mask.astype(np.float32))


def _curve(name: str, region: PlacedRegion, images: CurveImages, known: np.ndarray) -> RegionCurve | None:
    index = region.index[known.ravel()[region.index]]
    weight = region.fraction[known.ravel()[region.index]]
    if not weight.sum() > 0:
        return None
    weight = weight / weight.sum()

    def mean(of: np.ndarray) -> tuple[float, ...]:
        return tuple((of.reshape(len(of), -1)[:, index].astype(np.float64) @ weight).tolist())

    return RegionCurve(
        name,
        mean(images.measured),
        tuple(_error(pairs, index, weight) for pairs in images.pairs),
        mean(images.fitted),
        mean(images.plain),
        mean(images.cbf[None])[0],
        mean(images.att[None])[0],
    )


def _error(pairs: np.ndarray, index: np.ndarray, weight: np.ndarray) -> float:
    """Standard error of a region's mean, from the means of its pairs over what each has measured of it."""
    values = pairs.reshape(len(pairs), -1)[:, index].astype(np.float64)
    there = np.isfinite(values)
    total = there @ weight
    enough = total > 0.5
    if enough.sum() < _FEWEST_PAIRS:
        return float("nan")
    means = (np.where(there, values, 0.0) @ weight)[enough] / total[enough]
    return float(means.std(ddof=1) / np.sqrt(enough.sum()))
