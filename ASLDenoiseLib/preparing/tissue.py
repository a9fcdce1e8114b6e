"""Grey matter, white matter and CSF from given masks or labels (`tissue_t1` from a T1, `tissue_guess` from neither).

All give a `Tissue` of partial volumes (0..1), which are averaged over the voxels of a coarser grid, never sampled at
their centres (`resampling.average_onto`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..series import Geometry, Tissue, Volume
from ..spatial.resampling import average_onto, crop, with_spacing
from ..spatial.threads import in_threads
from .t1_contrast import Levels

_FINEST = 1.2  # mm, to segment; at 2 mm half of the cortex is partial volume and grey matter comes out half too large
_BRAIN_ML = (700.0, 2200.0)
_UNKNOWN_LABELS = 0.02  # fraction of labelled voxels that may carry labels of neither scheme

# FreeSurfer's colour table, as SynthSeg uses it. Brain stem (16), vessels and optic chiasm are brain but neither
# tissue.
_FREESURFER_GM = (3, 42, 8, 47, *range(10, 14), *range(49, 53), 17, 18, 53, 54, 19, 20, 55, 56, 26, 58, 27, 59, 28, 60)
_FREESURFER_WM = (2, 41, 7, 46, 77, 78, 79, 192, *range(250, 256))
_FREESURFER_CSF = (4, 5, 14, 15, 43, 44, 24, 31, 63, 72, 257)
_FREESURFER_BRAIN = (16, 30, 62, 80, 81, 82, 85)


@dataclass(frozen=True)
class SegmentedTissue(Tissue):
    """Tissue of an anatomical image, with the signal of each where the template has it; None where not known."""

    levels: Levels | None = None


def segmented_tissue(
    grid: Geometry,
    maps: Sequence[np.ndarray],
    brain: np.ndarray,
    *,
    source: str,
    warning: str = "",
    levels: Levels | None = None,
) -> SegmentedTissue:
    """Fractions (K, J, I) of CSF, grey and white matter as tissue; a brain of no adult's volume is warned of first."""
    csf, gm, wm = maps
    millilitres = brain.sum() * grid.voxel_volume / 1000
    if not _BRAIN_ML[0] <= millilitres <= _BRAIN_ML[1]:
        warning = (
            f"The segmented brain measures {millilitres:.0f} ml, which is no adult brain; look at the tissue maps."
        )
    named = ((gm, "GM"), (wm, "WM"), (csf, "CSF"), (brain, "brain"))
    volumes = (Volume(array, grid, name=name) for array, name in named)
    return SegmentedTissue(*volumes, source=source, warning=warning, levels=levels)


def brain_grid(t1: Geometry, brain: Volume) -> Geometry:
    """The T1's grid, no finer than 1.2 mm, over the box of the brain and 5 mm more."""
    grid = with_spacing(t1, tuple(np.maximum(t1.spacing, _FINEST)))
    inside = np.argwhere(brain.array > 0.5)[:, ::-1]
    index = np.c_[inside, np.ones(len(inside))] @ (np.linalg.inv(grid.affine_lps) @ brain.geometry.affine_lps).T
    margin = 5.0 / np.array(grid.spacing)
    low = np.clip(np.floor(index[:, :3].min(axis=0) - margin), 0, None).astype(int)
    high = np.minimum(np.ceil(index[:, :3].max(axis=0) + margin).astype(int) + 1, grid.size)
    return crop(grid, low, high - low)


def tissue_from_masks(
    gm: Volume,
    wm: Volume,
    onto: Geometry,
    *,
    csf: Volume | None = None,
    brain: Volume | None = None,
    transform: np.ndarray | None = None,
) -> Tissue:
    """Average given masks or probability maps (0..1) onto a grid; the brain is, unless given, where they sum above 0.5.

    `transform` is 4x4, LPS mm, from points of the masks to points of `onto`; outside the masks' field of view every
    probability is 0.

    Raises:
        InputError: a map leaves 0..1 or is empty, or grey and white matter overlap by more than a voxel's worth.
    """
    given = {"GM": (gm, "grey matter"), "WM": (wm, "white matter"), "CSF": (csf, "CSF"), "brain": (brain, "brain")}
    moved = {}
    for name, (each, words) in given.items():
        if each is not None:
            _check_probability(each, words)
            average = average_onto(each, onto, transform=transform, outside=0.0)
            moved[name] = replace(average, name=name, unit="")
    total = sum(np.nan_to_num(each.array) for name, each in moved.items() if name != "brain")
    if np.mean(total[total > 0] > 1.2) > 0.1:
        raise InputError("The grey and white matter masks overlap; give masks whose fractions sum to at most 1.")
    mask = np.nan_to_num(moved["brain"].array) >= 0.5 if "brain" in moved else total > 0.5
    return Tissue(moved["GM"], moved["WM"], moved.get("CSF"), Volume(mask, onto, name="brain"), source="given masks")


def tissue_from_labels(labels: Volume, onto: Geometry, *, transform: np.ndarray | None = None) -> Tissue:
    """Partial volumes of a label map: FreeSurfer's (also SynthSeg, aparc+aseg, wmparc), else 1 CSF, 2 GM, 3 WM up to 3.

    Of FreeSurfer's structures, deep grey nuclei and ventral DC count as grey matter; the brain stem is brain but
    neither tissue; 500-999 (SynthSeg's extra-cerebral) are outside.

    Raises:
        InputError: the values are not whole numbers, none is labelled, or more than 2 % of them are of neither scheme.
    """
    values = np.nan_to_num(labels.array)
    if not np.array_equal(values, np.round(values)) or values.min() < 0:
        raise InputError("The label map holds values that are no whole labels; give a segmentation, not an image.")
    numbers = values.astype(np.int32)
    labelled = numbers > 0
    if not labelled.any():
        raise InputError("The label map is empty; give one with FreeSurfer labels or 1=CSF 2=GM 3=WM.")
    if numbers.max() <= 3:
        scheme = "labels 1=CSF 2=GM 3=WM"
        csf, gm, wm = (numbers == n for n in (1, 2, 3))
        brain = labelled
    else:
        scheme = "FreeSurfer labels"
        gm = np.isin(numbers, _FREESURFER_GM) | ((numbers >= 1000) & (numbers < 3000))
        wm = np.isin(numbers, _FREESURFER_WM) | ((numbers >= 3000) & (numbers < 5010))
        csf = np.isin(numbers, _FREESURFER_CSF)
        brain = gm | wm | csf | np.isin(numbers, _FREESURFER_BRAIN)
        unknown = labelled & ~brain & ~((numbers >= 500) & (numbers < 1000))
        if unknown.sum() > _UNKNOWN_LABELS * labelled.sum() or not (gm.any() and wm.any()):
            odd = ", ".join(str(n) for n in np.unique(numbers[unknown])[:5]) or "no grey or no white matter"
            raise InputError(
                f"The label map follows no known scheme ({odd}); known are FreeSurfer's numbering and 1=CSF 2=GM 3=WM."
            )
    masks = zip((gm, wm, csf, brain), ("GM", "WM", "CSF", "brain"), strict=True)
    tissue = Tissue(*(labels.with_array(mask, unit="", name=name) for mask, name in masks), source=scheme)
    return tissue_on(onto, tissue, transform=transform)


def tissue_on(geometry: Geometry, tissue: Tissue, *, transform: np.ndarray | None = None) -> Tissue:
    """The tissue averaged onto another grid, as partial volumes; 0 outside its field of view.

    `transform` is 4x4, LPS mm, from points of the tissue to points of `geometry` (`RigidRegistration.matrix`).
    """

    def moved(each: Volume | None) -> Volume | None:
        return None if each is None else average_onto(each, geometry, transform=transform, outside=0.0)

    gm, wm, csf, brain = in_threads(moved, (tissue.gm, tissue.wm, tissue.csf, tissue.brain))
    brain = brain.with_array(np.nan_to_num(brain.array) >= 0.5)
    return replace(tissue, gm=gm, wm=wm, csf=csf, brain=brain)


def _check_probability(volume: Volume, name: str) -> None:
    low, high = np.nanmin(volume.array, initial=np.inf), np.nanmax(volume.array, initial=-np.inf)
    if not high > 0:
        raise InputError(f"The {name} mask is empty; give one with values from 0 to 1.")
    if low < -1e-3 or high > 1 + 1e-3:
        raise InputError(f"The {name} mask runs from {low:g} to {high:g}; scale it to 0..1.")
