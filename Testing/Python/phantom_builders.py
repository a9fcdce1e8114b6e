"""A head simple enough to know by heart, for tests of the phantom and of what is trained on it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ASLDenoiseLib.learning.anatomy import Anatomy, TissueClass


@lru_cache
def ball_head() -> Anatomy:
    """A 120 mm ball of WM in a GM shell in CSF in soft tissue, with a ventricle of 20 mm in its middle."""
    z, y, x = np.ogrid[-79:80, -79:80, -79:80]
    radius = np.sqrt((x**2 + y**2 + z**2).astype(np.float32))
    classes = np.full(radius.shape, TissueClass.BACKGROUND, np.uint8)
    shells = [
        (76, TissueClass.SOFT_TISSUE),
        (70, TissueClass.BONE),
        (66, TissueClass.CSF),
        (62, TissueClass.CORTEX),
        (44, TissueClass.WM),
        (10, TissueClass.CSF),
    ]
    for limit, tissue in shells:
        classes[radius < limit] = tissue
    return Anatomy(classes, "ball", radius < 10)
