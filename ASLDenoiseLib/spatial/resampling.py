"""Resampling of images from one voxel grid to another, with SimpleITK.

A `transform` is always a 4x4 matrix, LPS mm, from points of the moving image to the same anatomy in the target space
(as `Result.t1_to_asl`). SimpleITK needs the opposite direction; it is inverted here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..series import Geometry, Volume

if TYPE_CHECKING:
    import SimpleITK as sitk

_MOST_SAMPLES_PER_AXIS = 8
_SLAB_SAMPLES = 2**24


def to_sitk(volume: Volume) -> sitk.Image:
    """The volume as a float32 SimpleITK image on the same grid (a copy; unit and name are not carried)."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.asarray(volume.array))
    set_geometry(image, volume.geometry)
    return image


def from_sitk(image: sitk.Image, *, unit: str = "", name: str = "") -> Volume:
    """A 3D scalar SimpleITK image as a Volume (float32).

    Raises:
        InputError: the image is not 3D or has several components a voxel.
    """
    import SimpleITK as sitk

    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError("A volume has three dimensions and one number a voxel; give one 3D scalar image.")
    geometry = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    return Volume(sitk.GetArrayFromImage(image), geometry, unit=unit, name=name)


def resample(
    volume: Volume,
    onto: Geometry,
    *,
    transform: np.ndarray | None = None,
    interpolation: str = "linear",
    outside: float = float("nan"),
) -> Volume:
    """Sample `volume` at the voxel centres of `onto`.

    NaN (not measured) neither spreads nor vanishes: a target voxel is NaN where the nearest voxel of `volume` is;
    elsewhere the unmeasured neighbours are taken to continue their nearest measured voxel.

    Args:
        volume: the moving image, any unit (kept).
        onto: the target grid.
        transform: 4x4, LPS mm, points of `volume` to points of `onto`; None is the identity.
        interpolation: ``linear``, ``nearest`` (labels and masks) or ``bspline`` (third order; may overshoot).
        outside: the value beyond the field of view of `volume`; NaN says 'not measured'.

    Raises:
        InputError: an unknown interpolation, a matrix that cannot be inverted, an image too thin for a spline.
    """
    back = sitk_transform(_inverse(transform))
    return resample_through(volume, onto, back, interpolation=interpolation, outside=outside)


def resample_through(
    volume: Volume,
    onto: Geometry,
    to_volume: sitk.Transform,
    *,
    interpolation: str = "linear",
    outside: float = float("nan"),
) -> Volume:
    """`resample` through any SimpleITK transform, such as a warp.

    `to_volume` maps points of `onto` to points of `volume`, SimpleITK's direction; all else is as in `resample`.
    """
    import SimpleITK as sitk

    methods = {"linear": sitk.sitkLinear, "nearest": sitk.sitkNearestNeighbor, "bspline": sitk.sitkBSpline}
    if interpolation not in methods:
        raise InputError(f"Interpolation {interpolation!r} is unknown; choose one of {', '.join(methods)}.")
    if interpolation == "bspline" and min(volume.geometry.size) < 4:
        raise InputError("A cubic spline needs four voxels along every axis; choose linear interpolation instead.")
    unmeasured = np.isnan(volume.array)
    if unmeasured.all():
        return Volume(np.full(onto.shape, np.nan, np.float32), onto, volume.unit, volume.name)
    filled = volume.with_array(_continue_into(volume.array, unmeasured)) if unmeasured.any() else volume
    array = _sample(filled, onto, to_volume, methods[interpolation], outside)
    if unmeasured.any():
        holes = _sample(volume.with_array(unmeasured), onto, to_volume, sitk.sitkNearestNeighbor, 0.0)
        array = np.where(holes > 0.5, np.nan, array)
    return Volume(array, onto, volume.unit, volume.name)


def average_onto(
    volume: Volume, onto: Geometry, *, transform: np.ndarray | None = None, outside: float = float("nan")
) -> Volume:
    """The mean of `volume` over the box of every voxel of `onto`: from a fine grid to a coarse one.

    Each target voxel is sampled linearly on a regular lattice inside its box, at least as fine as the source, and the
    samples are averaged: a 0/1 mask becomes the volume fraction, and the total volume is kept. A lattice, unlike a
    Gaussian before sampling, follows oblique grids and transforms and does not blur beyond the voxel. Towards a finer
    grid this is plain linear interpolation. NaN samples are left out; a voxel with more than half of them is NaN.

    Args and errors as in `resample`.
    """
    counts = _samples_per_voxel(volume.geometry, onto, transform)
    if counts == (1, 1, 1):
        return resample(volume, onto, transform=transform, outside=outside)
    ni, nj, nk = onto.size
    slab = max(1, _SLAB_SAMPLES // int(np.prod(counts) * ni * nj))
    slabs = (crop(onto, (0, 0, first), (ni, nj, min(slab, nk - first))) for first in range(0, nk, slab))
    parts = [_box_means(volume, each, counts, transform, outside) for each in slabs]
    return Volume(np.concatenate(parts), onto, volume.unit, volume.name)


def with_spacing(geometry: Geometry, spacing: tuple[float, float, float]) -> Geometry:
    """The grid over the same box (its outer corner kept) with about the given spacing, mm; sizes are rounded up."""
    extent = np.array(geometry.size) * geometry.spacing
    size = np.maximum(1, np.ceil(extent / spacing - 1e-6).astype(int))
    corner = geometry.affine_lps @ np.array([-0.5, -0.5, -0.5, 1.0])
    axes = np.reshape(geometry.direction, (3, 3))
    origin = corner[:3] + axes @ (np.asarray(spacing, float) / 2)
    return Geometry(tuple(size), tuple(spacing), tuple(origin), geometry.direction)


def crop(geometry: Geometry, first: Sequence[int], size: Sequence[int]) -> Geometry:
    """The part of a grid that starts at voxel `first` and has `size` voxels, both (i, j, k)."""
    origin = (geometry.affine_lps @ [*first, 1.0])[:3]
    return replace(geometry, size=tuple(size), origin=tuple(origin))


def sitk_transform(matrix: np.ndarray) -> sitk.AffineTransform:
    """A 4x4 LPS matrix as a SimpleITK affine transform of points in the same direction."""
    import SimpleITK as sitk

    affine = sitk.AffineTransform(3)
    affine.SetMatrix(np.asarray(matrix, float)[:3, :3].ravel().tolist())
    affine.SetTranslation(np.asarray(matrix, float)[:3, 3].tolist())
    return affine


def matrix_of(transform: sitk.Transform) -> np.ndarray:
    """The 4x4 LPS matrix of any linear SimpleITK transform."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    axes = [transform.TransformPoint(axis) - origin for axis in np.eye(3).tolist()]
    return np.vstack([np.column_stack([*axes, origin]), [0.0, 0.0, 0.0, 1.0]])


def set_geometry(image: sitk.Image, geometry: Geometry) -> None:
    """Give a SimpleITK image the spacing, origin and direction of a grid."""
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)


def _inverse(transform: np.ndarray | None) -> np.ndarray:
    matrix = np.eye(4) if transform is None else np.asarray(transform, float)
    if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise InputError("The transform is not an invertible 4x4 matrix of finite numbers; register the images again.")
    return np.linalg.inv(matrix)


def _sample(volume: Volume, onto: Geometry, to_moving: sitk.Transform, interpolator: int, outside: float) -> np.ndarray:
    import SimpleITK as sitk

    image = sitk.Resample(
        to_sitk(volume), onto.size, to_moving, interpolator, onto.origin, onto.spacing, onto.direction, outside
    )
    return sitk.GetArrayFromImage(image)


def _continue_into(array: np.ndarray, unmeasured: np.ndarray) -> np.ndarray:
    """Unmeasured voxels set to their nearest measured one, so that interpolation beside them is not poisoned."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(unmeasured, return_distances=False, return_indices=True)
    return array[tuple(nearest)]


def _samples_per_voxel(source: Geometry, onto: Geometry, transform: np.ndarray | None) -> tuple[int, int, int]:
    """Lattice points along (i, j, k) of a target voxel, with steps no longer than the source's own voxels."""
    steps = np.linalg.inv(source.affine_lps) @ _inverse(transform) @ onto.affine_lps
    source_voxels = np.abs(steps[:3, :3]).max(axis=0)
    counts = np.clip(np.ceil(source_voxels - 0.05), 1, _MOST_SAMPLES_PER_AXIS)
    return tuple(int(n) for n in counts)


def _box_means(
    volume: Volume, onto: Geometry, counts: tuple[int, int, int], transform: np.ndarray | None, outside: float
) -> np.ndarray:
    fine_spacing = tuple(s / n for s, n in zip(onto.spacing, counts, strict=True))
    first_sample = np.array([(1 / n - 1) / 2 for n in counts] + [1.0])
    origin = (onto.affine_lps @ first_sample)[:3]
    fine = Geometry(tuple(np.multiply(onto.size, counts)), fine_spacing, tuple(origin), onto.direction)
    samples = resample(volume, fine, transform=transform, outside=outside).array
    means = _means_of_boxes(samples, counts)
    if np.isfinite(means).all():
        return means.astype(np.float32)
    finite = np.isfinite(samples)
    measured, total = _means_of_boxes(finite, counts), _means_of_boxes(np.where(finite, samples, 0), counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(measured >= 0.5, total / measured, np.nan).astype(np.float32)


def _means_of_boxes(samples: np.ndarray, counts: tuple[int, int, int]) -> np.ndarray:
    """The mean of every box of `counts` samples along (i, j, k), float64; axis by axis, since NumPy's mean over three
    axes at once takes several times as long."""
    total = samples
    for axis, count in enumerate(reversed(counts)):
        along = np.moveaxis(total, axis, 0)
        summed = along[::count].astype(np.float64)
        for n in range(1, count):
            summed += along[n::count]
        total = np.moveaxis(summed, 0, axis)
    return total / np.prod(counts)
