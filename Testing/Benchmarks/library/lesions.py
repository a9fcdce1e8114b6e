"""What a map does to lesions: the contrast it keeps of those that are there, and those it shows that are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.smoothing import gaussian

RING_GAP = 2.0  # mm left out round a lesion, where partial volume mixes both
RING_WIDTH = 8.0  # mm
FALSE_FWHM = 8.0  # mm: the scale at which a reader sees lesions; single noisy voxels are no lesion
FALSE_SHARE = 0.3  # of grey matter's mean perfusion
FALSE_ML = 0.5  # a ball of 10 mm


def ring_around(lesion: Volume, brain: Volume, *, gap: float = RING_GAP, width: float = RING_WIDTH) -> np.ndarray:
    """Bool (K, J, I): the brain between `gap` and `gap` + `width` mm from a lesion (above 0.5; distances of voxel
    centres)."""
    from scipy.ndimage import distance_transform_edt

    inside = lesion.array > 0.5
    if not inside.any():
        raise InputError("The lesion mask is empty; give one that covers at least a voxel.")
    distance = distance_transform_edt(~inside, sampling=lesion.geometry.spacing[::-1])
    return (distance > gap) & (distance <= gap + width) & (brain.array > 0.5)


def lesion_contrast(array: np.ndarray, lesion: np.ndarray, ring: np.ndarray) -> float:
    """Mean of the lesion minus mean of its ring, in the map's unit; NaN voxels are left out."""
    inner, outer = (np.asarray(array, float)[m] for m in (lesion, ring))
    inner, outer = inner[np.isfinite(inner)], outer[np.isfinite(outer)]
    return float(inner.mean() - outer.mean()) if inner.size and outer.size else float("nan")


def implant_recovery(with_lesion: np.ndarray, without: np.ndarray, implanted: np.ndarray, lesion: np.ndarray) -> float:
    """Sum of f(x + l) - f(x) over the lesion, over that of l: what a method passes on of an implanted lesion.

    The noise of the scan is in both terms and cancels, so a few voxels are enough. 1 is perfect.
    """
    change = np.asarray(with_lesion, float) - np.asarray(without, float)
    where = lesion & np.isfinite(change)
    total = float(np.asarray(implanted, float)[where].sum())
    return float(change[where].sum()) / total if total else float("nan")


@dataclass(frozen=True)
class FalseLesions:
    """Regions a map shows as lesions where the truth has none: how many, and their volume in ml."""

    count: int
    millilitres: float


def false_lesions(
    estimate: Volume,
    truth: Volume,
    brain: Volume,
    level: float,
    *,
    fwhm: float = FALSE_FWHM,
    share: float = FALSE_SHARE,
    least_ml: float = FALSE_ML,
) -> FalseLesions:
    """Count the regions that a reader would take for a lesion and that the truth does not hold.

    The error (estimate minus truth) is smoothed within the brain to the scale of a lesion. A voxel is wrong where that
    exceeds `share` of `level`; a connected region of wrong voxels of one sign (faces, edges, corners) of at least
    `least_ml` is a false lesion.

    Args:
        estimate, truth: maps of one grid and unit; NaN is left out.
        brain: where to look (above 0.5).
        level: what a lesion is a share of: the mean perfusion of grey matter, in the unit of the maps.
        fwhm: mm.
    """
    from scipy.ndimage import label

    if not estimate.geometry.matches(truth.geometry):
        raise InputError("The map and its truth are not on one grid; resample one of them.")
    error = gaussian(estimate.with_array(estimate.array - truth.array), fwhm, mask=brain).array
    error = np.nan_to_num(error)  # outside the brain nothing is wrong
    volume = truth.geometry.voxel_volume / 1000
    sizes: list[float] = []
    for sign in (1, -1):
        regions, count = label(sign * error > share * level, structure=np.ones((3, 3, 3)))
        sizes += [size for size in np.bincount(regions.ravel(), minlength=count + 1)[1:] * volume if size >= least_ml]
    return FalseLesions(len(sizes), float(sum(sizes)))
