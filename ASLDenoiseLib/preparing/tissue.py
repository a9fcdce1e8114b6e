"""Grey matter, white matter and CSF: from a T1, or from given masks or labels (`tissue_guess` where there is neither).

All give a `Tissue` of partial volumes (0..1), which are averaged over the voxels of a coarser grid, never sampled at
their centres (`resampling.average_onto`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..progress import Progress, silent
from ..series import Geometry, Tissue, Volume
from ..spatial.resampling import average_onto, crop, resample, with_spacing
from .brain_mask import correct_bias
from .t1_contrast import T1_RANKS, Levels, ranks_of
from .t1_image import require_image
from .template import Template, template_onto
from .template_fit import fit_template

_HEAD_SPACING = 2.0  # mm, to find the brain
_FINEST = 1.2  # mm, to segment; at 2 mm half of the cortex is partial volume and grey matter comes out half too large
# Of the levels of N4; with two, the vertex of a real T1 stayed dark and lost its white matter.
_BIAS_ITERATIONS = [40, 30, 20, 10]
_PRIOR_WEIGHT = 0.25  # Atropos: 0 ignores where a voxel lies, 1 ignores the image
_PRIOR_FLOOR = 0.005  # no tissue is impossible anywhere: the anatomy may differ from the template's
_PRIOR_SIGMA = 6.0  # mm; an affine template fits deep nuclei to that, and gyri not at all
_LEAST_INFORMATION = 0.4  # nats; brains that fit the template reach 0.5-0.7, one that took in the scalp 0.3
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


def tissue_from_t1(t1: Volume, *, progress: Progress = silent) -> SegmentedTissue:
    """Segment a T1-weighted head on its own grid, no finer than 1.2 mm, cropped to the brain.

    The ICBM 2009a template is aligned and the brain extracted with it (`template_fit.fit_template`), N4 (Tustison 2010)
    removes the bias, and Atropos (Avants 2011) gives the probabilities. It starts from the likelihoods of intensities
    (the classes of Otsu's thresholds, Liao 2001) times the template's tissue maps smoothed by 6 mm, which separate deep
    grey matter from white but not single gyri: heads with wide sulci have them elsewhere. Deep nuclei that look like
    white matter in the T1 (thalamus, pallidum) are still partly called so. A removed face and a neck do no harm. The
    same T1 gives the same probabilities to 1e-4.

    Which class is which tissue is told by where the template has it (`t1_contrast.levels_of`), not by brightness: in a
    T2 the darkest class is white matter. Where grey and white matter are alike, or another contrast puts them in each
    other's place, the template's maps stand for tissue.
    `t1_contrast.contrast_findings` of the `levels` warns of whatever is not T1-weighted.

    Args:
        t1: T1-weighted head, any resolution and unit; NaN counts as air.
        progress: called with (fraction done 0..1, what happens now).

    Raises:
        InputError: the image has no contrast, is a mask or a label map, or does not overlap the template from any
            start.
    """
    progress(0.0, "Preparing the T1")
    require_image(t1)
    finite = t1.with_array(np.where(np.isfinite(t1.array), np.clip(t1.array, 0, None), 0.0))
    head = correct_bias(average_onto(finite, with_spacing(t1.geometry, (_HEAD_SPACING,) * 3), outside=0.0))
    progress(0.1, "Finding the brain")
    fit = fit_template(head)
    progress(0.5, "Segmenting grey and white matter")
    grid = _brain_grid(t1.geometry, fit.brain)
    mask = resample(fit.brain, grid, outside=0.0).array > 0.5
    there = template_onto(grid, fit.matrix)
    priors = _priors(there, grid)
    maps, source = None, "T1 segmentation (N4, ICBM 2009a priors, Atropos)"
    if fit.levels is None or not fit.levels.alike:
        maps = _atropos(average_onto(finite, grid, outside=0.0), mask, priors, ranks_of(fit.levels))
    if maps is None or (ranks_of(fit.levels) != T1_RANKS and misnamed(maps, priors)):
        maps = tuple(np.where(mask, prior, 0.0) for prior in priors)
        source = (
            "the ICBM 2009a template alone, aligned with the T1, whose contrast does not tell grey from white matter"
        )
    csf, gm, wm = maps
    progress(1.0, "Segmented")
    return SegmentedTissue(
        *(Volume(array, grid, name=name) for array, name in ((gm, "GM"), (wm, "WM"), (csf, "CSF"), (mask, "brain"))),
        source=source,
        warning=_segmentation_warning(mask.sum() * grid.voxel_volume / 1000, fit.mutual_information),
        levels=fit.levels,
    )


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
    gm, wm, csf, brain = (
        None if each is None else average_onto(each, geometry, transform=transform, outside=0.0)
        for each in (tissue.gm, tissue.wm, tissue.csf, tissue.brain)
    )
    brain = brain.with_array(np.nan_to_num(brain.array) >= 0.5)
    return replace(tissue, gm=gm, wm=wm, csf=csf, brain=brain)


def _brain_grid(t1: Geometry, brain: Volume) -> Geometry:
    """The T1's grid, no finer than 1.2 mm, over the box of the brain and 5 mm more."""
    grid = with_spacing(t1, tuple(np.maximum(t1.spacing, _FINEST)))
    inside = np.argwhere(brain.array > 0.5)[:, ::-1]
    index = np.c_[inside, np.ones(len(inside))] @ (np.linalg.inv(grid.affine_lps) @ brain.geometry.affine_lps).T
    margin = 5.0 / np.array(grid.spacing)
    low = np.clip(np.floor(index[:, :3].min(axis=0) - margin), 0, None).astype(int)
    high = np.minimum(np.ceil(index[:, :3].max(axis=0) + margin).astype(int) + 1, grid.size)
    return crop(grid, low, high - low)


def _priors(there: Template, grid: Geometry) -> list[np.ndarray]:
    """Prior probabilities (K, J, I) of CSF, GM and WM by place: the template's maps on this grid, smoothed."""
    from scipy.ndimage import gaussian_filter

    gm, wm = there.gm.array, there.wm.array
    sigma = [_PRIOR_SIGMA / s for s in grid.spacing[::-1]]
    return _normalised([gaussian_filter(np.clip(p, _PRIOR_FLOOR, 1.0), sigma) for p in (1.0 - gm - wm, gm, wm)])


def _atropos(
    head: Volume, mask: np.ndarray, priors: list[np.ndarray], ranks: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities (K, J, I) of CSF, GM and WM, whose `ranks` say which is darkest (0) and brightest (2)."""
    import ants

    def image(array: np.ndarray) -> ants.ANTsImage:
        # Without origin and direction: Atropos reads priors through files, whose rounding it takes for another space.
        return ants.from_numpy(np.ascontiguousarray(array.T, np.float32), spacing=head.geometry.spacing)

    inside = image(mask)
    even = ants.n4_bias_field_correction(
        image(head.array), mask=inside, shrink_factor=4, convergence={"iters": _BIAS_ITERATIONS, "tol": 1e-7}
    )
    by_brightness = _likelihoods(even.numpy().T, mask)
    priors = _normalised([p * by_brightness[rank] for p, rank in zip(priors, ranks, strict=True)])
    found = ants.atropos(
        a=even,
        x=inside,
        i=[image(p) for p in priors],
        m="[0.1,1x1x1]",
        c="[3,0]",
        priorweight=_PRIOR_WEIGHT,
        r=0,  # otherwise the clock seeds the order in which voxels are visited
    )
    csf, gm, wm = (np.where(mask, p.numpy().T, 0.0) for p in found["probabilityimages"])
    return csf, gm, wm


def misnamed(found: Sequence[np.ndarray], priors: Sequence[np.ndarray]) -> bool:
    """Whether what was found (CSF, GM, WM) as grey or white matter lies where the priors have the other."""

    def overlap(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.minimum(one, other).sum() / max(other.sum(), 1e-6))

    (_, gm, wm), (_, grey, white) = found, priors
    return overlap(gm, grey) <= overlap(gm, white) or overlap(wm, white) <= overlap(wm, grey)


def _likelihoods(even: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Likelihoods of the dark, the middling and the bright class: Gaussians by median and spread of Otsu's three.

    Intensities are clipped to the outer medians: a voxel darker than the dark class is no less of it.
    """
    from skimage.filters import threshold_multiotsu

    values = even[mask]
    values = np.clip(values, *np.percentile(values, (0.5, 99.5)))
    number = np.digitize(values, threshold_multiotsu(values, 3))
    middle = [float(np.median(values[number == n])) for n in range(3)]
    spread = [1.4826 * np.median(np.abs(values[number == n] - middle[n])) for n in range(3)]
    spread = np.maximum(spread, 0.05 * (middle[2] - middle[0]))
    clipped = np.clip(even, middle[0], middle[2])
    return [np.exp(-0.5 * ((clipped - m) / s) ** 2) / s + 1e-6 for m, s in zip(middle, spread, strict=True)]


def _normalised(maps: list[np.ndarray]) -> list[np.ndarray]:
    total = sum(maps)
    return [m / total for m in maps]


def _segmentation_warning(millilitres: float, information: float) -> str:
    if not _BRAIN_ML[0] <= millilitres <= _BRAIN_ML[1]:
        return f"The segmented brain measures {millilitres:.0f} ml, which is no adult brain; look at the tissue maps."
    if information < _LEAST_INFORMATION:
        return f"The brain shares little with the template ({information:.2f} nats); look at the tissue maps."
    return ""


def _check_probability(volume: Volume, name: str) -> None:
    low, high = np.nanmin(volume.array, initial=np.inf), np.nanmax(volume.array, initial=-np.inf)
    if not high > 0:
        raise InputError(f"The {name} mask is empty; give one with values from 0 to 1.")
    if low < -1e-3 or high > 1 + 1e-3:
        raise InputError(f"The {name} mask runs from {low:g} to {high:g}; scale it to 0..1.")
