"""CBF and arterial transit time of every voxel by itself, by weighted least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from .maps import DelayMeans, FittedMaps
from .samples import Samples, samples_of

NODE = 0.05  # s between the arrival times that are tried
_POLISH = 12  # steps between two nodes: halves of what is left at worst, and Newton's are far better
_AT_BOUND = 1e-3  # s
_STEP = 1e-4  # s, of a difference quotient
_SINGULAR = 1e-9  # of a determinant over the product of its diagonal


@dataclass(frozen=True, eq=False)
class Amounts:
    """What fits best at given arrival times: everything but these is linear.

    Args:
        cbf: (N,).
        abv: (N,), 0 where no artery is seen or none is modelled.
        residual: (D, N), measured minus fitted.
        arrived: (D, N), the curve of a CBF of 1; `arteries` likewise of an arterial blood volume of 1.
    """

    cbf: np.ndarray
    abv: np.ndarray
    residual: np.ndarray
    arrived: np.ndarray
    arteries: np.ndarray | None

    def cost(self, weights: np.ndarray) -> np.ndarray:
        """The weighted sum (N,) of squared residuals."""
        return (weights * self.residual**2).sum(0)


def fit_voxels(means: DelayMeans, model: KineticModel) -> FittedMaps:
    """The CBF and arrival time of least squares, weighted by the noise of each delay.

    CBF is free of any bound. Arrival time lies between the earliest that the curve tells (`white-paper`: when all label
    would be there in the first image) and the time at which half of it would be there in the last; `bounds` says where
    it stopped there. SDs are of the Hessian; at a bound they are the spread over all arrival times that the measurement
    allows, which is large.

    Raises:
        InputError: there are fewer delays than unknowns and one.
    """
    samples = samples_of(means, model)
    att, spread = try_all(samples, model)
    return maps_of(samples, model, _polished(samples, model, att), spread)


def amounts_at(samples: Samples, model: KineticModel, att: np.ndarray) -> Amounts:
    """CBF and arterial blood volume of least squares at arrival times (N,), s."""
    arrived = model.arrived(att, samples.delays, samples.durations)
    arteries = model.arterial(att, samples.delays, samples.durations) if model.macrovascular else None
    cbf, abv = _solved(*_sums(samples, arrived, arteries))
    fitted = cbf * arrived if arteries is None else cbf * arrived + abv * arteries
    return Amounts(cbf, abv, samples.images - fitted, arrived, arteries)


def _sums(samples: Samples, arrived: np.ndarray, arteries: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """The normal equations: sums over delays of a a, a y and, of arteries, a b, b b, b y (zeros without)."""
    weighted = samples.weights * arrived
    sums = [(weighted * arrived).sum(0), (weighted * samples.images).sum(0)]
    if arteries is None:
        return (*sums, *(np.zeros_like(sums[0]) for _ in range(3)))
    of_arteries = samples.weights * arteries
    return (*sums, *((of_arteries * other).sum(0) for other in (arrived, arteries, samples.images)))


def _solved(aa, ay, ab, bb, by) -> tuple[np.ndarray, np.ndarray]:
    """CBF and arterial blood volume, 0 where nothing tells of them; no volume is negative."""
    determinant = aa * bb - ab * ab
    both = (determinant > _SINGULAR * aa * bb) & (aa * by > ab * ay)
    safe = np.where(both, determinant, 1.0)
    alone = np.divide(ay, aa, out=np.zeros_like(ay), where=aa > 0)
    return np.where(both, (bb * ay - ab * by) / safe, alone), np.where(both, (aa * by - ab * ay) / safe, 0.0)


def try_all(samples: Samples, model: KineticModel) -> tuple[np.ndarray, np.ndarray]:
    """The best (N,) of a row of arrival times, s, and the RMS distance (2, N) of CBF and arrival time from it.

    The row is weighted by the likelihood at each time, which is then at its best CBF.
    """
    highest = samples.highest.max(initial=0.0)
    nodes = np.linspace(0.0, highest, int(np.ceil(highest / NODE)) + 1)
    att, spread = np.zeros(len(samples.lowest)), np.zeros((2, len(samples.lowest)))
    squares = (samples.weights * samples.images**2).sum(0)
    slices = samples.slices
    for k in np.unique(slices):
        here = slices == k
        delays = samples.delays[:, here][:, :1].T
        a = model.arrived(nodes[:, None], delays, samples.durations.T)
        weights, images = samples.weights[:, here], samples.images[:, here]
        sums = [(a * a) @ weights, a @ (weights * images)]
        b = model.arterial(nodes[:, None], delays, samples.durations.T) if model.macrovascular else np.zeros_like(a)
        sums += [(a * b) @ weights, (b * b) @ weights, b @ (weights * images)]
        cbf, abv = _solved(*sums)
        cost = squares[here] - cbf * sums[1] - abv * sums[4]
        low, high = samples.lowest[here], samples.highest[here]
        cost = np.where(nodes[:, None] > high + NODE, np.inf, cost)  # what is earlier than `low` is as likely as that
        best = cost.argmin(0)
        one = np.arange(len(best))
        likelihood = np.exp((cost[best, one] - cost) / 2)
        likelihood /= likelihood.sum(0)
        known = np.divide(1.0, sums[0], out=np.zeros_like(cbf), where=sums[0] > 0)
        att[here] = np.clip(nodes[best], low, high)
        spread[0, here] = np.sqrt((likelihood * ((cbf - cbf[best, one]) ** 2 + known)).sum(0))
        spread[1, here] = np.sqrt((likelihood * (nodes[:, None] - att[here]) ** 2).sum(0))
    return att, spread


def _polished(samples: Samples, model: KineticModel, att: np.ndarray) -> np.ndarray:
    """The arrival times of least squares within a node of those given, by Gauss-Newton between bounds that close in.

    The slope of the cost at the best CBF tells on which side the minimum is, whatever the corners of the curve do.
    """
    low, high = np.maximum(att - NODE, samples.lowest), np.minimum(att + NODE, samples.highest)
    for _ in range(_POLISH):
        found = amounts_at(samples, model, att)
        change = change_of(samples, model, att, found)
        information = hessian(samples, found, change)
        slope = -(samples.weights * change * found.residual).sum(0)
        low, high = np.where(slope < 0, att, low), np.where(slope > 0, att, high)
        alone = _remaining(information)
        step = np.divide(-slope, alone, out=np.zeros_like(slope), where=alone > 0)
        wanted = att + step
        att = np.where(
            (wanted > low) & (wanted < high) & (alone > 0), wanted, np.where(slope == 0, att, (low + high) / 2)
        )
    return att


def change_of(samples: Samples, model: KineticModel, att: np.ndarray, found: Amounts) -> np.ndarray:
    """The derivative (D, N) of the fitted curve by arrival time, 1/s."""
    change = found.cbf * model.slope(att, samples.delays, samples.durations)
    if found.arteries is None:
        return change
    # within the passage arteries change with arrival time as the label has decayed; its ends are jumps
    later = model.arterial(att + _STEP, samples.delays, samples.durations)
    return change + found.abv * np.where(later > 0, (later - found.arteries) / _STEP, 0.0)


def hessian(samples: Samples, found: Amounts, change: np.ndarray) -> np.ndarray:
    """The Gauss-Newton Hessian (P, P, N) of half the cost, of CBF, arrival time and, where modelled, blood volume."""
    columns = [found.arrived, change] + ([] if found.arteries is None else [found.arteries])
    weighted = [samples.weights * column for column in columns]
    return np.stack([np.stack([(w * c).sum(0) for c in columns]) for w in weighted])


def _remaining(information: np.ndarray) -> np.ndarray:
    """What is known (N,) of arrival time when all else is free: the Schur complement of its entry."""
    others = [0, *range(2, len(information))]
    inverse = inverted(information[np.ix_(others, others)])
    cross = information[1, others]
    return information[1, 1] - (cross[:, None] * cross[None] * inverse).sum((0, 1))


def inverted(matrices: np.ndarray) -> np.ndarray:
    """The inverses of symmetric matrices (P, P, N); of an entry of which nothing is known, row and column are 0."""
    scale = np.sqrt(np.einsum("ppn->pn", matrices))
    known = scale > 0
    safe = np.where(known, scale, 1.0)
    unit = matrices / safe[:, None] / safe[None]
    for p in range(len(matrices)):
        unit[p, p] = 1.0
    inverse = np.linalg.pinv(np.moveaxis(unit, -1, 0), rcond=_SINGULAR, hermitian=True)
    return np.moveaxis(inverse, 0, -1) / safe[:, None] / safe[None] * known[:, None] * known[None]


def maps_of(samples: Samples, model: KineticModel, att: np.ndarray, spread: np.ndarray) -> FittedMaps:
    """The maps of arrival times (N,) of least squares."""
    found = amounts_at(samples, model, att)
    bounds = bounds_of(samples, att)
    change = np.where(bounds == 0, change_of(samples, model, att, found), 0.0)
    covariance = inverted(hessian(samples, found, change))
    columns = [found.arrived, change] + ([] if found.arteries is None else [found.arteries])
    gain = samples.weights * sum(covariance[0, p] * column for p, column in enumerate(columns))
    sd = np.sqrt(np.einsum("ppn->pn", covariance))
    cbf_sd, att_sd = (
        np.where(bounds == 0, known, np.maximum(known, wide)) for known, wide in zip(sd[:2], spread, strict=True)
    )
    with_arteries = {}
    if found.arteries is not None:
        seen = sd[2] > 0
        with_arteries["abv"] = samples.on_grid(np.where(seen, found.abv, np.nan))
        with_arteries["abv_sd"] = samples.on_grid(np.where(seen, sd[2], np.nan))
    return FittedMaps(
        samples.on_grid(found.cbf),
        samples.on_grid(att),
        samples.on_grid(cbf_sd),
        samples.on_grid(att_sd),
        samples.on_grid(bounds, empty=0, dtype=np.int8),
        samples.on_grid(gain, empty=0.0),
        **with_arteries,
    )


def bounds_of(samples: Samples, att: np.ndarray) -> np.ndarray:
    """-1 where arrival time is at its lower bound, 1 at its upper, else 0; int8 (N,)."""
    return (att >= samples.highest - _AT_BOUND).astype(np.int8) - (att <= samples.lowest + _AT_BOUND)
