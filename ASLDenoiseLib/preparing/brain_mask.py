"""A brain mask from an M0 image or a mean control, by intensity and the shape of a brain; no network."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import ASLSeries, Geometry, Volume, VolumeType
from ..spatial.masks import depth, largest_piece, widened, without_holes
from ..spatial.resampling import from_sitk, to_sitk
from ..spatial.smoothing import gaussian, smooth_within
from .brain_edge import with_brain_cut_off, with_rim
from .brain_shape import fit_brain_shape

# Fractions of the brain's own level, after bias correction: above the scalp and marrow that fat suppression leaves,
# below white matter that background suppression has darkened.
_LEVEL_FRACTION = 0.5
_KNOWN_FRACTION = 0.62  # once the level is that of brain alone
_BRIGHT_FRACTION = 0.75  # most muscle is darker, and grey and white matter of one image differ by less
_MUCH_BRIGHTER = 1.15  # times the level of all that is bright: muscle and scalp prevailed in it
# Wide enough to cut the optic nerves and the muscles off the brain, narrow enough to leave the cerebellum on it, mm.
_BRIDGE_RADIUS = 8.0
_CLOSING_RADIUS = 7.0
_SMALLEST_BRAIN_ML = 20.0
_FEWEST_VOXELS = 30
# How bright, of the brain's level, tissue must be to count as brain this many mm inside (negative: outside) the
# outline of the template's: brightness alone does not separate them, as muscle reaches 0.8 of that level, and brain
# stem under background suppression 0.4.
_DEPTHS = (-14.0, -10.0, -6.0, -3.0, 0.0, 5.0, 9.0)
_LEAST_LEVELS = (9.0, 1.0, 0.82, 0.72, 0.62, 0.45, 0.3)
_MOST_BETWEEN = 0.9  # of the brain's level
_NO_OTHER = 0.95  # of the core's darker tissues: what is as bright around the shape is brain, not muscle
_CORE = 6.0  # mm inside the outline, where the brain's level is taken
_BESIDE = (6.0, 25.0)  # mm outside the outline, where the level of muscle and scalp is taken
_ROUNDS = 3  # without the neck the shape fits better: in the worst phantom Dice is 0.950 after two, 0.955 after three
_MOST_MISFIT = 6.0  # mm; heads have 2-4; a shape that does not fit is not used
_NOISE_FWHM = 9.0  # mm; noise of one difference hides the brain otherwise: Dice 0.2 at 6 mm, 0.9 at 9 mm
_MIXED_FWHM = 8.0  # mm, over which zeros and values are told from their mixture
_MIXED = (0.3, 0.7)  # of voxels with values
_MOST_MIXED = 0.25  # of the grid; the rim of a mask takes a tenth
_FULL_GRID = 0.7  # of the grid: no brain fills more, so a map with values in more was never masked


def brain_mask(reference: Volume) -> Volume:
    """The brain in an M0 image or a mean control, as 0/1 on the same grid.

    N4 (Tustison 2010) removes the coil's bias, Otsu's threshold (1979) separates head from air, the median of the head
    is the brain's level, and half of it separates brain from scalp. Bridges to eyes and muscles are cut by an opening
    of fixed radius in mm, the largest piece is kept, sulci are closed and holes are filled slice by slice.

    Neck and thick scalp may remain. So the template's brain is fitted to the outline (`fit_brain_shape`), and the same
    is done three times more, with a threshold that rises from inside that shape to outside. What that cut off a brain
    of another shape, and the rim of half-filled voxels, are put back in the end (`brain_edge`). Lesions inside stay;
    where the scan ends inside the head the mask ends with it. Figures: Testing/Benchmarks/brain_mask.md.

    Args:
        reference: M0 or mean control, (K, J, I), scanner units; NaN counts as outside.

    Raises:
        InputError: the image is constant or empty, or what is found is too small to be a brain.
    """
    from skimage.filters import threshold_otsu

    array = np.where(np.isfinite(reference.array), reference.array, 0.0)
    array = np.clip(array, 0.0, np.percentile(array, 99.8)) if array.size else array
    if not np.ptp(array) > 0:
        raise InputError("The brain cannot be found in an image without contrast; give an M0 image or control volumes.")
    even = correct_bias(reference.with_array(array)).array
    head = even > float(threshold_otsu(np.sqrt(even))) ** 2
    level, grid = float(np.median(even[head])), reference.geometry
    mask = first = _in_one_piece(even > _LEVEL_FRACTION * level, grid)
    _check_size(mask, reference)
    for number in range(_ROUNDS):
        within, core = _shape_in(mask, reference)
        if not core.any():
            break
        known = float(np.median(even[core]))
        if number == 0 and known > _MUCH_BRIGHTER * level:
            mask = first = _in_one_piece(even > _KNOWN_FRACTION * known, grid)
            within, core = _shape_in(mask, reference)
            if not core.any():
                break
        level = float(np.median(even[core]))
        mask = _in_one_piece(even > _least_level(even, core, head, within), grid)
    mask = with_brain_cut_off(mask, first & (even > _BRIGHT_FRACTION * level), grid)
    mask = with_rim(mask, even, level, grid)
    _check_size(mask, reference)
    return reference.with_array(mask, unit="", name="brain")


def correct_bias(volume: Volume) -> Volume:
    """Divide out the coils' slowly varying bias: N4 (Tustison 2010) on a coarse copy, same unit.

    NaN and negative values count as zero. Meant for masks, contrast and registration, where a second suffices; images
    of fewer than four coarse voxels along an axis stay as they are.
    """
    import SimpleITK as sitk

    volume = volume.with_array(np.clip(np.nan_to_num(volume.array), 0, None))
    image = to_sitk(volume)
    coarse = max(1, round(5.0 / min(volume.geometry.spacing)))
    shrink = [min(coarse, max(1, n // 8)) for n in volume.geometry.size]
    small = sitk.Shrink(image, shrink)
    if min(small.GetSize()) < 4:
        return volume
    head = sitk.OtsuThreshold(sitk.Sqrt(small), 0, 1)
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)  # threads add in any order, and registration after it would not repeat exactly
    n4.SetMaximumNumberOfIterations([30, 20])
    n4.Execute(small, head)
    field = sitk.Exp(n4.GetLogBiasFieldAsImage(image))
    return from_sitk(image / sitk.Cast(field, sitk.sitkFloat32))


def _shape_in(mask: np.ndarray, reference: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Depth (K, J, I), mm, in the template's brain fitted to a mask, and the mask's core, empty where it misfits."""
    shape = fit_brain_shape(reference.with_array(mask))
    within = shape.depth(reference.geometry)
    core = mask & (within > _CORE) & (shape.misfit <= _MOST_MISFIT)
    return within, core if core.sum() >= _FEWEST_VOXELS else np.zeros_like(core)


def _least_level(even: np.ndarray, core: np.ndarray, head: np.ndarray, within: np.ndarray) -> np.ndarray:
    """The least brightness (K, J, I) of brain, by the depth (mm) `within` the brain's shape.

    Outside it, it is also half way from the level around the brain to the darker tissues in its core.
    """
    level = float(np.median(even[core]))
    least = level * np.interp(within, _DEPTHS, _LEAST_LEVELS)
    beside = head & (within < -_BESIDE[0]) & (within > -_BESIDE[1])
    if beside.sum() < _FEWEST_VOXELS:
        return least
    outer, inner = float(np.median(even[beside])), float(np.percentile(even[core], 10))
    if outer > _NO_OTHER * inner:
        return least
    between = min(0.5 * (outer + inner), _MOST_BETWEEN * level)
    return np.maximum(least, between * np.interp(within, (0.0, 4.0), (1.0, 0.0)))


def _in_one_piece(bright: np.ndarray, geometry: Geometry) -> np.ndarray:
    """What is bright, without thin bridges and small pieces, its sulci and holes filled."""
    mask = largest_piece(_opened(bright, geometry))
    near = widened(mask, geometry, _CLOSING_RADIUS)
    return without_holes(mask | (depth(near, geometry) > _CLOSING_RADIUS))


def _opened(mask: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Opening with a ball of 8 mm, or smaller for a small mask, that keeps only the largest core."""
    inner = depth(mask, geometry)
    for radius in (_BRIDGE_RADIUS, _BRIDGE_RADIUS / 2, 0.0):
        core = inner > radius
        if core.sum() >= _FEWEST_VOXELS:
            break
    if not core.any():
        return mask
    return mask & widened(largest_piece(core), geometry, radius + 0.5 * min(geometry.spacing))


def _check_size(mask: np.ndarray, reference: Volume) -> None:
    millilitres = mask.sum() * reference.geometry.voxel_volume / 1000
    if millilitres < _SMALLEST_BRAIN_ML or mask.sum() < _FEWEST_VOXELS:
        raise InputError(
            f"No brain was found in {reference.name or 'the image'} ({millilitres:.0f} ml bright in one piece); "
            "give an M0 image or a brain mask."
        )


def mask_of_perfusion(perfusion: Volume) -> Volume:
    """The brain of a perfusion image without an anatomical one: where it is neither zero nor NaN, holes filled.

    An image that has values nearly everywhere was never masked; its brain is found by brightness (`brain_mask`), once
    a Gaussian has taken most of its noise.

    Raises:
        InputError: the image has no values, or no brain is found in it.
    """
    covered = has_values(perfusion)
    if not covered.any():
        raise InputError("The perfusion image is empty; check the series.")
    if was_masked(perfusion):
        return perfusion.with_array(without_holes(covered), unit="", name="brain")
    return brain_mask(gaussian(perfusion, _NOISE_FWHM, mask=np.isfinite(perfusion.array)))


def has_values(perfusion: Volume) -> np.ndarray:
    """Bool (K, J, I): where an image is neither zero nor NaN."""
    return np.isfinite(perfusion.array) & (perfusion.array != 0)


def was_masked(perfusion: Volume) -> bool:
    """Whether a perfusion image is zero or NaN throughout the air, since somebody has masked head or brain.

    Where negative values were set to zero and nothing was masked, the air is a mixture of zeros and noise.
    """
    covered = has_values(perfusion)
    share = smooth_within(covered, np.ones(covered.shape, bool), perfusion.geometry.spacing, _MIXED_FWHM)
    mixed = float(((share > _MIXED[0]) & (share < _MIXED[1])).mean())
    return float(covered.mean()) <= _FULL_GRID and mixed <= _MOST_MIXED


def shows_anatomy(series: ASLSeries) -> bool:
    """Whether a series has more than perfusion images to find the brain in: an M0, or controls."""
    return series.m0 is not None or bool(series.indices(VolumeType.CONTROL))
