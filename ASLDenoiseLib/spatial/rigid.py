"""A rigid matrix as six numbers and back: the shift of a centre and a turn about it."""

from __future__ import annotations

import numpy as np


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
    """Mean distance (mm) between where the inverses of two matrices take points (n, 3); NaN where one is not known."""
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return float("nan")
    difference = np.linalg.inv(one) - np.linalg.inv(other)
    return float(np.linalg.norm(points @ difference[:3, :3].T + difference[:3, 3], axis=1).mean())
