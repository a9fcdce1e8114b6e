"""A spatial variational fit of several delays, as BASIL has it: a peer, written from its papers.

Variational Bayes for a non-linear model (Chappell et al. 2009) under a shrinkage MRF with automatic relevance
determination (Groves et al. 2009; Penny et al. 2005): every voxel has a Gaussian posterior of CBF and arrival time, the
prior of each is the mean of its six neighbours, and how strongly it holds is learned for each map by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.fitting.maps import DelayMeans, FittedMaps
from ASLDenoiseLib.fitting.voxelwise import fit_voxels
from ASLDenoiseLib.quantifying.kinetic_model import KineticModel

ATT_MEAN, ATT_SD = 1.3, 1.0  # s, BASIL's prior of arrival time over all voxels
_ROUNDS = 20
_STILL = 2e-4  # relative change of both maps at which it ends
_FURTHEST = 0.3  # s that an arrival time moves in a round, so that the linear model holds


@dataclass(frozen=True, eq=False)
class _Lattice:
    """Voxels of a brain in a row, with the neighbours of each along the three axes, and a checkerboard of them."""

    inside: np.ndarray
    neighbours: np.ndarray  # (6, N), N where there is none
    black: np.ndarray  # (N,) bool

    @classmethod
    def of(cls, inside: np.ndarray) -> _Lattice:
        number = np.full([n + 2 for n in inside.shape], inside.sum())
        core = (slice(1, -1),) * 3
        number[core][inside] = np.arange(inside.sum())
        found = [np.roll(number, step, axis)[core][inside] for axis in range(3) for step in (1, -1)]
        return cls(inside, np.stack(found), (np.indices(inside.shape).sum(0) % 2 == 0)[inside])

    @property
    def count(self) -> np.ndarray:
        """How many neighbours each voxel has (N,)."""
        return (self.neighbours < self.neighbours.shape[1]).sum(0)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Over the neighbours of each voxel; values and result (P, N)."""
        padded = np.concatenate([values, np.zeros((len(values), 1))], axis=1)
        return padded[:, self.neighbours].sum(1)


def spatial_vb(means: DelayMeans, model: KineticModel, *, strength: float = 1.0, both: bool = True) -> FittedMaps:
    """CBF and arrival time under the spatial prior.

    Args:
        means: what was measured.
        model: what is fitted.
        strength: by which the learned precision of the priors is multiplied; 1 is as published.
        both: whether arrival time has a spatial prior, too; else it has `ATT_MEAN` and `ATT_SD` in every voxel.
    """
    start = fit_voxels(means, model)
    inside = np.isfinite(start.cbf)
    slices = np.nonzero(inside)[0]
    lattice = _Lattice.of(inside)
    y = means.images[:, inside].astype(float)
    known = means.errors[:, inside].astype(float) ** -2.0
    delays, durations = means.delays[:, slices], means.durations[:, None]
    latest = (delays + (0 if str(model.labeling.value) == "PASL" else durations)).max(0) - 0.2  # BASIL's range

    state = np.stack([np.clip(start.cbf[inside], -500, 500), np.clip(start.att[inside], 0, latest)]).astype(float)
    state[0] = np.where(start.bounds[inside] == 0, state[0], np.median(state[0]))
    state[1] = np.where(start.bounds[inside] == 0, state[1], ATT_MEAN)
    covariance = np.zeros((2, 2, state.shape[1]))
    spread = np.array([np.var(np.clip(state[0], *np.percentile(state[0], (5, 95)))), ATT_SD**2])
    precision, noise = 1 / np.maximum(spread, 1e-6), 1.0  # of the prior between neighbours; of the given errors
    # what all voxels share counts once: in each voxel it would add up to a pull that no noise warrants
    wide = np.array([0.0, ATT_SD**-2]) / (state.shape[1] if both else 1)
    precision[1] *= both
    centre = np.array([0.0, ATT_MEAN])
    for _ in range(_ROUNDS):
        before = state.copy()
        for which in (lattice.black, ~lattice.black):
            a, slope = _curve(model, state[1], delays, durations)
            jacobian = np.stack([a, state[0] * slope])
            residual = y - state[0] * a
            held = precision[:, None] * lattice.count + wide[:, None]
            pull = precision[:, None] * lattice.sums(state) + (wide * centre)[:, None]
            hessian = noise * np.einsum("pdn,dn,qdn->pqn", jacobian, known, jacobian)
            right = noise * np.einsum("pdn,dn->pn", jacobian, known * residual)
            right += np.einsum("pqn,qn->pn", hessian, state) + pull
            for p in range(2):
                hessian[p, p] += held[p]
            inverse = _inverse(hessian)
            new = np.einsum("pqn,qn->pn", inverse, right)
            new[1] = np.clip(new[1], state[1] - _FURTHEST, state[1] + _FURTHEST)
            new[1] = np.clip(new[1], 0, latest)
            covariance[..., which], state[:, which] = inverse[..., which], new[:, which]
        precision = strength * _learned(lattice, state, covariance) * np.array([1.0, both])
        noise = _noise(model, state, covariance, y, known, delays, durations)
        if np.abs(state - before).mean(1).max() < _STILL * max(1.0, np.abs(state[0]).mean()):
            break
    return _maps(inside, state, covariance, latest, len(y))


def _curve(model: KineticModel, att, delays, durations) -> tuple[np.ndarray, np.ndarray]:
    return model.arrived(att, delays, durations), model.slope(att, delays, durations)


def _inverse(m: np.ndarray) -> np.ndarray:
    """Of symmetric (2, 2, N)."""
    determinant = np.maximum(m[0, 0] * m[1, 1] - m[0, 1] ** 2, 1e-12)
    return np.array([[m[1, 1], -m[0, 1]], [-m[0, 1], m[0, 0]]]) / determinant


def _learned(lattice: _Lattice, state: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """The precision (2,) of each map's MRF: voxels over the expected square of what neighbours differ by."""
    count = lattice.count
    apart = (state * (count * state - lattice.sums(state))).sum(1)
    uncertain = (count * np.einsum("ppn->pn", covariance)).sum(1)
    return state.shape[1] / np.maximum(apart + uncertain, 1e-9)


def _noise(model, state, covariance, y, known, delays, durations) -> float:
    """The precision of the noise relative to the errors that were given."""
    a, slope = _curve(model, state[1], delays, durations)
    jacobian = np.stack([a, state[0] * slope])
    squares = known * (y - state[0] * a) ** 2
    model_part = known * np.einsum("pdn,pqn,qdn->dn", jacobian, covariance, jacobian)
    return y.size / float((squares + model_part).sum())


def _maps(inside, state, covariance, latest, delays: int) -> FittedMaps:
    def on_grid(values, empty=np.nan, dtype=np.float32):
        grid = np.full(inside.shape, empty, dtype)
        grid[inside] = values
        return grid

    sd = np.sqrt(np.einsum("ppn->pn", covariance))
    bounds = (state[1] >= latest - 1e-3).astype(np.int8) - (state[1] <= 1e-3)
    maps = [on_grid(v) for v in (*state, *sd)]
    return FittedMaps(*maps, on_grid(bounds, 0, np.int8), np.zeros((delays, *inside.shape), np.float32))
