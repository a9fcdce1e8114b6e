"""Regions of interest as fractions of the voxels of a series, however thin, small or oblique they were drawn.

What was drawn is dealt out to the voxels it lies in, so that its volume is kept and nothing is too small to count.
NumPy alone: the panel places regions in Slicer itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume

_MOST_POINTS = 30_000  # in which a drawing is dealt out; each drawn voxel is cut finer while they are fewer
_FINEST = 8  # cuts of a drawn voxel along an axis, at most, beyond what the voxels of the series ask for
_CHUNK = 400_000


@dataclass(frozen=True, eq=False)
class Drawing:
    """A region as it was drawn.

    Args:
        inside: bool (K, J, I), the voxels drawn.
        affine: 4x4, from (i, j, k, 1) to LPS mm; it may shear or mirror.
    """

    inside: np.ndarray
    affine: np.ndarray

    @classmethod
    def of(cls, mask: Volume) -> Drawing:
        """What is above zero in a mask; NaN is outside."""
        return cls.cropped(np.nan_to_num(mask.array) > 0, mask.geometry.affine_lps)

    @classmethod
    def cropped(cls, inside: np.ndarray, affine: np.ndarray) -> Drawing:
        """A drawing without the empty planes round it; one that is empty has no voxel at all."""
        if not inside.any():
            return cls(np.zeros((0, 0, 0), bool), np.asarray(affine, float))
        spans = []
        for axis in range(3):
            there = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
            spans.append(slice(int(there[0]), int(there[-1]) + 1))
        moved = np.array(affine, float)
        moved[:3, 3] = (affine @ [spans[2].start, spans[1].start, spans[0].start, 1.0])[:3]
        return cls(np.ascontiguousarray(inside[tuple(spans)]), moved)

    @property
    def millilitres(self) -> float:
        """The volume drawn."""
        return float(np.count_nonzero(self.inside)) * abs(np.linalg.det(self.affine[:3, :3])) / 1000

    def moved(self, transform: np.ndarray) -> Drawing:
        """The drawing elsewhere; `transform` is 4x4, LPS mm, from its points to where they go."""
        return Drawing(self.inside, np.asarray(transform, float) @ self.affine)


@dataclass(frozen=True, eq=False)
class PlacedRegion:
    """A region on a grid: which voxels it reaches, and what fraction of each it fills.

    Args:
        index: (n,) of voxels, in the order of the flattened array (K, J, I).
        fraction: (n,), 0..1 (to within a few per cent where the drawing is oblique; the sum is right).
        geometry: the grid.
        millilitres: of the drawing, whatever of it lies beyond the grid.
    """

    index: np.ndarray
    fraction: np.ndarray
    geometry: Geometry
    millilitres: float

    @classmethod
    def of(cls, fractions: Volume) -> PlacedRegion:
        """A mask or fractions (0..1) that lie on the grid already."""
        flat = np.nan_to_num(fractions.array).ravel().astype(np.float64)
        index = np.flatnonzero(flat > 0)
        return cls(
            index, flat[index], fractions.geometry, float(flat[index].sum()) * fractions.geometry.voxel_volume / 1000
        )

    @property
    def voxels(self) -> float:
        """The sum of the fractions."""
        return float(self.fraction.sum())

    @property
    def fractions(self) -> Volume:
        """As an image (K, J, I), no more than 1."""
        dense = np.zeros(int(np.prod(self.geometry.size)), np.float32)
        dense[self.index] = np.minimum(self.fraction, 1.0)
        return Volume(dense.reshape(self.geometry.shape), self.geometry)


def place(drawing: Drawing, onto: Geometry, *, transform: np.ndarray | None = None) -> PlacedRegion:
    """A drawing as fractions of the voxels of `onto`; without any where it lies beside the grid.

    Each drawn voxel is cut into parts, and each part dealt out as a box as wide as it is: exactly what a voxel holds of
    it where the axes are parallel. `transform` is 4x4, LPS mm, from points of the drawing to points of `onto`.
    """
    shape, millilitres = onto.shape, drawing.millilitres
    to_world = drawing.affine if transform is None else np.asarray(transform, float) @ drawing.affine
    step = np.linalg.inv(onto.affine_lps) @ to_world  # from drawn (i, j, k) to voxels of the grid
    points = _drawn(drawing.inside) @ step[:3, :3].T + step[:3, 3]
    margin = 1 + np.abs(step[:3, :3]).sum(axis=1) / 2
    points = points[np.all((points > -margin) & (points < np.array(onto.size) - 1 + margin), axis=1)]
    if not len(points):
        return PlacedRegion(np.zeros(0, np.int64), np.zeros(0), onto, millilitres)
    low = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0) + margin) + 1, onto.size).astype(int)
    box = np.zeros(int(np.prod(high - low)))
    counts = _cuts(step[:3, :3], len(points))
    weight = abs(np.linalg.det(step[:3, :3])) / np.prod(counts)
    width = np.sqrt(np.square(step[:3, :3] / counts).sum(axis=1))
    parts = _lattice(counts) @ step[:3, :3].T - low
    chunk = max(1, _CHUNK // len(points))
    for first in range(0, len(parts), chunk):
        places = (points[None] + parts[first : first + chunk, None]).reshape(-1, 3)
        _deal(box, high - low, places, width, weight)
    found = np.flatnonzero(box > 1e-9)
    k, j, i = np.unravel_index(found, tuple((high - low)[::-1]))
    index = np.ravel_multi_index((k + low[2], j + low[1], i + low[0]), shape)
    return PlacedRegion(index, box[found], onto, millilitres)


def regions_on(
    onto: Geometry, drawings: Mapping[str, Drawing], *, transform: np.ndarray | None = None
) -> dict[str, PlacedRegion]:
    """Drawings, by name, as fractions of the voxels of `onto`; `transform` as of `place`.

    Raises:
        InputError: a region is empty, or does not reach the grid.
    """
    regions = {}
    for name, drawing in drawings.items():
        if not drawing.inside.any():
            raise InputError(f"The region '{name}' is empty; draw it or leave it out.")
        regions[name] = place(drawing, onto, transform=transform)
        if not regions[name].voxels > 0:
            raise InputError(f"The region '{name}' lies outside the ASL images; move it or leave it out.")
    return regions


def drawings_of_labels(labels: Volume, names: Mapping[int, str] | None = None) -> dict[str, Drawing]:
    """Every label above zero as a drawing, by its name (``label 7`` where it has none); labels of one name are one.

    Raises:
        InputError: the values are no whole numbers, or there is no label.
    """
    values = np.nan_to_num(labels.array)
    if not np.array_equal(values, np.round(values)):
        raise InputError("The atlas holds values that are no whole labels; give a label image, not an image.")
    affine, names, found = labels.geometry.affine_lps, names or {}, {}
    for number, places in _places_of_labels(values.astype(np.int32)):
        found.setdefault(names.get(number, f"label {number}"), []).append(places)
    if not found:
        raise InputError("The atlas holds no label above zero; give a label image.")
    return {name: _drawing_of(np.concatenate(of), values.shape, affine) for name, of in found.items()}


def _places_of_labels(numbers: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each label above zero, and where it is in the flattened array: one pass, however many labels there are."""
    flat = numbers.ravel()
    places = np.flatnonzero(flat > 0)
    order = np.argsort(flat[places], kind="stable")
    places, sorted_numbers = places[order], flat[places][order]
    present, first = np.unique(sorted_numbers, return_index=True)
    yield from zip(present.tolist(), np.split(places, first[1:]), strict=True) if len(present) else ()


def _drawing_of(places: np.ndarray, shape: tuple[int, ...], affine: np.ndarray) -> Drawing:
    """A drawing of the voxels at `places` of the flattened array, in the box round them."""
    at = np.array(np.unravel_index(places, shape))
    low = at.min(axis=1)
    inside = np.zeros(at.max(axis=1) - low + 1, bool)
    inside[tuple(at - low[:, None])] = True
    moved = np.array(affine, float)
    moved[:3, 3] = (affine @ [*low[::-1], 1.0])[:3]
    return Drawing(inside, moved)


def _drawn(inside: np.ndarray) -> np.ndarray:
    """(n, 3) of (i, j, k), float."""
    planes = np.flatnonzero(inside.any(axis=(1, 2)))
    if not len(planes):
        return np.zeros((0, 3))
    k, j, i = np.nonzero(inside[planes[0] : planes[-1] + 1])
    return np.column_stack([i, j, k + planes[0]]).astype(np.float64)


def _cuts(step: np.ndarray, drawn: int) -> np.ndarray:
    """Parts of a drawn voxel along (i, j, k): none wider than a voxel of the grid, finer while they are few."""
    least = np.maximum(1, np.ceil(np.abs(step).max(axis=0) - 1e-6)).astype(int)
    aligned = np.count_nonzero(np.abs(step) > 1e-6 * np.abs(step).max()) == 3  # a box is exact then
    factor = 1
    while not aligned and factor < _FINEST and drawn * np.prod(least * (factor + 1)) <= _MOST_POINTS:
        factor += 1
    return least * factor


def _lattice(counts: np.ndarray) -> np.ndarray:
    """(m, 3): the centres of the parts of a voxel, in voxels from its centre."""
    axes = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _deal(box: np.ndarray, size: np.ndarray, places: np.ndarray, width: np.ndarray, weight: float) -> None:
    """Add `weight` a place to the voxels of a flattened box of `size` (i, j, k), each spread over `width` voxels."""
    lower = np.floor(places - width / 2 + 0.5).astype(np.int64)
    share = np.clip((places + width / 2 - lower - 0.5) / width, 0.0, 1.0)  # of the upper of two voxels along an axis
    within = np.all((lower >= -1) & (lower < size), axis=1)
    lower, share = (lower, share) if within.all() else (lower[within], share[within])
    padded = size + 2  # a voxel all round, which takes what falls beside the box
    flat = ((lower[:, 2] + 1) * padded[1] + lower[:, 1] + 1) * padded[0] + lower[:, 0] + 1
    upper = share.T
    parts = np.stack([1 - upper, upper])  # (2, 3, n)
    found = np.zeros(int(np.prod(padded)))
    for z, y in np.ndindex(2, 2):
        plane = parts[z, 2] * parts[y, 1] * weight
        for x in range(2):
            offset = (z * padded[1] + y) * padded[0] + x
            found += np.bincount(flat + offset, plane * parts[x, 0], minlength=found.size)
    inner = found.reshape(padded[::-1])[1:-1, 1:-1, 1:-1]
    box += inner.ravel()
