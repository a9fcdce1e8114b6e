"""How well images explain another place by place: linear regression within cubes of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..series import Geometry

_RIDGE = 1e-3  # of a cube's voxels, for features of about 0..1 that hardly vary in it


def cubes(inside: np.ndarray, geometry: Geometry, edge: float) -> np.ndarray:
    """The number (int, of each voxel of `inside`, in the order of `array[inside]`) of its cube of `edge` mm, from 0.

    Cubes lie along the axes of the grid; the first is centred on the middle of what is inside.
    """
    where = np.argwhere(inside)
    steps = np.floor((where - where.mean(axis=0)) * geometry.spacing[::-1] / edge + 0.5).astype(int)
    return np.unique(steps, axis=0, return_inverse=True)[1].ravel()


def unexplained(values: np.ndarray, features: Sequence[np.ndarray], cube: np.ndarray) -> np.ndarray:
    """Of every cube, the sum of squares of `values` that a constant and the features leave, (cubes,).

    Each cube is fitted alone, so that what changes slowly over the image, as the coils' sensitivity, does no harm.

    Args:
        values: (n,), finite.
        features: each (n,), about 0..1, finite.
        cube: (n,), the number of each value's cube, as `cubes` gives it.
    """
    count = int(cube.max(initial=-1)) + 1
    design = np.stack([np.ones_like(values), *features], axis=1).astype(np.float64)
    columns = design.shape[1]

    def summed(products: np.ndarray) -> np.ndarray:
        return np.bincount(cube, products, count)

    gram = np.empty((count, columns, columns))
    for a in range(columns):
        for b in range(a + 1):
            gram[:, a, b] = gram[:, b, a] = summed(design[:, a] * design[:, b])
    voxels = gram[:, 0, 0].copy()
    gram[:, range(1, columns), range(1, columns)] += _RIDGE * voxels[:, None] + 1e-9
    moments = np.stack([summed(column * values) for column in design.T], axis=1)
    weights = np.linalg.solve(gram, moments[..., None])[..., 0]
    return summed((values - (weights[cube] * design).sum(axis=1)) ** 2)
