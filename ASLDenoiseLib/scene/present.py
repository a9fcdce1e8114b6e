"""A finished run in the scene: maps over the T1, tissue and ROIs, a readouts table, all in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..result import Result
from ..result.maps import Role
from ..series import Volume
from .choose import show_map
from .course import add_course
from .display import MAP_ATTRIBUTE, SHORT_ATTRIBUTE, apply_kind, legends_of, show_grey
from .documents import keep_findings
from .fit_nodes import add_outline
from .following import TO_SERIES
from .headless import current_scene
from .hierarchy import (
    ROLE_ATTRIBUTE,
    all_items,
    folders_of,
    hierarchy,
    make_folder,
    node_ids,
    put_under,
    remove_added,
    remove_run,
    study_of,
)
from .mirroring import set_mirror
from .pair_errors import add_pair_errors
from .place import PLACE_ATTRIBUTE, first_look, place_of_brain
from .plots import add_plots
from .readouts import add_readouts
from .region_nodes import add_atlas, add_marks, add_tissue, regions_node, take_up
from .relative import REFERENCES_ATTRIBUTE, references_of
from .series import M0_ROLE, SeriesNodes, series_to_nodes
from .volumes import PWI_QUANTITY, matrix_node, volume_from_node, volume_to_node

if TYPE_CHECKING:
    import slicer


@dataclass(frozen=True)
class PresentedNodes:
    """A presented run: the `result` and its nodes, `maps` by the keys of `Result.maps`; None where there is none.

    `series` is None where the run was started from a node that is in the scene already (`source`). `charts` are by
    the keys of `reporting.charts`. `segmentation` is the run's tissue and `atlas` its atlas regions, `regions` is what
    the user draws in; None where that is another segmentation of theirs.
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
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode] = field(default_factory=dict)
    regions: slicer.vtkMRMLSegmentationNode | None = None
    atlas: slicer.vtkMRMLSegmentationNode | None = None

    @property
    def shown(self) -> slicer.vtkMRMLScalarVolumeNode:
        """The map to show first: the processed one, else the raw mean."""
        return self.maps[self.result.processed or self.result.raw]


def present(
    result: Result, *, scene: slicer.vtkMRMLScene | None = None, source: slicer.vtkMRMLNode | None = None
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
        nodes = _add(result, scene, folder, source, parent)
        nodes = replace(nodes, charts=add_plots(result, nodes))
        series = source if nodes.series is None else nodes.series.sequence
        keep_findings(scene, folder, result.findings, name=result.series.name, source=series)
        _show(nodes, scene)
    raw = nodes.maps[result.raw]
    for item in earlier:
        take_up(scene, item, series=result.series.name, parent=parent, t1=nodes.t1, raw=raw)
        remove_run(scene, item)
    return nodes


def _add(
    result: Result, scene: slicer.vtkMRMLScene, folder: int, source: slicer.vtkMRMLNode | None, parent: int
) -> PresentedNodes:
    """Every node of the run, in the order the folder shows them."""
    stem = result.series.name
    maps = {key: _add_map(key, result, scene) for key in result.maps}
    table = add_readouts(result, scene=scene, name=f"{stem} readouts")
    course = add_course(result, scene=scene, name=f"{stem} time line")
    t1 = transform = None
    if result.t1 is not None:
        t1 = volume_to_node(result.t1, scene=scene, name=f"{stem} T1 on ASL")
        t1.SetAttribute(ROLE_ATTRIBUTE, "t1")
        transform = matrix_node(result.t1_to_asl, scene=scene, name=f"{stem} T1 to ASL")
        transform.SetAttribute(ROLE_ATTRIBUTE, TO_SERIES)
        for node in (t1, *(maps[key] for key in result.in_t1_space)):
            node.SetAndObserveTransformNodeID(transform.GetID())
    set_mirror(maps[result.raw], result.mirror)
    reference = maps[result.raw] if t1 is None else t1
    regions = regions_node(result, scene=scene, parent=parent, reference=reference)
    segmentation = add_tissue(result, scene=scene, name=f"{stem} tissue", reference=maps[result.raw])
    atlas = add_atlas(result, scene=scene, name=f"{stem} atlas", reference=reference)  # saved on that grid
    marks = add_marks(result, scene=scene, name=f"{stem} marks", reference=maps[result.raw])
    errors = add_pair_errors(result, scene=scene, name=f"{stem} pairs", on=maps[result.raw])
    series = None
    if source is None:
        series = series_to_nodes(result.series, scene=scene)
        m0, own = series.m0, [series.m0, series.sequence, series.browser, series.proxy]
    else:
        m0, own = source.GetNodeReference(M0_ROLE), []
        if result.series.m0 is not None and (m0 is None or not _lies_there(m0, result.series.m0)):
            m0 = volume_to_node(result.series.m0, scene=scene, name=f"{stem}_m0scan")
            own.append(m0)
    outline = None
    if t1 is not None and result.brain is not None:
        outline = add_outline(result.brain, scene=scene, name=f"{stem} outline")
    ordered = [*maps.values(), table, course, segmentation, atlas, marks, *errors, t1, transform, outline, *own]
    added = tuple(node for node in ordered if node is not None)
    put_under(scene, folder, added)
    nodes = PresentedNodes(result, folder, series, maps, table, segmentation, t1, transform, m0, added)
    return replace(nodes, regions=regions, atlas=atlas)


def _lies_there(node: slicer.vtkMRMLScalarVolumeNode, volume: Volume) -> bool:
    """Whether the scene shows a node on the grid of a volume."""
    return volume_from_node(node).geometry.matches(volume.geometry)


def _add_map(key: str, result: Result, scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScalarVolumeNode:
    """A map's node, its label for people as description; the name begins with what differs, as corners cut the rest."""
    volume, kind = result.maps[key], result.kind(key)
    weighted = kind.role is Role.PERFUSION_WEIGHTED or (result.relative and kind.unit == result.unit)
    quantity = PWI_QUANTITY if weighted else None
    node = volume_to_node(volume, scene=scene, name=f"{kind.short} {result.series.name}", quantity=quantity)
    node.SetDescription(kind.label)
    node.SetAttribute(MAP_ATTRIBUTE, key)
    node.SetAttribute(SHORT_ATTRIBUTE, kind.short)
    node.SetAttribute(REFERENCES_ATTRIBUTE, json.dumps(references_of(result, key)))
    if kind.window is None or volume.unit != kind.unit:
        show_grey(node)
    else:
        apply_kind(node, kind)
        for legend in legends_of(node):
            legend.SetVisibility(False)
    return node


def _show(nodes: PresentedNodes, scene: slicer.vtkMRMLScene) -> None:
    if nodes.t1 is not None:
        show_grey(nodes.t1)
    if nodes.m0 is not None:
        nodes.m0.SetAttribute(ROLE_ATTRIBUTE, "m0")
        if nodes.series is not None:
            show_grey(nodes.m0)
    place = place_of_brain(nodes.result.tissue.brain)
    nodes.maps[nodes.result.raw].SetAttribute(PLACE_ATTRIBUTE, place.text())
    show_map(nodes, nodes.result.processed or nodes.result.raw)
    first_look(scene, place)


@contextmanager
def _undone_on_failure(scene: slicer.vtkMRMLScene) -> Iterator[None]:
    """Remove every node and item that was added, and put the layers back, when the body raises."""
    import slicer

    before = set(node_ids(scene))
    items = set(all_items(scene))
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)
    layers = [(c, c.GetBackgroundVolumeID(), c.GetForegroundVolumeID(), c.GetForegroundOpacity()) for c in composites]
    try:
        yield
    except BaseException:
        remove_added(scene, before)
        for item in [i for i in all_items(scene) if i not in items]:
            hierarchy(scene).RemoveItem(item, False, False)
        for composite, background, foreground, opacity in layers:
            composite.SetBackgroundVolumeID(background)
            composite.SetForegroundVolumeID(foreground)
            composite.SetForegroundOpacity(opacity)
        raise
