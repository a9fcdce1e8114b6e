"""The tissue masks every readout is taken in, so that figures, baselines and reports mean the same voxels."""

from __future__ import annotations

import numpy as np

from ..series import Tissue

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
