"""What each pair moves the mean by, as a hidden volume of the scene: any region's error is known without a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..result import Result
from ..result.pair_errors import PairErrors
from ..spatial.resampling import crop
from .volumes import ijk_to_ras

if TYPE_CHECKING:
    import slicer

ERRORS_ATTRIBUTE = "ASLDenoise.pairErrors"  # its value: raw or prepared
_STEP, _GROUPS = "ASLDenoise.step", "ASLDenoise.groups"


def add_pair_errors(
    result: Result, *, scene: slicer.vtkMRMLScene, name: str, on: slicer.vtkMRMLScalarVolumeNode
) -> tuple[slicer.vtkMRMLScalarVolumeNode, ...]:
    """A volume for each of the result's `pair_errors`: int16, the groups one above the other along the slices.

    It stands on the grid of `on`, in the box that was kept, and no selector offers it.
    """
    import slicer

    nodes = []
    for which, errors in result.pair_errors.items():
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"{name}, {which}")
        node.SetHideFromEditors(True)
        groups, k, j, i = errors.values.shape
        slicer.util.updateVolumeFromArray(node, errors.values.reshape(groups * k, j, i))
        box = crop(result.maps[result.raw].geometry, errors.start[::-1], (i, j, k))
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(box.affine_ras))
        node.SetAttribute(ERRORS_ATTRIBUTE, which)
        node.SetAttribute(_STEP, repr(errors.step))
        node.SetAttribute(_GROUPS, str(groups))
        nodes.append(node)
    return tuple(nodes)


def pair_errors_in(nodes: Iterable[slicer.vtkMRMLNode], on: slicer.vtkMRMLScalarVolumeNode) -> dict[str, PairErrors]:
    """Those that `add_pair_errors` put among nodes; `on` is the run's raw map. Voxels are not copied."""
    import slicer

    found = {}
    for node in nodes:
        which = node.GetAttribute(ERRORS_ATTRIBUTE)
        if not which or node.GetImageData() is None:
            continue
        groups, array = int(node.GetAttribute(_GROUPS)), slicer.util.arrayFromVolume(node)
        values = array.reshape(groups, array.shape[0] // groups, *array.shape[1:])
        start = np.linalg.inv(ijk_to_ras(on)) @ ijk_to_ras(node)[:, 3]
        found[which] = PairErrors(values, float(node.GetAttribute(_STEP)), tuple(round(float(n)) for n in start[2::-1]))
    return found
