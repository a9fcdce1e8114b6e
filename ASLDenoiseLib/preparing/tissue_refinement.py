"""From probabilities of tissue at 2 mm to those on an image's own grid: by the brightness of every voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..series import Geometry, Volume
from ..spatial.resampling import average_onto, resample
from .tissue_network import SPACING, TissueProbabilities

_TISSUES = slice(1, 5)  # of `tissue_network.CLASSES`: CSF, GM, WM and stem
_STEM = 3  # among the tissues
_BIAS_ROUNDS = 3
_BIAS_REACH = 12.0  # mm, SD: narrower takes gyri for bias, wider leaves the coils' in
_MOST_BIAS = 0.5  # of the logarithm, a round
_PURE, _SURE = 0.7, 0.9  # probability from which a voxel tells of the bias, and of its tissue's brightness
_FEWEST = 100  # voxels that tell a tissue's brightness; if fewer are sure, the surest
_LEAST_SPREAD = 0.02  # of the brightest tissue
_SPREAD = 1.5  # times the spread of sure voxels: unsure ones vary more
_SHARES = (0.25, 0.5, 0.75)  # of grey matter in a voxel that holds CSF, too
_MIXED = 0.2  # prior of each of them against a voxel of one tissue
_FLOOR = 0.1  # probability below which the network rules no tissue out; that of the stem it does


@dataclass(frozen=True)
class TissueLevels:
    """Median and spread (4,) of the brightness of CSF, grey matter, white matter and stem, without bias."""

    middle: np.ndarray
    spread: np.ndarray


def bias_field(found: TissueProbabilities) -> np.ndarray:
    """The logarithm (K, J, I) of the coils' bias at 2 mm, within and near the brain; 0 far from it.

    What an image is brighter than its tissues have it (their median brightness, mixed by their probabilities), smoothed
    over voxels of one tissue, in three rounds: the way of Ashburner and Friston (NeuroImage 2005;26:839) with tissue
    known beforehand.
    """
    from scipy.ndimage import gaussian_filter

    image, tissues = found.head.array, found.maps[_TISSUES]
    weight = tissues.sum(axis=0)
    told = ((tissues[1:].max(axis=0) > _PURE) & (image > 0)).astype(np.float32)
    logarithm = np.log(np.maximum(image, 1e-3 * max(float(np.percentile(image, 99)), 1e-6)))
    reach = _BIAS_REACH / SPACING
    density = gaussian_filter(told, reach)
    field = np.zeros_like(image)
    for _ in range(_BIAS_ROUNDS):
        middle = tissue_levels(image * np.exp(-field), tissues).middle
        expected = np.tensordot(middle.astype(np.float32), tissues, 1) / np.maximum(weight, 1e-6)
        left = np.clip(logarithm - np.log(np.maximum(expected, 1e-6)) - field, -_MOST_BIAS, _MOST_BIAS)
        smooth = gaussian_filter(np.where(told > 0, left, 0.0), reach)
        field = field + np.where(density > 1e-4, smooth / np.maximum(density, 1e-4), 0.0)
    return field.astype(np.float32)


def tissue_levels(even: np.ndarray, tissues: np.ndarray) -> TissueLevels:
    """The brightness of each of `tissues` (4, K, J, I) in an image (K, J, I) without bias, by its surest voxels."""
    middle, spread = [], []
    for probability in tissues:
        values = even[probability > _SURE]
        if values.size < _FEWEST:
            least = np.partition(probability, -_FEWEST, axis=None)[-_FEWEST] if probability.size > _FEWEST else 0.0
            values = even[probability >= least]
        middle.append(float(np.median(values)))
        spread.append(1.4826 * float(np.median(np.abs(values - middle[-1]))))
    least = _LEAST_SPREAD * max(middle)
    return TissueLevels(np.array(middle), np.maximum(spread, max(least, float(np.median(spread[:_STEM])))))


def refined(image: Volume, found: TissueProbabilities, grid: Geometry) -> tuple[np.ndarray, np.ndarray, TissueLevels]:
    """Fractions (4, K, J, I) of CSF, grey matter, white matter and stem on a finer grid, and their levels.

    Bayes' rule: the network's probability, sampled linearly, times a Gaussian of how bright the voxel is without bias.
    Where a contrast does not tell two tissues apart, as grey and white matter in a FLAIR, the network alone decides.
    What is outside the brain, the network alone decides everywhere.

    Where white matter's brightness lies between that of CSF and grey matter, as in a FLAIR, cortex half full of CSF is
    as bright as white matter. There a voxel may also hold both, in quarters (Laidlaw et al., IEEE Trans Med Imaging
    1998;17:74), and what it holds is the mean over all that it may hold.

    Args:
        image: as `tissue_network.tissue_probabilities` had it.
        grid: no finer than the image.

    Returns:
        The fractions, the probability (K, J, I) of the cranial cavity, and the levels.
    """
    from scipy.ndimage import binary_dilation

    def sampled(array: np.ndarray) -> np.ndarray:
        return resample(found.head.with_array(array), grid, outside=0.0).array

    prior = np.stack([sampled(each) for each in found.maps[_TISSUES]])
    near = binary_dilation(found.brain, iterations=2)  # without what it takes for brain elsewhere, such as vertebrae
    cavity = sampled(np.where(near, 1.0 - found.maps[0], 0.0).astype(np.float32))
    even = average_onto(image, grid, outside=0.0).array * np.exp(-sampled(bias_field(found)))
    levels = tissue_levels(even, prior)
    fractions = _posterior(even, prior, levels)
    return cavity * fractions / np.maximum(fractions.sum(axis=0), 1e-12), cavity, levels


def _posterior(even: np.ndarray, prior: np.ndarray, levels: TissueLevels) -> np.ndarray:
    """What `refined` makes of brightness (K, J, I) and prior probabilities (4, K, J, I), up to a factor a voxel."""
    even = np.clip(even, levels.middle.min(), levels.middle.max())
    known = [each if n == _STEM else np.maximum(each, _FLOOR) for n, each in enumerate(prior)]
    spreads, found = _SPREAD * levels.spread, np.empty_like(prior)
    for n, (middle, spread) in enumerate(zip(levels.middle, spreads, strict=True)):
        found[n] = known[n] * _gaussian(even, middle, spread)
    csf, grey, white = levels.middle[:_STEM]
    if min(csf, grey) < white < max(csf, grey):
        for share in _SHARES:
            middle, spread = ((1 - share) * one + share * other for one, other in (levels.middle[:2], spreads[:2]))
            mixed = _MIXED * known[0] ** (1 - share) * known[1] ** share * _gaussian(even, middle, spread)
            found[0] += (1 - share) * mixed
            found[1] += share * mixed
    return found


def _gaussian(values: np.ndarray, middle: float, spread: float) -> np.ndarray:
    return np.exp(-0.5 * ((values - middle) / spread) ** 2) / spread
