"""Grey and white matter without a T1: a rough guess from perfusion and a template's priors."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import Tissue, Volume
from ..spatial.resampling import resample
from ..spatial.smoothing import gaussian
from .brain_shape import fit_brain_shape
from .template import icbm_template

_PERFUSION_FWHM = 10.0  # mm: single-voxel noise would otherwise decide the tissue
_PRIOR_FWHM = 8.0  # mm; the template's brain is fitted to the outline, its gyri lie elsewhere
_FRACTION_FWHM = 6.0  # mm: a probability is no fraction; averaged, it falls towards the border as fractions do
_PRIOR_FLOOR = 0.02  # no tissue is impossible anywhere
_ROUNDS = 2  # more take noise for tissue
_FEWEST = 30  # voxels


def guess_tissue(perfusion: Volume, brain: Volume) -> Tissue:
    """Guess CSF, grey and white matter by a mixture of three Gaussians of perfusion with a template's priors.

    The ICBM 2009a brain is fitted to the brain's outline (`brain_shape.fit_brain_shape`); its tissue maps, smoothed,
    are the prior probabilities; means, variances and probabilities follow by two rounds of expectation maximisation
    (Ashburner and Friston, NeuroImage 1997;6:209). Where noise hides the tissues' perfusion, the priors decide; a
    threshold on perfusion takes noise for tissue, and any GM/WM contrast results (Testing/Benchmarks/tissue_guess.md).
    The M0 is not used: with it, CSF of atrophied heads was called grey matter.

    Args:
        perfusion: CBF, or the mean difference, any unit; NaN where it was not measured.
        brain: 0/1 on the same grid.

    Raises:
        InputError: the grids differ or the brain is empty.
    """
    if not brain.geometry.matches(perfusion.geometry):
        raise InputError("Perfusion and brain are not on one grid; resample the brain to the perfusion image first.")
    mask = brain.array > 0.5
    if mask.sum() < _FEWEST:
        raise InputError("The brain mask is empty, so no tissue can be guessed in it; give a brain mask or a T1.")
    smooth = _averaged(perfusion, _PERFUSION_FWHM, mask & np.isfinite(perfusion.array))
    priors = _priors(brain.with_array(mask))
    maps = {"brain": brain.with_array(mask, unit="", name="brain")}
    for name, probability in zip(("csf", "gm", "wm"), _mixture(smooth[mask], priors[:, mask]), strict=True):
        whole = np.zeros(mask.shape, np.float32)
        whole[mask] = probability
        fraction = _averaged(brain.with_array(whole), _FRACTION_FWHM, mask) * mask
        maps[name] = brain.with_array(fraction, unit="", name=name.upper())
    return Tissue(
        **maps,
        source="guessed from perfusion and a template",
        warning="Tissue was guessed (by perfusion, with a template), so grey and white matter figures and their "
        "contrast are rough and biased; give a T1 or tissue masks.",
    )


def _averaged(volume: Volume, fwhm: float, mask: np.ndarray) -> np.ndarray:
    return np.nan_to_num(gaussian(volume, fwhm, mask=mask).array)


def _priors(mask: Volume) -> np.ndarray:
    """Prior probabilities (3, K, J, I) of CSF, grey and white matter by place; they sum to 1."""
    template, back = icbm_template(), np.linalg.inv(fit_brain_shape(mask).matrix)
    grey, white = (
        np.clip(resample(gaussian(each, _PRIOR_FWHM), mask.geometry, transform=back, outside=0.0).array, 0, 1)
        for each in (template.gm, template.wm)
    )
    shares = np.stack([np.clip(1 - grey - white, 0, 1), grey, white]) + _PRIOR_FLOOR
    return shares / shares.sum(axis=0)


def _mixture(values: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """Probabilities (3, N) of Gaussian classes of the values (N,), by expectation maximisation.

    They are the priors where grey matter is no brighter than white, which is noise alone.
    """
    x = values / max(float(values.std()), 1e-12)
    share = priors
    for _ in range(_ROUNDS):
        weight = share.sum(axis=1) + 1e-9
        mean = (share * x).sum(axis=1) / weight
        squares = (x - mean[:, None]) ** 2
        variance = np.maximum((share * squares).sum(axis=1) / weight, 1e-3)[:, None]
        log = np.log(priors) - 0.5 * (squares / variance + np.log(variance))
        share = np.exp(log - log.max(axis=0))
        share /= share.sum(axis=0)
    return share if mean[1] > mean[2] else priors
