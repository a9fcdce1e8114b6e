"""What every super-resolution method is given, and what it gives back.

A method is a `SuperResolver`: a function of a `LowResolution` that returns a `SuperResolvedMap`. It reports progress at
every step; a progress that raises ends the work there and then, which is how a run is cancelled. Fractions are shares
of the expected work, so that elapsed / fraction predicts the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from ..denoising.noise_level import noise_level
from ..errors import InputError
from ..preparing.brain_mask import correct_bias
from ..progress import Progress, silent
from ..series import Geometry, Origin, Parameter, Volume
from ..spatial.resampling import resample
from .forward import AcquisitionModel, PointSpread, acquisition_model, divided

_FINEST = 0.3  # mm
_MOST_PARTS = 16  # of an acquired voxel along an axis


@dataclass(frozen=True, eq=False)
class LowResolution:
    """One low-resolution map and what is known about it.

    Args:
        low: the map on the acquired grid, any unit (kept); NaN where it was not measured (outside the brain).
        target: the grid wanted.
        t1: T1-weighted image on any grid, or None.
        t1_even: the same without its bias field, where it is known already.
        t1_to_asl: 4x4, LPS mm, points of the T1 to the same anatomy in `low`.
        target_to_asl: the same for points of `target`: identity for a grid in the space of `low`, `t1_to_asl` for the
            T1's own grid.
        sd: noise SD of `low` in its unit, one number or a map on its grid; None: read off the map itself, a stand-in.
        point_spread: of the acquisition, beyond its voxels.
        parts: the same map of most pairs, and of the others, on the grid of `low`, or None: what methods that train
            learn from, and what tells them when to stop.

    Raises:
        InputError: nothing is measured, a matrix or the SD cannot be used, or the target is not of a sane size.
    """

    low: Volume
    target: Geometry
    t1: Volume | None = None
    t1_to_asl: np.ndarray = field(default_factory=lambda: np.eye(4))
    target_to_asl: np.ndarray = field(default_factory=lambda: np.eye(4))
    sd: Volume | float | None = None
    point_spread: PointSpread = field(default_factory=PointSpread)
    parts: tuple[Volume, Volume] | None = None
    t1_even: Volume | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.low.array).any():
            raise InputError("The low-resolution map has no measured voxel; give a map with values in the brain.")
        for matrix in (self.t1_to_asl, self.target_to_asl):
            if np.shape(matrix) != (4, 4) or not np.all(np.isfinite(matrix)):
                raise InputError("A transform is not a 4x4 matrix of finite numbers; register the images again.")
        if any(not part.geometry.matches(self.low.geometry) for part in self.parts or ()):
            raise InputError("The maps of some of the pairs are not on the grid of the map; make them of one series.")
        if min(self.target.spacing) < _FINEST:
            raise InputError(f"A target spacing below {_FINEST:g} mm is finer than any T1; give a larger one.")
        if isinstance(self.sd, Volume):
            if not self.sd.geometry.matches(self.low.geometry):
                raise InputError("The noise map is not on the grid of the map; resample it first.")
        elif self.sd is not None and not (np.isfinite(self.sd) and self.sd > 0):
            raise InputError(f"The noise SD is {self.sd}; give a positive number, or none to have it estimated.")

    @cached_property
    def even(self) -> Volume:
        """The T1 without its bias field."""
        return correct_bias(self.t1) if self.t1_even is None else self.t1_even

    @property
    def measured(self) -> np.ndarray:
        """Bool (K, J, I) on the acquired grid."""
        return np.isfinite(self.low.array)

    def noise(self) -> np.ndarray:
        """The noise SD (K, J, I), positive everywhere; an SD of zero or NaN in a map becomes the median."""
        if isinstance(self.sd, Volume):
            sd = self.sd.array
        elif self.sd is not None:
            sd = np.full(self.low.array.shape, self.sd, np.float32)
        else:
            level = noise_level(self.low.array[None], self.measured, self.low.geometry)
            sd = np.full(self.low.array.shape, level.sigma, np.float32)
        good = self.measured & np.isfinite(sd) & (sd > 0)
        least = 1e-4 * float(np.abs(self.low.array[self.measured]).max()) or 1.0  # a noise-free map stays solvable
        middle = float(np.median(sd[good])) if good.any() else least
        return np.maximum(np.where(good, sd, middle), least).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SuperResolvedMap:
    """A super-resolved map: an estimate, whatever its spacing says.

    Args:
        fine: the map on the target grid; NaN where the acquired voxel it lies in was not measured.
        residual: acquired minus the fine map averaged back, on the acquired grid.
        uncertainty: SD on the target grid, or None.
        parameters: what the method used.
    """

    fine: Volume
    residual: Volume
    uncertainty: Volume | None = None
    parameters: tuple[Parameter, ...] = ()


class SuperResolver(Protocol):
    """A method."""

    def __call__(self, scan: LowResolution, *, progress: Progress = silent) -> SuperResolvedMap: ...


def measured_on_target(scan: LowResolution) -> np.ndarray:
    """Bool (K, J, I) on the target: the acquired voxel a target voxel lies in was measured."""
    known, back = scan.low.with_array(scan.measured), np.linalg.inv(scan.target_to_asl)
    return resample(known, scan.target, transform=back, interpolation="nearest", outside=0.0).array > 0.5


def onto_target(scan: LowResolution, array: np.ndarray, grid: Geometry, *, interpolation: str = "linear") -> np.ndarray:
    """An array on a grid in acquired space brought onto the target, NaN where nothing was measured."""
    if not (grid.matches(scan.target) and np.allclose(scan.target_to_asl, np.eye(4))):
        back = np.linalg.inv(scan.target_to_asl)
        array = resample(Volume(array, grid), scan.target, transform=back, interpolation=interpolation).array
    return np.where(measured_on_target(scan), array, np.nan).astype(np.float32)


def target_model(scan: LowResolution, array: np.ndarray) -> AcquisitionModel:
    """How a map (K, J, I) on the target becomes the acquired one; NaN is not measured."""
    return acquisition_model(
        scan.target,
        scan.low.geometry,
        transform=scan.target_to_asl,
        point_spread=scan.point_spread,
        measured=np.isfinite(array),
    )


def aligned_grid(scan: LowResolution) -> Geometry:
    """The grid that cuts acquired voxels into whole parts and comes nearest to the target's spacing."""
    turned = np.linalg.inv(np.reshape(scan.low.geometry.direction, (3, 3))) @ (
        scan.target_to_asl[:3, :3] @ np.reshape(scan.target.direction, (3, 3))
    )
    along = np.abs(turned).argmax(axis=1)
    wanted = [scan.target.spacing[int(a)] for a in along]
    parts = [max(1, min(_MOST_PARTS, round(s / w))) for s, w in zip(scan.low.geometry.spacing, wanted, strict=True)]
    return divided(scan.low.geometry, tuple(parts))


def with_residual(
    scan: LowResolution, array: np.ndarray, *, uncertainty: np.ndarray | None = None, used: Sequence[Parameter] = ()
) -> SuperResolvedMap:
    """A map (K, J, I) on the target as a `SuperResolvedMap`, with its residual through the acquisition model."""
    fine = Volume(array, scan.target, scan.low.unit, "super-resolved")
    residual = scan.low.with_array(scan.low.array - target_model(scan, array).acquire(fine).array, name="residual")
    spread = None if uncertainty is None else Volume(uncertainty, scan.target, scan.low.unit, "uncertainty")
    width = Parameter("point_spread", list(scan.point_spread.fwhm), "mm FWHM", Origin.DEFAULT)
    return SuperResolvedMap(fine, residual, spread, (width, *used))
