"""CBF and arterial transit time of all voxels together: the most probable, by their tissue and what lies around."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from ..spatial.smoothing import smooth_within
from .arteries import arteries_in
from .coarse_grid import coarse_grid
from .maps import DelayMeans, FittedMaps
from .prior import Fields, Smoothness, Spread, fields_given, first_spread, learned
from .samples import Samples, samples_of
from .voxelwise import Amounts, bounds_of, change_of, hessian, inverted, try_all

_ROUNDS = 8
_NODES = 600  # of the fields: the time of a round goes with their cube
_LONGEST = 0.3  # s by which an arrival time moves in a round
_AROUND = 10.0  # mm FWHM, over which the first arrival times are found
_LEAST_TOLD = 0.05  # of grey matter's CBF, in what is neither grey nor white; it is never taken to have none
# By what SDs of the posterior are multiplied: it takes the fields' likeness, the tissue and the curve for true. So
# that 68 % of the errors lie within one SD on phantoms of heads that were kept out (Testing/Benchmarks/delays.md).
_UNTOLD_CBF, _UNTOLD_ATT = 1.15, 1.6
_TIMES_TAKEN_OUT = 3  # arteries: they draw the arrival time around them at first
_SURELY = 3.0  # SDs of an arterial blood volume that is taken out before tissue is fitted again


@dataclass(frozen=True, eq=False)
class Voxels:
    """Where the fit of N voxels stands.

    Args:
        values: (2, N), CBF and arrival time, s.
        covariance: (2, 2, N), of their errors.
        own: (2, 2, N), the covariance by the measurement and a known field alone.
        towards: (2, 2, N), how they follow the fields.
        pulls: (2, D, N), one over the variance of the noise times the derivative of the curve by each value.
    """

    values: np.ndarray
    covariance: np.ndarray
    own: np.ndarray
    towards: np.ndarray
    pulls: np.ndarray


def fit_with_prior(
    means: DelayMeans, model: KineticModel, *, tissue: tuple[np.ndarray, np.ndarray] | None
) -> FittedMaps:
    """The CBF and arrival time that are most probable, with SDs of the posterior, calibrated on phantoms.

    A voxel whose measurement is certain keeps it; an uncertain one is drawn towards what its tissue has around it
    (`prior`). How strongly is learned, and so is how large the noise is beside `means.errors`. Arterial blood volume is
    what the tissue leaves over (`arteries`); where there surely is some, it is taken out and tissue fitted again.

    Args:
        means: of every delay.
        model: how label arrives.
        tissue: fractions (K, J, I) of grey and of white matter; None where they are not known.

    Raises:
        InputError: there are fewer delays than unknowns and one.
    """
    samples = samples_of(means, model)
    if not len(samples.lowest):
        return _maps(samples, np.zeros((2, 0)), np.zeros((2, 2, 0)), np.zeros((len(means.images), 0)))
    if not model.macrovascular:
        return _fitted(samples, model, _fractions(samples, tissue), means.spacing)
    of_tissue = replace(model, macrovascular=False)
    fitted = fit_with_prior(means, of_tissue, tissue=tissue)
    for _ in range(_TIMES_TAKEN_OUT):
        images = arteries_in(fitted, means, model).taken_from(means.images, surely=_SURELY)
        fitted = fit_with_prior(replace(means, images=images), of_tissue, tissue=tissue)
    arteries = arteries_in(fitted, means, model)
    return replace(fitted, abv=arteries.volume, abv_sd=arteries.sd)


def _fitted(
    samples: Samples, model: KineticModel, fractions: np.ndarray, spacing: tuple[float, float, float]
) -> FittedMaps:
    """The maps of tissue."""
    values, ratios, level = _first(samples, model, fractions, spacing)
    smooth = Smoothness(coarse_grid(samples.voxels, spacing, nodes=_NODES))
    spread = first_spread(level)
    white = fractions[1] if len(fractions) > 1 else np.zeros(values.shape[1])
    unsure = np.zeros(values.shape[1])
    for last in (*[False] * (_ROUNDS - 1), True):
        share = ratios @ fractions
        voxels, fields = _round(samples, model, values, spread, unsure, (smooth, level, share, white))
        values, unsure = _moved(samples, values, voxels.values), voxels.covariance[0, 0]
        if last:
            break
        spread = _learned(samples, model, voxels, values, fields, spread, level)
        ratios = _ratios(fractions * (smooth.grid.to_voxels @ fields.cbf), values[0], np.ones_like(share))
    gain = (voxels.covariance[0][:, None] * voxels.pulls).sum(0)
    return _maps(samples, values, voxels.covariance, gain)


def _fractions(samples: Samples, tissue: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """(C, N): fractions of grey and white matter and of all else, or 1 where tissue is not known."""
    if tissue is None:
        return np.ones((1, len(samples.lowest)))
    grey, white = (np.clip(np.nan_to_num(each[samples.voxels]), 0, 1).astype(float) for each in tissue)
    return np.stack([grey, white, np.clip(1 - grey - white, 0, 1)])


def _ratios(parts: np.ndarray, cbf: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(C,): CBF of each tissue over that of grey matter, from CBF (N,) by regression on its parts (C, N)."""
    found = _regressed(parts, cbf, weights)
    if found[0] == 0:
        return np.ones(len(parts))
    ratios = np.clip(found / found[0], _LEAST_TOLD, 1.5)
    ratios[0] = 1.0
    return ratios


def _regressed(parts: np.ndarray, cbf: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted least squares of (N,) by parts (C, N)."""
    normal = (parts * weights) @ parts.T
    steady = 1e-6 * np.trace(normal) * np.eye(len(parts))
    return np.linalg.solve(normal + steady, (parts * weights) @ cbf)


def _first(
    samples: Samples, model: KineticModel, fractions: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Values (2, N) to begin with, the ratios of tissues, and the CBF of grey matter."""
    inside = samples.voxels
    grids = (
        samples.on_grid(x, empty=0.0, dtype=np.float64) for x in (samples.weights, samples.weights * samples.images)
    )
    weights, sums = (
        np.stack([smooth_within(each, inside, spacing[::-1], _AROUND)[inside] for each in grid]) for grid in grids
    )
    images = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0)
    around = replace(samples, images=images, weights=np.where(weights > 0, 50 * weights, 0.0))
    att, _ = try_all(around, model)
    arrived = model.arrived(att, samples.delays, samples.durations)
    told = (samples.weights * arrived**2).sum(0)
    cbf = np.divide((samples.weights * arrived * samples.images).sum(0), told, out=np.zeros_like(told), where=told > 0)
    level = float(_regressed(fractions, cbf, told)[0])
    ratios = _ratios(fractions, cbf, told)
    floor = 3 / np.sqrt(told.sum())  # its own SD, three times: of a head without perfusion
    level = level if abs(level) > floor else float(np.copysign(floor, level))
    wide = (arrived**2 * around.weights).sum(0)
    smooth = np.divide((arrived * around.weights * images).sum(0), wide, out=np.full_like(wide, level), where=wide > 0)
    share = samples.on_grid(ratios @ fractions, empty=0.0, dtype=np.float64)
    near = smooth_within(share, inside, spacing[::-1], _AROUND)[inside]
    relative = np.clip(smooth / np.maximum(near, 0.1) / level, 0.2, 3.0)
    return np.stack([share[inside] * level * relative, att]), ratios, level


def _amounts(samples: Samples, model: KineticModel, values: np.ndarray) -> Amounts:
    """What is left of the measurement by values (2, N)."""
    arrived = model.arrived(values[1], samples.delays, samples.durations)
    return Amounts(values[0], np.zeros_like(values[0]), samples.images - values[0] * arrived, arrived, None)


def _round(
    samples: Samples,
    model: KineticModel,
    values: np.ndarray,
    spread: Spread,
    unsure: np.ndarray,
    prior: tuple[Smoothness, float, np.ndarray, np.ndarray],
) -> tuple[Voxels, Fields]:
    """Gauss-Newton: the curves are straight about `values`, and all else is Gaussian.

    What a voxel has of its own is integrated out, the fields are found, and the voxel's values given these.
    """
    noisy = replace(samples, weights=samples.weights / spread.noise)
    found = _amounts(noisy, model, values)
    change = change_of(noisy, model, values[1], found)
    measured = hessian(noisy, found, change)
    pulls = noisy.weights * np.stack([found.arrived, change])
    slope = model.slope(values[1], samples.delays, samples.durations)
    pull = (pulls * found.residual).sum(1)
    # Arrival time by the expectation over CBF, not at its mode: that lets noise pass for perfusion that arrived early.
    pull[1] -= unsure * (noisy.weights * found.arrived * slope).sum(0)
    measured[1, 1] += unsure * (noisy.weights * slope**2).sum(0)
    said = pull + (measured * values[None]).sum(1)
    known = np.stack([np.full(values.shape[1], 1 / v) for v in (spread.own_cbf, spread.own_att)])
    prior_precision = np.zeros_like(measured)
    for p, each in enumerate(known):
        prior_precision[p, p] = each
    own = inverted(measured + prior_precision)
    towards = own * known[None]
    told = known[:, None] * (np.eye(2)[..., None] - towards)
    information = known * (own * said[None]).sum(1)
    smooth, level, share, white = prior
    fields = fields_given(
        smooth, spread, level=level, share=share, white=white, precision=told, information=information
    )
    settled = (own * said[None]).sum(1) + (towards * fields.mean[None]).sum(1)
    of_fields = np.einsum("prn,rsn,qsn->pqn", towards, fields.covariance, towards)
    return Voxels(settled, own + of_fields, own, towards, pulls), fields


def _moved(samples: Samples, before: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """`wanted`, with arrival times no further than a round's step and never beyond what the images can tell."""
    att = before[1] + np.clip(wanted[1] - before[1], -_LONGEST, _LONGEST)
    moved = wanted.copy()
    moved[1] = np.clip(att, 0.0, samples.highest)
    return moved


def _learned(
    samples: Samples,
    model: KineticModel,
    voxels: Voxels,
    values: np.ndarray,
    fields: Fields,
    spread: Spread,
    level: float,
) -> Spread:
    """The spread for the next round."""
    towards, both = voxels.towards, fields.covariance
    own = voxels.values - fields.mean
    shared = [sum(towards[p, r] * both[r, p] for r in range(2)) for p in range(2)]
    own_variance = np.stack([voxels.covariance[p, p] + both[p, p] - 2 * shared[p] for p in range(2)])
    left = _amounts(samples, model, values)
    measured = hessian(samples, left, change_of(samples, model, values[1], left))
    fitted = float((measured * voxels.covariance).sum()) / spread.noise
    count = np.count_nonzero(samples.weights)
    noise = float(left.cost(samples.weights).sum()) / max(count - fitted, 0.1 * count)
    return learned(
        spread, fields, level=abs(level), own=own, own_variance=own_variance, noise=float(np.clip(noise, 1e-6, 1e6))
    )


def _maps(samples: Samples, values: np.ndarray, covariance: np.ndarray, gain: np.ndarray) -> FittedMaps:
    """The maps of values (2, N)."""
    sd = np.sqrt(np.maximum(np.einsum("ppn->pn", covariance), 0))
    return FittedMaps(
        samples.on_grid(values[0]),
        samples.on_grid(values[1]),
        samples.on_grid(sd[0] * _UNTOLD_CBF),
        samples.on_grid(sd[1] * _UNTOLD_ATT),
        samples.on_grid(bounds_of(samples, values[1]), empty=0, dtype=np.int8),
        samples.on_grid(gain, empty=0.0),
    )
