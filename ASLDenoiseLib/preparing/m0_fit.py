"""Whether the M0 fits its series: how much of the brain it covers, and how far from the series it lies.

The brain of the coverage is sought in the series itself, in its controls or its differences: one that is found in the
M0 can only tell where the M0 is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Volume, VolumeType
from ..spatial.agreement import shared_information
from ..spatial.masks import depth, largest_piece, without_holes
from ..spatial.resampling import average_onto, resample, with_spacing
from ..spatial.rigid import matrix_from, mean_distance
from ..spatial.rigid_fit import ComparedRegion
from ..spatial.smoothing import blur
from .brain_mask import brain_mask
from .pairs import difference_volumes
from .realignment import most_information

_WORKING_SPACING = 4.0  # mm
_SIGMA = 3.0  # mm
_OTHER = 5.0  # mm from where it lies; a search from there would end in another place
_FEWEST_SLICES = 4
_FEWEST_VOXELS = 300
_COMPARED = 6_000  # voxels at the least; every second one is left out while so many remain
_DIFFERENCE_FWHM = 8.0  # mm; a mean difference is noise without
_BRIGHT = 0.25  # of the 95th percentile; what is brighter is head, or perfused
_EDGE = 5.0  # mm inside the brain's edge, from where on a hole in the M0 counts: masks differ at their edges
_HARDLY = 0.005  # of the head
_NOISE = 0.1  # of the M0's level in the brain; CBF is not measured below (`quantifying.calibration`)
_STEP = 2.5  # mm and degrees to either side
_HINT = 0.03  # share of the mutual information that none of these gains where the M0 lies as it should
# mm and share of the mutual information by which a place must be better; from Testing/Python/test_m0_fit.py and three
# real series: controls tell 2 mm, but an outline that suppression changes gains up to 0.09; differences tell 4 mm.
_CLEAR = {"controls": (2.0, 0.2), "differences": (4.0, 0.4)}


@dataclass(frozen=True, eq=False)
class M0Position:
    """Where the M0 seems to belong.

    Args:
        matrix: 4x4, LPS mm, points of the M0 to the same anatomy in the series.
        moved: mm, mean over the brain.
        gain: by how much of itself its mutual information with the series grows there.
        by: what it was compared with: ``controls`` or ``differences``.
    """

    matrix: np.ndarray
    moved: float
    gain: float
    by: str

    @property
    def displaced(self) -> bool:
        """Whether the M0 clearly lies elsewhere than the series."""
        least, gain = _CLEAR[self.by]
        return self.moved > least and self.gain > gain


def m0_position(series: ASLSeries, brain: Volume) -> M0Position | None:
    """Compare M0 and mean control, else mean difference, on a grid of 4 mm; None where there is too little to compare.

    Displacements up to 20 mm are found to 1 mm by controls and to 3 mm by differences of good signal; where the
    differences are noisy, as of a tenth of these, the gain stays small and nothing is said.

    Args:
        series: with an M0.
        brain: 0/1 on its grid, found in the M0.
    """
    target, by = _target(series)
    if target is None or min(series.geometry.size) < _FEWEST_SLICES:
        return None
    m0, target = _coarse(series.m0), _coarse(target)
    region = ComparedRegion.of(resample(brain, m0.geometry, interpolation="nearest", outside=0.0))
    inside = region.inside & np.isfinite(m0.array) & np.isfinite(target.array)
    if inside.sum() < _FEWEST_VOXELS or not all(np.ptp(each.array[inside]) > 0 for each in (m0, target)):
        return None
    smooth = m0.with_array(region.smoothed(m0.array, _SIGMA))
    against = region.smoothed(target.array, _SIGMA)

    def information(matrix: np.ndarray) -> float:
        return shared_information(resample(smooth, m0.geometry, transform=matrix).array, against, inside)

    here, starts = information(np.eye(4)), list(_starts(m0, target))
    if all(information(each) <= (1 + _HINT) * here for each in (*_steps(region.centre), *starts)):
        return M0Position(np.eye(4), 0.0, 0.0, by)  # a search takes seconds
    found = []
    for start in starts:
        with suppress(InputError):
            found.append(most_information(m0.array, target.array, region, _SIGMA, inside, start, fewest=_COMPARED))
    best = max(found, key=information, default=np.eye(4))
    gain = information(best) / here - 1 if here > 0 else 0.0
    return M0Position(best, mean_distance(best, np.eye(4), region.points), gain, by)


def series_brain(series: ASLSeries) -> Volume | None:
    """The brain (0/1) by the series alone: in the mean control, else what is perfused; None where none is found."""
    target, by = _target(series)
    if target is None:
        return None
    with suppress(InputError):
        if by == "controls":
            return brain_mask(target)
    bright = _bright(target.array)
    return target.with_array(without_holes(largest_piece(bright)), name="brain") if bright.any() else None


def uncovered(series: ASLSeries) -> float:
    """The share (0..1) of the series' brain where the M0 was not measured: NaN, zero, negative or noise."""
    target, name = _target(series)
    head = target is not None and _bright(target.array)
    missing = ~(series.m0.array > _NOISE * _level(series.m0.array))
    if not np.any(head) or missing[head].mean() <= _HARDLY:  # finding the brain takes seconds
        return 0.0
    brain = series_brain(series)
    if brain is None:
        return 0.0
    within = brain.array > 0
    # the brain of a blurred difference reaches beyond the head's
    core = depth(within, brain.geometry) > _EDGE + (_DIFFERENCE_FWHM / 2 if name == "differences" else 0.0)
    core = core if core.any() else within
    level = _level(series.m0.array[within])
    missing = ~(series.m0.array > _NOISE * level)
    return float(missing[core].mean())


def _target(series: ASLSeries) -> tuple[Volume | None, str]:
    """What the M0 is compared with, and its name."""
    if series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL), "controls"
    with suppress(InputError):
        pairs = difference_volumes(series)
        mean = np.nan_to_num(pairs.array.mean(axis=0, dtype=np.float64), posinf=0, neginf=0)
        return Volume(blur(mean, pairs.geometry.spacing, _DIFFERENCE_FWHM), pairs.geometry), "differences"
    return None, ""


def _coarse(volume: Volume) -> Volume:
    """No finer than 4 mm along any axis."""
    spacing = tuple(max(s, _WORKING_SPACING) for s in volume.geometry.spacing)
    onto = with_spacing(volume.geometry, spacing)
    return volume if onto.size == volume.geometry.size else average_onto(volume, onto)


def _steps(centre: np.ndarray) -> Iterator[np.ndarray]:
    """A step to either side along and about each axis."""
    for axis in range(6):
        for step in (-_STEP, _STEP):
            yield matrix_from(step * np.eye(6)[axis], centre)


def _starts(m0: Volume, target: Volume) -> Iterator[np.ndarray]:
    """As the images lie, and with the centres of what is bright in them on each other."""
    yield np.eye(4)
    one, other = (_bright(each.array) for each in (m0, target))
    if one.any() and other.any():
        start = np.eye(4)
        apart = np.argwhere(other).mean(axis=0)[::-1] - np.argwhere(one).mean(axis=0)[::-1]
        start[:3, 3] = m0.geometry.affine_lps[:3, :3] @ apart
        if np.linalg.norm(start[:3, 3]) > _OTHER:
            yield start


def _bright(array: np.ndarray) -> np.ndarray:
    finite = array[np.isfinite(array)]
    return np.nan_to_num(array) > _BRIGHT * np.percentile(finite, 95) if finite.size else np.zeros(array.shape, bool)


def _level(values: np.ndarray) -> float:
    """The median of what is positive; 0 where nothing is."""
    positive = values[np.isfinite(values) & (values > 0)]
    return float(np.median(positive)) if positive.size else 0.0
