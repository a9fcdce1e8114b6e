"""The edge of a brain mask: what a template's shape cut off wrongly, and the rim of half-filled voxels."""

from __future__ import annotations

import numpy as np

from ..series import Geometry
from ..spatial.masks import largest_piece, widened, without_holes

_FAR = 18.0  # mm; what was cut off and reaches further from the brain is neck, orbit or muscle
_JOINED = 1.5  # times that far from its end, a piece is cut off as a whole
_GROWTH = 4.0  # mm, or a voxel, that the rim may add
_REACH = 8.0  # mm, within which bone or air must be
_DARK = 0.35  # of the brain's level: bone and air are darker


def with_brain_cut_off(mask: np.ndarray, bright: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The mask (bool, K, J, I) with what is as `bright` as brain beside it and ends within 14 mm of it.

    A brain that is flatter or wider than the template's loses its edge to the template's outline; neck, eyes and
    muscles go on further, or to the end of the scan.

    Args:
        mask: the brain as the template's shape cut it.
        bright: the first mask, which may hold neck and eyes.
        geometry: of both.
    """
    from scipy.ndimage import binary_propagation

    cut_off = bright & ~mask
    ends = np.zeros_like(mask)
    ends[[0, -1]] = True
    distant = cut_off & (ends | ~widened(mask, geometry, _FAR))
    if distant.any():
        near = widened(distant, geometry, _JOINED * _FAR)
        distant = binary_propagation(distant, mask=cut_off & near)
    return largest_piece(mask | (cut_off & ~distant))


def with_rim(mask: np.ndarray, even: np.ndarray, level: float, geometry: Geometry) -> np.ndarray:
    """The mask with the rim of voxels that brain fills by half or more, where bone or air lies beyond.

    Towards the outside the signal falls from the brain's to the dark beyond; a voxel above half way is brain. Voxels
    brighter than the brain beside them, as eyes are, and edges without a dark gap, as towards muscle, are left.

    Args:
        mask: bool (K, J, I).
        even: the image without its bias.
        level: of the brain in it.
        geometry: of both.
    """
    from scipy.ndimage import binary_dilation, binary_propagation, minimum_filter, uniform_filter

    box = [max(3, 2 * round(_REACH / s) + 1) for s in geometry.spacing[::-1]]
    low = minimum_filter(even, size=box, mode="nearest")
    share = uniform_filter(mask.astype(np.float32), 3)
    beside = uniform_filter(np.where(mask, even, 0.0).astype(np.float32), 3) / np.maximum(share, 1e-6)
    near = widened(mask, geometry, _GROWTH) | binary_dilation(mask)
    falling = (even < beside) & (even > 0.5 * (level + low)) & (low < _DARK * level)
    return without_holes(binary_propagation(mask, mask=mask | (near & falling)))
