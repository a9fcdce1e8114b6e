"""Lesions shaped as real strokes are: masks in MNI space, read from a folder, looked up at any place of a phantom.

The masks of a folder fall into two by the number in their names, fixed here: the lower train, the higher are what
safety is measured on. A number is a patient and says nothing of size or place, so that neither half is the easier, and
no network has seen a shape that it is judged by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..files import is_litter
from .places import Place
from .shapes import Shape
from .smooth import uniform

LAST_TRAINING = 70  # the number of the last mask that trains; those after it are held out
_NUMBERED = re.compile(r"(\d+)\.nii(\.gz)?$")
_TRIES = 6  # masks looked at until one lies in what the phantom shows
_MARGIN = 12.0  # mm: tissue that far from a mask's box still tells where the box lies


@dataclass(frozen=True, eq=False)
class StrokeMask:
    """A lesion in MNI space.

    Args:
        number: of the file it is from.
        voxels: (X, Y, Z) bool, cropped to the lesion and padded by one empty voxel; axes right, anterior, superior.
        origin: (3,) mm, centre of the first voxel.
        spacing: (3,) mm.
    """

    number: int
    voxels: torch.Tensor
    origin: torch.Tensor
    spacing: torch.Tensor

    def __call__(self, places: torch.Tensor) -> torch.Tensor:
        """Which of places (..., 3), MNI mm, lie in it (bool)."""
        index: torch.Tensor | int = 0
        steps = ((places - self.origin) / self.spacing + 0.5).unbind(-1)
        for step, n in zip(steps, self.voxels.shape, strict=True):
            index = index * n + step.clamp(0, n - 1).long()  # the rim is empty, and so is what lies beyond it
        return self.voxels.flatten()[index]

    @property
    def box(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Its lowest and highest corner, (3,) mm each."""
        return self.origin, self.origin + self.spacing * (torch.tensor(self.voxels.shape).to(self.origin) - 1)

    @property
    def millilitres(self) -> float:
        """Its volume in MNI space."""
        return float(self.voxels.sum() * self.spacing.prod()) / 1000

    def mirrored(self) -> StrokeMask:
        """The same in the other hemisphere."""
        right = self.box[1][:1]
        return replace(self, voxels=self.voxels.flip(0), origin=torch.cat([-right, self.origin[1:]]))

    def to(self, device: torch.device | str) -> StrokeMask:
        """The same on a device."""
        return replace(self, **{name: getattr(self, name).to(device) for name in ("voxels", "origin", "spacing")})


@dataclass(frozen=True, eq=False)
class Stroke(Place):
    """A mask where it lies in a phantom."""

    shape: Shape
    mask: StrokeMask
    centre: torch.Tensor
    reach: float

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return self.mask(self.shape.mni(points))

    def cells(self, centres: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        return self.mask(self.shape.mni_cells(centres, offsets))


def place_stroke(mask: StrokeMask, shape: Shape, tissue: torch.Tensor) -> Stroke | None:
    """A mask in a phantom; None where none of its tissue is in the mask.

    Args:
        mask: the lesion.
        shape: what the phantom is made of.
        tissue: (N, 3) mm, places in tissue, a voxel or so apart.
    """
    return _stroke(mask.to(tissue.device), shape, tissue, shape.mni(tissue))


def draw_stroke(
    masks: Sequence[StrokeMask], shape: Shape, tissue: torch.Tensor, generator: torch.Generator
) -> Stroke | None:
    """One of the masks, as it is or mirrored; None where those that were tried lie beyond what the phantom shows."""
    places = shape.mni(tissue)
    for _ in range(_TRIES):
        mask = masks[int(uniform(generator, 0, len(masks) - 0.001))].to(tissue.device)
        mask = mask.mirrored() if uniform(generator, 0, 1) < 0.5 else mask
        stroke = _stroke(mask, shape, tissue, places)
        if stroke is not None:
            return stroke
    return None


def _stroke(mask: StrokeMask, shape: Shape, tissue: torch.Tensor, places: torch.Tensor) -> Stroke | None:
    if not bool(mask(places).any()):
        return None
    low, high = mask.box
    near = tissue[((places > low - _MARGIN) & (places < high + _MARGIN)).all(-1)]
    centre = (near.amin(0) + near.amax(0)) / 2
    return Stroke(shape, mask, centre, float((near - centre).norm(dim=-1).max()))


def read_training_masks(folder: Path | str) -> list[StrokeMask]:
    """The masks that phantoms to train on may have.

    Raises:
        InputError: as `read_held_out_masks`.
    """
    return _read(folder, lambda number: number <= LAST_TRAINING)


def read_held_out_masks(folder: Path | str) -> list[StrokeMask]:
    """The masks that no phantom to train on has, for measuring what is safe.

    Raises:
        InputError: the folder is not there or holds none, or one of them is no mask along the axes of MNI space.
    """
    return _read(folder, lambda number: number > LAST_TRAINING)


def _read(folder: Path | str, wanted: Callable[[int], bool]) -> list[StrokeMask]:
    paths = sorted(path for path in Path(folder).glob("*.nii*") if not is_litter(path))
    numbered = {int(m[1]): p for p in paths if (m := _NUMBERED.search(p.name))}
    chosen = [read_mask(path, number) for number, path in numbered.items() if wanted(number)]
    if not chosen:
        raise InputError(
            f"{folder} holds no stroke masks of this half (lesion-001.nii.gz to lesion-{LAST_TRAINING:03d}.nii.gz "
            "train, those after them are held out); give the folder of numbered masks in MNI space."
        )
    return chosen


def read_mask(path: Path, number: int) -> StrokeMask:
    """One mask.

    Raises:
        InputError: it cannot be read, is empty, or its axes are not MNI's.
    """
    import nibabel

    try:
        image = nibabel.as_closest_canonical(nibabel.load(path))
        inside, affine = np.asanyarray(image.dataobj) > 0, image.affine
    except Exception as error:
        raise InputError(f"{path} cannot be read as a mask ({error}); give a NIfTI mask in MNI space.") from error
    spacing = np.diag(affine)[:3]
    if inside.ndim != 3 or not inside.any() or np.abs(affine[:3, :3] - np.diag(spacing)).max() > 1e-3:
        raise InputError(f"{path} is no lesion along the axes of MNI space; give a NIfTI mask on the template's grid.")
    where = np.argwhere(inside)
    low, high = where.min(0), where.max(0) + 1
    voxels = np.pad(inside[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], 1)
    origin = affine[:3, 3] + spacing * (low - 1)
    millimetres = (torch.tensor(x, dtype=torch.float32) for x in (origin, spacing))
    return StrokeMask(number, torch.from_numpy(voxels), *millimetres)
