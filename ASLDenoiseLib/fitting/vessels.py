"""Where label is still in arteries: too bright before tissue is, and not quieter, in voxels that hang together."""

from __future__ import annotations

import numpy as np

from ..quantifying.kinetic_model import KineticModel
from .curves import curves_of
from .maps import DelayMeans, FittedMaps

_SURELY, _PROBABLY = 6.0, 3.0  # robust SDs by which a voxel stands out: where a vessel begins, and where it goes on
_FEWEST = 3  # voxels of a vessel, which is longer than wide
_QUIETER = -0.3  # robust SDs of the noise below the brain's; a vessel that pulsates lies above it


def vessels_of(means: DelayMeans, fitted: FittedMaps, model: KineticModel) -> np.ndarray:
    """Bool (K, J, I): voxels that are outliers of signal and of its SD, and hang together.

    Signal is what one of the earlier half of the delays measured beyond the curve of the tissue there, whose smooth
    maps do not follow a vessel; its SD is that of the mean differences. Both are judged against the brain, by median
    and MAD. A vessel begins where the signal stands out by 6 SDs and goes on in neighbours that do by 3; it has three
    voxels or more, and is not quieter than the brain. On phantoms, whose arteries do not pulsate, some 80 % of what is
    found holds label in arteries, and 5 to 50 % of such voxels are found: the map is for the large ones.

    Args:
        means: prepared, with their errors.
        fitted: of `means`, by a fit that is smooth over tissue (`spatial.fit_with_prior`).
        model: of the fit.
    """
    from scipy.ndimage import label

    known = means.brain & np.isfinite(fitted.cbf) & np.isfinite(means.images).all(axis=0)
    found = np.zeros(known.shape, bool)
    if known.sum() < 100:
        return found
    early = np.argsort(means.delays.mean(axis=1))[: -(-len(means.images) // 2)]
    beyond = means.images[early] - curves_of(fitted, means, model)[early]
    signal = np.max([_standing_out(each, known) for each in beyond], axis=0)
    noise = _standing_out(np.log(np.maximum(np.sqrt(np.square(means.errors).mean(axis=0)), 1e-12)), known)
    parts, count = label(known & (signal > _PROBABLY), np.ones((3, 3, 3)))
    for part in range(1, count + 1):
        inside = parts == part
        if inside.sum() >= _FEWEST and signal[inside].max() > _SURELY and noise[inside].mean() > _QUIETER:
            found |= inside
    return found


def _standing_out(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """By how many robust SDs each voxel exceeds the median of those inside; 0 where all are alike."""
    values = image[inside]
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    return np.where(inside, (image - middle) / spread, 0.0) if spread > 0 else np.zeros(image.shape)
