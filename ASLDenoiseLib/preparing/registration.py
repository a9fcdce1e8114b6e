"""Rigid registration of two images of one head, with SimpleITK.

The use in mind is the T1 (moving) to the M0 or mean control (fixed), of the same or another visit, so headers are only
a first guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Volume
from .brain_mask import without_bias
from .resampling import average_onto, matrix_of, resample, to_sitk, with_spacing

if TYPE_CHECKING:
    import SimpleITK as sitk

_WORKING_SPACING = 2.0  # mm; finer voxels cost time and add no accuracy against ASL voxels of 2-8 mm
_MASK_MARGIN = 8.0  # mm around the given brain mask, so that its edge, the strongest landmark, is compared too
_BINS = 32
_START_PITCHES = (0.0, -0.25, 0.25)  # rad about the left-right axis: heads are tilted that way first
_REFINED_STARTS = 3
_ASIDE = ((0.0, 0.0), (5.0, 0.06), (-5.0, -0.06))  # mm up and rad of pitch from which the interior is searched
_INTERIOR = 8.0  # mm inside the edge of the brain mask
_MEETING = 1.5  # mm
_NEAR = 12.0  # mm; further from the first result the interior is not believed
_DISTINCT = 4.0  # mm between coarse results that are worth refining separately
# Smoothing sigma (mm) and how many voxels of the fixed grid are drawn to compare.
_STAGES = {"coarse": (5.0, 12_000), "middle": (2.0, 24_000), "fine": (1.0, 80_000)}
_AFFINE_DRAWS = 100_000
_AMBIGUOUS = 0.05  # a refined start whose mutual information is within this fraction of the best contests it
_AIR = 0.1  # of the brightest tissue: darker is air or bone
_FEWEST_VOXELS = 100
_SPREAD_LIMIT = 3.0  # mm, about one ASL voxel
_COVERAGE_LIMIT = 0.7
_INFORMATION_LIMIT = 0.1  # nats; right alignments of T1 to ASL reach 0.28-0.5, noise 0.05


@dataclass(frozen=True, eq=False)
class RigidRegistration:
    """A rigid alignment and how far it can be believed.

    Args:
        matrix: 4x4, LPS mm, takes a point of the moving image to the same anatomy in the fixed one.
        mutual_information: Mattes mutual information (nats) in the compared region; higher is better, and comparable
            only between alignments of the same two images.
        spread: mm, on average over the compared region, between the best result and the farthest that another start
            reached with a mutual information within 5 % of it; 0 where none did.
        coverage: fraction (0..1) of the compared region that lies in the moving image's field of view.
        warning: empty, or one sentence saying why to look at the alignment before using it.
    """

    matrix: np.ndarray
    mutual_information: float
    spread: float
    coverage: float
    warning: str = ""


def register_rigid(
    moving: Volume,
    fixed: Volume,
    *,
    moving_mask: Volume | None = None,
    fixed_mask: Volume | None = None,
    seed: int = 0,
) -> RigidRegistration:
    """Align `moving` to `fixed` by rotation and translation.

    Mattes mutual information (Mattes 2003), maximised from several starts (header, centres of geometry and of
    mass, each at three pitches) on smoothed images; the best three are refined and must agree. The same input and seed
    give the same matrix to a thousandth of a millimetre.

    With `fixed_mask`, the alignment is then refined on the interior of the brain alone, where ventricles and sulci
    speak and the outline, which a mask that takes in some neck pulls by millimetres, does not. That is believed only if
    searches from different sides end in one place near the first; on a flat image they do not, and the first stays.

    Args:
        moving, fixed: 3D images of the same head, any contrast; NaN counts as zero.
        fixed_mask: the fixed image's brain (above 0.5), on any grid; widened by 8 mm it is the region compared. Give it
            wherever the scan shows neck or eyes.
        moving_mask: the moving image's brain, on any grid; all else in it is then taken for air, so that scalp and
            eyes, which look different in every contrast, cannot pull (they cost 2-3 degrees of pitch on a 3D GRASE M0).
        seed: of the random choice of compared voxels.

    Raises:
        InputError: an image is constant, or a mask is empty.
    """
    _check_contrast(moving, fixed)
    moving, fixed = _working(moving), _working(fixed)
    pair = _Pair.of(_brain_only(moving, moving_mask), fixed, fixed_mask, seed)
    (_, first), spread = _best_of_starts(pair)
    cost, best = pair.optimise(first, "fine")
    if fixed_mask is not None:
        inner = pair.within(fixed_mask, moving, fixed)
        best = _settled_inside(inner, best) or best
    coverage = pair.coverage(best)
    return RigidRegistration(np.linalg.inv(matrix_of(best)), -cost, spread, coverage, _warning(spread, coverage, -cost))


def _settled_inside(inner: _Pair, first: sitk.Euler3DTransform) -> sitk.Euler3DTransform | None:
    """Where searches from around `first` meet, comparing the interior alone; None where they do not meet near it."""
    import SimpleITK as sitk

    ends = []
    for shift, pitch in _ASIDE:
        start = sitk.Euler3DTransform(first)
        angles = np.add((start.GetAngleX(), start.GetAngleY(), start.GetAngleZ()), (pitch, 0, 0))
        start.SetRotation(*(float(a) for a in angles))
        start.SetTranslation(np.add(start.GetTranslation(), (0, 0, shift)).tolist())
        ends.append(inner.optimise(start, "middle"))
    apart = max(inner.distance(ends[0][1], other) for _, other in ends[1:])
    cost, best = min(ends, key=lambda end: end[0])
    if apart > _MEETING or inner.distance(best, first) > _NEAR or not np.isfinite(cost):
        return None
    return inner.optimise(best, "fine")[1]


def _ranked(pair: _Pair, starts: Iterable[sitk.Transform], stage: str) -> list[tuple[float, sitk.Transform]]:
    """(cost, transform) reached from every start, best first."""
    return sorted((pair.optimise(start, stage) for start in starts), key=lambda found: found[0])


def register_affine(
    moving: Volume, fixed: Volume, *, fixed_mask: Volume | None = None, seed: int = 0
) -> tuple[np.ndarray, str]:
    """The affine map that maximises mutual information, from the same starts as `register_rigid`: a head to a template.

    Args and errors as in `register_rigid`.

    Returns:
        4x4, LPS mm, moving to fixed points; and a warning, empty when the rigid starts agreed.
    """
    import SimpleITK as sitk

    _check_contrast(moving, fixed)
    pair = _Pair.of(_working(moving), _working(fixed), fixed_mask, seed)
    (cost, rigid), spread = _best_of_starts(pair)
    affine = sitk.AffineTransform(3)
    affine.SetCenter(pair.centre)
    affine.SetMatrix(rigid.GetMatrix())
    affine.SetTranslation((np.array(rigid.TransformPoint(pair.centre)) - pair.centre).tolist())
    for stage in ("middle", "fine"):
        method = _mattes(pair.fixed[stage], _AFFINE_DRAWS, seed, pair.fixed_mask)
        method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.02, 80, 0.75)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(affine, inPlace=True)
        method.Execute(pair.fixed[stage], pair.moving[stage])
    return np.linalg.inv(matrix_of(affine)), _warning(spread, 1.0, -cost)


def _check_contrast(moving: Volume, fixed: Volume) -> None:
    for each, which in ((moving, "moving"), (fixed, "fixed")):
        if not np.nanmax(each.array, initial=-np.inf) > np.nanmin(each.array, initial=np.inf):
            raise InputError(f"The {which} image has no contrast to align by; give an anatomical image or an M0.")


def _best_of_starts(pair: _Pair) -> tuple[tuple[float, sitk.Euler3DTransform], float]:
    """The best (cost, transform) after the coarse and middle stages, and the spread (mm) of those that contest it."""
    coarse = _ranked(pair, pair.starts(), "coarse")
    best, *rivals = _ranked(pair, _distinct(coarse, pair), "middle")
    contest = [transform for cost, transform in rivals if cost < (1 - _AMBIGUOUS) * best[0]]
    return best, max((pair.distance(best[1], each) for each in contest), default=0.0)


def _warning(spread: float, coverage: float, information: float) -> str:
    if information < _INFORMATION_LIMIT:
        return (
            f"The two images share little information ({information:.2f} nats); check that both are of the same head."
        )
    if spread > _SPREAD_LIMIT:
        return f"Two starts of the registration ended {spread:.0f} mm apart; check the alignment by eye."
    if coverage < _COVERAGE_LIMIT:
        return f"Only {coverage:.0%} of the ASL brain lies in the anatomical image; check the alignment by eye."
    return ""


def _working(volume: Volume) -> Volume:
    """No finer than the working spacing, finite, without bias, and with the tails of intensities cut off."""
    array = np.where(np.isfinite(volume.array), volume.array, 0.0)
    volume = volume.with_array(array)
    spacing = np.array(volume.geometry.spacing)
    if spacing.min() < 0.75 * _WORKING_SPACING:
        coarser = with_spacing(volume.geometry, tuple(np.maximum(spacing, _WORKING_SPACING)))
        volume = average_onto(volume, coarser, outside=0.0)
    # A flat M0 has little contrast but its coils': with the bias left in, mutual information prefers a shift of 50 mm.
    volume = without_bias(volume.with_array(np.clip(volume.array, 0.0, None)))
    # Hot voxels (fat, vessels) would squeeze the tissues into a few histogram bins; noise in air is no tissue at all.
    top = float(np.percentile(volume.array, 99.5))
    return volume.with_array(np.clip(volume.array, _AIR * top, top)) if top > 0 else volume


@dataclass(frozen=True)
class _Pair:
    """Two images made ready: what is compared, where, and about which centre (LPS mm) the head turns."""

    moving: Mapping[str, sitk.Image]  # by stage, smoothed
    fixed: Mapping[str, sitk.Image]
    fixed_mask: sitk.Image | None
    points: np.ndarray  # (n, 3) LPS mm, a sample of the compared region
    centre: tuple[float, float, float]
    moving_centres: tuple[tuple[float, float, float], ...]
    seed: int

    @classmethod
    def of(cls, moving: Volume, fixed: Volume, fixed_mask: Volume | None, seed: int) -> _Pair:
        fixed_region = _widened(fixed_mask, fixed)
        inside = np.ones(fixed.array.shape, bool) if fixed_region is None else fixed_region
        points = _world(fixed, np.argwhere(inside))
        centres = (tuple(_world(moving, np.array([np.array(moving.array.shape) - 1]) / 2)[0]), _mass_centre(moving))
        return cls(
            {stage: _smoothed(moving, stage) for stage in _STAGES},
            {stage: _smoothed(fixed, stage) for stage in _STAGES},
            _mask_image(fixed_region, fixed),
            points[:: max(1, len(points) // 2000)],
            tuple(points.mean(axis=0)) if fixed_region is not None else _mass_centre(fixed),
            centres,
            seed,
        )

    def within(self, mask: Volume, moving: Volume, fixed: Volume) -> _Pair:
        """The same pair, all of the moving image in sight, compared only well inside `mask`."""
        region = _grown(mask, fixed, -_INTERIOR)
        if region.sum() < _FEWEST_VOXELS:
            return self
        points = _world(fixed, np.argwhere(region))
        return replace(
            self,
            moving={stage: _smoothed(moving, stage) for stage in _STAGES},
            fixed_mask=_mask_image(region, fixed),
            points=points[:: max(1, len(points) // 2000)],
        )

    def starts(self) -> Iterator[sitk.Euler3DTransform]:
        import SimpleITK as sitk

        shifts = [(0.0, 0.0, 0.0), *(tuple(np.subtract(c, self.centre)) for c in self.moving_centres)]
        for shift in shifts:
            for pitch in _START_PITCHES:
                yield sitk.Euler3DTransform(self.centre, pitch, 0.0, 0.0, shift)

    def optimise(self, start: sitk.Transform, stage: str) -> tuple[float, sitk.Euler3DTransform]:
        """The cost (minus mutual information) and transform (fixed to moving points) reached from `start`."""
        import SimpleITK as sitk

        method = _mattes(self.fixed[stage], _STAGES[stage][1], self.seed, self.fixed_mask)
        if stage == "coarse":
            method.SetOptimizerAsRegularStepGradientDescent(8.0, 0.5, 30)
        else:
            # Gradient descent stalls 2-3 mm short here, with pitch traded for shift; Powell's line searches do not.
            method.SetOptimizerAsPowell(10, 20, 1.0, 0.05, 1e-4)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(sitk.Euler3DTransform(start), inPlace=False)
        try:
            found = method.Execute(self.fixed[stage], self.moving[stage])
        except RuntimeError:  # the start overlaps too little to be compared: the worst there is
            return np.inf, sitk.Euler3DTransform(start)
        return method.GetMetricValue(), sitk.Euler3DTransform(_unwrapped(found))

    def distance(self, one: sitk.Transform, other: sitk.Transform) -> float:
        """Mean mm between where two transforms take the compared region."""
        return float(np.linalg.norm(_moved(self.points, one) - _moved(self.points, other), axis=1).mean())

    def coverage(self, transform: sitk.Transform) -> float:
        moving = self.moving["fine"]
        index_of = np.linalg.inv(_affine(moving))
        moved = _moved(self.points, transform)
        index = moved @ index_of[:3, :3].T + index_of[:3, 3]
        return float(np.mean(np.all((index > -0.5) & (index < np.array(moving.GetSize()) - 0.5), axis=1)))


def _mattes(fixed: sitk.Image, draws: int, seed: int, fixed_mask: sitk.Image | None) -> sitk.ImageRegistrationMethod:
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    if fixed_mask is not None:
        method.SetMetricFixedMask(fixed_mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    # ITK does not reseed for seed 0 (it takes the clock), so seeds start at 1.
    method.SetMetricSamplingPercentage(min(1.0, draws / fixed.GetNumberOfPixels()), seed + 1)
    # Threads add in any order, and Powell's searches grow that rounding to hundredths of a millimetre.
    method.SetNumberOfThreads(1)
    method.SetInterpolator(sitk.sitkLinear)
    return method


def _smoothed(volume: Volume, stage: str) -> sitk.Image:
    """Smoothed for the stage, and for the coarse one thinned out too: ITK makes a gradient image at every start."""
    import SimpleITK as sitk

    image = sitk.DiscreteGaussian(to_sitk(volume), _STAGES[stage][0] ** 2, 32, 0.02)
    return sitk.Shrink(image, [2 if n >= 64 else 1 for n in image.GetSize()]) if stage == "coarse" else image


def _unwrapped(transform: sitk.Transform) -> sitk.Transform:
    import SimpleITK as sitk

    return transform.GetNthTransform(0) if isinstance(transform, sitk.CompositeTransform) else transform


def _distinct(found: list[tuple[float, sitk.Transform]], pair: _Pair) -> list[sitk.Transform]:
    """The best results that came to different places."""
    if not np.isfinite(found[0][0]):
        raise InputError("The two images do not overlap from any start; check that both are of the same head.")
    chosen = [found[0][1]]
    for cost, transform in found[1:]:
        if len(chosen) == _REFINED_STARTS or not np.isfinite(cost):
            break
        if all(pair.distance(transform, other) > _DISTINCT for other in chosen):
            chosen.append(transform)
    return chosen


def _inside(mask: Volume, image: Volume) -> np.ndarray:
    inside = resample(mask, image.geometry, interpolation="nearest", outside=0.0).array > 0.5
    if inside.sum() < _FEWEST_VOXELS:
        raise InputError(f"The brain mask {mask.name!r} is empty on the image; give a mask of this image's brain.")
    return inside


def _brain_only(image: Volume, mask: Volume | None) -> Volume:
    if mask is None:
        return image
    return image.with_array(np.where(_inside(mask, image), image.array, image.array.min()))


def _widened(mask: Volume | None, image: Volume) -> np.ndarray | None:
    """The brain mask on the image's grid, grown by the margin."""
    return None if mask is None else _grown(mask, image, _MASK_MARGIN)


def _grown(mask: Volume, image: Volume, margin: float) -> np.ndarray:
    """The mask on the image's grid, grown by `margin` mm (shrunk where negative, but not from the ends of the scan)."""
    from scipy.ndimage import distance_transform_edt

    inside, sampling = _inside(mask, image), image.geometry.spacing[::-1]
    if margin >= 0:
        return distance_transform_edt(~inside, sampling=sampling) <= margin
    beyond = np.pad(inside, 1, mode="edge")
    return distance_transform_edt(beyond, sampling=sampling)[1:-1, 1:-1, 1:-1] > -margin


def _mask_image(region: np.ndarray | None, on: Volume) -> sitk.Image | None:
    import SimpleITK as sitk

    return None if region is None else sitk.Cast(to_sitk(on.with_array(region)), sitk.sitkUInt8)


def _mass_centre(volume: Volume) -> tuple[float, float, float]:
    """LPS mm, of intensities above the image's minimum."""
    weight = volume.array - volume.array.min()
    sums = [weight.sum(axis=tuple(a for a in range(3) if a != axis), dtype=float) for axis in range(3)]
    index = np.array([[(s * np.arange(s.size)).sum() / s.sum() for s in sums]])
    return tuple(_world(volume, index)[0])


def _world(volume: Volume, index_kji: np.ndarray) -> np.ndarray:
    affine = volume.geometry.affine_lps
    return index_kji[:, ::-1] @ affine[:3, :3].T + affine[:3, 3]


def _moved(points: np.ndarray, transform: sitk.Transform) -> np.ndarray:
    matrix = matrix_of(transform)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _affine(image: sitk.Image) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix
