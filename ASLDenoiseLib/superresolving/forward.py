"""How a fine map becomes an acquired one: the point spread, then the mean over the acquired voxel.

The acquired value of a voxel is y = D H x: H blurs with the point spread of the readout, D averages over the voxel's
box. Along one axis of a grid that shares the acquired axes both are one small matrix with exact integrals of a Gaussian
over fine voxels, so that D H is three matrix products. A grid that lies otherwise (a T1's) is first interpolated
linearly onto an aligned lattice. Every part is linear with an exact adjoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume
from ..spatial.resampling import with_spacing
from ..spatial.smoothing import SD_OF_FWHM

EPI_BLUR = 0.6  # voxels FWHM in plane: T2* decay along the echo train
GRASE_BLUR = 1.2  # voxels FWHM between partitions: T2 decay along the train of refocused echoes (SD 0.5)
_REACH = 4.0  # SDs at which the point spread ends
_LEAST_MEASURED = 0.5  # of a voxel's weight, as in `spatial.resampling.average_onto`


@dataclass(frozen=True)
class PointSpread:
    """A Gaussian point spread: FWHM in mm along the acquired (i, j, k); 0 is none beyond the voxel's box.

    Raises:
        InputError: a width is negative or not finite.
    """

    fwhm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fwhm", tuple(float(w) for w in self.fwhm))
        if len(self.fwhm) != 3 or not all(np.isfinite(w) and w >= 0 for w in self.fwhm):
            raise InputError(f"The point spread {self.fwhm} mm cannot be used; give three widths of zero or more.")


def usual_point_spread(readout: str | None, spacing: Sequence[float]) -> PointSpread:
    """What a readout usually adds to the voxel's box: a choice, not a measurement; give the FWHM where it is known.

    Args:
        readout: ``2D`` (EPI) blurs in plane by 0.6 voxels FWHM; ``3D`` (GRASE) blurs between partitions by 1.2; None or
            any other adds nothing, the cautious choice: deblurring what was not blurred rings.
        spacing: acquired voxel, mm along (i, j, k).
    """
    i, j, k = spacing
    if readout == "2D":
        return PointSpread((EPI_BLUR * i, EPI_BLUR * j, 0.0))
    return PointSpread((0.0, 0.0, GRASE_BLUR * k)) if readout == "3D" else PointSpread()


@dataclass(frozen=True, eq=False)
class Axes:
    """Three matrices applied to a volume along k, j and i; `(n_out, n_in)` each, float32."""

    k: np.ndarray
    j: np.ndarray
    i: np.ndarray

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """(K, J, I) in to (K, J, I) out; leading axes are kept."""
        array = np.matmul(np.matmul(self.j, array), self.i.T)
        flat = array.reshape(*array.shape[:-2], -1)
        return np.matmul(self.k, flat).reshape(*array.shape[:-3], self.k.shape[0], *array.shape[-2:])

    @property
    def transposed(self) -> Axes:
        """The adjoint."""
        return Axes(*(np.ascontiguousarray(m.T) for m in (self.k, self.j, self.i)))


@dataclass(frozen=True, eq=False)
class AcquisitionModel:
    """D H from a fine grid to the acquired one, where the fine map is measured.

    Args:
        fine, acquired: the grids.
        axes: from the fine grid, or from `lattice` where the fine grid is not aligned, to the acquired grid.
        measured: bool (K, J, I) on the fine grid; values elsewhere are never looked at.
        lattice: the aligned grid between an oblique fine grid and the acquired one, None where the fine is aligned.
        transform: 4x4, LPS mm, points of the fine grid to the acquired space.
    """

    fine: Geometry
    acquired: Geometry
    axes: Axes
    measured: np.ndarray
    lattice: Geometry | None = None
    transform: np.ndarray = field(default_factory=lambda: np.eye(4))

    def __post_init__(self) -> None:
        weight = self._average(self.measured.astype(np.float32))
        scale = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight >= _LEAST_MEASURED)
        object.__setattr__(self, "_scale", scale.astype(np.float32))
        object.__setattr__(self, "_back", self.axes.transposed)

    @property
    def covered(self) -> np.ndarray:
        """Bool (K, J, I) on the acquired grid: at least half of the voxel's weight is measured."""
        return self._scale > 0

    def forward(self, array: np.ndarray) -> np.ndarray:
        """The acquired values (K, J, I) of a fine array; 0 where not `covered`. Unmeasured fine values may be NaN."""
        return self._average(np.where(self.measured, array, 0).astype(np.float32)) * self._scale

    def adjoint(self, array: np.ndarray) -> np.ndarray:
        """The transpose of `forward`: acquired (K, J, I) to fine, 0 where unmeasured."""
        spread = self._back((array * self._scale).astype(np.float32))
        if self.lattice is not None:
            spread = _interpolate_back(spread, self.lattice, self.fine, self.transform)
        return np.where(self.measured, spread, np.float32(0))

    def acquire(self, volume: Volume) -> Volume:
        """A fine Volume as it would be acquired: NaN where less than half of a voxel is measured."""
        known = np.isfinite(volume.array)
        model = self if np.array_equal(known, self.measured) else replace(self, measured=known & self.measured)
        array = np.where(model.covered, model.forward(np.nan_to_num(volume.array)), np.nan)
        return Volume(array, self.acquired, volume.unit, volume.name)

    def _average(self, array: np.ndarray) -> np.ndarray:
        if self.lattice is not None:
            array = _interpolate(array, self.fine, self.lattice, self.transform)
        return self.axes(array)


def acquisition_model(
    fine: Geometry,
    acquired: Geometry,
    *,
    transform: np.ndarray | None = None,
    point_spread: PointSpread | None = None,
    measured: np.ndarray | None = None,
) -> AcquisitionModel:
    """The acquisition of `acquired` as a linear operator on maps of `fine`.

    Args:
        fine: any grid; one with the acquired axes (no transform) needs no interpolation.
        acquired: the grid of the low-resolution map.
        transform: 4x4, LPS mm, points of `fine` to the same anatomy in `acquired`; None is the identity.
        point_spread: beyond the voxel's box; None is none.
        measured: bool (K, J, I) on `fine`, where the fine map has values; None is everywhere.

    Raises:
        InputError: the transform cannot be inverted, or `measured` is on another grid.
    """
    matrix = np.eye(4) if transform is None else np.asarray(transform, float)
    if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise InputError("The transform is not an invertible 4x4 matrix of finite numbers; register the images again.")
    measured = np.ones(fine.shape, bool) if measured is None else np.asarray(measured, bool)
    if measured.shape != fine.shape:
        raise InputError("The mask of measured voxels is not on the fine grid; resample it first.")
    spread = point_spread or PointSpread()
    if np.allclose(matrix, np.eye(4)) and is_aligned(fine, acquired):
        return AcquisitionModel(fine, acquired, _axes_between(fine, acquired, spread), measured)
    steps = np.linalg.inv(fine.affine_lps) @ np.linalg.inv(matrix) @ acquired.affine_lps
    counts = np.clip(np.ceil(np.abs(steps[:3, :3]).max(axis=0) - 0.05), 1, None).astype(int)
    lattice = divided(acquired, tuple(int(c) for c in counts))
    return AcquisitionModel(fine, acquired, _axes_between(lattice, acquired, spread), measured, lattice, matrix)


def is_aligned(fine: Geometry, acquired: Geometry) -> bool:
    """Whether both grids have the same axes, pointing the same way."""
    return bool(np.allclose(fine.direction, acquired.direction, atol=1e-4))


def divided(acquired: Geometry, parts: tuple[int, int, int]) -> Geometry:
    """The grid that cuts every acquired voxel into `parts` along (i, j, k)."""
    return with_spacing(acquired, tuple(s / n for s, n in zip(acquired.spacing, parts, strict=True)))


def spread_over(mask: np.ndarray, fine: Geometry) -> np.ndarray:
    """A mask (K, J, I) of acquired voxels on the grid that divides them: each part is what its voxel is."""
    parts = [f // a for f, a in zip(fine.shape, mask.shape, strict=True)]
    return np.kron(mask, np.ones(parts, bool))


def _axes_between(fine: Geometry, acquired: Geometry, spread: PointSpread) -> Axes:
    axes = np.reshape(acquired.direction, (3, 3))
    # In mm along the acquired axes from the outer corner of the acquired grid.
    corner = np.linalg.solve(axes, np.array(fine.origin) - acquired.origin)
    corner = corner + np.array(acquired.spacing) / 2 - np.array(fine.spacing) / 2
    return Axes(*(
        _line(fine.size[a], fine.spacing[a], corner[a], acquired.size[a], acquired.spacing[a], spread.fwhm[a])
        for a in (2, 1, 0)
    ))  # fmt: skip


def _line(fine: int, step: float, start: float, count: int, width: float, fwhm: float) -> np.ndarray:
    """Weights (count, fine) with which fine voxels make up the blurred mean over each acquired one; rows sum to one.

    A row whose point spread leaves the fine grid is scaled up: beyond the field of view nothing is known.
    """
    edges = start + step * np.arange(fine + 1)
    low, high = width * np.arange(count)[:, None], width * np.arange(1, count + 1)[:, None]
    sd = fwhm * SD_OF_FWHM
    if sd < 1e-3 * width:
        weights = np.diff(np.clip(edges, low, high), axis=1)
    else:
        weights = np.diff(sd * (_ndtr_integral((edges - low) / sd) - _ndtr_integral((edges - high) / sd)), axis=1)
        weights[(edges[1:] < low - _REACH * sd) | (edges[:-1] > high + _REACH * sd)] = 0
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 1e-9 * width).astype(np.float32)


def _ndtr_integral(x: np.ndarray) -> np.ndarray:
    """The integral of the normal distribution function up to x."""
    from scipy.special import ndtr

    return x * ndtr(x) + np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)


def _interpolate(array: np.ndarray, source: Geometry, onto: Geometry, transform: np.ndarray) -> np.ndarray:
    """Linear interpolation, zero outside, slab by slab."""
    result = np.empty(onto.shape, np.float32)
    for k, index, weight in _corners(source, onto, transform):
        result[k] = np.einsum("cn,cn->n", weight, array.ravel()[index]).reshape(onto.shape[1:])
    return result


def _interpolate_back(array: np.ndarray, source: Geometry, onto: Geometry, transform: np.ndarray) -> np.ndarray:
    """The adjoint of `_interpolate(., onto, source)`: from `source` (the lattice) back to `onto` (the fine grid)."""
    total = np.zeros(int(np.prod(onto.shape)), np.float32)
    for k, index, weight in _corners(onto, source, transform):
        shares = (weight * array[k].ravel()).ravel()
        low, high = int(index.min()), int(index.max()) + 1
        total[low:high] += np.bincount(index.ravel() - low, shares, high - low).astype(np.float32)
    return total.reshape(onto.shape)


def _corners(source: Geometry, onto: Geometry, transform: np.ndarray):
    """For each slice k of `onto`: flat indices (8, N) into `source` and their linear weights, 0 outside."""
    matrix = np.linalg.inv(source.affine_lps) @ np.linalg.inv(transform) @ onto.affine_lps  # `onto` to `source`
    j, i = np.meshgrid(np.arange(onto.shape[1]), np.arange(onto.shape[2]), indexing="ij")
    plane = np.stack([i.ravel(), j.ravel(), np.zeros(i.size)]).astype(np.float64)
    size = np.array(source.size)[:, None]
    for k in range(onto.shape[0]):
        place = matrix[:3, :3] @ (plane + np.array([[0.0], [0.0], [k]])) + matrix[:3, 3:]
        base = np.floor(place).astype(np.int64)
        part = place - base
        index, weight = [], []
        for corner in np.ndindex(2, 2, 2):
            c = np.array(corner)[:, None]
            at = base + c
            inside = ((at >= 0) & (at < size)).all(axis=0)
            at = np.clip(at, 0, size - 1)
            index.append((at[2] * source.size[1] + at[1]) * source.size[0] + at[0])
            weight.append(np.where(c == 1, part, 1 - part).prod(axis=0) * inside)
        yield k, np.stack(index), np.stack(weight).astype(np.float32)
