"""The last millimetre of the T1's alignment, read off the map itself.

Registration by mutual information leaves some tenths of a voxel, and a cortex of 2.5 mm forgives little. Once a map is
modelled along its T1, what is left of the acquired map shows the way: a shifted head leaves the model's own gradient
in the misfit. So the misfit is regressed on what six small rigid motions would change (one Gauss-Newton step).
"""

from __future__ import annotations

import numpy as np

from ..series import Volume
from .forward import AcquisitionModel

_MOST_SHIFT = 1.5  # mm of one step
_MOST_TURN = 1.5  # degrees


def rigid_step(modelled: Volume, misfit: np.ndarray, precision: np.ndarray, model: AcquisitionModel) -> np.ndarray:
    """The rigid motion (4x4, LPS mm, to be applied after the T1's transform) that explains the misfit best.

    Args:
        modelled: the map along the T1 on `model.fine`.
        misfit: acquired minus modelled (K, J, I) on the acquired grid.
        precision: one over the variance of the acquired voxels, 0 where they do not count.
        model: the acquisition.

    Returns:
        The motion, shortened to 1.5 mm and 1.5 degrees; the identity where nothing tells.
    """
    fine = modelled.geometry
    centre = (fine.affine_lps @ [*((np.array(fine.size) - 1) / 2), 1.0])[:3]
    weight = precision > 0
    root = np.sqrt(precision[weight])
    columns = [root * model.forward(change)[weight] for change in _changes(modelled, centre)]
    system = np.stack(columns, axis=1).astype(np.float64)
    if not np.linalg.norm(system, axis=0).min() > 0:
        return np.eye(4)
    step = np.linalg.lstsq(system, (root * misfit[weight]).astype(np.float64), rcond=None)[0]
    shift, turn = _shortened(step[:3], _MOST_SHIFT), _shortened(step[3:], np.deg2rad(_MOST_TURN))
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(turn)
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _changes(modelled: Volume, centre: np.ndarray):
    """What a millimetre along and a radian about each LPS axis would add to the map (fine grid), six in turn."""
    fine = modelled.geometry
    slopes = np.gradient(np.nan_to_num(modelled.array), *fine.spacing[::-1])[::-1]  # along (i, j, k)
    axes = np.reshape(fine.direction, (3, 3))
    gradient = [sum(np.float32(axes[row, a]) * slopes[a] for a in range(3)) for row in range(3)]
    lines = [np.arange(n, dtype=np.float32) for n in fine.size]
    matrix = fine.affine_lps
    place = [
        (
            np.float32(matrix[row, 0]) * lines[0][None, None, :]
            + np.float32(matrix[row, 1]) * lines[1][None, :, None]
            + np.float32(matrix[row, 2]) * lines[2][:, None, None]
            + np.float32(matrix[row, 3] - centre[row])
        )
        for row in range(3)
    ]
    yield from (-g for g in gradient)
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        yield -(place[b] * gradient[c] - place[c] * gradient[b])


def _shortened(vector: np.ndarray, most: float) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector if length <= most else vector * (most / length)


def _rotation(turn: np.ndarray) -> np.ndarray:
    """The matrix of a rotation vector, radians (Rodrigues)."""
    angle = float(np.linalg.norm(turn))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = turn / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
