"""The choice of what is shown of a run: a map alone, faded from raw to processed, side by side, or a chart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import InputError
from ..result.maps import RESIDUAL, UNCERTAINTY, arrival_of, furthest, kind_of, named, raw_of
from .display import MAP_ATTRIBUTE, OVERLAY_OPACITY, SHORT_ATTRIBUTE, set_layers
from .hierarchy import ROLE_ATTRIBUTE, RUN_ATTRIBUTE, all_items, hierarchy, nodes_in
from .layouts import MapNodes, Titled, is_ours, show_in_layout, show_side_by_side, tags_shown
from .legends import only_legends_of
from .place import Place, place_of_node
from .plots import charts_in
from .readouts import is_readouts
from .region_nodes import part_of

if TYPE_CHECKING:
    import slicer


@dataclass(frozen=True)
class Choice:
    """A map to choose from a list: its key in `Result.maps` and its name for people."""

    key: str
    label: str


@dataclass(frozen=True)
class RunFolder:
    """A run's folder in the subject hierarchy: its item and its name."""

    folder: int
    name: str


@dataclass(frozen=True)
class RunNodes:
    """The nodes of a run, found by their marks and their folder; names as in `present.PresentedNodes`."""

    folder: int
    maps: Mapping[str, slicer.vtkMRMLScalarVolumeNode]
    readouts: slicer.vtkMRMLTableNode | None = None
    segmentation: slicer.vtkMRMLSegmentationNode | None = None
    t1: slicer.vtkMRMLScalarVolumeNode | None = None
    m0: slicer.vtkMRMLScalarVolumeNode | None = None
    charts: Mapping[str, slicer.vtkMRMLPlotChartNode] = field(default_factory=dict)


def runs_in(scene: slicer.vtkMRMLScene) -> tuple[RunFolder, ...]:
    """The runs of the scene that still have their raw map, the newest first."""
    tree = hierarchy(scene)
    folders = [item for item in all_items(scene) if tree.GetItemAttribute(item, RUN_ATTRIBUTE)]
    found = [RunFolder(item, tree.GetItemName(item)) for item in folders if _has_raw(_maps(nodes_in(scene, item)))]
    return tuple(sorted(found, key=lambda run: -run.folder))


def nodes_of(scene: slicer.vtkMRMLScene, run: RunFolder) -> RunNodes:
    """The nodes of a run without its `Result`, as in a saved scene.

    Raises:
        InputError: the run's raw map is no longer there.
    """
    nodes = nodes_in(scene, run.folder)
    maps = _maps(nodes)
    if not _has_raw(maps):
        raise InputError(f"The raw map of '{run.name}' is no longer in the scene; run ASL Denoise again.")
    roles = {node.GetAttribute(ROLE_ATTRIBUTE): node for node in nodes if node.GetAttribute(ROLE_ATTRIBUTE)}
    return RunNodes(
        run.folder,
        maps,
        next((node for node in nodes if is_readouts(node)), None),
        part_of(nodes, "tissue"),
        roles.get("t1"),
        roles.get("m0") or _m0_elsewhere(scene),
        charts_in(scene, run.folder),
    )


def series_of(node: slicer.vtkMRMLScalarVolumeNode, maps: Collection[str]) -> str:
    """The name of the series, which a map's node has behind that of the map, in older scenes before its key.

    `maps` are the keys of the run.
    """
    key = node.GetAttribute(MAP_ATTRIBUTE) or ""
    return (node.GetName() or "").removeprefix(kind_of(key, maps).short).removesuffix(f"_{key}").strip()


def raw_node(nodes: MapNodes) -> slicer.vtkMRMLScalarVolumeNode:
    """The raw map of a run."""
    return nodes.maps[raw_of(nodes.maps)]


def processed_of(nodes: MapNodes) -> str:
    """The key of the map worked on most; the raw map's where the run only averaged."""
    return furthest(nodes.maps) or raw_of(nodes.maps)


def two_of(nodes: MapNodes) -> tuple[slicer.vtkMRMLScalarVolumeNode, slicer.vtkMRMLScalarVolumeNode]:
    """The raw map of a run, and the one worked on most."""
    return raw_node(nodes), nodes.maps[processed_of(nodes)]


def arrival_beside(nodes: MapNodes) -> str | None:
    """The key of the arrival time fitted with the map worked on most on the grid of the series; None without one."""
    key = furthest(nodes.maps, on_series=True) or raw_of(nodes.maps)
    return arrival_of(key, nodes.maps)


def fitted_with(nodes: MapNodes, key: str) -> str | None:
    """The key of the perfusion map that an arrival time was fitted with; None of any other map."""
    return next((each for each in nodes.maps if arrival_of(each, nodes.maps) == key), None)


def choices(nodes: MapNodes) -> tuple[Choice, ...]:
    """The maps in the order to offer them: raw, processed, its arrival time, what differs, its SD, then the others."""
    beside = (named(key, nodes.maps) for key in (RESIDUAL, UNCERTAINTY))
    first = (raw_of(nodes.maps), processed_of(nodes), arrival_beside(nodes), *beside)
    order = [key for key in dict.fromkeys((*first, *nodes.maps)) if key in nodes.maps]
    return tuple(Choice(key, nodes.maps[key].GetDescription() or key) for key in order)


def show_map(nodes: MapNodes, key: str, *, opacity: float = OVERLAY_OPACITY) -> None:
    """Show a map over the T1 in every slice view, with its legend alone.

    The two views of a side-by-side layout go on showing raw and a processed map.

    Raises:
        InputError: the run has no such map.
    """
    beside_raw = processed_of(nodes) if key == raw_of(nodes.maps) else key
    show_beside(nodes, nodes.maps[_known(nodes, key)], beside_raw, opacity=opacity)


def show_beside(
    nodes: MapNodes, node: slicer.vtkMRMLScalarVolumeNode, beside_raw: str, *, opacity: float = OVERLAY_OPACITY
) -> None:
    """Show an image in every slice view, but raw and the map `beside_raw` in those of the side-by-side layouts."""
    _lay(nodes, node, _titled(nodes, beside_raw), opacity)


def compare(nodes: MapNodes, key: str = "", *, opacity: float = OVERLAY_OPACITY) -> None:
    """Show raw and a map (the processed one by default) in linked views; `layouts.leave_layout` ends it.

    An arrival time stands beside the perfusion that was fitted with it.

    Raises:
        InputError: the run has no such map.
    """
    shown = _titled(nodes, _known(nodes, key or processed_of(nodes)))
    show_side_by_side(shown, nodes.t1 or nodes.m0, place_of(nodes), opacity=opacity)


def compare_two(nodes: MapNodes, left: str, right: str, *, opacity: float = OVERLAY_OPACITY) -> None:
    """Show two maps of the run, by their keys, in linked views; `layouts.leave_layout` ends it.

    Raises:
        InputError: the run has no such map.
    """
    shown = tuple((title_of(nodes, _known(nodes, key)), nodes.maps[key]) for key in (left, right))
    show_side_by_side(shown, nodes.t1 or nodes.m0, place_of(nodes), opacity=opacity)


def show_image(
    nodes: MapNodes, node: slicer.vtkMRMLScalarVolumeNode, title: str, *, opacity: float = OVERLAY_OPACITY
) -> None:
    """Show an image that is no map of the run, such as one pair, as `show_map` shows a map; raw stays beside it."""
    _lay(nodes, node, (_titled(nodes, raw_of(nodes.maps))[0], (title, node)), opacity)


def plot(nodes: RunNodes, chart: str, key: str = "", *, opacity: float = OVERLAY_OPACITY) -> None:
    """Show a chart of the run, by its key, beside the two linked views.

    Raises:
        InputError: the run has no such chart or map.
    """
    if chart not in nodes.charts:
        keys = ", ".join(nodes.charts) or "none"
        raise InputError(f"The run has no chart '{chart}' (it has {keys}); run ASL Denoise again.")
    shown, background = _titled(nodes, _known(nodes, key or processed_of(nodes))), nodes.t1 or nodes.m0
    show_side_by_side(shown, background, place_of(nodes), chart=nodes.charts[chart], opacity=opacity)


def place_of(nodes: MapNodes) -> Place:
    """Where the brain of a run lies."""
    return place_of_node(raw_node(nodes))


def _lay(nodes: MapNodes, node: slicer.vtkMRMLScalarVolumeNode, beside: tuple[Titled, ...], opacity: float) -> None:
    """Lay an image over the T1 in every slice view, but what stands `beside` in those of the side-by-side layouts."""
    scene, background = node.GetScene(), nodes.t1 or nodes.m0
    set_layers(scene, background=background, foreground=node, apart=tags_shown(scene), opacity=opacity)
    if is_ours(scene):
        show_in_layout(scene, beside, background, opacity)
    else:
        only_legends_of(scene, (node,))


def _titled(nodes: MapNodes, key: str) -> tuple[Titled, ...]:
    """What stands in the views of the side-by-side layouts: raw, a map, and their difference where there is room.

    Of an arrival time, the perfusion fitted with it, and where there is room that of the raw fit.
    """
    perfusion, residual = fitted_with(nodes, key), named(RESIDUAL, nodes.maps)
    third = arrival_of(raw_of(nodes.maps), nodes.maps) if perfusion else residual
    keys = (perfusion or raw_of(nodes.maps), key, *([third] if third in nodes.maps and third != key else []))
    return tuple((title_of(nodes, key), nodes.maps[key]) for key in keys)


def title_of(nodes: MapNodes, key: str) -> str:
    """What the view of a map is called."""
    return nodes.maps[key].GetAttribute(SHORT_ATTRIBUTE) or kind_of(key, nodes.maps).short


def _known(nodes: MapNodes, key: str) -> str:
    if key not in nodes.maps:
        raise InputError(f"The run has no map '{key}' (it has {', '.join(nodes.maps)}); choose one of these.")
    return key


def _maps(nodes: Iterable[slicer.vtkMRMLNode]) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
    return {node.GetAttribute(MAP_ATTRIBUTE): node for node in nodes if node.GetAttribute(MAP_ATTRIBUTE)}


def _has_raw(maps: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> bool:
    return raw_of(maps) in maps


def _m0_elsewhere(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The M0 of a run that took the one which came with its series, and so has none in its folder."""
    import slicer

    marked = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    return next((node for node in marked if node.GetAttribute(ROLE_ATTRIBUTE) == "m0"), None)
