"""Rigid registration of the volumes of one kind (all controls, or all labels) to their median.

Volumes of one kind differ by pose, noise and a little gain, so the pose is a least-squares problem (Friston 1995, Human
Brain Mapping 3:165), and Levenberg-Marquardt solves it to a hundredth of a millimetre. SimpleITK's gradient descents
stop short of that: half a degree to two about the weakest axis of a nearly round head. Another contrast, the M0, needs
mutual information, which SimpleITK has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume
from ..spatial.masks import depth
from ..spatial.resampling import matrix_of, resample, to_sitk
from ..spatial.rigid import apply_affine, matrix_from, parameters_of
from .mutual_information import mattes_registration

_MARGIN = 4.0  # mm around the brain that are compared too: its edge is the strongest landmark
_INTERIOR = 6.0  # mm inside the edge of the brain
COARSE, FINE = (6.0, 5_000), (2.0, 30_000)  # SD of the smoothing, mm, and how many voxels are compared
_CONTRAST_SIGMAS = (2.0, 1.0)  # mm
_POINTS = 2000  # places in the brain over which displacements are averaged
_FEWEST_TO_JUDGE = 3  # volumes of a kind, for one to be an outlier among them
_CORRUPTED = 4.0  # times as far from the model as a slice usually is: it says nothing of the pose
_MOST_CORRUPTED = 0.5  # of a volume's slices; beyond, it is the volume that has moved or changed, not its slices
_SMALLEST_SLICE = 30  # voxels
_FEWEST_INTERIOR = 500  # voxels
_FEWEST_COMPARED = 100  # voxels

_Item, _Output = TypeVar("_Item"), TypeVar("_Output")


@dataclass(frozen=True, eq=False)
class ComparedRegion:
    """The region in which images are compared.

    Args:
        geometry: of the images.
        inside: bool (K, J, I), the brain and a margin around it.
        interior: bool (K, J, I), what lies well inside the brain.
        centre: of the brain, LPS mm.
        points: (n, 3), places all over the brain, LPS mm.
    """

    geometry: Geometry
    inside: np.ndarray
    interior: np.ndarray
    centre: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, brain: Volume) -> ComparedRegion:
        """Compare in and around `brain` (0/1)."""
        within, geometry = brain.array > 0.5, brain.geometry
        inside, interior = depth(~within, geometry) <= _MARGIN, depth(within, geometry) > _INTERIOR
        points = apply_affine(geometry.affine_lps, np.argwhere(within)[:, ::-1])
        return cls(geometry, inside, interior, points.mean(axis=0), points[:: max(1, len(points) // _POINTS)])

    def smoothed(self, array: np.ndarray, sigma: float) -> np.ndarray:
        """An array (K, J, I) smoothed by a Gaussian of SD `sigma`, mm; NaN counts as zero."""
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(np.nan_to_num(array).astype(np.float32), sigma / np.array(self.geometry.spacing[::-1]))


@dataclass(frozen=True, eq=False)
class Model:
    """An image (K, J, I) to register volumes to: spline coefficients and gradient (3, K, J, I) after smoothing.

    The model is interpolated, not the volume, whose noise would pull the result towards whole voxels.
    """

    compared: ComparedRegion
    sigma: float
    most: int
    coefficients: np.ndarray
    gradient: np.ndarray
    scale: float

    @classmethod
    def of(cls, image: np.ndarray, compared: ComparedRegion, stage: tuple[float, int]) -> Model:
        """The model of a stage, which is the SD of the smoothing in mm and the most voxels that are compared."""
        from scipy.ndimage import spline_filter

        smooth = compared.smoothed(image, stage[0])
        axes = np.reshape(compared.geometry.direction, (3, 3)) / compared.geometry.spacing
        gradient = np.tensordot(axes, np.stack(np.gradient(smooth)[::-1]), 1).astype(np.float32)
        scale = float(smooth[compared.inside].std())
        return cls(compared, *stage, spline_filter(smooth, order=3, mode="mirror"), gradient, scale)

    def register(
        self, volume: np.ndarray, *, start: np.ndarray | None = None, inside: np.ndarray | None = None
    ) -> np.ndarray:
        """The rigid 4x4 matrix (LPS mm) from points of `volume` (K, J, I) to the same anatomy in the model.

        Least squares over shift, rotation, gain and offset maximise the normalised cross-correlation, so that a mere
        change of intensity moves nothing.

        Args:
            volume: not smoothed; NaN counts as zero.
            start: matrix near the result.
            inside: bool (K, J, I), where to compare; None is the brain and its margin.

        Raises:
            InputError: too little of the volume is left to compare.
        """
        from scipy.ndimage import map_coordinates
        from scipy.optimize import least_squares

        compared, geometry = self.compared, self.compared.geometry
        where = np.argwhere(compared.inside if inside is None else inside)
        if len(where) > self.most:
            where = where[np.random.default_rng(0).permutation(len(where))[: self.most]]
        if len(where) < _FEWEST_COMPARED:
            raise InputError("The brain mask leaves too little to align volumes by; give a mask of the whole brain.")
        value = compared.smoothed(volume, self.sigma)[tuple(where.T)] / self.scale
        places = apply_affine(geometry.affine_lps, where[:, ::-1])
        to_index = np.linalg.inv(geometry.affine_lps)

        def index_in_model(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            index = apply_affine(to_index @ matrix_from(x[:6], compared.centre), places)[:, ::-1].T
            limits = np.array(geometry.shape)[:, None] - 1
            return index, ((index >= 0) & (index <= limits)).all(axis=0)

        def intensities(index: np.ndarray) -> np.ndarray:
            return map_coordinates(self.coefficients, index, order=3, mode="mirror", prefilter=False) / self.scale

        def residual(x: np.ndarray) -> np.ndarray:
            index, known = index_in_model(x)
            return np.where(known, x[6] * intensities(index) + x[7] - value, 0.0)

        def jacobian(x: np.ndarray) -> np.ndarray:
            index, known = index_in_model(x)
            slope = np.stack([map_coordinates(g, index, order=1, mode="nearest") for g in self.gradient], axis=1)
            slope *= x[6] / self.scale
            rates = _rotation_rates(x[:6], compared.centre)
            rotation = [(slope * apply_affine(rate, places)).sum(axis=1) for rate in rates]
            columns = [*slope.T, *rotation, intensities(index), np.ones(len(value))]
            return np.stack(columns, axis=1) * known[:, None]

        pose = np.zeros(6) if start is None else parameters_of(start, compared.centre)
        found = least_squares(residual, [*pose, 1.0, 0.0], jacobian, method="lm", x_scale="jac", ftol=1e-7, xtol=1e-5)
        return matrix_from(found.x[:6], compared.centre)


def align_kind(
    volumes: np.ndarray, compared: ComparedRegion, progress: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Align the volumes (T, K, J, I) of one kind to their median, twice.

    The first median is blurred by the motion itself, the second is of aligned volumes. Slices that differ from it four
    times as much as they usually do are left out, as one slice of another brightness moves the result by tenths of a
    millimetre.

    Returns:
        The median (K, J, I) of the aligned volumes; (T, 4, 4) matrices from volumes to it, LPS mm; bool (T, K), the
        slices left out.
    """
    count = len(volumes)
    blurred = _median(volumes)
    coarse, rough = (Model.of(blurred, compared, stage) for stage in (COARSE, FINE))

    def align(t: int) -> np.ndarray:
        progress((t + 1) / count / 2)
        return rough.register(volumes[t], start=coarse.register(volumes[t]))

    first = in_threads(align, range(count))
    median = _median(in_threads(lambda t: _sampled(volumes[t], compared, first[t]), range(count)))
    expected = in_threads(lambda t: _sampled(median, compared, np.linalg.inv(first[t])), range(count))
    corrupted = _corrupted_slices(volumes - np.stack(expected), compared.inside)
    # What is left out must not leak into its neighbours either, when the volume is smoothed.
    filled = np.where(corrupted[:, :, None, None], expected, volumes)
    model = Model.of(median, compared, FINE)

    def align_again(t: int) -> np.ndarray:
        progress((1 + (t + 1) / count) / 2)
        return model.register(filled[t], start=first[t], inside=compared.inside & ~corrupted[t, :, None, None])

    return median, np.stack(in_threads(align_again, range(count))), corrupted


def align_contrast(image: np.ndarray, model: np.ndarray, compared: ComparedRegion) -> np.ndarray:
    """The 4x4 matrix (LPS mm) from an image of another contrast (K, J, I), the M0, to a model of the controls.

    Mattes mutual information (Mattes 2003) over the whole brain, then on its interior alone and less smoothed: the
    outline of a background-suppressed control is not that of an M0, and on a real 3D GRASE series whose ventricles and
    sulci had not moved it shifted the result by 0.3 to 1.8 mm along z, the more the images were smoothed.

    Raises:
        InputError: nothing of the two overlaps.
    """
    found = np.eye(4)
    for sigma, region in zip(_CONTRAST_SIGMAS, (compared.inside, compared.interior), strict=True):
        if region.sum() >= _FEWEST_INTERIOR:
            found = _most_information(image, model, compared, sigma, region, found)
    return found


def _most_information(
    image: np.ndarray, model: np.ndarray, compared: ComparedRegion, sigma: float, region: np.ndarray, start: np.ndarray
) -> np.ndarray:
    import SimpleITK as sitk

    fixed, moving = (to_sitk(Volume(compared.smoothed(each, sigma), compared.geometry)) for each in (image, model))
    method = mattes_registration(sitk.Cast(to_sitk(Volume(region, compared.geometry)), sitk.sitkUInt8))
    # Gradient descent on mutual information stalls short of the best place; Powell's line searches do not.
    method.SetOptimizerAsPowell(20, 30, 1.0, 0.02, 1e-5)
    transform = sitk.Euler3DTransform(compared.centre.tolist())
    transform.SetMatrix(start[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation(parameters_of(start, compared.centre)[:3].tolist())
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError as failure:
        raise InputError("The M0 and the series do not overlap; give an M0 of the same session.") from failure
    return matrix_of(transform)


def in_threads(function: Callable[[_Item], _Output], items: Iterable[_Item]) -> list[_Output]:
    """`function` of every item, in order, on as many threads as ITK uses; ITK and scipy release Python's lock."""
    from concurrent.futures import ThreadPoolExecutor

    import SimpleITK as sitk

    with ThreadPoolExecutor(sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()) as threads:
        return list(threads.map(function, items))


def _rotation_rates(parameters: np.ndarray, centre: np.ndarray) -> list[np.ndarray]:
    """The derivatives of the 4x4 matrix by the components of the rotation, per degree."""
    step = 1e-3 * np.eye(6)[3:]
    return [(matrix_from(parameters + s, centre) - matrix_from(parameters - s, centre)) / 2e-3 for s in step]


def _sampled(array: np.ndarray, compared: ComparedRegion, matrix: np.ndarray) -> np.ndarray:
    return resample(Volume(array, compared.geometry), compared.geometry, transform=matrix).array


def _median(volumes: Sequence[np.ndarray]) -> np.ndarray:
    """The median (K, J, I) over volumes, NaN ignored; NaN where no volume has a value."""
    from warnings import catch_warnings, simplefilter

    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # of voxels without a value
        return np.nanmedian(np.stack(volumes), axis=0)


def _corrupted_slices(residual: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool (T, K): slices whose residual (T, K, J, I) is far above what the same slice has in most volumes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = inside & np.isfinite(residual)
        size = np.sqrt(np.sum(np.where(counted, residual, 0.0) ** 2, axis=(2, 3)) / counted.sum(axis=(2, 3)))
        size[:, inside.sum(axis=(1, 2)) < _SMALLEST_SLICE] = np.nan
        corrupted = size > _CORRUPTED * np.median(size, axis=0)
    if len(residual) < _FEWEST_TO_JUDGE:
        return np.zeros_like(corrupted)
    return corrupted & (corrupted.mean(axis=1) <= _MOST_CORRUPTED)[:, None]
