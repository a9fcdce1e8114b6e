"""Where slice views look: the first look at a brain, and its slice and zoom kept when layouts, maps and runs change."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..series import Volume
from .legends import arrange_legends, free_of_legend, size_of
from .volumes import volume_from_node

if TYPE_CHECKING:
    import slicer

PLACE_ATTRIBUTE = "ASLDenoise.place"  # of a run's raw map
_LOOKED = "ASLDenoise.looked"  # of a slice view: a first look was had in it
_ZOOM = "ASLDenoise.zoom"  # of a slice view: its field of view (mm) and size (pixels) before the layout changed
_MARGIN = 6.0  # mm round the brain
_LARGE = 0.97  # of the largest section of the brain
_BELOW_TOP = 0.44  # of the brain's length
_CORONAL, _SAGITTAL = 0.6, 0.36  # of the brain's length from behind, and of its width from the left: deep grey matter


@dataclass(frozen=True)
class Place:
    """The brain in RAS, mm: its box ((low, high) by axis), and the point through which the first slices go."""

    box: tuple[tuple[float, float], ...]
    point: tuple[float, float, float]

    def text(self) -> str:
        """As an attribute of a node."""
        return json.dumps({"box": self.box, "point": self.point})

    @classmethod
    def of_text(cls, text: str) -> Place:
        """From an attribute of a node."""
        read = json.loads(text)
        return cls(tuple(tuple(pair) for pair in read["box"]), tuple(read["point"]))


def place_of_brain(brain: Volume) -> Place:
    """The place of a brain mask (above 0.5; where that is empty, the whole grid).

    The axial slice is that of the basal ganglia, the middle one of three guesses: the centre of mass; the middle of the
    slices whose section is at least 97 % of the largest; and 44 % of the brain's length below its top. In the ICBM
    2009a template they are z = 9.5, 2 and 3.7 mm, and the rule gives 2 to 4 mm also where slices are missing below
    (from z = -30 on) or above; each guess alone is misled by some such brain, or by a tilted head. The coronal slice is
    at 60 % of the brain's length from behind (y = 2 mm there), the sagittal at 36 % of its width from the left
    (x = -20 mm).
    """
    inside = np.asarray(brain.array) > 0.5
    places = np.argwhere(inside if inside.any() else np.ones_like(inside))[:, ::-1]
    points = (brain.geometry.affine_ras @ np.c_[places, np.ones(len(places))].T)[:3]
    low, high = points.min(axis=1), points.max(axis=1)
    x, y = low[:2] + np.array([_SAGITTAL, _CORONAL]) * (high - low)[:2]
    guesses = (points[2].mean(), _widest(points[2], brain), high[2] - _BELOW_TOP * (high[1] - low[1]))
    z = float(np.median(guesses))
    box = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
    return Place(box, (float(x), float(y), z))


def _widest(heights: np.ndarray, brain: Volume) -> float:
    """The middle (RAS z, mm) of the slices with the largest section of the brain, of its voxels' heights."""
    step = float(max(np.abs(brain.geometry.affine_ras[2, :3]).max(), 1.0))  # mm between slices, if they are axial
    edges = np.arange(heights.min() - step / 2, heights.max() + step, step)
    counts, _ = np.histogram(heights, edges)
    large = counts >= _LARGE * counts.max()
    return float(((edges[:-1] + edges[1:]) / 2)[large].mean())


def place_of_node(raw: slicer.vtkMRMLScalarVolumeNode) -> Place:
    """The place that the raw map of a run was given, else that of its voxels that were measured and are not zero."""
    known = raw.GetAttribute(PLACE_ATTRIBUTE)
    if known:
        return Place.of_text(known)
    volume = volume_from_node(raw)
    return place_of_brain(volume.with_array((np.isfinite(volume.array) & (volume.array != 0)).astype(np.float32)))


def first_look(scene: slicer.vtkMRMLScene, place: Place) -> None:
    """Show the basal ganglia in every slice view, the brain whole; where a first look was had, what is shown stays.

    Stays, that is, unless none of the brain's slices is what the axial views show: then it is another head.
    """
    views = _slice_views(scene)
    axial = [view for view in views if _normal_axis(view) == 2]
    low, high = place.box[2]
    here = [view for view in axial if low <= matrix_of(view)[11] <= high]
    if here and any(view.GetAttribute(_LOOKED) for view in views):
        arrange_legends(scene)
        return
    for view in views:
        axis = _normal_axis(view)
        matrix = matrix_of(view)
        matrix[4 * axis + 3] = place.point[axis]
        set_matrix(view, matrix)
        _fit(view, place)
        view.SetAttribute(_LOOKED, "1")
    arrange_legends(scene)


def forget_look(scene: slicer.vtkMRMLScene) -> None:
    """Have a first look again at what comes next: another series was loaded, and the views fitted to its images."""
    for view in _slice_views(scene):
        view.RemoveAttribute(_LOOKED)


def zoom_of(view: slicer.vtkMRMLSliceNode) -> list[float]:
    """The field of view (mm) of a slice view and its size (pixels): width and height of each."""
    return [*view.GetFieldOfView()[:2], *size_of(view)]


def keep_zoom(view: slicer.vtkMRMLSliceNode, zoom: Sequence[float]) -> None:
    """Have `settle` give a view this zoom (`zoom_of`), whatever size a new layout gives it."""
    view.SetAttribute(_ZOOM, json.dumps([*zoom]))


def settle(scene: slicer.vtkMRMLScene, place: Place, tags: Collection[str] = ()) -> None:
    """Have the brain whole in views that a new layout cut it in, at the slice they show.

    A closer look stays one: as many mm a pixel as before the layout changed.

    Call it once more when the views have their size: a desktop lays new widgets out only after its event loop ran.

    Args:
        scene: with the views.
        place: of the brain.
        tags: the views; none are all.
    """
    views = [view for view in _slice_views(scene) if not tags or view.GetLayoutName() in tags]
    for view in views:
        closer = _closer_look(view, place)
        if closer is not None:
            view.SetFieldOfView(*closer, view.GetFieldOfView()[2])
            continue
        _keep_shape(view)
        needed, there = _needed(view, place)[:2], np.array(view.GetFieldOfView()[:2])
        if np.all(there < needed) or _holds(view, place):
            continue
        _fit(view, place)
    arrange_legends(scene)


def look_whole(scene: slicer.vtkMRMLScene, place: Place) -> None:
    """Have the brain whole in every slice view, at the slice that it shows."""
    for view in _slice_views(scene):
        _fit(view, place)
    arrange_legends(scene)


def copy_place(view: slicer.vtkMRMLSliceNode, to: slicer.vtkMRMLSliceNode) -> None:
    """Give a view the slice, orientation and zoom of another."""
    set_matrix(to, matrix_of(view))
    to.SetXYZOrigin(*view.GetXYZOrigin())
    to.SetFieldOfView(*view.GetFieldOfView())
    _keep_shape(to)


def matrix_of(view: slicer.vtkMRMLSliceNode) -> list[float]:
    """The 4x4 from slice to RAS, mm, row by row."""
    matrix = view.GetSliceToRAS()
    return [matrix.GetElement(row, column) for row in range(4) for column in range(4)]


def set_matrix(view: slicer.vtkMRMLSliceNode, values: Sequence[float]) -> None:
    """Put a view where `matrix_of` said that one was."""
    view.GetSliceToRAS().DeepCopy(values)
    view.UpdateMatrices()


def _fit(view: slicer.vtkMRMLSliceNode, place: Place) -> None:
    """Fit a view to the brain, beside its legend, at the slice that it shows."""
    across, up, normal = (np.array(matrix_of(view)).reshape(4, 4)[:3, axis] for axis in range(3))
    width, height = size_of(view)
    wide, high, centre = _extent(view, place)
    left, bottom, right, top = free_of_legend(width, height)  # of the view's width and height
    pixel = max(wide / (width * (right - left)), high / (height * (top - bottom)))
    fov = np.array([pixel * width, pixel * height])
    # In the middle of the view, or of what the legend leaves of it where that would be under the legend.
    spare = (1 - np.array([wide, high]) / fov) / 2
    middle = np.array([(left + right) / 2, (bottom + top) / 2]) - 0.5
    covered = np.array([max(left, 1 - right), max(bottom, 1 - top)]) > spare + 1e-9
    shift = np.where(covered, middle, 0.0) * fov
    origin = np.array(matrix_of(view)).reshape(4, 4)[:3, 3]
    origin = centre + normal * float((origin - centre) @ normal) - across * shift[0] - up * shift[1]
    matrix = matrix_of(view)
    for axis in range(3):
        matrix[4 * axis + 3] = float(origin[axis])
    view.SetXYZOrigin(0.0, 0.0, 0.0)
    view.SetFieldOfView(*(float(side) for side in fov), view.GetFieldOfView()[2])
    set_matrix(view, matrix)


def _extent(view: slicer.vtkMRMLSliceNode, place: Place) -> tuple[float, float, np.ndarray]:
    """How wide and high the brain is in a view, with a margin, and its centre in RAS; all mm."""
    axes = np.abs(np.array(matrix_of(view)).reshape(4, 4)[:3, :2])
    box = np.array(place.box)
    wide, high = axes.T @ np.ptp(box, axis=1) + 2 * _MARGIN
    return float(wide), float(high), box.mean(axis=1)


def _closer_look(view: slicer.vtkMRMLSliceNode, place: Place) -> tuple[float, float] | None:
    """The field of view (mm) that keeps the zoom that `keep_zoom` was told, where the brain was larger than it."""
    kept = view.GetAttribute(_ZOOM)
    if not kept:
        return None
    across, up, old_width, old_height = json.loads(kept)
    if not np.all(np.array([across, up]) < _needed(view, place)):
        return None
    pixel = min(across / old_width, up / old_height)
    width, height = size_of(view)
    return pixel * width, pixel * height


def _needed(view: slicer.vtkMRMLSliceNode, place: Place) -> np.ndarray:
    return np.array(_extent(view, place)[:2])


def _holds(view: slicer.vtkMRMLSliceNode, place: Place) -> bool:
    """Whether the whole brain is in a view, clear of its legend."""
    matrix = np.array(matrix_of(view)).reshape(4, 4)
    wide, high, centre = _extent(view, place)
    offset = matrix[:3, :2].T @ (centre - matrix[:3, 3]) - np.array(view.GetXYZOrigin()[:2])
    fov = np.array(view.GetFieldOfView()[:2])
    left, bottom, right, top = free_of_legend(*size_of(view))
    low, upper = 0.5 + (offset - np.array([wide, high]) / 2) / fov, 0.5 + (offset + np.array([wide, high]) / 2) / fov
    slack = 0.01
    return bool(np.all(low >= np.array([left, bottom]) - slack) and np.all(upper <= np.array([right, top]) + slack))


def _keep_shape(view: slicer.vtkMRMLSliceNode) -> None:
    """Give the field of view the shape of the view, its height kept, as Slicer does when a view is resized."""
    width, height = size_of(view)
    across, up, through = view.GetFieldOfView()
    if abs(across / up - width / height) > 1e-3 * across / up:
        view.SetFieldOfView(up * width / height, up, through)


def _normal_axis(view: slicer.vtkMRMLSliceNode) -> int:
    """The RAS axis that a view looks along at most."""
    return int(np.argmax(np.abs(np.array(matrix_of(view)).reshape(4, 4)[:3, 2])))


def _slice_views(scene: slicer.vtkMRMLScene) -> Iterable[slicer.vtkMRMLSliceNode]:
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSliceNode", scene)
