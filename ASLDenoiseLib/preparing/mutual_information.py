"""Two images of one head prepared for alignment by Mattes mutual information (Mattes 2003), with SimpleITK."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Volume
from ..spatial.masks import depth, widened
from ..spatial.resampling import average_onto, from_sitk, matrix_of, resample, sitk_transform, to_sitk, with_spacing
from ..spatial.rigid import apply_affine
from ..spatial.threads import in_threads
from .brain_mask import correct_bias

if TYPE_CHECKING:
    import SimpleITK as sitk

_WORKING_SPACING = 2.0  # mm; finer voxels cost time and add no accuracy against ASL voxels of 2-8 mm
_MASK_MARGIN = 8.0  # mm around the given brain mask, so that its edge, the strongest landmark, is compared too
_INTERIOR = 8.0  # mm inside the edge of the brain mask
_BINS = 32
_POINTS = 2000  # of the compared region, over which distances are averaged
_START_PITCHES = (0.0, -0.25, 0.25)  # rad about the left-right axis: heads are tilted that way first
_REFINED_STARTS = 3
_AMBIGUOUS = 0.05  # a refined start whose mutual information is within this fraction of the best is a rival
_DISTINCT = 4.0  # mm between coarse results that are worth refining separately
# Smoothing sigma (mm) and how many voxels of the fixed grid are drawn to compare.
_STAGES = {"coarse": (5.0, 12_000), "middle": (2.0, 24_000), "fine": (1.0, 80_000)}
_REFINED = ("middle", "fine")
_AFFINE_DRAWS = 100_000
_AIR = 0.1  # of the brightest tissue: darker is air or bone
_FEWEST_VOXELS = 100


@dataclass(frozen=True)
class ImagePair:
    """Two images to align, and the region in which they are compared.

    Transforms are SimpleITK's, from fixed to moving points; costs are minus mutual information, in nats.
    """

    moving: Mapping[str, sitk.Image]  # by stage, smoothed
    fixed: Mapping[str, sitk.Image]
    fixed_mask: sitk.Image | None
    points: np.ndarray  # (n, 3) LPS mm, a sample of the compared region
    centre: tuple[float, float, float]  # of rotation, LPS mm
    moving_centres: tuple[tuple[float, float, float], ...]
    seed: int

    @classmethod
    def of(cls, moving: Volume, fixed: Volume, fixed_mask: Volume | None, seed: int) -> ImagePair:
        """The pair of two working copies (`working_copy`), compared in the mask widened by 8 mm, else everywhere."""
        region = None if fixed_mask is None else widened(_inside(fixed_mask, fixed), fixed.geometry, _MASK_MARGIN)
        points = _points(fixed, np.argwhere(np.ones(fixed.array.shape, bool) if region is None else region))
        middle = _points(moving, (np.array([moving.array.shape]) - 1) / 2)[0]
        return cls(
            _smoothed(moving),
            _smoothed(fixed),
            None if region is None else _mask_image(region, fixed),
            points[:: max(1, len(points) // _POINTS)],
            _mass_centre(fixed) if region is None else tuple(points.mean(axis=0)),
            (tuple(middle), _mass_centre(moving)),
            seed,
        )

    def within(self, mask: Volume, moving: Volume, fixed: Volume) -> ImagePair:
        """The same pair with the whole moving image, compared only 8 mm and more inside `mask`; to refine, not to
        begin with."""
        region = depth(_inside(mask, fixed), fixed.geometry) > _INTERIOR
        if region.sum() < _FEWEST_VOXELS:
            return self
        points = _points(fixed, np.argwhere(region))
        points = points[:: max(1, len(points) // _POINTS)]
        return replace(self, moving=_smoothed(moving, _REFINED), fixed_mask=_mask_image(region, fixed), points=points)

    def mirrored(self, plane: float) -> ImagePair:
        """The same pair with the moving image mirrored at the sagittal plane x = `plane`, LPS mm."""
        return replace(self, moving={stage: _reflected(image, plane) for stage, image in self.moving.items()})

    def starts(self) -> Iterator[sitk.Euler3DTransform]:
        """The header, the centres of geometry and of mass, each at three pitches."""
        for place in (self.centre, *self.moving_centres):
            yield from self.pitches(self.rigid(np.eye(3), np.subtract(place, self.centre)))

    def pitches(self, start: sitk.Euler3DTransform) -> Iterator[sitk.Euler3DTransform]:
        """A start at three pitches."""
        return (displaced(start, pitch=pitch) for pitch in _START_PITCHES)

    def rigid(self, rotation: np.ndarray, shift: np.ndarray) -> sitk.Euler3DTransform:
        """A rotation (3x3) about the centre and a shift (mm)."""
        import SimpleITK as sitk

        transform = sitk.Euler3DTransform()
        transform.SetCenter(self.centre)
        transform.SetMatrix(rotation.ravel().tolist(), 1e-5)
        transform.SetTranslation(shift.tolist())
        return transform

    def rigid_of(self, matrix: np.ndarray) -> sitk.Euler3DTransform:
        """The rigid transform nearest to a 4x4 matrix that takes moving to fixed points (any scaling is left out)."""
        inverse = np.linalg.inv(matrix)
        left, _, right = np.linalg.svd(inverse[:3, :3])
        rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
        return self.rigid(rotation, self._shift(inverse))

    def best_of(self, starts: Iterable[sitk.Transform]) -> tuple[sitk.Euler3DTransform, float]:
        """The best transform after the coarse and middle stages, and its distance (mm) to those nearly as good."""
        coarse = self.ranked(starts, "coarse")
        (cost, best), *others = self.ranked(self.distinct(coarse), "middle")
        rivals = [transform for other, transform in others if other < (1 - _AMBIGUOUS) * cost]
        return best, max((self.distance(best, each) for each in rivals), default=0.0)

    def best_start(self) -> np.ndarray:
        """The 4x4 matrix (moving to fixed points) of the best rigid transform from all starts."""
        return np.linalg.inv(matrix_of(self.best_of(self.starts())[0]))

    def ranked(self, starts: Iterable[sitk.Transform], stage: str) -> list[tuple[float, sitk.Transform]]:
        """(cost, transform) reached from every start, best first; `InputError` where the images overlap from none."""
        found = sorted(self.ends(starts, stage), key=lambda each: each[0])
        if not np.isfinite(found[0][0]):
            raise InputError("The two images do not overlap from any start; check that both are of the same head.")
        return found

    def ends(self, starts: Iterable[sitk.Transform], stage: str) -> list[tuple[float, sitk.Euler3DTransform]]:
        """What `optimise` reaches from every start, in order; a search takes one thread, so several go on at once."""
        return in_threads(lambda start: self.optimise(start, stage), list(starts))

    def distinct(self, found: list[tuple[float, sitk.Transform]]) -> list[sitk.Transform]:
        """The best three results more than 4 mm apart."""
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
        found = found.GetNthTransform(0) if isinstance(found, sitk.CompositeTransform) else found
        return method.GetMetricValue(), sitk.Euler3DTransform(found)

    def optimise_affine(self, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The cost and the affine 4x4 matrix (moving to fixed points) reached from such a matrix."""
        import SimpleITK as sitk

        inverse = np.linalg.inv(start)
        affine = sitk.AffineTransform(3)
        affine.SetCenter(self.centre)
        affine.SetMatrix(inverse[:3, :3].ravel().tolist())
        affine.SetTranslation(self._shift(inverse).tolist())
        for stage in _REFINED:
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
        """Mean distance (mm) over the compared region between its points mapped by two transforms."""
        ends = [apply_affine(matrix_of(transform), self.points) for transform in (one, other)]
        return float(np.linalg.norm(ends[0] - ends[1], axis=1).mean())

    def coverage(self, transform: sitk.Transform) -> float:
        """Fraction (0..1) of the compared region that lies in the moving image's field of view."""
        grid = from_sitk(self.moving["fine"]).geometry
        index = apply_affine(np.linalg.inv(grid.affine_lps), apply_affine(matrix_of(transform), self.points))
        return float(np.mean(np.all((index > -0.5) & (index < np.array(grid.size) - 0.5), axis=1)))

    def _shift(self, matrix: np.ndarray) -> np.ndarray:
        """Shift (3,), mm, of the centre by a 4x4 matrix."""
        return matrix[:3, :3] @ self.centre + matrix[:3, 3] - self.centre

    def _method(self, stage: str, draws: int) -> sitk.ImageRegistrationMethod:
        method = mattes_registration(self.fixed_mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        # ITK does not reseed for seed 0 (it takes the clock), so seeds start at 1.
        method.SetMetricSamplingPercentage(min(1.0, draws / self.fixed[stage].GetNumberOfPixels()), self.seed + 1)
        return method


def mattes_registration(fixed_mask: sitk.Image | None) -> sitk.ImageRegistrationMethod:
    """A registration by Mattes mutual information with linear interpolation, compared inside the mask."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    if fixed_mask is not None:
        method.SetMetricFixedMask(fixed_mask)
    method.SetInterpolator(sitk.sitkLinear)
    # Threads add in any order, and Powell's searches grow that rounding to hundredths of a millimetre.
    method.SetNumberOfThreads(1)
    return method


def working_copy(volume: Volume, *, even: bool = False) -> Volume:
    """The image no finer than 2 mm, finite, without bias, and with the tails of intensities cut off.

    `even` says that its bias is taken away already.
    """
    array = np.where(np.isfinite(volume.array), volume.array, 0.0)
    volume = volume.with_array(array)
    spacing = np.array(volume.geometry.spacing)
    if spacing.min() < 0.75 * _WORKING_SPACING:
        coarser = with_spacing(volume.geometry, tuple(np.maximum(spacing, _WORKING_SPACING)))
        volume = average_onto(volume, coarser, outside=0.0)
    # A flat M0 has little contrast but its coils': with the bias left in, mutual information prefers a shift of 50 mm.
    volume = volume if even else correct_bias(volume)
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


def displaced(start: sitk.Euler3DTransform, *, up: float = 0.0, pitch: float = 0.0) -> sitk.Euler3DTransform:
    """A rigid transform with `up` mm and `pitch` rad added."""
    import SimpleITK as sitk

    other = sitk.Euler3DTransform(start)
    other.SetRotation(start.GetAngleX() + pitch, start.GetAngleY(), start.GetAngleZ())
    other.SetTranslation(np.add(start.GetTranslation(), (0, 0, up)).tolist())
    return other


def _smoothed(volume: Volume, stages: Iterable[str] = tuple(_STAGES)) -> dict[str, sitk.Image]:
    """Smoothed for each stage; for the coarse one thinned out too: ITK makes a gradient image at every start."""
    import SimpleITK as sitk

    image = to_sitk(volume)
    images = {stage: sitk.DiscreteGaussian(image, _STAGES[stage][0] ** 2, 32, 0.02) for stage in stages}
    if "coarse" in images:
        images["coarse"] = sitk.Shrink(images["coarse"], [2 if n >= 64 else 1 for n in image.GetSize()])
    return images


def _reflected(image: sitk.Image, plane: float) -> sitk.Image:
    """The same voxels at mirrored places."""
    import SimpleITK as sitk

    x, *others = image.GetOrigin()
    mirrored = sitk.Image(image)
    mirrored.SetOrigin((2 * plane - x, *others))
    mirrored.SetDirection([-d if n < 3 else d for n, d in enumerate(image.GetDirection())])
    return mirrored


def _inside(mask: Volume, image: Volume) -> np.ndarray:
    inside = resample(mask, image.geometry, interpolation="nearest", outside=0.0).array > 0.5
    if inside.sum() < _FEWEST_VOXELS:
        raise InputError(f"The brain mask {mask.name!r} is empty on the image; give a mask of this image's brain.")
    return inside


def _mask_image(region: np.ndarray, on: Volume) -> sitk.Image:
    import SimpleITK as sitk

    return sitk.Cast(to_sitk(on.with_array(region)), sitk.sitkUInt8)


def _mass_centre(volume: Volume) -> tuple[float, float, float]:
    """Centre (LPS mm) of the intensities above the image's minimum."""
    weight = volume.array - volume.array.min()
    sums = [weight.sum(axis=tuple(a for a in range(3) if a != axis), dtype=float) for axis in range(3)]
    index = np.array([[(s * np.arange(s.size)).sum() / s.sum() for s in sums]])
    return tuple(_points(volume, index)[0])


def _points(volume: Volume, index_kji: np.ndarray) -> np.ndarray:
    """LPS mm (n, 3) of voxels (n, 3)."""
    return apply_affine(volume.geometry.affine_lps, index_kji[:, ::-1])
