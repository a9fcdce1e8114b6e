"""Averages of a residual from the whole brain down, each put back by as much as it is more than noise.

At a level the residual is regressed on a few features, in a Gaussian window round each voxel, voxels counting by one
over their noise variance. The same regression of every group's deviation tells the variance of what it finds, so that
correlated noise counts; where pairs are few it is drawn towards that of its surroundings. What is found, t, with
variance v goes back with the Wiener weight max(0, t^2 - k v) / t^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .noise import Noise, drawn, of_whole
from .residual import Residual
from .windows import Windows

_RIDGE = 0.02  # of the mean of the diagonal: what a window hardly holds of a tissue says little of it
_SURROUNDINGS = 60.0  # mm FWHM over which variances are pooled


@dataclass(frozen=True, eq=False)
class Restored:
    """What one level puts back.

    Args:
        values: (K, J, I) in the unit of the difference.
        variance: (K, J, I) of what the regression reads off.
        weight: (K, J, I) 0 to 1, the share of it that `values` are.
    """

    values: np.ndarray
    variance: np.ndarray
    weight: np.ndarray


def restore_level(residual: Residual, features: np.ndarray, fwhm: float | None, *, caution: float) -> Restored:
    """Regress a residual on `features` (F, K, J, I) in windows of `fwhm` mm (None: the whole brain).

    `caution` is k: 1 is the best linear guess of what is there, 4 puts back what exceeds two standard errors.
    """
    noise = residual.noise
    weighted = features * noise.certainty
    volumes = np.concatenate([residual.values[None], noise.deviations]) * noise.certainty
    fitted = _regress_whole(weighted, volumes) if fwhm is None else _regress(noise.windows(fwhm), weighted, volumes)
    # read off in the unit of the difference: the features as they are, without the weight of the voxel
    read = np.einsum("fkji,mfkji->mkji", features, fitted)
    found, variance = read[0], np.square(read[1:]).sum(axis=0)
    if fwhm is None:
        variance = of_whole(variance, _whole_variance(noise, features), noise.freedom)
    else:
        variance = drawn(variance, _pooled(noise, variance), noise.freedom)
    weight = wiener_weight(found**2, caution * variance) * noise.inside
    return Restored(weight * found, variance, weight)


def wiener_weight(energy: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """max(0, energy - noise) / energy; zero where there is no energy."""
    return np.divide(np.maximum(energy - noise, 0), energy, out=np.zeros_like(energy), where=energy > 0)


def _regress_whole(features: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """Coefficients (M, F, 1, 1, 1) of volumes (M, K, J, I)."""
    x, y = features.reshape(len(features), -1), volumes.reshape(len(volumes), -1)
    return _solve((x @ x.T)[None], (x @ y.T)[None])[0].T[..., None, None, None]


def _regress(windows: Windows, features: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """Coefficients (M, F, K, J, I), linear between the places where they are fitted."""
    count, many = len(features), len(volumes)
    rows, columns = np.triu_indices(count)
    normal = windows.sums(features[rows] * features[columns])
    places = normal.shape[1:]
    right = windows.sums((features[:, None] * volumes).reshape(-1, *windows.shape))
    matrix = np.empty((normal[0].size, count, count))
    matrix[:, rows, columns] = matrix[:, columns, rows] = normal.reshape(len(rows), -1).T
    solved = _solve(matrix, right.reshape(count, many, -1).transpose(2, 0, 1))
    coefficients = solved.transpose(2, 1, 0).reshape(many * count, *places).astype(np.float32)
    return windows.spread(coefficients).reshape(many, count, *windows.shape)


def _solve(normal: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Ridge solutions (P, F, M) of normal equations (P, F, F) and (P, F, M)."""
    count = normal.shape[-1]
    diagonal = np.trace(normal, axis1=1, axis2=2) / count
    ridge = _RIDGE * diagonal + 1e-6 * max(float(diagonal.max()), 1e-30)
    return np.linalg.solve(normal + ridge[:, None, None] * np.eye(count), right)


def _pooled(noise: Noise, variance: np.ndarray) -> np.ndarray:
    """The variance (K, J, I) that the surroundings have on average, as the signal of a unit varies."""
    energy, windows = noise.signal**2, noise.windows(_SURROUNDINGS)
    over, under = windows.spread(windows.sums(np.stack([variance * noise.inside, energy])))
    return energy * over / np.maximum(under, 1e-9 * max(float(under.max()), 1e-30))


def _whole_variance(noise: Noise, features: np.ndarray) -> np.ndarray:
    """The variance (K, J, I) of a regression over the whole brain, were noise correlated as in smaller averages."""
    sure = noise.certainty
    x = (features * sure).reshape(len(features), -1)
    normal = x @ x.T
    inverse = np.linalg.inv(normal + 1e-6 * np.trace(normal) * np.eye(len(features)))
    covariance = inverse @ ((x * (noise.white * sure**2).ravel()) @ x.T) @ inverse * noise.inflation
    return np.einsum("fkji,fg,gkji->kji", features, covariance, features)
