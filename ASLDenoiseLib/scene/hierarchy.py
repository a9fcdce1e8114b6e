"""The contents of a scene: the subject hierarchy, the folders of runs in it, and the nodes that were added."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import slicer

RUN_ATTRIBUTE = "ASLDenoise.run"  # of a run's folder
ROLE_ATTRIBUTE = "ASLDenoise.role"  # of a node in it; its value: t1 or m0


def hierarchy(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSubjectHierarchyNode:
    """The scene's subject hierarchy."""
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def study_of(node: slicer.vtkMRMLNode | None, scene: slicer.vtkMRMLScene) -> int:
    """The item that outputs of `node` belong under: its study, else its patient, else the scene."""
    tree = hierarchy(scene)
    item = tree.GetItemByDataNode(node) if node is not None else 0
    for level in ("Study", "Patient"):
        ancestor = tree.GetItemAncestorAtLevel(item, level) if item else 0
        if ancestor:
            return ancestor
    return tree.GetSceneItemID()


def patient_of(scene: slicer.vtkMRMLScene, item: int) -> str:
    """The patient that an item of the subject hierarchy belongs to: ID, else name; empty where it says neither.

    A DICOM study that Slicer loaded says it; of a file named as BIDS has it, the name does (``sub-01``).
    """
    tree = hierarchy(scene)
    patient = tree.GetItemAncestorAtLevel(item, "Patient") if item else 0
    if patient:
        return tree.GetItemAttribute(patient, "DICOM.PatientID") or tree.GetItemName(patient)
    names = [tree.GetItemName(item) if item else "", *(node.GetName() or "" for node in nodes_in(scene, item))]
    found = next(filter(None, (re.search(r"(?<![A-Za-z0-9])sub-[A-Za-z0-9]+", name) for name in names)), None)
    return found[0] if found else ""


def make_folder(scene: slicer.vtkMRMLScene, *, name: str, parent: int, run: str) -> int:
    """A new folder item under `parent`, marked as the outputs of `run`."""
    tree = hierarchy(scene)
    folder = tree.CreateFolderItem(parent, name)
    tree.SetItemAttribute(folder, RUN_ATTRIBUTE, run)
    return folder


def put_under(scene: slicer.vtkMRMLScene, folder: int, nodes: Sequence[slicer.vtkMRMLNode]) -> None:
    """Make `nodes` children of `folder`, in that order. Only the desktop makes items by itself."""
    tree = hierarchy(scene)
    for node in nodes:
        item = tree.GetItemByDataNode(node)
        if item:
            tree.SetItemParent(item, folder)
        else:
            tree.CreateItem(folder, node)


def folders_of(scene: slicer.vtkMRMLScene, run: str, *, parent: int) -> list[int]:
    """The folders directly under `parent` that hold outputs of `run`."""
    tree = hierarchy(scene)
    return [item for item in _children(tree, parent) if tree.GetItemAttribute(item, RUN_ATTRIBUTE) == run]


def run_folders(scene: slicer.vtkMRMLScene) -> list[int]:
    """The folders of all runs in the scene."""
    tree = hierarchy(scene)
    return [item for item in all_items(scene) if tree.GetItemAttribute(item, RUN_ATTRIBUTE)]


def all_items(scene: slicer.vtkMRMLScene) -> list[int]:
    """Every item of the scene."""
    tree = hierarchy(scene)
    return _children(tree, tree.GetSceneItemID(), recursive=True)


def nodes_in(scene: slicer.vtkMRMLScene, folder: int) -> list[slicer.vtkMRMLNode]:
    """The nodes directly in a folder, in its order; outside the desktop an item may outlive its node's removal."""
    tree = hierarchy(scene)
    nodes = map(tree.GetItemDataNode, _children(tree, folder))
    return [node for node in nodes if node is not None and node.GetScene() is not None]


def remove_run(scene: slicer.vtkMRMLScene, folder: int) -> None:
    """Remove a run's folder, the nodes in it, and what hangs on them (display, storage)."""
    tree = hierarchy(scene)
    items = _children(tree, folder, recursive=True)
    nodes = [node for node in map(tree.GetItemDataNode, items) if node is not None]
    # Items first: outside the desktop nothing removes an item when its node goes, and it would stay without a name.
    for item in [*reversed(items), folder]:
        tree.RemoveItem(item, False, False)
    remove_nodes(scene, nodes)


def remove_nodes(scene: slicer.vtkMRMLScene, nodes: Sequence[slicer.vtkMRMLNode]) -> None:
    """Remove nodes, their items, and what hangs on them (display, storage)."""
    tree = hierarchy(scene)
    for node in nodes:
        item = tree.GetItemByDataNode(node)
        if item:
            tree.RemoveItem(item, False, False)
        roles = ("display", "storage")
        hanging = [node.GetNthNodeReference(r, n) for r in roles for n in range(node.GetNumberOfNodeReferences(r))]
        scene.RemoveNode(node)  # first: a volume that a view shows gets a new display node when it loses its own
        for dependent in filter(None, hanging):
            if dependent.GetScene() is not None:  # a desktop has taken some of them away with their volume
                scene.RemoveNode(dependent)


def node_ids(scene: slicer.vtkMRMLScene) -> list[str]:
    """The IDs of all nodes, in the order in which they were added."""
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def remove_added(scene: slicer.vtkMRMLScene, before: Collection[str]) -> None:
    """Remove every node whose ID is not among those `before`, the newest first."""
    added = [i for i in reversed(node_ids(scene)) if i not in before]
    # Browsers first: one that outlives the volume it shows makes it anew.
    for identifier in sorted(added, key=lambda i: "SequenceBrowser" not in i):
        node = scene.GetNodeByID(identifier)  # removing a parent may already have taken it
        if node is not None:
            scene.RemoveNode(node)


def _children(tree: slicer.vtkMRMLSubjectHierarchyNode, item: int, *, recursive: bool = False) -> list[int]:
    import vtk

    children = vtk.vtkIdList()
    tree.GetItemChildren(item, children, recursive)
    return [children.GetId(index) for index in range(children.GetNumberOfIds())]
