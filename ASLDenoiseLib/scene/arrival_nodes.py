"""Maps of arrival times in a scene, and what lies beside them there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..result.arrival_keys import arrival_key, beside_arrival
from .display import MAP_ATTRIBUTE
from .hierarchy import hierarchy, nodes_in

if TYPE_CHECKING:
    import slicer


def is_arrival(node: slicer.vtkMRMLNode) -> bool:
    """Whether a node is a map of arrival times that a run fitted."""
    key = node.GetAttribute(MAP_ATTRIBUTE) or ""
    return bool(arrival_key(key)) and not key.startswith("space-")


def beside(
    node: slicer.vtkMRMLScalarVolumeNode,
) -> tuple[slicer.vtkMRMLScalarVolumeNode | None, slicer.vtkMRMLScalarVolumeNode | None]:
    """The SD of the error of a run's arrival times, and its CBF map, from the folder of that run; None where absent."""
    known = beside_arrival(node.GetAttribute(MAP_ATTRIBUTE) or "")
    if known is None:
        return None, None
    tree = hierarchy(node.GetScene())
    folder = tree.GetItemParent(tree.GetItemByDataNode(node))
    there = {each.GetAttribute(MAP_ATTRIBUTE): each for each in nodes_in(node.GetScene(), folder)}
    error, references = known
    return there.get(error), next((there[key] for key in references if key in there), None)


def file_of(node: slicer.vtkMRMLScalarVolumeNode) -> Path | None:
    """The file that a volume was loaded from, where it still lies as the file has it."""
    stored = node.GetStorageNode()
    name = stored.GetFullNameFromFileName() if stored is not None and stored.GetFileName() else ""
    return Path(name) if name and node.GetParentTransformNode() is None and Path(name).is_file() else None
