"""Label map volumes as regions: vascular territories, lobes, whatever an atlas or a segmentation tool gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..spatial.regions import Drawing, drawings_of_labels
from .volumes import volume_from_node

if TYPE_CHECKING:
    import slicer


def label_names(node: slicer.vtkMRMLLabelMapVolumeNode) -> dict[int, str]:
    """The names that a label map's colours give its labels; those without a name are left out."""
    import slicer

    display = node.GetDisplayNode()
    colours = None if display is None else display.GetColorNode()
    if colours is None or node.GetImageData() is None:
        return {}
    numbers = np.unique(slicer.util.arrayFromVolume(node))
    named = {int(n): colours.GetColorName(int(n)) or "" for n in numbers if 0 < n < colours.GetNumberOfColors()}
    return {number: name for number, name in named.items() if name not in ("", "(none)")}


def label_drawings(node: slicer.vtkMRMLLabelMapVolumeNode) -> dict[str, Drawing]:
    """Every label as a drawing by its name, where the scene shows it.

    Raises:
        InputError: the node holds no labels.
    """
    return drawings_of_labels(volume_from_node(node), label_names(node))
