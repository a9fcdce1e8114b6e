"""The regions that a user draws, read out of a run's maps as they are drawn: no run, NumPy alone.

The same figures as the run's readouts (`measuring.regions`), of the same fractions of voxels (`spatial.regions`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..measuring.regions import Asymmetry, RegionFigures, asymmetry, region_figures
from ..result import errors_of
from ..result.maps import raw_of
from ..series import Geometry
from ..spatial.regions import Drawing, PlacedRegion, place
from .choose import RunNodes, processed_of
from .display import MAP_ATTRIBUTE
from .following import followed, to_series
from .hierarchy import nodes_in
from .label_maps import label_drawings
from .mirroring import mirror_in
from .pair_errors import pair_errors_in
from .readouts import readout_rows
from .region_nodes import part_of
from .segments import drawing_of, drawing_stamp, segment_ids, segment_name
from .volumes import ijk_to_ras, to_world, voxel_unit

if TYPE_CHECKING:
    import slicer

EMPTY, OUTSIDE = "empty", "outside"


@dataclass(frozen=True, eq=False)
class MapFigures:
    """What is measured in a region of one map.

    Args:
        figures: mean, SD and the others.
        snr: mean over the SD of white matter in that map; NaN where that is not known.
        asymmetry: against the mirrored region; None where that was not asked or is not known.
    """

    figures: RegionFigures
    snr: float
    asymmetry: Asymmetry | None = None


@dataclass(frozen=True, eq=False)
class RegionRow:
    """A region and its figures.

    Args:
        name: the segment's or label's.
        follows: the image it goes to the series with: ``t1``, ``asl`` or ``mni``.
        unit: of the means.
        problem: `EMPTY` or `OUTSIDE` where there is nothing to measure, else empty.
        raw, processed: None with a problem; `processed` too where the run only averaged.
    """

    name: str
    follows: str
    unit: str
    problem: str = ""
    raw: MapFigures | None = None
    processed: MapFigures | None = None


class RegionReader:
    """Reads regions out of one run; what has not changed since is not worked out again.

    Args:
        nodes: the run.
    """

    def __init__(self, nodes: RunNodes):
        self._nodes = nodes
        self._raw = nodes.maps[raw_of(nodes.maps)]
        processed = nodes.maps[processed_of(nodes)]
        self._maps = {"raw": self._raw} | ({} if processed is self._raw else {"processed": processed})
        within = nodes_in(self._raw.GetScene(), nodes.folder)
        self._errors = pair_errors_in(within, self._raw)
        self._atlas = part_of(within, "atlas")
        self._noise = _noise_of(nodes)
        self._mirror = mirror_in(self._raw)
        self._places: dict[object, PlacedRegion] = {}
        self._used: set[object] = set()

    @property
    def mirrors(self) -> bool:
        """Whether the run knows where the midline of the brain is."""
        return self._mirror is not None

    def rows(
        self,
        segmentation: slicer.vtkMRMLSegmentationNode | None,
        atlas: slicer.vtkMRMLLabelMapVolumeNode | None = None,
        *,
        mirror: bool = False,
    ) -> tuple[RegionRow, ...]:
        """A row a segment, then one a label of the atlas (one in MNI space as the run has warped it).

        Raises:
            InputError: the atlas holds no labels.
        """
        self._used, found = set(), []
        by_run = atlas is None or followed(atlas, self._nodes.t1) == "mni"
        warped = self._atlas if by_run else None
        for node in (segmentation, warped):
            if node is not None:
                found += [self._row(*each, mirror) for each in self._segments(node)]
        if not by_run:
            found += [self._row(*each, mirror) for each in self._labels(atlas)]
        self._places = {key: placed for key, placed in self._places.items() if key in self._used}
        return tuple(row for row in found if row is not None)

    def figures_in(
        self, segmentation: slicer.vtkMRMLSegmentationNode, segment: str, node: slicer.vtkMRMLScalarVolumeNode
    ) -> MapFigures | None:
        """A segment's figures in any map of the run; None where it is empty or does not reach the map."""
        matrix, key = to_series(segmentation, self._nodes.t1), drawing_stamp(segmentation, segment)
        placed = self._place(
            (segmentation.GetID(), segment, key), matrix, lambda: drawing_of(segmentation, segment), node
        )
        which = next((each for each, shown in self._maps.items() if shown is node), "")
        return self._figures(which, node, placed) if placed.voxels > 0 else None

    def _segments(self, node: slicer.vtkMRMLSegmentationNode) -> Iterator[tuple]:
        follows, matrix = followed(node, self._nodes.t1), to_series(node, self._nodes.t1)
        for segment in segment_ids(node):
            key = (node.GetID(), segment, drawing_stamp(node, segment))
            yield segment_name(node, segment), follows, key, matrix, lambda s=segment: drawing_of(node, s), False

    def _labels(self, node: slicer.vtkMRMLLabelMapVolumeNode) -> Iterator[tuple]:
        follows, matrix = followed(node, self._nodes.t1), to_series(node, self._nodes.t1)
        stamp = (node.GetID(), node.GetImageData().GetMTime() if node.GetImageData() else 0, node.GetMTime())
        if getattr(self, "_label_stamp", None) != stamp:
            self._label_drawings, self._label_stamp = label_drawings(node), stamp
        for name, drawing in self._label_drawings.items():
            yield name, follows, (*stamp, name), matrix, lambda d=drawing: d, True

    def _row(
        self,
        name: str,
        follows: str,
        key: object,
        matrix: np.ndarray,
        drawing: Callable[[], Drawing],
        of_atlas: bool,
        mirror: bool,
    ) -> RegionRow | None:
        unit = voxel_unit(self._raw)
        found: dict[str, MapFigures] = {}
        for which, node in self._maps.items():
            placed = self._place(key, matrix, drawing, node)
            if not placed.millilitres > 0:
                return RegionRow(name, follows, unit, EMPTY)
            if not placed.voxels > 0:
                return None if of_atlas else RegionRow(name, follows, unit, OUTSIDE)
            found[which] = self._figures(which, node, placed)
            if mirror and self._mirror is not None:
                other = self._place((key, "mirrored"), self._mirror @ matrix, drawing, node)
                there = self._figures(which, node, other).figures
                compared = asymmetry(placed, other, found[which].figures, there)
                found[which] = replace(found[which], asymmetry=compared)
        return RegionRow(name, follows, unit, "", found["raw"], found.get("processed"))

    def _figures(self, which: str, node: slicer.vtkMRMLScalarVolumeNode, placed: PlacedRegion) -> MapFigures:
        import slicer

        errors = errors_of(self._errors, node.GetAttribute(MAP_ATTRIBUTE) or "", self._nodes.maps)
        array = slicer.util.arrayFromVolume(node)
        if array.shape != slicer.util.arrayFromVolume(self._raw).shape:
            errors = None  # told on the series alone: a finer map's region is other voxels
        figures, noise = region_figures(placed, array, errors), self._noise.get(which, math.nan)
        return MapFigures(figures, figures.mean / noise if noise > 0 else math.nan)

    def _place(
        self, key: object, matrix: np.ndarray, drawing: Callable[[], Drawing], node: slicer.vtkMRMLScalarVolumeNode
    ) -> PlacedRegion:
        geometry = _grid_of(node)
        full = (key, matrix.tobytes(), geometry)
        self._used.add(full)
        if full not in self._places:
            self._places[full] = place(drawing(), geometry, transform=matrix)
        return self._places[full]


def _grid_of(node: slicer.vtkMRMLScalarVolumeNode) -> Geometry:
    affine = to_world(node) @ ijk_to_ras(node)
    return Geometry.from_affine_ras(affine, node.GetImageData().GetDimensions())


def _noise_of(nodes: RunNodes) -> dict[str, float]:
    """The SD of white matter in the raw and the processed map, from the run's table."""
    if nodes.readouts is None:
        return {}
    try:
        rows = {row.name: row.values for row in readout_rows(nodes.readouts)}
    except InputError:
        return {}
    return dict(zip(("raw", "processed"), rows.get("wm_sd", ()), strict=False))
