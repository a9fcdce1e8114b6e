"""Individual brains, as label maps, turned into the few tissue classes a perfusion phantom needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from ..errors import InputError


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

# FreeSurfer's numbers (SynthSeg's for the extra-cerebral ones).
_FREESURFER = {
    TissueClass.CSF: (4, 5, 14, 15, 24, 43, 44, 31, 63, 72),
    TissueClass.CORTEX: (3, 42),
    TissueClass.DEEP_GM: (10, 11, 12, 13, 17, 18, 26, 28, 49, 50, 51, 52, 53, 54, 58, 60, 136, 137, 163, 164),
    TissueClass.CEREBELLAR_GM: (8, 47),
    TissueClass.WM: (2, 41, 25, 57, 30, 62, 77, 85),
    TissueClass.BRAIN_STEM: (16, 7, 46),
    TissueClass.BONE: (511, 515),
}


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A head at 1 mm: uint8 `TissueClass`, array (K, J, I) with axes towards superior, posterior, left (LPS)."""

    classes: np.ndarray
    name: str


def read_anatomy(path: Path | str) -> Anatomy:
    """Read a FreeSurfer-numbered 1 mm label map and crop it to 20 mm around the brain (more towards the vertex).

    Raises:
        InputError: the file cannot be read, or holds no cortex and white matter under FreeSurfer's numbers.
    """
    import nibabel

    try:
        image = nibabel.as_closest_canonical(nibabel.load(path))
        labels = np.asanyarray(image.dataobj).astype(np.int32)
    except Exception as error:
        raise InputError(f"{path} cannot be read as a label map ({error}); give a NIfTI label map.") from error
    table = np.full(max(int(labels.max()), 600) + 1, TissueClass.BACKGROUND, np.uint8)
    table[500:] = TissueClass.SOFT_TISSUE
    for tissue, numbers in _FREESURFER.items():
        table[list(numbers)] = tissue
    classes = table[np.maximum(labels, 0)]
    classes = np.ascontiguousarray(classes.transpose(2, 1, 0)[:, ::-1, ::-1])  # RAS (i, j, k) to LPS (k, j, i)
    brain = np.isin(classes, [int(c) for c in (*GM_CLASSES, *WM_CLASSES)])
    if not brain.any():
        raise InputError(f"{path} has no brain labels under FreeSurfer's numbers; give a SynthSeg or aseg label map.")
    where = np.argwhere(brain)
    low = np.maximum(where.min(axis=0) - 20, 0)
    high = np.minimum(where.max(axis=0) + 21, classes.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return Anatomy(np.ascontiguousarray(classes[box]), Path(path).name.split("_")[0].split(".")[0])


def read_anatomies(folder: Path | str) -> list[Anatomy]:
    """Every ``*_labels.nii.gz`` of a folder, by name.

    Raises:
        InputError: there is none.
    """
    paths = sorted(Path(folder).glob("*_labels.nii*"))
    if not paths:
        raise InputError(f"{folder} holds no *_labels.nii.gz; give the folder with the anatomy label maps.")
    return [read_anatomy(path) for path in paths]
