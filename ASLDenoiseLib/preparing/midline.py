"""The plane between the halves of a brain: where the image of a head is most like its own mirror image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import Volume
from ..spatial.resampling import average_onto, with_spacing

_SPACING = 3.0  # mm, at least, of the voxels that are compared
_SIGMA = 3.0  # mm; gyri differ from side to side, lobes and ventricles hardly
_POINTS = 6000  # of the brain, at which the halves are compared
_SEED = 7
_TURNS = np.deg2rad([-24.0, -12.0, 0.0, 12.0, 24.0])  # about the vertical and the front-to-back axis
_SHIFTS = (-8.0, 0.0, 8.0)  # mm from the middle of the brain


@dataclass(frozen=True, eq=False)
class MirrorFit:
    """A mirror plane.

    Args:
        matrix: 4x4, LPS mm, a reflection: takes each point to the one across the plane; it is its own inverse.
        agreement: correlation of the brain with its mirror image, -1..1; 0 where nothing could be compared.
    """

    matrix: np.ndarray
    agreement: float


def mirror_of(image: Volume, brain: Volume) -> MirrorFit:
    """The plane about which an image of a brain is most symmetrical.

    Starts lie up to 24 degrees about two axes and 8 mm from the middle of the brain, left and right as the header has
    them; the best is refined (Nelder and Mead 1965). A lesion of one half hardly moves it: the rest decides.

    Args:
        image: a T1, an M0 or perfusion; NaN counts as air.
        brain: above 0.5 inside, on any grid in the same space.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.optimize import minimize

    grid = with_spacing(brain.geometry, tuple(max(s, _SPACING) for s in brain.geometry.spacing))
    mask = average_onto(brain, grid, outside=0.0).array > 0.5
    coarse = np.nan_to_num(average_onto(image, grid, outside=0.0).array)
    spread = [_SIGMA / s for s in grid.spacing[::-1]]
    smooth = gaussian_filter(np.where(mask, coarse, 0.0).astype(np.float64), spread)
    places = np.argwhere(mask)
    if len(places) < 100 or not np.ptp(smooth) > 0:
        return MirrorFit(_reflection(np.array([1.0, 0.0, 0.0]), np.zeros(3)), 0.0)
    chosen = np.random.default_rng(_SEED).choice(len(places), min(_POINTS, len(places)), replace=False)
    affine = grid.affine_lps
    points = places[chosen][:, ::-1] @ affine[:3, :3].T + affine[:3, 3]
    centre = (places.mean(axis=0)[::-1] @ affine[:3, :3].T) + affine[:3, 3]
    here = _sampled(smooth, affine, points)

    def matrix(plane: np.ndarray) -> np.ndarray:
        normal = _normal(plane[0], plane[1])
        return _reflection(normal, centre + plane[2] * normal)

    def unlike(plane: np.ndarray) -> float:
        there = matrix(plane)
        return -_correlation(here, _sampled(smooth, affine, points @ there[:3, :3].T + there[:3, 3]))

    starts = np.array([(a, b, c) for a in _TURNS for b in _TURNS for c in _SHIFTS])
    start = min(starts, key=unlike)
    simplex = start + np.vstack([np.zeros(3), np.diag([0.1, 0.1, 3.0])])
    best = minimize(unlike, start, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-3}).x
    return MirrorFit(matrix(best), -unlike(best))


def _normal(yaw: float, roll: float) -> np.ndarray:
    """Left to right, turned about the vertical and the front-to-back axis."""
    return np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])


def _reflection(normal: np.ndarray, through: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] -= 2 * np.outer(normal, normal)
    matrix[:3, 3] = 2 * (normal @ through) * normal
    return matrix


def _sampled(array: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    index = (points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
    return map_coordinates(array, index[:, ::-1].T, order=1, mode="constant")


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / scale) if scale > 0 else 0.0
