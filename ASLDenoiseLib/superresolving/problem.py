"""What is to be solved: an acquired map with its noise, and the acquisition that any fine map must go through."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..series import Geometry, Volume
from .forward import AcquisitionModel, acquisition_model, divided, spread_over
from .resolver import LowResolution, aligned_grid
from .smooth_fields import Part, averaged, knots

FREE_AMPLITUDES = (1.5, 2.0)  # of the map without anatomy, in units of its mean magnitude; less would shrink lesions
_MARGIN = 1  # acquired voxels kept round what was measured


@dataclass(frozen=True, eq=False)
class Problem:
    """The acquired map, cut to what was measured, and the fine grid it is solved on (`model.fine`).

    Args:
        low: the map.
        sd: its noise SD (K, J, I).
        measured: bool (K, J, I), what is known and seen by the model.
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

    def pair(self, features: np.ndarray, apart: tuple[float, ...], amplitude: float) -> tuple[Part, Part]:
        """A part on the fine grid and as the acquired grid sees it (fields hardly change within a voxel)."""
        fine = knots(self.model.fine, apart)
        coarse = np.stack([self.model.forward(f) for f in features])
        scale = amplitude * self.level
        return Part(features, fine, scale), Part(coarse, averaged(self.model.axes, fine), scale)

    def free_parts(self, amplitudes: tuple[float, float] = FREE_AMPLITUDES) -> tuple[tuple[Part, Part], ...]:
        """The map without anatomy: smooth fields with knots three acquired voxels apart, and one."""
        ones = np.ones((1, *self.model.fine.shape), np.float32)
        voxel = self.low.geometry.spacing
        wide = tuple(3 * v for v in voxel)
        return tuple(self.pair(ones, apart, a) for apart, a in zip((wide, voxel), amplitudes, strict=True))


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
    return Problem(low, sd[box], measured[box] & model.seen, model, level)


def _cut(geometry: Geometry, box: tuple[slice, ...]) -> Geometry:
    starts = [s.start for s in box][::-1]
    sizes = [min(s.stop, n) - s.start for s, n in zip(box, geometry.shape, strict=True)][::-1]
    origin = (geometry.affine_lps @ [*starts, 1.0])[:3]
    return replace(geometry, size=tuple(sizes), origin=tuple(origin))
