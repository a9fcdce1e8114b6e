"""Whole heads, neck and eyes included, drawn from label maps: what brain masks and T1s are tried on.

Unlike the phantom of `learning`, which ends 8 mm beyond the brain, these reach from the vertex to the neck.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

import numpy as np

from ASLDenoiseLib.learning.anatomy import read_labels
from ASLDenoiseLib.learning.tissue.heads import GREY, WHITE, HeadClass, head_classes
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.resampling import average_onto
from ASLDenoiseLib.spatial.rigid import apply_affine


class Part(IntEnum):
    """What a voxel of a label map is."""

    AIR = 0
    CSF = 1
    GREY = 2
    WHITE = 3
    STEM = 4
    MUSCLE = 5
    FAT = 6
    SKIN = 7
    BONE = 8
    MARROW = 9
    EYE = 10
    SINUS = 11  # venous blood and dura
    CORD = 12
    MUCOSA = 13


_PART_OF = {
    **{each: Part[each.name] for each in HeadClass if each.name in Part.__members__},
    **dict.fromkeys(GREY, Part.GREY),
    **dict.fromkeys(WHITE, Part.WHITE),
}
_PARTS = np.array([_PART_OF[each] for each in HeadClass], np.uint8)
BRAIN = (Part.GREY, Part.WHITE, Part.STEM)
_LOSS_REACH = 9.0  # mm, SD, around air inside the head
_NECK_FROM = 10.0  # mm beyond the cranial cavity


@dataclass(frozen=True, eq=False)
class WholeHead:
    """Parts (uint8) at 1 mm, LPS, centred on the brain, and how much of the field air inside the head disturbs."""

    parts: Volume
    cavity: Volume  # 0/1: brain and the CSF around it down to the brain stem's end
    air: Volume  # 0..1, smooth


@lru_cache(maxsize=2)
def read_head(path: Path) -> WholeHead:
    """The head of a label map."""
    from scipy.ndimage import binary_closing, gaussian_filter

    classes, cavity = head_classes(read_labels(path), path.name)
    parts = _PARTS[classes]
    brain = np.isin(parts, BRAIN)
    head = binary_closing(parts[::2, ::2, ::2] > 0, iterations=8)
    hollow = np.zeros(parts.shape, np.float32)
    hollow[...] = np.repeat(np.repeat(np.repeat(head, 2, 0), 2, 1), 2, 2)[tuple(slice(0, n) for n in parts.shape)]
    hollow *= (parts == Part.AIR) & (depth_from_outside(parts) > 6)
    air = gaussian_filter(hollow, _LOSS_REACH)
    middle = np.argwhere(brain).mean(axis=0)[::-1]
    geometry = Geometry(parts.shape[::-1], (1.0, 1.0, 1.0), tuple(-middle))
    volumes = (Volume(each, geometry) for each in (parts, cavity, air / max(float(air.max()), 1e-6)))
    return WholeHead(*volumes)


def depth_from_outside(parts: np.ndarray) -> np.ndarray:
    """mm from the outside air, which is connected to the edges of the image."""
    from scipy.ndimage import distance_transform_edt, label

    pieces, _ = label(parts == Part.AIR)
    return distance_transform_edt(pieces != pieces[-1, 0, 0])


@dataclass(frozen=True)
class Scanning:
    """How a head is imaged.

    Args:
        values: signal by part; CSF of an M0 is 1.
        size, spacing: grid, voxels and mm.
        top: mm from the middle of the brain to the middle of the grid, upwards.
        degrees: about x, y, z.
        scale: sizes of the head against its label map.
        bias: SD-like strength of the smooth coil sensitivity, relative.
        centre: brightening of the middle against the rim (7 T), relative.
        loss: how much of the signal goes where air inside the head disturbs the field most (0..1).
        distortion: mm of shift along y there.
        blur: SD of the point spread, mm, along x, y, z.
        noise: SD a channel against a signal of 1.
    """

    values: tuple[float, ...]
    size: tuple[int, int, int] = (64, 64, 24)
    spacing: tuple[float, float, float] = (3.4, 3.4, 5.0)
    top: float = 0.0
    degrees: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bias: float = 0.15
    centre: float = 0.0
    loss: float = 0.0
    distortion: float = 0.0
    blur: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise: float = 0.01


@dataclass(frozen=True, eq=False)
class Imaged:
    """An image with its truth on the same grid.

    Args:
        image: signal 0..about 1000.
        tissue: share of brain tissue; `cavity` with CSF, `eyes`, `neck` (soft parts 10 mm and more from the cavity).
        kept: share of the signal that field disturbances leave.
        matrix: 4x4, LPS mm, points of the label map to points of the image.
    """

    image: Volume
    tissue: Volume
    cavity: Volume
    eyes: Volume
    neck: Volume
    kept: Volume
    matrix: np.ndarray


def pose(scanning: Scanning) -> np.ndarray:
    """4x4, LPS mm: points of the label map to points of the image."""
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", scanning.degrees, degrees=True).as_matrix()
    matrix[:3, :3] = turn * np.array(scanning.scale)
    return matrix


def imaged(head: WholeHead, scanning: Scanning, *, seed: int) -> Imaged:
    """Image a head, with its truth."""
    from scipy.ndimage import distance_transform_edt

    onto, matrix, parts = field_of_view(scanning), pose(scanning), head.parts.array.astype(np.uint8)
    away = distance_transform_edt(head.cavity.array < 0.5, sampling=1.0) > _NECK_FROM
    masks = {
        "tissue": np.isin(parts, BRAIN),
        "cavity": head.cavity.array,
        "eyes": parts == Part.EYE,
        "neck": np.isin(parts, (Part.MUSCLE, Part.CORD, Part.MUCOSA)) & away & _below_brain(head),
    }
    masks = {name: _averaged(head, mask, onto, matrix) for name, mask in masks.items()}
    air = _averaged(head, head.air.array, onto, matrix)
    kept = 1 - scanning.loss * np.clip(air, 0, 1)
    if scanning.distortion:
        shift = scanning.distortion * air / scanning.spacing[1]
        masks, kept = {name: _shifted(mask, shift) for name, mask in masks.items()}, _shifted(kept, shift)
    volumes = {name: Volume(mask, onto, name=name) for name, mask in masks.items()}
    return Imaged(image_of(head, scanning, seed=seed), **volumes, kept=Volume(kept, onto), matrix=matrix)


def image_of(head: WholeHead, scanning: Scanning, *, seed: int) -> Volume:
    """The image of a head alone, signal 0..about 1000."""
    rng, onto, matrix = np.random.default_rng(seed), field_of_view(scanning), pose(scanning)
    air = _averaged(head, head.air.array, onto, matrix)
    values = np.array(scanning.values, np.float32)[head.parts.array.astype(np.uint8)]
    signal = _averaged(head, values, onto, matrix) * (1 - scanning.loss * np.clip(air, 0, 1))
    if scanning.distortion:
        signal = _shifted(signal, scanning.distortion * air / scanning.spacing[1])
    signal = _blurred(signal, scanning) * coil(onto, scanning, rng)
    real, imaginary = (scanning.noise * rng.normal(size=signal.shape) for _ in range(2))
    return Volume(1000 * np.hypot(signal + real, imaginary), onto, name="m0")


def field_of_view(scanning: Scanning) -> Geometry:
    """The grid of a scan, LPS."""
    half = [(n - 1) / 2 * s for n, s in zip(scanning.size, scanning.spacing, strict=True)]
    return Geometry(scanning.size, scanning.spacing, (-half[0], -half[1] + 8.0, -half[2] + scanning.top))


def _averaged(head: WholeHead, array: np.ndarray, onto: Geometry, matrix: np.ndarray) -> np.ndarray:
    return average_onto(head.parts.with_array(array), onto, transform=matrix, outside=0.0).array


def coil(geometry: Geometry, scanning: Scanning, rng: np.random.Generator) -> np.ndarray:
    """The smooth sensitivity (K, J, I), about 1."""
    index = np.indices(geometry.shape).reshape(3, -1)[::-1].T
    place = apply_affine(geometry.affine_lps, index) / 90.0
    slope, curve = rng.normal(size=3), rng.normal(size=3)
    field = 1 + scanning.bias * (place @ slope + 0.5 * (place**2) @ curve) / 2
    field += scanning.centre * (1 - (place**2).sum(axis=1))
    return np.clip(field, 0.25, 3.0).reshape(geometry.shape)


def _below_brain(head: WholeHead) -> np.ndarray:
    """Places lower than the brain's lowest third, where there is no scalp to speak of."""
    z = np.arange(head.parts.array.shape[0])[:, None, None]
    inside = np.argwhere(head.cavity.array > 0.5)[:, 0]
    return z < np.percentile(inside, 25)


def _shifted(array: np.ndarray, shift: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    k, j, i = np.indices(array.shape).astype(np.float32)
    return map_coordinates(array, [k, j + shift, i], order=1, mode="nearest")


def _blurred(signal: np.ndarray, scanning: Scanning) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(signal, [b / s for b, s in zip(scanning.blur, scanning.spacing, strict=True)][::-1])
