"""The M0 volumes of a scan as one image: laid on each other, then averaged; what is none of them is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..m0_source import M0Source
from ..remedies import GiveImage
from ..series import PERFUSION, ASLSeries, Geometry, Volume, VolumeType
from ..spatial.agreement import correlation, shared_information
from ..spatial.resampling import resample
from ..spatial.rigid import mean_distance
from ..spatial.rigid_fit import COARSE, FINE, ComparedRegion, Model

STILL = 0.5  # mm; what lies no farther away is averaged as it was acquired
_DARK = 0.25  # of the brightest volume's level; no two M0 volumes of one head differ so much
_HEAD = 0.2  # of the brightest voxels; what is brighter is head
_UNLIKE = 0.5  # correlation in and around the head, below which a volume does not show the same thing
_FARTHEST = 40.0  # mm; nobody moves farther within the coil, so the fit has failed
_THIN = 4  # slices that a cubic spline needs
_FEWEST = 500  # voxels to lay volumes on each other by


@dataclass(frozen=True, eq=False)
class _Laid:
    """A volume (K, J, I) on the reference, mm it had moved, mm it still lies off, whether it is alike at all."""

    array: np.ndarray
    moved: float = 0.0
    apart: float = 0.0
    alike: bool = True


def combine_m0(
    volumes: np.ndarray, geometry: Geometry, like: np.ndarray | None, *, name: str, numbers: Sequence[int]
) -> tuple[Volume, M0Source]:
    """The mean (K, J, I) of M0 volumes that are laid on each other.

    The volumes are of one contrast and are laid, by rotation and shift, on the one that agrees best with the series
    (Mattes' mutual information as they lie); a volume within 0.5 mm of it stays as it was acquired. Volumes that are
    blank, darker than a quarter of the brightest, or of something else are left out, and are named.

    Args:
        volumes: (N, K, J, I), scanner units; NaN is not measured.
        like: the mean control or difference (K, J, I) on the same grid; None where there is none.
        name: of the image, for people.
        numbers: of the volumes in their file, from 1.

    Raises:
        InputError: no volume has a positive value.
    """
    levels = np.array([_level(each) for each in volumes])
    if not levels.max() > 0:
        what = f"The M0 of {name} has no positive value in any voxel"
        raise InputError(what, [GiveImage("m0", "give an M0 image of this scan, or its value,")])
    left_out = [
        f"volume {n} is {'blank' if not level > 0 else f'at {level / levels.max():.2f} of the brightest'}"
        for n, level in zip(numbers, levels, strict=True)
        if level < _DARK * levels.max()
    ]
    kept = np.flatnonzero(levels >= _DARK * levels.max())
    if len(kept) == 1:
        only = (numbers[kept[0]],)
        source = M0Source(name, only, (0.0,), (0.0,), (1.0,), tuple(left_out))
        return Volume(volumes[kept[0]], geometry, name="m0"), source
    reference = int(kept[0]) if like is None else max(kept, key=lambda n: shared_information(volumes[n], like))
    laid = _laid_on(volumes[reference], {int(n): volumes[n] for n in kept}, geometry)
    left_out += [f"volume {numbers[n]} shows something else" for n in kept if not laid[n].alike]
    used = [n for n in kept if laid[n].alike]
    source = M0Source(
        name,
        tuple(numbers[n] for n in used),
        tuple(round(laid[n].moved, 2) for n in used),
        tuple(round(laid[n].apart, 2) for n in used),
        tuple(round(float(levels[n] / levels[used].max()), 3) for n in used),
        tuple(left_out),
    )
    return Volume(_mean([laid[n].array for n in used]), geometry, name="m0"), source


def included_m0(series: ASLSeries) -> ASLSeries:
    """The series with the mean of its ``m0scan`` volumes as its M0; as it is where it has none."""
    indices = series.indices(VolumeType.M0SCAN)
    if not indices:
        return series
    numbers, like = [n + 1 for n in indices], mean_of_series(series.array, series.context)
    m0, source = combine_m0(series.array[indices], series.geometry, like, name=series.name, numbers=numbers)
    return replace(series, m0=m0, m0_source=source)


def mean_of_series(array: np.ndarray, types: Sequence[VolumeType]) -> np.ndarray | None:
    """The mean control (K, J, I), else the mean of labels, of differences or of CBF; None where there is none."""
    for wanted in PERFUSION:
        chosen = [i for i, kind in enumerate(types) if kind is wanted]
        if chosen:
            return array[chosen].mean(axis=0)
    return None


def _level(volume: np.ndarray) -> float:
    """The brightness of what is bright in a volume; 0 where nothing is positive."""
    positive = volume[np.isfinite(volume) & (volume > 0)]
    if not positive.size:
        return 0.0
    top = np.percentile(positive, 99)
    return float(np.median(positive[positive >= _HEAD * top]))


def _laid_on(reference: np.ndarray, volumes: dict[int, np.ndarray], geometry: Geometry) -> dict[int, _Laid]:
    """Every volume where the reference lies; those that lie there already stay as they are."""
    head = np.nan_to_num(reference) > _HEAD * np.percentile(reference[np.isfinite(reference)], 99)
    region = ComparedRegion.of(Volume(head, geometry))
    models = None
    if min(geometry.size) >= _THIN and region.inside.sum() >= _FEWEST and np.ptp(reference[region.inside]) > 0:
        models = [Model.of(reference, region, stage) for stage in (COARSE, FINE)]
    return {n: _laid(each, reference, region, models) for n, each in volumes.items()}


def _laid(volume: np.ndarray, reference: np.ndarray, region: ComparedRegion, models: list[Model] | None) -> _Laid:
    if volume is reference or np.array_equal(volume, reference, equal_nan=True):
        return _Laid(volume)
    if models is None:
        return _Laid(volume)
    before = correlation(volume, reference, region.inside)
    found = _found(volume, reference, region, models)
    moved = mean_distance(found, np.eye(4), region.points)
    if moved <= STILL:
        return _Laid(volume, alike=before >= _UNLIKE)
    as_volume = Volume(volume, region.geometry)
    array = resample(as_volume, region.geometry, transform=found, interpolation="bspline").array
    after = correlation(array, reference, region.inside)
    if moved > _FARTHEST or after <= before:
        return _Laid(volume, moved, moved, alike=before >= _UNLIKE)
    return _Laid(array, moved, 0.0, alike=after >= _UNLIKE)


def _found(volume: np.ndarray, reference: np.ndarray, region: ComparedRegion, models: list[Model]) -> np.ndarray:
    """The best fit from where the volume lies and from where its centre of mass lies on the reference's."""
    shift = np.eye(4)
    shift[:3, 3] = _centre(reference, region.geometry) - _centre(volume, region.geometry)
    fits = []
    for start in (np.eye(4), shift):
        fit = models[1].register(volume, start=models[0].register(volume, start=start))
        there = resample(Volume(volume, region.geometry), region.geometry, transform=fit).array
        fits.append((correlation(there, reference, region.inside), fit))
    return max(fits, key=lambda each: each[0])[1]


def _centre(volume: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Centre of mass, LPS mm."""
    weight = np.clip(np.nan_to_num(volume.astype(np.float64)), 0, None)
    sums = [weight.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in (2, 1, 0)]
    index = [float((s * np.arange(s.size)).sum() / s.sum()) for s in sums]
    return (geometry.affine_lps @ [*index, 1.0])[:3]


def _mean(volumes: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of what was measured; NaN where no volume was."""
    stack = np.stack(volumes)
    measured = np.isfinite(stack)
    if measured.all():
        return stack.mean(axis=0)
    total, count = np.where(measured, stack, 0).sum(axis=0, dtype=np.float64), measured.sum(axis=0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
