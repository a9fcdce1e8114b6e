"""Individual brains, as label maps, turned into the few tissue classes a perfusion phantom needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import is_litter


class TissueClass(IntEnum):
    """The classes of an `Anatomy`; the numbers index the value tables of the phantom."""

    BACKGROUND = 0
    CSF = 1
    CORTEX = 2
    DEEP_GM = 3
    CEREBELLAR_GM = 4
    WM = 5
    BRAIN_STEM = 6
    SOFT_TISSUE = 7
    BONE = 8


GM_CLASSES = (TissueClass.CORTEX, TissueClass.DEEP_GM, TissueClass.CEREBELLAR_GM)
WM_CLASSES = (TissueClass.WM, TissueClass.BRAIN_STEM)

# FreeSurfer's numbers.
CSF_LABELS = (4, 5, 14, 15, 24, 31, 43, 44, 63, 72)
CORTEX_LABELS = (3, 42)
DEEP_GM_LABELS = (10, 11, 12, 13, 17, 18, 26, 28, 49, 50, 51, 52, 53, 54, 58, 60, 136, 137, 163, 164)
CEREBELLAR_GM_LABELS = (8, 47)
WM_LABELS = (2, 25, 30, 41, 57, 62, 77, 85)
CEREBELLAR_WM_LABELS = (7, 46)
STEM_LABELS = (16,)
BONE_LABELS, MARROW_LABELS = (515,), (511,)  # SynthSeg's, as all beyond the brain
_LABELS = {
    TissueClass.CSF: CSF_LABELS,
    TissueClass.CORTEX: CORTEX_LABELS,
    TissueClass.DEEP_GM: DEEP_GM_LABELS,
    TissueClass.CEREBELLAR_GM: CEREBELLAR_GM_LABELS,
    TissueClass.WM: WM_LABELS,
    TissueClass.BRAIN_STEM: (*STEM_LABELS, *CEREBELLAR_WM_LABELS),
    TissueClass.BONE: (*BONE_LABELS, *MARROW_LABELS),
}
_VENTRICLES = (4, 5, 43, 44, 14, 31, 63, 72)

# A packed voxel: 4 bits of class, 6 of quarter mm from the ventricles, 4 of quarter mm into cortex, 1 near the brain.
STEP = 0.25
VENTRICLE_ZERO = 24  # so that 6 mm inside to 9.75 mm outside fit
_VENTRICLE_LAST, _CORTEX_LAST = 63, 15
_NEAR_BRAIN = 1 << 14
_MARGIN = 8  # voxels of 1 mm around the brain that a wide voxel or a blur may reach into


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A head at 1 mm: uint8 `TissueClass`, array (K, J, I) with axes towards superior, posterior, left (LPS).

    `ventricles` (bool, same shape) lets a phantom widen or narrow them; None keeps them as they are. `ready` is what
    `packed` was found to be before.
    """

    classes: np.ndarray
    name: str
    ventricles: np.ndarray | None = None
    ready: np.ndarray | None = None

    @classmethod
    def from_packed(cls, packed: np.ndarray, name: str) -> Anatomy:
        """The anatomy whose `packed` this is."""
        inner = tuple(slice(1, -1) for _ in range(3))
        return cls((packed[inner] & 15).astype(np.uint8), name, ready=packed)

    @cached_property
    def packed(self) -> np.ndarray:
        """Everything a phantom looks up at a place in one int16, padded by a voxel of background (K+2, J+2, I+2)."""
        if self.ready is not None:
            return self.ready
        from scipy.ndimage import maximum_filter

        near = maximum_filter(_is_brain(self.classes), 2 * _MARGIN + 1, mode="constant")
        packed = self.classes.astype(np.int16) | np.where(near, _NEAR_BRAIN, 0).astype(np.int16)
        away = np.full(self.classes.shape, _VENTRICLE_LAST, np.int16)
        if self.ventricles is not None and self.ventricles.any():
            box = _box_around(self.ventricles, 11)
            away[box] = _signed_steps(self.ventricles[box])
        packed |= away << 4
        cortex = self.classes == TissueClass.CORTEX
        packed |= _depth_steps(cortex, cortex | (self.classes == TissueClass.WM)) << 10
        return np.pad(packed, 1, constant_values=_VENTRICLE_LAST << 4)


def class_table(*, widened: float = 0.0, thinned: float = 0.0) -> np.ndarray:
    """The `TissueClass` of every packed value (uint8, 2^15) once ventricles and cortex have changed.

    Args:
        widened: mm by which the ventricles take white matter around them; negative gives white matter their rim.
        thinned: mm of cortex lost to the CSF outside it.
    """
    value = np.arange(1 << 15)
    tissue = (value & 15).astype(np.uint8)
    away = ((value >> 4 & 63) - VENTRICLE_ZERO) * STEP
    depth = (value >> 10 & 15) * STEP
    brain = tissue.copy()
    brain[(tissue == TissueClass.WM) & (away < widened)] = TissueClass.CSF
    brain[(tissue == TissueClass.CSF) & (away < 0) & (away >= widened)] = TissueClass.WM
    brain[(tissue == TissueClass.CORTEX) & (depth > 0) & (depth <= thinned)] = TissueClass.CSF
    return brain


def near_brain(packed):
    """Whether packed values (array or tensor) lie in the brain or within 8 mm of it."""
    return (packed & _NEAR_BRAIN) != 0


def _is_brain(classes: np.ndarray) -> np.ndarray:
    return (classes >= TissueClass.CORTEX) & (classes <= TissueClass.BRAIN_STEM)


def _box_around(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    from scipy.ndimage import find_objects

    (box,) = find_objects(mask.astype(np.uint8))
    return tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)


def _signed_steps(mask: np.ndarray) -> np.ndarray:
    """Distance to the ventricles' border in `STEP` mm, negative inside, as `Anatomy.packed` holds it."""
    from scipy.ndimage import distance_transform_edt

    signed = np.where(mask, 0.5 - distance_transform_edt(mask), distance_transform_edt(~mask) - 0.5)
    return np.clip(np.round(signed / STEP) + VENTRICLE_ZERO, 0, _VENTRICLE_LAST).astype(np.int16)


def _depth_steps(cortex: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """How deep (in `STEP` mm) voxels of cortex lie below what is neither cortex nor WM; 0 elsewhere."""
    from scipy.ndimage import distance_transform_edt

    steps = np.zeros(cortex.shape, np.int16)
    if cortex.any():
        box = _box_around(cortex, 2)
        depth = np.round((distance_transform_edt(solid[box]) - 0.5) / STEP)
        steps[box] = np.where(cortex[box], np.clip(depth, 1, _CORTEX_LAST), 0)
    return steps


def read_labels(path: Path | str) -> np.ndarray:
    """The numbers (K, J, I), int32, of a label map, on axes towards superior, posterior, left (LPS).

    Raises:
        InputError: the file cannot be read.
    """
    import nibabel

    try:
        image = nibabel.as_closest_canonical(nibabel.load(path))
        labels = np.asanyarray(image.dataobj).astype(np.int32)
    except Exception as error:
        raise InputError(f"{path} cannot be read as a label map ({error}); give a NIfTI label map.") from error
    return labels.transpose(2, 1, 0)[:, ::-1, ::-1]  # RAS (i, j, k) to LPS (k, j, i)


def read_anatomy(path: Path | str) -> Anatomy:
    """Read a FreeSurfer-numbered 1 mm label map and crop it to 20 mm around the brain (more towards the vertex).

    Raises:
        InputError: the file cannot be read, or holds no cortex and white matter under FreeSurfer's numbers.
    """
    labels = read_labels(path)
    table = np.full(max(int(labels.max()), 600) + 1, TissueClass.BACKGROUND, np.uint8)
    table[500:] = TissueClass.SOFT_TISSUE
    for tissue, numbers in _LABELS.items():
        table[list(numbers)] = tissue
    classes = np.ascontiguousarray(table[np.maximum(labels, 0)])
    brain = _is_brain(classes)
    if not brain.any():
        raise InputError(f"{path} has no brain labels under FreeSurfer's numbers; give a SynthSeg or aseg label map.")
    box = _box_around(brain, 20)
    ventricles = np.isin(labels[box], _VENTRICLES)
    return Anatomy(np.ascontiguousarray(classes[box]), _name_of(path), np.ascontiguousarray(ventricles))


def _name_of(path: Path | str) -> str:
    return Path(path).name.split("_")[0].split(".")[0]


def label_maps(folder: Path | str) -> dict[str, Path]:
    """Every ``*_labels.nii.gz`` of a folder under the name of its anatomy, in order.

    Raises:
        InputError: there is none.
    """
    paths = sorted(path for path in Path(folder).glob("*_labels.nii*") if not is_litter(path))
    if not paths:
        raise InputError(f"{folder} holds no *_labels.nii.gz; give the folder with the anatomy label maps.")
    return {_name_of(path): path for path in paths}
