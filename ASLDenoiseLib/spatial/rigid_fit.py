"""Rigid registration of one image to another of the same contrast, by least squares.

Volumes of one kind differ by pose, noise and a little gain, so the pose is a least-squares problem (Friston 1995, Human
Brain Mapping 3:165), and Levenberg-Marquardt solves it to a hundredth of a millimetre. SimpleITK's gradient descents
stop short of that: half a degree to two about the weakest axis of a nearly round head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume
from .masks import depth, widened
from .rigid import apply_affine, matrix_from, parameters_of

_MARGIN = 4.0  # mm around the brain that are compared too: its edge is the strongest landmark
_INTERIOR = 6.0  # mm inside the edge of the brain
COARSE, FINE = (6.0, 5_000), (2.0, 30_000)  # SD of the smoothing, mm, and how many voxels are compared
ROUGH = (2.0, 8_000)  # the same, where the model itself is still blurred
_POINTS = 2000  # places in the brain over which displacements are averaged
_FEWEST_COMPARED = 100  # voxels


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
        inside, interior = widened(within, geometry, _MARGIN), depth(within, geometry) > _INTERIOR
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
        from scipy.optimize import least_squares

        compared = self.compared
        where = chosen_voxels(compared.inside if inside is None else inside, self.most)
        value = compared.smoothed(volume, self.sigma)[tuple(where.T)] / self.scale
        places = apply_affine(compared.geometry.affine_lps, where[:, ::-1])

        def residual(x: np.ndarray) -> np.ndarray:
            index, known = self.index_of(x[:6], places)
            return np.where(known, x[6] * self.intensities(index) + x[7] - value, 0.0)

        def jacobian(x: np.ndarray) -> np.ndarray:
            index, known = self.index_of(x[:6], places)
            return (self.derivatives(x[:6], places, index, gain=x[6]) * known).T

        pose = np.zeros(6) if start is None else parameters_of(start, compared.centre)
        found = least_squares(residual, [*pose, 1.0, 0.0], jacobian, method="lm", x_scale="jac", ftol=1e-7, xtol=1e-5)
        return matrix_from(found.x[:6], compared.centre)

    def index_of(self, pose: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where places (n, 3; LPS mm) of a volume in a pose (6,) lie in the model: (3, n) k, j, i; bool (n,), whether
        that is in it."""
        geometry = self.compared.geometry
        index = index_in(geometry, matrix_from(pose, self.compared.centre), places)
        limits = np.array(geometry.shape)[:, None] - 1
        return index, ((index >= 0) & (index <= limits)).all(axis=0)

    def intensities(self, index: np.ndarray) -> np.ndarray:
        """The model's values (n,) at places (3, n) k, j, i, in units of its scale, by a cubic spline."""
        from scipy.ndimage import map_coordinates

        return map_coordinates(self.coefficients, index, order=3, mode="mirror", prefilter=False) / self.scale

    def derivatives(self, pose: np.ndarray, places: np.ndarray, index: np.ndarray, *, gain: float = 1.0) -> np.ndarray:
        """Derivatives (8, n) of `gain` times the intensities at `index` by shift (mm), rotation (degrees), the gain
        and an offset, for places (n, 3; LPS mm) of a volume in a pose (6,)."""
        from scipy.ndimage import map_coordinates

        slope = [map_coordinates(each, index, order=1, mode="nearest") for each in self.gradient]
        slope = np.stack(slope, axis=1) / self.scale * gain
        rates = _rotation_rates(pose, self.compared.centre)
        rotation = [(slope * apply_affine(rate, places)).sum(axis=1) for rate in rates]
        return np.stack([*slope.T, *rotation, self.intensities(index), np.ones(len(places))])


def index_in(geometry: Geometry, matrix: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where a 4x4 matrix (LPS mm) takes places (n, 3) in a grid: (3, n) k, j, i."""
    return apply_affine(np.linalg.inv(geometry.affine_lps) @ matrix, places)[:, ::-1].T


def chosen_voxels(inside: np.ndarray, most: int) -> np.ndarray:
    """The voxels (n, 3) k, j, i of a region (bool; K, J, I), or `most` of them at random, always the same.

    Raises:
        InputError: there are too few.
    """
    where = np.argwhere(inside)
    if len(where) < _FEWEST_COMPARED:
        raise InputError("The brain mask leaves too little to align volumes by; give a mask of the whole brain.")
    if len(where) > most:
        where = where[np.sort(np.random.default_rng(0).permutation(len(where))[:most])]
    return where


def _rotation_rates(parameters: np.ndarray, centre: np.ndarray) -> list[np.ndarray]:
    """The derivatives of the 4x4 matrix by the components of the rotation, per degree."""
    step = 1e-3 * np.eye(6)[3:]
    return [(matrix_from(parameters + s, centre) - matrix_from(parameters - s, centre)) / 2e-3 for s in step]
