"""Regions of one atlas as segments of one labelmap: hundreds with a labelmap each take minutes to make and save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from ..spatial.regions import Drawing
from .segments import labelled_image

if TYPE_CHECKING:
    import slicer

_LABELMAP = "Binary labelmap"
_ON_LATTICE = 1e-3  # of a voxel


def add_shared(
    node: slicer.vtkMRMLSegmentationNode, drawings: Mapping[str, Drawing], colours: Iterable[tuple]
) -> tuple[str, ...]:
    """Add a segment a drawing, all in one labelmap.

    Args:
        node: a segmentation.
        drawings: by name; parts of one label image, wherever it has been moved.
        colours: RGB 0..1, in turn.

    Returns:
        The segments; none where the drawings overlap or lie on several grids, and nothing was added.
    """
    import slicer

    drawn = {name: drawing for name, drawing in drawings.items() if drawing.inside.any()}
    labels = _labels_of(list(drawn.values()))
    if labels is None:
        return ()
    image, segmentation, added = labelled_image(*labels), node.GetSegmentation(), []
    for (value, name), colour in zip(enumerate(drawn, start=1), cycle(colours), strict=False):
        segment = slicer.vtkSegment()
        segment.SetName(name)
        segment.SetColor(*colour)
        segment.SetLabelValue(value)
        segment.AddRepresentation(_LABELMAP, image)
        added.append(segmentation.GenerateUniqueSegmentID(name))
        segmentation.AddSegment(segment, added[-1])
    return tuple(added)


def _labels_of(drawings: list[Drawing]) -> tuple[np.ndarray, np.ndarray] | None:
    """One label image (K, J, I) from 1 in the order of the drawings, and its affine (LPS mm); None where none fits."""
    if not drawings:
        return None
    first = drawings[0].affine
    starts = np.array([np.linalg.solve(first, each.affine[:, 3])[:3] for each in drawings])  # (i, j, k)
    whole = np.rint(starts).astype(int)
    same = all(np.allclose(each.affine[:3, :3], first[:3, :3], atol=1e-6) for each in drawings)
    if not same or np.abs(starts - whole).max() > _ON_LATTICE:
        return None
    low = whole.min(axis=0)
    ends = (whole + [each.inside.shape[::-1] for each in drawings]).max(axis=0)
    labels = np.zeros((ends - low)[::-1], np.int16)
    for value, (start, drawing) in enumerate(zip(whole - low, drawings, strict=True), start=1):
        part = labels[tuple(slice(at, at + n) for at, n in zip(start[::-1], drawing.inside.shape, strict=True))]
        if (part[drawing.inside] != 0).any():
            return None
        part[drawing.inside] = value
    affine = np.array(first, float)
    affine[:3, 3] = (first @ [*low, 1.0])[:3]
    return labels, affine
