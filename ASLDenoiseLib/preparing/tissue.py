"""Grey matter, white matter and CSF: from a T1, from given masks or labels, or, at worst, guessed from the M0.

Every way ends in a `Tissue` of partial volumes (0..1). Brought onto a coarser grid they stay partial volumes, because
they are averaged over the voxel and never sampled at its centre (`resampling.average_onto`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..errors import InputError
from ..running.progress import Progress, silent
from ..series import Geometry, Tissue, Volume
from .brain_mask import without_bias
from .registration import register_affine
from .resampling import average_onto, resample, with_spacing
from .smoothing import gaussian

_SPACING = 2.0  # mm; ASL voxels are coarser, and time grows with the cube
_PRIOR_WEIGHT = 0.25  # Atropos: 0 ignores the template (thin cortex turns to CSF), 1 ignores the image
_PRIOR_FLOOR = 0.005  # no tissue is impossible anywhere: the anatomy may differ from the template's
_SMOOTHING = 5.0  # mm FWHM, of perfusion before it tells tissues apart
_BRAIN_ML = (700.0, 2200.0)
_UNKNOWN_LABELS = 0.02  # fraction of labelled voxels that may carry labels of neither scheme

# FreeSurfer's colour table, as SynthSeg uses it. Brain stem (16), vessels and optic chiasm are brain but neither
# tissue.
_FREESURFER_GM = (3, 42, 8, 47, *range(10, 14), *range(49, 53), 17, 18, 53, 54, 19, 20, 55, 56, 26, 58, 27, 59, 28, 60)
_FREESURFER_WM = (2, 41, 7, 46, 77, 78, 79, 192, *range(250, 256))
_FREESURFER_CSF = (4, 5, 14, 15, 43, 44, 24, 31, 63, 72, 257)
_FREESURFER_BRAIN = (16, 30, 62, 80, 81, 82, 85)


def tissue_from_t1(t1: Volume, *, progress: Progress | None = None) -> Tissue:
    """Segment a T1-weighted head on a 2 mm copy of its grid.

    The ICBM 2009a template of nilearn's wheel is aligned (rigid, then affine, Mattes mutual information), its brain
    mask is moved to this brain's edge, N4 (Tustison 2010) removes the bias, and Atropos (Avants 2011) with the
    template's tissue maps as priors of weight 0.25 gives the probabilities. Deep nuclei that look like white matter in
    the T1 (thalamus, pallidum) are partly called so. A removed face and a neck do no harm. The same T1 gives the same
    probabilities to 1e-4. Offline, no network; some 20 s on two cores.

    Args:
        t1: T1-weighted head, any resolution and unit; NaN counts as air.
        progress: called with (fraction done 0..1, what happens now).

    Raises:
        InputError: the image has no contrast, or does not overlap the template from any start.
    """
    say = progress or silent
    say(0.0, "Preparing the T1")
    grid = with_spacing(t1.geometry, (_SPACING,) * 3)
    finite = t1.with_array(np.where(np.isfinite(t1.array), np.clip(t1.array, 0, None), 0.0))
    head = without_bias(average_onto(finite, grid, outside=0.0))
    template, brain, gm, wm = _template()
    say(0.15, "Aligning the T1 to the template")
    to_template, doubt = register_affine(head, template, fixed_mask=brain)
    say(0.5, "Finding the edge of the brain")
    back = np.linalg.inv(to_template)
    brain, gm, wm = (resample(each, grid, transform=back, outside=0.0) for each in (brain, gm, wm))
    mask = _fitted_brain(head, brain.array > 0.5, gm.array, wm.array)
    say(0.6, "Segmenting grey and white matter")
    csf, gm, wm, even = _atropos(head, mask, gm.array, wm.array)
    say(1.0, "Segmented")
    warning = _segmentation_warning(even, mask, gm, wm, doubt, grid.voxel_volume)
    return Tissue(
        *(Volume(array, grid, name=name) for array, name in ((gm, "GM"), (wm, "WM"), (csf, "CSF"), (mask, "brain"))),
        source="T1 segmentation (N4, ICBM 2009a priors, Atropos, 2 mm)",
        warning=warning,
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
    """Given masks or probability maps (0..1), averaged onto `onto`; the brain, when not given, is where they sum above
    0.5.

    `transform` is 4x4, LPS mm, from points of the masks to points of `onto`; outside the masks' field of view every
    probability is 0.

    Raises:
        InputError: a map leaves 0..1 or is empty, or grey and white matter overlap by more than a voxel's worth.
    """
    given = {"grey matter": gm, "white matter": wm, "CSF": csf, "brain": brain}
    for name, each in given.items():
        if each is not None:
            _check_probability(each, name)
    moved = {
        name: None if each is None else average_onto(each, onto, transform=transform, outside=0.0)
        for name, each in given.items()
    }
    total = sum(np.nan_to_num(moved[name].array) for name in ("grey matter", "white matter", "CSF") if moved[name])
    if np.mean(total[total > 0] > 1.2) > 0.1:
        raise InputError("The grey and white matter masks overlap; give masks whose fractions sum to at most 1.")
    mask = total > 0.5 if moved["brain"] is None else np.nan_to_num(moved["brain"].array) >= 0.5
    return Tissue(
        replace(moved["grey matter"], name="GM", unit=""),
        replace(moved["white matter"], name="WM", unit=""),
        None if csf is None else replace(moved["CSF"], name="CSF", unit=""),
        Volume(mask, onto, name="brain"),
        source="given masks",
    )


def tissue_from_labels(labels: Volume, onto: Geometry, *, transform: np.ndarray | None = None) -> Tissue:
    """Partial volumes from a label map: FreeSurfer's numbering (also SynthSeg, aparc+aseg, wmparc), or 1 CSF, 2 GM, 3
    WM.

    A map with no label above 3 is read as the simple scheme. Of FreeSurfer's structures, deep grey nuclei and ventral
    DC count as grey matter; the brain stem is brain but neither tissue; 500-999 (SynthSeg's extra-cerebral) are
    outside.

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
    fractions = [
        average_onto(labels.with_array(each, unit="", name=name), onto, transform=transform, outside=0.0)
        for each, name in ((gm, "GM"), (wm, "WM"), (csf, "CSF"), (brain, "brain"))
    ]
    fractions[3] = fractions[3].with_array(np.nan_to_num(fractions[3].array) >= 0.5)
    return Tissue(*fractions, source=scheme)


def tissue_from_m0(reference: Volume, pwi: Volume | None, brain: Volume) -> Tissue:
    """A rough guess without any anatomy: CSF by its brightness in the M0, grey from white matter by perfusion.

    Without `pwi` grey and white matter are told by proton density, which is worse. Otsu's thresholds within the brain,
    softened. The result carries a warning, since grey matter chosen by perfusion flatters every GM/WM figure.

    Args:
        reference: M0 or mean control, scanner units. Where there is none, give the perfusion image itself for both: no
            CSF is told then.
        pwi: mean perfusion-weighted image on the same grid, any unit, or None.
        brain: 0/1 on the same grid.

    Raises:
        InputError: the grids differ or the brain is empty.
    """
    for each in (pwi, brain):
        if each is not None and not each.geometry.matches(reference.geometry):
            raise InputError("The M0, perfusion and brain images are not on one grid; resample them to the M0 first.")
    mask = (brain.array > 0.5) & np.isfinite(reference.array)
    if mask.sum() < 30:
        raise InputError("The brain mask is empty, so no tissue can be guessed in it; give a brain mask or a T1.")
    even = without_bias(reference.with_array(np.where(mask, reference.array, 0.0))).array
    level = float(np.median(even[mask]))
    csf = np.zeros(mask.shape) if pwi is reference else _soft_step(even, 1.35 * level, 0.1 * level) * mask
    # single-voxel noise would otherwise decide the tissue
    contrast = even if pwi is None else gaussian(pwi, _SMOOTHING, mask=mask).array
    inner = mask & (csf < 0.5) & np.isfinite(contrast)
    grey = _soft_step(contrast, *_otsu_step(contrast[inner])) if inner.any() else np.zeros(mask.shape)
    grey = np.nan_to_num(grey) * mask
    by = "its proton density" if pwi is None else "its perfusion"
    return Tissue(
        *(
            reference.with_array(array, unit="", name=name)
            for array, name in (
                ((1 - csf) * grey, "GM"),
                ((1 - csf) * (mask - grey), "WM"),
                (csf, "CSF"),
                (mask, "brain"),
            )
        ),
        source=f"guessed from the M0: grey matter by {by}",
        warning=f"Tissue was guessed (grey matter by {by}), so grey and white matter figures and their contrast "
        "are rough and biased; give a T1 or tissue masks.",
    )


def tissue_on(geometry: Geometry, tissue: Tissue, *, transform: np.ndarray | None = None) -> Tissue:
    """The tissue averaged onto another grid, as partial volumes; outside its field of view all is 0.

    `transform` is 4x4, LPS mm, from points of the tissue to points of `geometry` (`RigidRegistration.matrix`).
    """
    gm, wm, csf, brain = (
        None if each is None else average_onto(each, geometry, transform=transform, outside=0.0)
        for each in (tissue.gm, tissue.wm, tissue.csf, tissue.brain)
    )
    brain = brain.with_array(np.nan_to_num(brain.array) >= 0.5)
    return replace(tissue, gm=gm, wm=wm, csf=csf, brain=brain)


@lru_cache(maxsize=1)
def _template() -> tuple[Volume, Volume, Volume, Volume]:
    """ICBM 2009a at 2 mm from nilearn's wheel: brain-extracted T1, brain mask, and grey and white matter maps."""
    from nilearn import datasets

    loaders = (
        datasets.load_mni152_template,
        datasets.load_mni152_brain_mask,
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
    )
    images = [load(resolution=2) for load in loaders]
    return tuple(
        Volume(
            np.asarray(image.get_fdata(), np.float32).transpose(2, 1, 0),
            Geometry.from_affine_ras(image.affine, image.shape),
        )
        for image in images
    )


def _fitted_brain(head: Volume, template_brain: np.ndarray, gm: np.ndarray, wm: np.ndarray) -> np.ndarray:
    """The template's brain moved to this brain's own edge: bright tissue near it and joined to it, without its bridges.

    The affine template misses a centimetre of cortex here and takes in dura there. Tissue brighter than half way from
    CSF to grey matter, within 8 mm of the template's brain, is eroded by 3 mm to cut it from scalp and dura, kept where
    it is one piece, and grown back; the template's own depth (beyond 4 mm) always stays.
    """
    from scipy.ndimage import binary_fill_holes, distance_transform_edt, label

    def depth(mask: np.ndarray) -> np.ndarray:
        return distance_transform_edt(mask, sampling=head.geometry.spacing[::-1])

    array = head.array
    grey, white = template_brain & (gm > 0.7), template_brain & (wm > 0.8)
    if not (grey.any() and white.any()):
        raise InputError("The template does not reach this image; check that the T1 shows a whole head.")
    dark = np.percentile(array[template_brain], 2)
    tissue = (array > 0.5 * (dark + np.median(array[grey]))) & (array < 1.4 * np.median(array[white]))
    tissue &= depth(~template_brain) <= 8.0
    pieces, count = label(depth(tissue) > 3.0)
    core = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if count else template_brain
    mask = (tissue & (depth(~core) <= 4.0)) | (depth(template_brain) > 4.0)
    mask |= depth(depth(~mask) <= 6.0) > 6.0
    return np.stack([binary_fill_holes(each) for each in mask])


def _atropos(
    head: Volume, mask: np.ndarray, gm_prior: np.ndarray, wm_prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of CSF, GM and WM, and the image without bias, all (K, J, I)."""
    import ants
    from scipy.ndimage import gaussian_filter

    def image(array: np.ndarray) -> ants.ANTsImage:
        # Origin and direction are left out: Atropos reads priors through files, whose rounding it takes for another
        # space.
        return ants.from_numpy(np.ascontiguousarray(array.T, np.float32), spacing=head.geometry.spacing)

    inside = image(mask)
    even = ants.n4_bias_field_correction(
        image(head.array), mask=inside, shrink_factor=3, convergence={"iters": [30, 20], "tol": 1e-6}
    )
    priors = [np.clip(p, _PRIOR_FLOOR, 1.0) for p in (1.0 - gm_prior - wm_prior, gm_prior, wm_prior)]
    total = sum(priors)
    # An affine template fits gyri to a few mm only; priors smoothed by a voxel claim no more than that.
    priors = [gaussian_filter(p / total, 1.0) for p in priors]
    found = ants.atropos(
        a=even,
        x=inside,
        i=[image(p) for p in priors],
        m="[0.1,1x1x1]",
        c="[5,0]",
        priorweight=_PRIOR_WEIGHT,
        r=0,  # otherwise the clock seeds the order in which voxels are visited
    )
    probabilities = [np.where(mask, p.numpy().T, 0.0) for p in found["probabilityimages"]]
    return (*probabilities, even.numpy().T)


def _segmentation_warning(
    even: np.ndarray, mask: np.ndarray, gm: np.ndarray, wm: np.ndarray, registration: str, voxel_mm3: float
) -> str:
    millilitres = mask.sum() * voxel_mm3 / 1000
    grey, white = even[gm > 0.7], even[wm > 0.8]
    if not _BRAIN_ML[0] <= millilitres <= _BRAIN_ML[1]:
        return f"The segmented brain measures {millilitres:.0f} ml, which is no adult brain; look at the tissue maps."
    if grey.size < 30 or white.size < 30 or np.median(white) < 1.05 * np.median(grey):
        return "White matter is not brighter than grey matter; check that the anatomical image is T1-weighted."
    return registration


def _check_probability(volume: Volume, name: str) -> None:
    low, high = np.nanmin(volume.array, initial=np.inf), np.nanmax(volume.array, initial=-np.inf)
    if not high > 0:
        raise InputError(f"The {name} mask is empty; give one with values from 0 to 1.")
    if low < -1e-3 or high > 1 + 1e-3:
        raise InputError(f"The {name} mask runs from {low:g} to {high:g}; scale it to 0..1.")


def _soft_step(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip((values - centre) / max(width, 1e-12), -30, 30)))


def _otsu_step(values: np.ndarray) -> tuple[float, float]:
    """Otsu's threshold, and a step width of a tenth of the distance between the two classes' means."""
    from skimage.filters import threshold_otsu

    if not np.ptp(values) > 0:
        return float(values[0]), 1.0
    values = np.clip(values, *np.percentile(values, [1, 99]))
    threshold = float(threshold_otsu(values))
    return threshold, 0.1 * float(values[values > threshold].mean() - values[values <= threshold].mean())
