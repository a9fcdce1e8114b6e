"""What is known of CBF and arrival time beside a voxel's own measurement: its tissue, and what lies around it.

CBF is that of the voxel's tissue times a smooth field, and something of the voxel's own; arrival time is a smooth
field, later in white matter, and something of the voxel's own. The fields are Gaussian processes whose likeness falls
off exponentially, so that a territory's edge costs little more than a slope. How much each varies is learned from the
data (`learned`): MacKay's fixed point of the marginal likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .coarse_grid import CoarseGrid

LENGTH = 20.0  # mm at which a field's likeness has fallen to 1/e
ARRIVAL, ARRIVAL_SD = 1.3, 1.0  # s, of the whole head (BASIL)
WHITE_LATER, WHITE_LATER_SD = 0.2, 0.3  # s
# Bounds on what is learned, shares of grey matter's CBF or s: few data must not make a field flat, or all of it noise.
_FIELD_CBF, _OWN_CBF = (0.05, 0.6), (0.03, 0.6)
_FIELD_ATT, _OWN_ATT = (0.08, 1.0), (0.02, 0.3)


@dataclass(frozen=True)
class Spread:
    """How much CBF and arrival time vary, as variances: of the fields and of voxels, of CBF in its unit squared, of
    arrival time in s^2; and the factor on the variance of the noise."""

    field_cbf: float
    field_att: float
    own_cbf: float
    own_att: float
    noise: float = 1.0


def first_spread(level: float) -> Spread:
    """What is usual in a head whose grey matter has a CBF of `level`."""
    return Spread((0.2 * level) ** 2, 0.3**2, (0.15 * level) ** 2, 0.08**2)


@dataclass(frozen=True, eq=False)
class Fields:
    """The smooth fields, given what the voxels say.

    Args:
        mean: (2, N), what they say of each voxel's CBF and arrival time.
        covariance: (2, 2, N), of that.
        cbf: (n,), CBF of grey matter at the nodes.
        squares: of both fields, the sum of squares beyond a common level, by their likeness.
        traces: of both, its posterior expectation beyond `squares`.
    """

    mean: np.ndarray
    covariance: np.ndarray
    cbf: np.ndarray
    squares: tuple[float, float]
    traces: tuple[float, float]


class Smoothness:
    """The likeness of the nodes of a grid, and its inverse; common to all fields.

    Args:
        grid: n nodes.
    """

    def __init__(self, grid: CoarseGrid) -> None:
        likeness = grid.similarity(LENGTH)
        likeness[np.diag_indices(grid.size)] += 1e-6
        self.grid = grid
        self.inverse = np.linalg.inv(likeness)
        self.row = self.inverse.sum(1)
        # what is left of the inverse once the common level is free
        self.beyond_level = self.inverse - np.outer(self.row, self.row) / self.row.sum()

    def precision(self, variance: float, level_variance: float) -> np.ndarray:
        """(n, n), of a field of `variance` about a level that is known to `level_variance`."""
        spread = level_variance / (1 + level_variance * self.row.sum() / variance) / variance**2
        return self.inverse / variance - spread * np.outer(self.row, self.row)


def fields_given(
    smooth: Smoothness,
    spread: Spread,
    *,
    level: float,
    share: np.ndarray,
    white: np.ndarray,
    precision: np.ndarray,
    information: np.ndarray,
) -> Fields:
    """The fields of greatest probability, and what is not known of them.

    Args:
        smooth: likeness of the nodes.
        spread: how much the fields vary.
        level: CBF of grey matter, of which the field's own level is not known to its size.
        share: (N,), CBF of the voxel's tissue over that of grey matter.
        white: (N,), fraction of white matter.
        precision: (2, 2, N), what the voxels tell of the fields' CBF and arrival time.
        information: (2, N), that times what they say it is.
    """
    from scipy.linalg import cho_factor, lapack

    grid, n = smooth.grid, smooth.grid.size
    to_nodes, both, last = grid.to_voxels.T, slice(n, 2 * n), 2 * n
    levels = np.repeat([level, ARRIVAL], n)
    system, right = np.zeros((2 * n + 1, 2 * n + 1)), np.zeros(2 * n + 1)
    own_cbf = smooth.precision(spread.field_cbf, level**2)
    own_att = smooth.precision(spread.field_att, ARRIVAL_SD**2)
    system[:n, :n] = own_cbf + grid.gathered(share**2 * precision[0, 0])
    system[both, both] = own_att + grid.gathered(precision[1, 1])
    system[:n, both] = grid.gathered(share * precision[0, 1])
    system[:n, last] = to_nodes @ (share * precision[0, 1] * white)
    system[both, last] = to_nodes @ (precision[1, 1] * white)
    system[last, last] = (white**2 * precision[1, 1]).sum() + WHITE_LATER_SD**-2
    right[:n] = to_nodes @ (share * information[0]) + own_cbf @ levels[:n]
    right[both] = to_nodes @ information[1] + own_att @ levels[n:]
    right[last] = (white * information[1]).sum() + WHITE_LATER / WHITE_LATER_SD**2
    factor, _ = cho_factor(system, lower=False, overwrite_a=True, check_finite=False)
    covariance, _ = lapack.dpotri(factor, lower=0, overwrite_c=1)
    covariance = np.triu(covariance) + np.triu(covariance, 1).T
    found = covariance @ right
    cbf, att, later = found[:n], found[both], found[last]
    mean = np.stack([share * (grid.to_voxels @ cbf), grid.to_voxels @ att + later * white])
    with_later = grid.to_voxels @ covariance[both, last], grid.to_voxels @ covariance[:n, last]
    of_att = grid.variances(covariance[both, both]) + 2 * white * with_later[0] + white**2 * covariance[last, last]
    cross = share * (grid.variances(covariance[:n, both]) + white * with_later[1])
    of_cbf = share**2 * grid.variances(covariance[:n, :n])
    beyond = smooth.beyond_level
    return Fields(
        mean,
        np.array([[of_cbf, cross], [cross, of_att]]),
        cbf,
        (float(cbf @ beyond @ cbf), float(att @ beyond @ att)),
        (float((beyond * covariance[:n, :n]).sum()), float((beyond * covariance[both, both]).sum())),
    )


def learned(
    spread: Spread, fields: Fields, *, level: float, own: np.ndarray, own_variance: np.ndarray, noise: float
) -> Spread:
    """The spread that makes the data likelier, half of the way on a scale of logarithms.

    Args:
        spread: with which the fields were found.
        fields: as they were found.
        level: CBF of grey matter.
        own: (2, N), CBF and arrival time of the voxels beyond the fields; `own_variance` likewise, what is not known.
        noise: the factor on the variance of the noise that the residual asks for.
    """
    count = len(fields.cbf) - 1
    bounds = ((_FIELD_CBF, level), (_FIELD_ATT, 1.0), (_OWN_CBF, level), (_OWN_ATT, 1.0))
    before = (spread.field_cbf, spread.field_att, spread.own_cbf, spread.own_att)
    squares = (*fields.squares, *(own**2).sum(1))
    unknown = (*fields.traces, *own_variance.sum(1))
    counts = (count, count, own.shape[1], own.shape[1])
    after = []
    for old, square, rest, number, (limits, unit) in zip(before, squares, unknown, counts, bounds, strict=True):
        told = max(number - rest / old, 0.02 * number)  # how many of them the data determine
        wanted = np.clip(square / told, (limits[0] * unit) ** 2, (limits[1] * unit) ** 2)
        after.append(float(np.sqrt(old * wanted)))
    return replace(Spread(*after), noise=noise)
