"""Whole heads from label maps, as the tissue network learns from them: 17 classes at 1 mm, and the cranial cavity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...moving import replace_file
from .. import anatomy

CAVITY = 32  # added to the class of a voxel of the brain, and of CSF no lower than the brain
_CLASS = CAVITY - 1
_MIDDLE = ":middle"  # after a head's name in the file
_FAT_DEPTH = 9.0  # mm of soft tissue below the skin's outside that count as fat: label maps have none
_MARGIN = 2  # voxels kept around a head


class HeadClass(IntEnum):
    """What a voxel of a head is; the numbers index the tables of values."""

    AIR = 0
    CSF = 1
    CORTEX = 2
    DEEP_GM = 3
    CEREBELLAR_GM = 4
    WM = 5
    CEREBELLAR_WM = 6
    STEM = 7
    MUSCLE = 8
    FAT = 9
    SKIN = 10
    BONE = 11
    MARROW = 12
    EYE = 13
    SINUS = 14  # venous blood and dura
    CORD = 15
    MUCOSA = 16


GREY = (HeadClass.CORTEX, HeadClass.DEEP_GM, HeadClass.CEREBELLAR_GM)
WHITE = (HeadClass.WM, HeadClass.CEREBELLAR_WM)
BRAIN = (*GREY, *WHITE, HeadClass.STEM)

# FreeSurfer's numbers, and beyond the brain those of SynthSeg's training maps (Billot et al. 2023).
LABELS = {
    HeadClass.CSF: anatomy.CSF_LABELS,
    HeadClass.CORTEX: anatomy.CORTEX_LABELS,
    HeadClass.DEEP_GM: anatomy.DEEP_GM_LABELS,
    HeadClass.CEREBELLAR_GM: anatomy.CEREBELLAR_GM_LABELS,
    HeadClass.WM: anatomy.WM_LABELS,
    HeadClass.CEREBELLAR_WM: anatomy.CEREBELLAR_WM_LABELS,
    HeadClass.STEM: anatomy.STEM_LABELS,
    HeadClass.MUSCLE: (507, 530),
    HeadClass.SKIN: (516,),
    HeadClass.BONE: anatomy.BONE_LABELS,
    HeadClass.MARROW: anatomy.MARROW_LABELS,
    HeadClass.EYE: (506, 508),
    HeadClass.SINUS: (502, 514),
    HeadClass.CORD: (512,),
    HeadClass.MUCOSA: (509,),
}


@dataclass(frozen=True, eq=False)
class PackedHead:
    """A head at 1 mm.

    Args:
        name: of its label map.
        voxels: (K, J, I), uint8, LPS: a `HeadClass`, and `CAVITY` more in the cranial cavity.
        middle: (3,), voxels k, j, i: the middle of the brain.
    """

    name: str
    voxels: np.ndarray
    middle: np.ndarray


def head_classes(labels: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Classes (uint8) of a label map (K, J, I) at 1 mm, LPS, and whether each (bool) lies in the cranial cavity.

    The slices of air before and behind are cut away, where skin meets the edge of the map.

    Raises:
        InputError: it has no brain under FreeSurfer's numbers.
    """
    from scipy.ndimage import distance_transform_edt

    table = np.zeros(max(int(labels.max()), max(max(numbers) for numbers in LABELS.values())) + 1, np.uint8)
    for tissue, numbers in LABELS.items():
        table[list(numbers)] = tissue
    classes = table[np.maximum(labels, 0)]
    brain = np.isin(classes, BRAIN)
    if not brain.any():
        raise InputError(f"{name} has no brain labels under FreeSurfer's numbers; give a SynthSeg or aseg label map.")
    front = np.flatnonzero((classes > 0).any(axis=(0, 2)))
    classes, brain = (np.ascontiguousarray(x[:, front[0] : front[-1] + 1]) for x in (classes, brain))
    depth = distance_transform_edt(classes > 0)
    classes[(classes == HeadClass.MUSCLE) & (depth < _FAT_DEPTH)] = HeadClass.FAT
    cavity = brain | (classes == HeadClass.CSF)
    cavity[: np.flatnonzero(brain.any(axis=(1, 2)))[0]] = False
    return classes, cavity


def pack_labels(labels: np.ndarray, name: str) -> PackedHead:
    """The head of a label map (K, J, I) at 1 mm, LPS, cut to what is there.

    Raises:
        InputError: it has no brain under FreeSurfer's numbers.
    """
    classes, cavity = head_classes(labels, name)
    box = tuple(slice(max(0, where.min() - _MARGIN), where.max() + _MARGIN + 1) for where in np.nonzero(classes))
    voxels = np.ascontiguousarray((classes + CAVITY * cavity.astype(np.uint8))[box])
    return PackedHead(name, voxels, np.argwhere(np.isin(classes[box], BRAIN)).mean(axis=0))


def read_head(path: Path, name: str) -> PackedHead:
    """The head of a file of labels at 1 mm.

    Raises:
        InputError: the file cannot be read, or holds no brain.
    """
    return pack_labels(anatomy.read_labels(path), name)


def write_heads(heads: Sequence[PackedHead], path: Path) -> Path:
    """Write heads as one ``.npz``, which numpy alone reads, whole or not at all; returns the path."""
    part = path.with_name(f"part-{path.name}")
    arrays = {head.name: head.voxels for head in heads} | {head.name + _MIDDLE: head.middle for head in heads}
    np.savez_compressed(part, **arrays)
    replace_file(part, path)
    return path


def load_heads(source: Path) -> list[PackedHead]:
    """The heads of a ``.npz`` of `write_heads`, or of a folder of ``*_labels.nii.gz`` (needs nibabel and scipy).

    Raises:
        InputError: `source` is neither.
    """
    if source.suffix != ".npz":
        return [read_head(path, name) for name, path in anatomy.label_maps(source).items()]
    try:
        with np.load(source) as stored:
            names = [name for name in stored.files if not name.endswith(_MIDDLE)]
            return [PackedHead(name, stored[name], stored[name + _MIDDLE]) for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{source} holds no heads ({error}); give a folder of *_labels.nii.gz instead.") from error


def classes_and_cavity(voxels):
    """Classes and whether each lies in the cranial cavity, of packed voxels (array or tensor)."""
    return voxels & _CLASS, voxels >= CAVITY
