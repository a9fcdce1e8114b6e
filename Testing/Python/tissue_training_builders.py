"""Heads to train the tissue network on: a ball of white in grey matter in CSF, skull and skin."""

from __future__ import annotations

import numpy as np

from ASLDenoiseLib.learning.tissue.heads import PackedHead, pack_labels

SIZE = (32, 32, 32)  # cells of 2 mm
_SHELLS = ((30, 516), (27, 515), (24, 24), (21, 3), (14, 2))  # radius, mm, and FreeSurfer's or SynthSeg's number


def ball_labels() -> np.ndarray:
    """The label map (K, J, I), 1 mm."""
    radius = np.sqrt(sum(axis.astype(float) ** 2 for axis in np.mgrid[-34:35, -34:35, -34:35]))
    labels = np.zeros(radius.shape, np.int32)
    for largest, number in _SHELLS:
        labels[radius < largest] = number
    labels[30:39, 30:39, 20:26] = 16
    return labels


def ball_head(name: str = "head-a") -> PackedHead:
    """The head of `ball_labels`."""
    return pack_labels(ball_labels(), name)
