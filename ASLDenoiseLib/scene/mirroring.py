"""Where the other half of the brain is, kept in the scene with the run's raw map."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import slicer

MIRROR_ATTRIBUTE = "ASLDenoise.mirror"  # of the raw map; its value: 16 numbers, LPS mm


def set_mirror(node: slicer.vtkMRMLScalarVolumeNode, matrix: np.ndarray | None) -> None:
    """Keep in the raw map's node where the other half of the brain is (4x4, LPS mm)."""
    if matrix is not None:
        node.SetAttribute(MIRROR_ATTRIBUTE, json.dumps(np.asarray(matrix, float).ravel().tolist()))


def mirror_in(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray | None:
    """What `set_mirror` kept; None for nothing."""
    text = node.GetAttribute(MIRROR_ATTRIBUTE)
    return np.reshape(json.loads(text), (4, 4)) if text else None
