"""What is to be solved: an acquired map with its noise, and the acquisition that any fine map must go through."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..progress import Progress, silent
from ..series import Geometry, Volume
from .forward import AcquisitionModel, acquisition_model, divided, spread_over
from .resolver import LowResolution, aligned_grid
from .smooth_fields import Part, Weights, averaged, bspline_basis, posterior_mode

FREE_AMPLITUDES = (1.5, 2.0)  # of the map without anatomy, in units of its mean magnitude; less would shrink lesions
_MARGIN = 1  # acquired voxels kept round what was measured


@dataclass(frozen=True, eq=False)
class Fields:
    """The parts of a map on the fine grid, and as the acquired grid sees them (fields hardly change within a voxel)."""

    fine: tuple[Part, ...]
    coarse: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Problem:
    """The acquired map, cut to what was measured, and the fine grid it is solved on (`model.fine`).

    Args:
        low: the map.
        sd: its noise SD (K, J, I).
        measured: bool (K, J, I), what is known and covered by the model.
        model: the acquisition.
        level: mean magnitude of the map.
    """

    low: Volume
    sd: np.ndarray
    measured: np.ndarray
    model: AcquisitionModel
    level: float

    @property
    def precision(self) -> np.ndarray:
        """One over the variance (K, J, I), 0 where nothing is known."""
        return np.where(self.measured, 1 / np.square(self.sd), 0).astype(np.float32)

    @property
    def values(self) -> np.ndarray:
        """The map (K, J, I), 0 where nothing is known."""
        return np.where(self.measured, self.low.array, 0).astype(np.float32)

    def fields(self, *parts: tuple[np.ndarray, tuple[float, ...], float]) -> Fields:
        """Fields of (features, mm between knots along i, j and k, amplitude in units of `level`) each."""
        pairs = []
        for features, apart, amplitude in parts:
            axes, scale = bspline_basis(self.model.fine, apart), amplitude * self.level
            coarse = np.stack([self.model.forward(f) for f in features])
            pairs.append((Part(features, axes, scale), Part(coarse, averaged(self.model.axes, axes), scale)))
        return Fields(*zip(*pairs, strict=True))

    def free_fields(self, amplitudes: tuple[float, float] = FREE_AMPLITUDES) -> Fields:
        """The map without anatomy: smooth fields with knots three acquired voxels apart, and one."""
        ones, voxel = np.ones((1, *self.model.fine.shape), np.float32), self.low.geometry.spacing
        return self.fields((ones, tuple(3 * v for v in voxel), amplitudes[0]), (ones, voxel, amplitudes[1]))

    def fit(self, fields: Fields, precision: np.ndarray, progress: Progress = silent, text: str = "") -> Weights:
        """The weights of `fields` that explain the map best, each voxel weighed by `precision` (K, J, I)."""
        return posterior_mode(fields.coarse, self.values, precision, progress=progress, text=text)


def problem_of(scan: LowResolution) -> Problem:
    """Cut the map to what was measured, and lay the fine grid over it that divides its voxels."""
    grid = aligned_grid(scan)
    parts = tuple(f // a for f, a in zip(grid.size, scan.low.geometry.size, strict=True))
    measured, sd = scan.measured, scan.noise()
    box = tuple(slice(max(0, w.min() - _MARGIN), w.max() + 1 + _MARGIN) for w in np.nonzero(measured))
    geometry = _cut(scan.low.geometry, box)
    low = Volume(scan.low.array[box], geometry, scan.low.unit, scan.low.name)
    fine = divided(geometry, parts)
    known = spread_over(measured[box], fine)
    model = acquisition_model(fine, geometry, point_spread=scan.point_spread, measured=known)
    level = float(np.abs(low.array[measured[box]]).mean()) or 1.0
    return Problem(low, sd[box], measured[box] & model.covered, model, level)


def _cut(geometry: Geometry, box: tuple[slice, ...]) -> Geometry:
    starts = [s.start for s in box][::-1]
    sizes = [min(s.stop, n) - s.start for s, n in zip(box, geometry.shape, strict=True)][::-1]
    origin = (geometry.affine_lps @ [*starts, 1.0])[:3]
    return replace(geometry, size=tuple(sizes), origin=tuple(origin))
