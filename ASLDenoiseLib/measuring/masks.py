"""The tissue masks every readout is taken in, so that figures, baselines and reports mean the same voxels."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import Tissue, Volume

# At 3 mm few cortical voxels are purer than 0.7; white matter is thick enough for a mask nearly free of grey matter.
GM_THRESHOLD = 0.7
WM_THRESHOLD = 0.9
FEWEST_VOXELS = 10


def grey_matter(tissue: Tissue) -> np.ndarray:
    """Bool (K, J, I): grey matter fraction above 0.7, within the brain."""
    return (np.nan_to_num(tissue.gm.array) > GM_THRESHOLD) & (tissue.brain.array > 0.5)


def white_matter(tissue: Tissue) -> np.ndarray:
    """Bool (K, J, I): white matter fraction above 0.9, within the brain."""
    return (np.nan_to_num(tissue.wm.array) > WM_THRESHOLD) & (tissue.brain.array > 0.5)


def tissue_masks(tissue: Tissue) -> dict[str, tuple[np.ndarray, Volume]]:
    """Grey and white matter, by ``GM`` and ``WM``: bool (K, J, I), and the fractions they are taken from."""
    return {"GM": (grey_matter(tissue), tissue.gm), "WM": (white_matter(tissue), tissue.wm)}


def measured(mask: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    """The float64 values of each array where all of them are finite within `mask` (bool, or above 0.5).

    Raises:
        InputError: the shapes differ.
    """
    inside = np.asarray(mask) > 0.5
    values = [np.asarray(a, np.float64) for a in arrays]
    if any(v.shape != inside.shape for v in values):
        shapes = ", ".join(str(v.shape) for v in values)
        raise InputError(f"Images of shapes {shapes} and a mask {inside.shape} are not on one grid; resample.")
    for v in values:
        inside = inside & np.isfinite(v)
    return [v[inside] for v in values]
