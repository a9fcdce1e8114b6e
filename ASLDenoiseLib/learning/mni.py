"""Where a labelled head lies in MNI space, found by landmarks that every label map has: no template, no registration.

A phantom turns, scales and warps each head anyway, by 12 degrees, 15 % and some 10 mm. What is asked of the alignment
is that a region of MNI space comes to lie in the tissue it was drawn in. In heads of 17 people 76 % of what real stroke
masks cover is grey or white matter and 19 % CSF of sulci and ventricles, just as after an affine registration of the
images; 89 % of it is tissue of the template, whose sulci are blurred.
"""

from __future__ import annotations

import weakref

import numpy as np

from .anatomy import Anatomy, TissueClass

# MNI mm (x right, y anterior, z superior), means over 17 heads aligned affinely to ICBM 2009a by mutual information
# (`preparing.template_fit.fit_brain`); between heads they have an SD of 1 to 2 mm.
CEREBRUM = np.array(((-66.0, -100.8, -42.8), (66.0, 64.9, 73.8)))  # 0.5th and 99.5th percentile along each axis
_DEEP_GM = np.array((0.0, -9.5, -1.7))
_HINDBRAIN = np.array((0.0, -53.6, -34.3))  # half way between the middles of `CEREBELLAR_GM` and `BRAIN_STEM`
_PERCENTILES = (0.5, 99.5)

_TO_RAS = np.array(((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)))  # of (superior, posterior, left)
_CEREBRUM = (TissueClass.CORTEX, TissueClass.DEEP_GM, TissueClass.WM)
# What takes places in units of half extents (superior, posterior, left) to the box of MNI's cerebrum, (3, 4).
FROM_RELATIVE = np.hstack([(CEREBRUM[1] - CEREBRUM[0])[:, None] / 2 * _TO_RAS, CEREBRUM.mean(0)[:, None]])
_known: weakref.WeakKeyDictionary[Anatomy, np.ndarray] = weakref.WeakKeyDictionary()


def mni_affine(anatomy: Anatomy) -> np.ndarray:
    """The matrix (3, 4) that takes places in a head to MNI space, worked out once a head.

    The head is pitched until the line from hindbrain to deep grey matter has the template's slope, and scaled along
    each axis until its cerebrum fills the template's. A head without one of the two is not pitched.

    Args:
        anatomy: the head; its places are mm from its centre, ordered (superior, posterior, left).

    Returns:
        For mm in MNI space, ordered (right, anterior, superior).
    """
    if anatomy not in _known:
        _known[anatomy] = _by_landmarks(anatomy.classes)
    return _known[anatomy]


def _by_landmarks(classes: np.ndarray) -> np.ndarray:
    turn = _pitch(classes) @ _TO_RAS
    cerebrum = _places(classes, *_CEREBRUM)[::3] @ turn.T
    low, high = np.percentile(cerebrum, _PERCENTILES, axis=0)
    scale = (CEREBRUM[1] - CEREBRUM[0]) / np.maximum(high - low, 1.0)
    return np.hstack([scale[:, None] * turn, (CEREBRUM[0] - scale * low)[:, None]])


def _pitch(classes: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) about the axis to the right."""
    parts = [_places(classes, t) for t in (TissueClass.DEEP_GM, TissueClass.CEREBELLAR_GM, TissueClass.BRAIN_STEM)]
    if not all(len(p) for p in parts):
        return np.eye(3)
    deep, cerebellum, stem = (_TO_RAS @ p.mean(0) for p in parts)
    angle = _slope(_DEEP_GM - _HINDBRAIN) - _slope(deep - (cerebellum + stem) / 2)
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)))


def _slope(line: np.ndarray) -> float:
    return float(np.arctan2(line[2], line[1]))


def _places(classes: np.ndarray, *tissues: TissueClass) -> np.ndarray:
    """Places (N, 3) of the voxels of some tissues, mm from the centre of the head."""
    return np.argwhere(np.isin(classes, tissues)) - (np.array(classes.shape) - 1) / 2
