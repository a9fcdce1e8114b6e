"""Poses of many volumes against one model, by Gauss-Newton steps whose derivatives are worked out once for all of them.

Volumes of a series lie close together, so the derivatives of the model at rest serve all of them (the way of rigid
realignment: Friston 1995, Human Brain Mapping 3:165; Baker and Matthews 2004, Int J Comput Vis 56:221). A step then
costs one sampling of the model and a system of eight equations. What is minimised is what `Model.register` minimises.
Where a volume lies farther away, the derivatives are taken anew there; where steps do not settle, as on noise, or make
it worse, `Model.register` searches instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..series import Geometry
from .rigid import apply_affine, matrix_from, parameters_of
from .rigid_fit import ComparedRegion, Model, chosen_voxels

_NEAR = 0.7  # mm and degrees from where the derivatives were taken; farther away they are taken anew
_SETTLED = 0.004  # mm and degrees
_MOST_STEPS = 12
_WORSE = 1.05  # times the residual of the step before; voxels at the edges of the grid come and go
_FARTHEST_STEP = 15.0  # mm and degrees
_LEAST_GAIN = 0.05


@dataclass(frozen=True, eq=False)
class PoseFit:
    """A model, the voxels that volumes are compared in, and the derivatives there.

    Args:
        model: what volumes are registered to.
        where: (n, 3) voxels k, j, i.
        places: (n, 3) LPS mm, the same.
        jacobian: (8, n) by shift, rotation, gain and offset of the model at rest.
        normal: (K, 8, 8) products of the derivatives, summed over the voxels of every slice.
    """

    model: Model
    where: np.ndarray
    places: np.ndarray
    jacobian: np.ndarray
    normal: np.ndarray

    @classmethod
    def of(cls, model: Model) -> PoseFit:
        """The fit in the brain and its margin, or in as many of its voxels as the model's stage compares.

        Raises:
            InputError: too little of the brain is there to compare.
        """
        where = chosen_voxels(model.compared.inside, model.most)
        places = apply_affine(model.compared.geometry.affine_lps, where[:, ::-1])
        at_rest = model.derivatives(np.zeros(6), places, where.T.astype(float))
        return cls(model, where, places, at_rest, _by_slice(at_rest, where[:, 0], len(model.compared.inside)))

    def values(self, smooth: np.ndarray) -> np.ndarray:
        """The values (n,) of a volume (K, J, I), smoothed as the model is, that `register` compares."""
        return smooth[tuple(self.where.T)] / self.model.scale

    def register(
        self, values: np.ndarray, *, start: np.ndarray | None = None, without: np.ndarray | None = None
    ) -> np.ndarray | None:
        """The rigid 4x4 matrix (LPS mm) from points of a volume to the same anatomy in the model.

        Args:
            values: (n,) of the volume, from `values`.
            start: matrix near the result.
            without: bool (K,), slices that are not compared.

        Returns:
            The matrix; None where the steps did not settle or made it worse.
        """
        model, centre = self.model, self.model.compared.centre
        kept = np.ones(len(values), bool) if without is None else ~without[self.where[:, 0]]
        jacobian, slices = self.jacobian, np.ones(len(self.normal), bool) if without is None else ~without
        normal = self.normal[slices].sum(axis=0)
        pose, known_at = np.zeros(6) if start is None else parameters_of(start, centre), np.zeros(6)
        before = np.inf
        for _ in range(_MOST_STEPS):
            index, known = model.index_of(pose, self.places)
            if np.abs(pose - known_at).max() > _NEAR:
                jacobian, known_at = model.derivatives(pose, self.places, index), pose
                normal = _product(jacobian[:, kept & known])
            use = kept & known
            residual, gain = _unexplained(values, model.intensities(index), use)
            size = float(np.einsum("n,n->", residual, residual)) / max(int(use.sum()), 1)
            if not gain > _LEAST_GAIN or size > _WORSE * before:
                return None
            step = np.linalg.lstsq(normal, np.einsum("pn,n->p", jacobian, residual), rcond=None)[0][:6] / gain
            if np.abs(step).max() > _FARTHEST_STEP:
                return None
            pose, before = pose + step, size
            if np.abs(step).max() < _SETTLED:
                return matrix_from(pose, centre)
        return None


def thinned(compared: ComparedRegion, spacing: float) -> tuple[ComparedRegion, tuple[slice, slice, slice]]:
    """The region on every so many voxels along each axis, no farther apart than `spacing` (mm); the slices that do."""
    geometry, taken = thinned_grid(compared.geometry, [max(1, int(spacing / s)) for s in compared.geometry.spacing])
    fewer = {"inside": compared.inside[taken], "interior": compared.interior[taken]}
    return replace(compared, geometry=geometry, **fewer), taken


def thinned_grid(geometry: Geometry, steps: Sequence[int]) -> tuple[Geometry, tuple[slice, slice, slice]]:
    """The grid of every so many voxels (i, j, k), from the first, and the slices that take them from a (K, J, I)."""
    size = tuple(-(-n // step) for n, step in zip(geometry.size, steps, strict=True))
    spacing = tuple(s * step for s, step in zip(geometry.spacing, steps, strict=True))
    return replace(geometry, size=size, spacing=spacing), tuple(slice(None, None, step) for step in reversed(steps))


def _product(jacobian: np.ndarray) -> np.ndarray:
    return np.einsum("pn,qn->pq", jacobian, jacobian)  # not by BLAS, whose threads add in any order


def _by_slice(jacobian: np.ndarray, slices: np.ndarray, count: int) -> np.ndarray:
    return np.stack([_product(jacobian[:, slices == k]) for k in range(count)])


def _unexplained(values: np.ndarray, expected: np.ndarray, use: np.ndarray) -> tuple[np.ndarray, float]:
    """What gain and offset of `expected` leave of `values` (n,), 0 where not used; and the gain."""
    share = use / max(int(use.sum()), 1)
    middle, level = np.einsum("n,n->", expected, share), np.einsum("n,n->", values, share)
    spread, shown = (expected - middle) * use, (values - level) * use
    size = np.einsum("n,n->", spread, spread)
    gain = float(np.einsum("n,n->", spread, shown) / size) if size > 0 else 0.0
    return shown - gain * spread, gain
