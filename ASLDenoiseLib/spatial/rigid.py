"""Affine 4x4 matrices: applied to points, and rigid ones as a shift of a centre and a rotation about it."""

from __future__ import annotations

import numpy as np


def apply_affine(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) mapped by a 4x4 matrix."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def parameters_of(matrix: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Shift of `centre` (mm) and rotation vector (degrees), (6,), of a rigid 4x4 matrix; NaN where that is NaN."""
    from scipy.spatial.transform import Rotation

    if not np.isfinite(matrix).all():
        return np.full(6, np.nan)
    shift = matrix[:3, :3] @ centre + matrix[:3, 3] - centre
    return np.concatenate([shift, Rotation.from_matrix(matrix[:3, :3]).as_rotvec(degrees=True)])


def matrix_from(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The rigid 4x4 matrix of `parameters_of`."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(parameters[3:], degrees=True).as_matrix()
    matrix[:3, 3] = centre + parameters[:3] - matrix[:3, :3] @ centre
    return matrix


def mean_distance(one: np.ndarray, other: np.ndarray, points: np.ndarray) -> float:
    """Mean distance (mm) between points (n, 3) mapped by the inverses of two matrices; NaN where one is not known."""
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("nan")
    difference = np.linalg.inv(one) - np.linalg.inv(other)
    return float(np.linalg.norm(apply_affine(difference, points), axis=1).mean())
