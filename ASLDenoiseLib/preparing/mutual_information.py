"""Two images of one head made ready for alignment by Mattes mutual information (Mattes 2003), with SimpleITK."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Volume
from ..spatial.resampling import average_onto, matrix_of, resample, sitk_transform, to_sitk, with_spacing
from .brain_mask import without_bias

if TYPE_CHECKING:
    import SimpleITK as sitk

_WORKING_SPACING = 2.0  # mm; finer voxels cost time and add no accuracy against ASL voxels of 2-8 mm
_MASK_MARGIN = 8.0  # mm around the given brain mask, so that its edge, the strongest landmark, is compared too
_INTERIOR = 8.0  # mm inside the edge of the brain mask
_BINS = 32
_START_PITCHES = (0.0, -0.25, 0.25)  # rad about the left-right axis: heads are tilted that way first
_REFINED_STARTS = 3
_AMBIGUOUS = 0.05  # a refined start whose mutual information is within this fraction of the best contests it
_DISTINCT = 4.0  # mm between coarse results that are worth refining separately
# Smoothing sigma (mm) and how many voxels of the fixed grid are drawn to compare.
_STAGES = {"coarse": (5.0, 12_000), "middle": (2.0, 24_000), "fine": (1.0, 80_000)}
_AFFINE_DRAWS = 100_000
_AIR = 0.1  # of the brightest tissue: darker is air or bone
_FEWEST_VOXELS = 100


@dataclass(frozen=True)
class ImagePair:
    """Two images made ready: what is compared, where, and about which centre (LPS mm) the head turns.

    Transforms are SimpleITK's, from fixed to moving points; costs are minus mutual information, in nats.
    """

    moving: Mapping[str, sitk.Image]  # by stage, smoothed
    fixed: Mapping[str, sitk.Image]
    fixed_mask: sitk.Image | None
    points: np.ndarray  # (n, 3) LPS mm, a sample of the compared region
    centre: tuple[float, float, float]
    moving_centres: tuple[tuple[float, float, float], ...]
    seed: int

    @classmethod
    def of(cls, moving: Volume, fixed: Volume, fixed_mask: Volume | None, seed: int) -> ImagePair:
        """The pair of two images that `working_copy` made, compared in the mask widened by 8 mm, else everywhere."""
        fixed_region = None if fixed_mask is None else _grown(fixed_mask, fixed, _MASK_MARGIN)
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

    def within(self, mask: Volume, moving: Volume, fixed: Volume) -> ImagePair:
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
        """The header, the centres of geometry and of mass, each at three pitches."""
        shifts = [(0.0, 0.0, 0.0), *(tuple(np.subtract(c, self.centre)) for c in self.moving_centres)]
        for shift in shifts:
            yield from self.pitched(self.rigid(np.eye(3), shift))

    def pitched(self, start: sitk.Euler3DTransform) -> Iterator[sitk.Euler3DTransform]:
        """A start at three pitches."""
        for pitch in _START_PITCHES:
            yield moved_aside(start, pitch=pitch)

    def rigid(self, rotation: np.ndarray, shift: Iterable[float]) -> sitk.Euler3DTransform:
        """A turn (3x3) about the centre and a shift (mm)."""
        import SimpleITK as sitk

        transform = sitk.Euler3DTransform()
        transform.SetCenter(self.centre)
        transform.SetMatrix(np.asarray(rotation, float).ravel().tolist(), 1e-5)
        transform.SetTranslation([float(s) for s in shift])
        return transform

    def rigid_of(self, matrix: np.ndarray) -> sitk.Euler3DTransform:
        """The rigid transform nearest to a 4x4 matrix that takes moving to fixed points (any scaling is left out)."""
        inverse = np.linalg.inv(matrix)
        left, _, right = np.linalg.svd(inverse[:3, :3])
        turn = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
        return self.rigid(turn, inverse[:3, :3] @ self.centre + inverse[:3, 3] - self.centre)

    def best_of(self, starts: Iterable[sitk.Transform]) -> tuple[sitk.Euler3DTransform, float]:
        """The best transform after the coarse and middle stages, and the spread (mm) of those that contest it."""
        coarse = self.ranked(starts, "coarse")
        best, *rivals = self.ranked(self.distinct(coarse), "middle")
        contest = [transform for cost, transform in rivals if cost < (1 - _AMBIGUOUS) * best[0]]
        return best[1], max((self.distance(best[1], each) for each in contest), default=0.0)

    def ranked(self, starts: Iterable[sitk.Transform], stage: str) -> list[tuple[float, sitk.Transform]]:
        """(cost, transform) reached from every start, best first.

        Raises:
            InputError: the images overlap from none.
        """
        found = sorted((self.optimise(start, stage) for start in starts), key=lambda each: each[0])
        if not np.isfinite(found[0][0]):
            raise InputError("The two images do not overlap from any start; check that both are of the same head.")
        return found

    def distinct(self, found: list[tuple[float, sitk.Transform]]) -> list[sitk.Transform]:
        """The best three results that came to different places."""
        chosen = [found[0][1]]
        for cost, transform in found[1:]:
            if len(chosen) == _REFINED_STARTS or not np.isfinite(cost):
                break
            if all(self.distance(transform, other) > _DISTINCT for other in chosen):
                chosen.append(transform)
        return chosen

    def optimise(self, start: sitk.Transform, stage: str) -> tuple[float, sitk.Euler3DTransform]:
        """The cost and the rigid transform reached from `start`."""
        import SimpleITK as sitk

        method = self._method(stage, _STAGES[stage][1])
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

    def optimise_affine(self, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The cost and the 4x4 matrix (moving to fixed points) reached from such a matrix with all twelve freedoms."""
        import SimpleITK as sitk

        inverse = np.linalg.inv(start)
        affine = sitk.AffineTransform(3)
        affine.SetCenter(self.centre)
        affine.SetMatrix(inverse[:3, :3].ravel().tolist())
        affine.SetTranslation((inverse[:3, :3] @ self.centre + inverse[:3, 3] - self.centre).tolist())
        for stage in ("middle", "fine"):
            method = self._method(stage, _AFFINE_DRAWS)
            method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.02, 80, 0.75)
            method.SetOptimizerScalesFromPhysicalShift()
            method.SetInitialTransform(affine, inPlace=True)
            method.Execute(self.fixed[stage], self.moving[stage])
        return method.GetMetricValue(), np.linalg.inv(matrix_of(affine))

    def cost(self, matrix: np.ndarray) -> float:
        """The cost of a 4x4 matrix (moving to fixed points) as it is; infinite where the images hardly overlap."""
        method = self._method("fine", _STAGES["fine"][1])
        method.SetInitialTransform(sitk_transform(np.linalg.inv(matrix)), inPlace=False)
        try:
            return method.MetricEvaluate(self.fixed["fine"], self.moving["fine"])
        except RuntimeError:
            return np.inf

    def distance(self, one: sitk.Transform, other: sitk.Transform) -> float:
        """Mean mm between where two transforms take the compared region."""
        return float(np.linalg.norm(_moved(self.points, one) - _moved(self.points, other), axis=1).mean())

    def coverage(self, transform: sitk.Transform) -> float:
        """Fraction (0..1) of the compared region that lies in the moving image's field of view."""
        moving = self.moving["fine"]
        index_of = np.linalg.inv(_affine(moving))
        moved = _moved(self.points, transform)
        index = moved @ index_of[:3, :3].T + index_of[:3, 3]
        return float(np.mean(np.all((index > -0.5) & (index < np.array(moving.GetSize()) - 0.5), axis=1)))

    def _method(self, stage: str, draws: int) -> sitk.ImageRegistrationMethod:
        import SimpleITK as sitk

        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        if self.fixed_mask is not None:
            method.SetMetricFixedMask(self.fixed_mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        # ITK does not reseed for seed 0 (it takes the clock), so seeds start at 1.
        method.SetMetricSamplingPercentage(min(1.0, draws / self.fixed[stage].GetNumberOfPixels()), self.seed + 1)
        # Threads add in any order, and Powell's searches grow that rounding to hundredths of a millimetre.
        method.SetNumberOfThreads(1)
        method.SetInterpolator(sitk.sitkLinear)
        return method


def working_copy(volume: Volume) -> Volume:
    """No finer than 2 mm, finite, without bias, and with the tails of intensities cut off."""
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


def brain_only(image: Volume, mask: Volume | None) -> Volume:
    """The image with all outside the mask (above 0.5, any grid) as dark as its darkest voxel; None changes nothing.

    Raises:
        InputError: the mask is empty on the image.
    """
    if mask is None:
        return image
    return image.with_array(np.where(_inside(mask, image), image.array, image.array.min()))


def moved_aside(start: sitk.Euler3DTransform, *, up: float = 0.0, pitch: float = 0.0) -> sitk.Euler3DTransform:
    """A rigid transform with `up` mm and `pitch` rad added."""
    import SimpleITK as sitk

    other = sitk.Euler3DTransform(start)
    other.SetRotation(start.GetAngleX() + pitch, start.GetAngleY(), start.GetAngleZ())
    other.SetTranslation(np.add(start.GetTranslation(), (0, 0, up)).tolist())
    return other


def _smoothed(volume: Volume, stage: str) -> sitk.Image:
    """Smoothed for the stage, and for the coarse one thinned out too: ITK makes a gradient image at every start."""
    import SimpleITK as sitk

    image = sitk.DiscreteGaussian(to_sitk(volume), _STAGES[stage][0] ** 2, 32, 0.02)
    return sitk.Shrink(image, [2 if n >= 64 else 1 for n in image.GetSize()]) if stage == "coarse" else image


def _unwrapped(transform: sitk.Transform) -> sitk.Transform:
    import SimpleITK as sitk

    return transform.GetNthTransform(0) if isinstance(transform, sitk.CompositeTransform) else transform


def _inside(mask: Volume, image: Volume) -> np.ndarray:
    inside = resample(mask, image.geometry, interpolation="nearest", outside=0.0).array > 0.5
    if inside.sum() < _FEWEST_VOXELS:
        raise InputError(f"The brain mask {mask.name!r} is empty on the image; give a mask of this image's brain.")
    return inside


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
