"""The shape of the template's brain fitted to the outline of a first mask, which may hold neck and eyes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..series import Geometry, Volume
from ..spatial.masks import depth
from ..spatial.rigid import apply_affine
from .template import MNI_GRID, icbm_template

_TOLERANCE = 4.0  # mm; an outline point much further out (neck, an eye) hardly pulls
_MISSING = 2.0  # tolerances; beyond, a point inside pulls less than by its square, but pulls: brain is bright
_ROTATIONS = (0.25, 0.12, 0.12)  # rad, SD of a head about x, y, z: heads are tilted about x first
_SCALES = 0.12  # SD of log size, and of one axis against the others
_PRIOR_POINTS = 60  # of the outline have the weight of these priors: neighbouring points are correlated
_FEW, _MANY = 500, 2500  # points of the outline: to try the starts, and in the end
_START_HEIGHTS = (75.0, 50.0, 25.0)  # mm in MNI space of the mask's top; a slab may end below the vertex


@dataclass(frozen=True, eq=False)
class BrainShape:
    """The template's brain fitted to a first mask.

    Args:
        matrix: 4x4, LPS mm, points of the image to points of the template.
        misfit: mm, median distance of the mask's outline from the brain's; 2-4 for a head.
    """

    matrix: np.ndarray
    misfit: float

    def depth(self, geometry: Geometry) -> np.ndarray:
        """Distance (K, J, I), mm in the template, from its brain's outline; positive inside, negative outside."""
        index = np.indices(geometry.shape).reshape(3, -1)[::-1].T
        return _depth_at(apply_affine(self.matrix @ geometry.affine_lps, index)).reshape(geometry.shape)


def fit_brain_shape(mask: Volume) -> BrainShape:
    """Rotate, shift and scale the template's brain to the outline of a mask; 0.2 s.

    The outline's distances from the template's brain are minimised by least squares, from three heights: outside it
    with Cauchy's loss, inside with Huber's, since a mask takes in too much sooner than it leaves out brain. Where the
    scan cuts the brain off there is no outline. Priors on sizes and rotations settle what a few slices leave open.
    Points are drawn with a fixed seed: the same mask gives the same shape.

    Args:
        mask: a brain (above 0.5), perhaps with neck or eyes; upright within some 30 degrees by its header.
    """
    inside = mask.array > 0.5
    outline = np.random.default_rng(0).permutation(_outline(inside, mask.geometry))
    points = apply_affine(mask.geometry.affine_lps, np.argwhere(inside)[:, ::-1])
    pivot = np.array([*np.median(points[:, :2], axis=0), np.percentile(points[:, 2], 99.5)])
    centre = apply_affine(MNI_GRID.affine_lps, np.argwhere(_template_depth() > 0)[:, ::-1].mean(axis=0))
    starts = [np.r_[np.zeros(3), centre[:2], height, np.zeros(3)] for height in _START_HEIGHTS]
    found = min((_optimised(start, outline[:_FEW], pivot) for start in starts), key=lambda each: each[0])
    matrix = _matrix(_optimised(found[1], outline[:_MANY], pivot)[1], pivot)
    return BrainShape(matrix, float(np.median(np.abs(_depth_at(apply_affine(matrix, outline))))))


def _optimised(start: np.ndarray, outline: np.ndarray, pivot: np.ndarray) -> tuple[float, np.ndarray]:
    """The cost and the nine parameters reached: rotation (rad), the pivot's place (mm), logs of three sizes."""
    from scipy.optimize import least_squares

    weight = np.sqrt(len(outline) / _PRIOR_POINTS)

    def residuals(x: np.ndarray) -> np.ndarray:
        depth = _depth_at(apply_affine(_matrix(x, pivot), outline)) / _TOLERANCE
        expected = np.r_[x[:3] / _ROTATIONS, x[6:] / _SCALES, (x[6:] - x[6:].mean()) / _SCALES]
        outside = np.sign(depth) * np.sqrt(np.log1p(depth**2))
        inside = np.where(depth < _MISSING, depth, np.sqrt(_MISSING * np.maximum(depth, _MISSING)))
        return np.r_[np.where(depth > 0, inside, outside), weight * expected]

    found = least_squares(residuals, start, max_nfev=20, x_scale=np.repeat([0.1, 5.0, 0.1], 3))
    return float(found.cost), found.x


def _matrix(x: np.ndarray, pivot: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = np.exp(x[6:])[:, None] * Rotation.from_rotvec(x[:3]).as_matrix()
    matrix[:3, 3] = x[3:6] - matrix[:3, :3] @ pivot
    return matrix


def _outline(inside: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Points (n, 3) LPS mm of a mask's border; where it meets the end of the scan it has none."""
    from scipy.ndimage import binary_erosion

    padded = np.pad(inside, 1, mode="edge")
    border = padded & ~binary_erosion(padded, border_value=1)
    return apply_affine(geometry.affine_lps, np.argwhere(border[1:-1, 1:-1, 1:-1])[:, ::-1])


@lru_cache(maxsize=1)
def _template_depth() -> np.ndarray:
    inside = icbm_template().brain.array > 0.5
    return (depth(inside, MNI_GRID) - depth(~inside, MNI_GRID)).astype(np.float32)


def _depth_at(points: np.ndarray) -> np.ndarray:
    """Depth (mm) in the template's brain at points (n, 3) LPS mm of MNI space; beyond its grid it goes on falling."""
    from scipy.ndimage import map_coordinates

    index = apply_affine(np.linalg.inv(MNI_GRID.affine_lps), points)[:, ::-1]
    within = np.clip(index, 0, np.array(MNI_GRID.shape) - 1)
    beyond = np.linalg.norm((index - within) * MNI_GRID.spacing[::-1], axis=1)
    return map_coordinates(_template_depth(), within.T, order=1) - beyond
