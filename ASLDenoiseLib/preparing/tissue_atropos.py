"""Tissue of a T1 by classical means: the ICBM 2009a template, N4 and Atropos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..progress import Progress, silent
from ..series import Geometry, Volume
from ..spatial.resampling import average_onto, resample, with_spacing
from .brain_mask import correct_bias
from .t1_contrast import T1_RANKS, ranks_of
from .template import Template, template_onto
from .template_fit import fit_template
from .tissue import SegmentedTissue, brain_grid, segmented_tissue

_HEAD_SPACING = 2.0  # mm, to find the brain
# Of the levels of N4; with two, the vertex of a real T1 stayed dark and lost its white matter.
_BIAS_ITERATIONS = [40, 30, 20, 10]
_PRIOR_WEIGHT = 0.25  # Atropos: 0 ignores where a voxel lies, 1 ignores the image
_PRIOR_FLOOR = 0.005  # no tissue is impossible anywhere: the anatomy may differ from the template's
_PRIOR_SIGMA = 6.0  # mm; an affine template fits deep nuclei to that, and gyri not at all
_LEAST_INFORMATION = 0.4  # nats; brains that fit the template reach 0.5-0.7, one that took in the scalp 0.3


def atropos_tissue(t1: Volume, *, progress: Progress = silent) -> SegmentedTissue:
    """Segment a T1-weighted head on its own grid, no finer than 1.2 mm, cropped to the brain; half a minute and more.

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
        t1: T1-weighted head, finite, not negative, any resolution and unit.
        progress: called with (fraction done 0..1, what happens now).

    Raises:
        InputError: the image has no contrast, or does not overlap the template from any start.
    """
    progress(0.0, "Preparing the T1")
    head = correct_bias(average_onto(t1, with_spacing(t1.geometry, (_HEAD_SPACING,) * 3), outside=0.0))
    progress(0.1, "Finding the brain")
    fit = fit_template(head)
    progress(0.5, "Segmenting grey and white matter")
    grid = brain_grid(t1.geometry, fit.brain)
    mask = resample(fit.brain, grid, outside=0.0).array > 0.5
    there = template_onto(grid, fit.matrix)
    priors = _priors(there, grid)
    maps, source = None, "T1 segmentation (N4, ICBM 2009a priors, Atropos)"
    if fit.levels is None or not fit.levels.alike:
        maps = _atropos(average_onto(t1, grid, outside=0.0), mask, priors, ranks_of(fit.levels))
    if maps is None or (ranks_of(fit.levels) != T1_RANKS and misnamed(maps, priors)):
        maps = tuple(np.where(mask, prior, 0.0) for prior in priors)
        source = (
            "the ICBM 2009a template alone, aligned with the T1, whose contrast does not tell grey from white matter"
        )
    csf, gm, wm = maps
    progress(1.0, "Segmented")
    low = fit.mutual_information < _LEAST_INFORMATION
    shared = f"The brain shares little with the template ({fit.mutual_information:.2f} nats); look at the tissue maps."
    return segmented_tissue(grid, (csf, gm, wm), mask, source=source, warning=shared if low else "", levels=fit.levels)


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
