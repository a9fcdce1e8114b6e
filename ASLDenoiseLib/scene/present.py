"""A finished run in the scene: maps over the T1, tissue and ROIs, a readouts table, all in one folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..result import MAP_LABELS, Readout, Result
from ..series import CBF_UNIT, Volume
from .display import CBF_LOOK, DIFFERENCE_LOOK, ERROR_LOOK, Look, apply_look, set_layers, show_grey
from .embedded import current_scene
from .hierarchy import all_items, folders_of, hierarchy, make_folder, put_under, remove_run, study_of
from .segments import add_segmentation
from .series import M0_ROLE, SeriesNodes, series_to_nodes
from .volumes import PWI_QUANTITY, matrix_node, volume_to_node

if TYPE_CHECKING:
    import slicer

MAP_ATTRIBUTE = "ASLDenoise.map"  # its value: the key in Result.maps
ROLE_ATTRIBUTE = "ASLDenoise.role"  # its value: t1 or m0
_RAW = "desc-mean_cbf"


@dataclass(frozen=True)
class PresentedNodes:
    """A presented run: the `result` and its nodes, `maps` by the keys of `Result.maps`; None where there is none.

    `series` is None where the run was started from a node that is in the scene already (`source`).
    """

    result: Result = field(repr=False)
    folder: int
    series: SeriesNodes | None
    maps: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    readouts: slicer.vtkMRMLTableNode
    segmentation: slicer.vtkMRMLSegmentationNode
    t1: slicer.vtkMRMLScalarVolumeNode | None = None
    t1_to_asl: slicer.vtkMRMLLinearTransformNode | None = None
    m0: slicer.vtkMRMLScalarVolumeNode | None = None
    all_nodes: tuple[slicer.vtkMRMLNode, ...] = field(default=(), repr=False)

    @property
    def shown(self) -> slicer.vtkMRMLScalarVolumeNode:
        """The map to look at first: what the run was for, else the raw mean."""
        return self.maps[self.result.processed or _RAW]


def present(
    result: Result,
    *,
    scene: slicer.vtkMRMLScene | None = None,
    source: slicer.vtkMRMLNode | None = None,
) -> PresentedNodes:
    """Put `result` into `scene` (default: the current one) and show it.

    All goes into one subject hierarchy folder, under the study of `source` (the node the series came from) where it
    has one. The T1 is a new node under a linear transform that takes it to the series, so a T1 the user loaded is not
    moved. Presenting the same series and model again replaces the earlier folder. Whatever fails, the scene is left
    as it was.
    """
    scene = current_scene() if scene is None else scene
    model = str(result.model.get("name", "")) if result.model else ""
    run = f"{result.series.name} {model}".strip()
    parent = study_of(source, scene)
    with _undone_on_failure(scene):
        earlier = folders_of(scene, run, parent=parent)
        folder = make_folder(scene, name=f"{run} ASL", parent=parent, run=run)
        nodes = _add(result, scene, folder, source)
        _show(nodes, scene)
    for item in earlier:
        remove_run(scene, item)
    return nodes


def _add(result: Result, scene: slicer.vtkMRMLScene, folder: int, source: slicer.vtkMRMLNode | None) -> PresentedNodes:
    """Every node of the run, in the order the folder shows them."""
    stem = result.series.name
    maps = {key: _add_map(key, volume, scene, stem) for key, volume in result.maps.items()}
    table = add_readouts(result, scene=scene, name=f"{stem} readouts")
    segmentation = add_segmentation(result, scene=scene, name=f"{stem} tissue and ROIs", reference=maps[_RAW])
    t1 = transform = None
    if result.t1 is not None:
        t1 = volume_to_node(result.t1, scene=scene, name=f"{stem} T1 on ASL")
        transform = matrix_node(result.t1_to_asl, scene=scene, name=f"{stem} T1 to ASL")
        for node in (t1, *(maps[key] for key in result.in_t1_space)):
            node.SetAndObserveTransformNodeID(transform.GetID())
    series = None
    if source is None:
        series = series_to_nodes(result.series, scene=scene)
        m0 = series.m0
        in_series = [series.sequence, series.browser, series.proxy]
    else:
        m0, in_series = source.GetNodeReference(M0_ROLE), []
        if m0 is None and result.series.m0 is not None:
            m0 = volume_to_node(result.series.m0, scene=scene, name=f"{stem}_m0scan")
            in_series.append(m0)
    own_m0 = [series.m0] if series is not None and series.m0 is not None else []
    ordered = [*maps.values(), table, segmentation, t1, transform, *own_m0, *in_series]
    kept = tuple(node for node in ordered if node is not None)
    put_under(scene, folder, kept)
    return PresentedNodes(result, folder, series, maps, table, segmentation, t1, transform, m0, kept)


def _add_map(key: str, volume: Volume, scene: slicer.vtkMRMLScene, stem: str) -> slicer.vtkMRMLScalarVolumeNode:
    """A map's node, named as its file would be, with its label for people as description."""
    quantity = PWI_QUANTITY if key.endswith("_pwi") else None
    node = volume_to_node(volume, scene=scene, name=f"{stem}_{key}", quantity=quantity)
    node.SetDescription(MAP_LABELS.get(key, key))
    node.SetAttribute(MAP_ATTRIBUTE, key)
    look = look_of(key, volume)
    if look is None:
        show_grey(node)
    else:
        apply_look(node, look)
        _hide_legend(node)
    return node


def look_of(key: str, volume: Volume) -> Look | None:
    """How the map of a result is shown; None for maps without absolute units (grey)."""
    if volume.unit != CBF_UNIT:
        return None
    if key.startswith(("desc-residual", "desc-recovered")):
        return DIFFERENCE_LOOK
    return ERROR_LOOK if key.startswith(("desc-uncertainty", "desc-meanerror")) else CBF_LOOK


def add_readouts(result: Result, *, scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLTableNode:
    """A table: a row a readout; columns Readout, Unit, one a judged map by its label, and Change (%) of processed
    against raw (NaN where raw is zero or either was not measured)."""
    import slicer

    rows: dict[str, Readout] = {}
    for readouts in result.readouts.values():
        for readout in readouts:
            rows.setdefault(readout.name, readout)
    values = {
        key: np.array([_value(readouts, row) for row in rows], dtype=float) for key, readouts in result.readouts.items()
    }
    columns: dict[str, np.ndarray] = {
        "Readout": np.array([row.label for row in rows.values()], dtype=str),
        "Unit": np.array([row.unit for row in rows.values()], dtype=str),
    }
    columns |= {MAP_LABELS.get(key, key): column for key, column in values.items()}
    if _RAW in values and result.processed in values:
        columns["Change (%)"] = _change(values[_RAW], values[result.processed])
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    slicer.util.updateTableFromArray(node, [], [])
    for title, column in columns.items():
        node.AddColumn(_vtk_column(title, column))
    node.SetUseColumnTitleAsColumnHeader(True)
    return node


def _show(nodes: PresentedNodes, scene: slicer.vtkMRMLScene) -> None:
    if nodes.t1 is not None:
        show_grey(nodes.t1)
        nodes.t1.SetAttribute(ROLE_ATTRIBUTE, "t1")
    if nodes.m0 is not None:
        nodes.m0.SetAttribute(ROLE_ATTRIBUTE, "m0")
    if nodes.m0 is not None and nodes.series is not None:
        show_grey(nodes.m0)
    for legend in legends_of(nodes.shown):
        legend.SetVisibility(True)
    set_layers(scene, background=nodes.t1 or nodes.m0, foreground=nodes.shown)


def legends_of(node: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLColorLegendDisplayNode]:
    """The colour legends of a volume node."""
    displays = (node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes()))
    return [display for display in displays if display is not None and display.IsA("vtkMRMLColorLegendDisplayNode")]


def _hide_legend(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Only the shown map's legend is on; Slicer would draw all of them over one another."""
    for legend in legends_of(node):
        legend.SetVisibility(False)


def _value(readouts: tuple[Readout, ...], name: str) -> float:
    return next((readout.value for readout in readouts if readout.name == name), float("nan"))


def _change(raw: np.ndarray, denoised: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100.0 * (denoised - raw) / np.abs(raw)
    return np.where(np.isfinite(change), change, np.nan)


def _vtk_column(title: str, column: np.ndarray) -> object:
    import vtk

    array = vtk.vtkDoubleArray() if column.dtype.kind == "f" else vtk.vtkStringArray()
    array.SetName(title)
    for value in column.tolist():
        array.InsertNextValue(value)
    return array


@contextmanager
def _undone_on_failure(scene: slicer.vtkMRMLScene) -> Iterator[None]:
    """Remove every node and item that was added, and put the layers back, when the body raises."""
    import slicer

    before = set(_node_ids(scene))
    items = set(all_items(scene))
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    layers = [(c, c.GetBackgroundVolumeID(), c.GetForegroundVolumeID(), c.GetForegroundOpacity()) for c in composites]
    try:
        yield
    except BaseException:
        for identifier in reversed([i for i in _node_ids(scene) if i not in before]):
            node = scene.GetNodeByID(identifier)  # removing a parent may already have taken it
            if node is not None:
                scene.RemoveNode(node)
        for item in [i for i in all_items(scene) if i not in items]:
            hierarchy(scene).RemoveItem(item, False, False)
        for composite, background, foreground, opacity in layers:
            composite.SetBackgroundVolumeID(background)
            composite.SetForegroundVolumeID(foreground)
            composite.SetForegroundOpacity(opacity)
        raise


def _node_ids(scene: slicer.vtkMRMLScene) -> list[str]:
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]
