"""Smooth fields over a volume, as cubic B-splines of Gaussian weights, fitted to an acquired map all at once.

A map is a sum of parts; a part is features times fields, x(r) = sum_c f_c(r) b_c(r), each field a cubic B-spline with
knots some millimetres apart whose weights are normal with one SD. The most likely weights given the acquired map and
its noise solve one linear system, by preconditioned conjugate gradients; a draw from what noise leaves undecided is the
same system with another right-hand side (perturb and solve; Papandreou and Yuille 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..progress import Progress, silent
from ..series import Geometry
from .forward import Axes

_TOLERANCE = 3e-3
_MOST_ROUNDS = 60
Weights = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Part:
    """Features (C, K, J, I) times fields; weights are (C, k, j, i), unit normal before `amplitude`."""

    features: np.ndarray
    axes: Axes
    amplitude: float

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the weights."""
        return (len(self.features), *(m.shape[1] for m in (self.axes.k, self.axes.j, self.axes.i)))

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """The part's map (K, J, I)."""
        total = np.zeros(self.features.shape[1:], np.float32)
        for f, w in zip(self.features, weights, strict=True):
            total += f * self.axes(np.float32(self.amplitude) * w)
        return total

    def adjoint(self, array: np.ndarray) -> np.ndarray:
        """The transpose: a map to weights."""
        back = self.axes.transposed
        return np.float32(self.amplitude) * np.stack([back(f * array) for f in self.features])

    def curvature(self, precision: np.ndarray) -> np.ndarray:
        """The diagonal (like the weights) of the data's part of the system, by the precision (K, J, I) of the data."""
        squared = Axes(*(m.T**2 for m in (self.axes.k, self.axes.j, self.axes.i)))
        return np.float32(self.amplitude) ** 2 * np.stack([squared(f**2 * precision) for f in self.features])


def bspline_basis(geometry: Geometry, apart: Sequence[float]) -> Axes:
    """Cubic B-splines with knots `apart` mm along (i, j, k), centred on the grid: from weights to voxels."""
    lines = []
    for a in (2, 1, 0):
        length = geometry.size[a] * geometry.spacing[a]
        count = int(np.ceil(length / apart[a]))
        first = (length - count * apart[a]) / 2 - apart[a]
        places = geometry.spacing[a] * (np.arange(geometry.size[a]) + 0.5)
        steps = np.abs(places[:, None] - first - apart[a] * np.arange(count + 3)) / apart[a]
        near, far = (4 - 6 * steps**2 + 3 * steps**3) / 6, np.clip(2 - steps, 0, None) ** 3 / 6
        lines.append(np.where(steps < 1, near, far).astype(np.float32))
    return Axes(*lines)


def averaged(axes: Axes, fine: Axes) -> Axes:
    """The same fields averaged over acquired voxels: `axes` takes the fine grid to the acquired one."""
    pairs = ((axes.k, fine.k), (axes.j, fine.j), (axes.i, fine.i))
    return Axes(*((mean @ line).astype(np.float32) for mean, line in pairs))


def total(parts: Sequence[Part], weights: Weights) -> np.ndarray:
    """The map (K, J, I) that weights stand for."""
    return sum(part(w) for part, w in zip(parts, weights, strict=True))


def posterior_mode(
    parts: Sequence[Part], values: np.ndarray, precision: np.ndarray, *, progress: Progress = silent, text: str = ""
) -> Weights:
    """The weights that fit `values` (K, J, I) best, each voxel weighed by `precision` (one over its variance, or 0)."""
    right = [part.adjoint(precision * values) for part in parts]
    return _solved(parts, right, precision, progress, text)


def posterior_draw(
    parts: Sequence[Part], precision: np.ndarray, rng: np.random.Generator, *, progress: Progress, text: str
) -> Weights:
    """One draw of how far the weights may be from the most likely ones, given data of that precision."""
    noise = rng.standard_normal(precision.shape).astype(np.float32) * np.sqrt(precision)
    right = [part.adjoint(noise) + rng.standard_normal(part.shape).astype(np.float32) for part in parts]
    return _solved(parts, right, precision, progress, text)


def _solved(parts: Sequence[Part], right: Weights, precision: np.ndarray, progress: Progress, text: str) -> Weights:
    diagonal = [1 + part.curvature(precision) for part in parts]
    weights = [np.zeros_like(r) for r in right]
    rest = [r.copy() for r in right]
    scaled = [r / d for r, d in zip(rest, diagonal, strict=True)]
    direction = [s.copy() for s in scaled]
    size = first = _inner(rest, scaled)
    for n in range(_MOST_ROUNDS):
        if size <= _TOLERANCE**2 * first:
            break
        progress(n / _MOST_ROUNDS, text)
        weighted = precision * total(parts, direction)
        image = [w + part.adjoint(weighted) for part, w in zip(parts, direction, strict=True)]
        step = np.float32(size / _inner(direction, image))
        for x, r, d, i in zip(weights, rest, direction, image, strict=True):
            x += step * d
            r -= step * i
        scaled = [r / d for r, d in zip(rest, diagonal, strict=True)]
        before, size = size, _inner(rest, scaled)
        direction = [s + np.float32(size / before) * d for s, d in zip(scaled, direction, strict=True)]
    return weights


def _inner(a: Weights, b: Weights) -> float:
    return float(sum(np.vdot(x, y) for x, y in zip(a, b, strict=True)))
