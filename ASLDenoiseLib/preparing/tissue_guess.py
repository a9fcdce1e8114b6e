"""Grey and white matter where there is no T1: a rough guess from perfusion and where tissues usually lie."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import Tissue, Volume
from ..spatial.resampling import resample
from ..spatial.smoothing import gaussian
from .brain_shape import fit_brain_shape
from .template import icbm_template

_PERFUSION_FWHM = 10.0  # mm: single-voxel noise would otherwise decide the tissue
_PRIOR_FWHM = 8.0  # mm; the template's brain is laid into the outline, its gyri lie elsewhere
_FRACTION_FWHM = 6.0  # mm: a probability is no fraction; averaged, it falls towards the border as fractions do
_PRIOR_FLOOR = 0.02  # no tissue is impossible anywhere
_ROUNDS = 2  # more take noise for tissue
_FEWEST = 30  # voxels


def guess_tissue(perfusion: Volume, brain: Volume) -> Tissue:
    """CSF, grey and white matter by a mixture of three Gaussians of perfusion with a template's priors.

    The ICBM 2009a brain is laid into the brain's outline (`brain_shape.fit_brain_shape`); its tissue maps, smoothed,
    are the prior probabilities; means, variances and probabilities follow by two rounds of expectation maximisation
    (Ashburner and Friston, NeuroImage 1997;6:209). Where noise hides the tissues' perfusion, where they usually lie
    decides; a threshold on perfusion takes noise for tissue, and with it any GM/WM contrast can come out
    (Testing/Benchmarks/tissue_guess.md). The M0's brightness is not looked at: with it, CSF of atrophied heads was
    called grey matter.

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
    fractions = []
    for probability in _mixture(smooth[mask], priors[:, mask]):
        whole = np.zeros(mask.shape, np.float32)
        whole[mask] = probability
        fractions.append(_averaged(brain.with_array(whole), _FRACTION_FWHM, mask) * mask)
    csf, grey, white = (
        brain.with_array(array, unit="", name=name) for array, name in zip(fractions, ("CSF", "GM", "WM"), strict=True)
    )
    return Tissue(
        grey,
        white,
        csf,
        brain.with_array(mask, unit="", name="brain"),
        source="guessed from perfusion and a template",
        warning="Tissue was guessed (by perfusion, with a template), so grey and white matter figures and their "
        "contrast are rough and biased; give a T1 or tissue masks.",
    )


def _averaged(volume: Volume, fwhm: float, mask: np.ndarray) -> np.ndarray:
    return np.nan_to_num(gaussian(volume, fwhm, mask=mask).array)


def _priors(mask: Volume) -> np.ndarray:
    """(3, K, J, I): how likely CSF, grey and white matter are where they lie; they sum to 1."""
    template, back = icbm_template(), np.linalg.inv(fit_brain_shape(mask).matrix)
    grey, white = (
        np.clip(resample(gaussian(each, _PRIOR_FWHM), mask.geometry, transform=back, outside=0.0).array, 0, 1)
        for each in (template.gm, template.wm)
    )
    shares = np.stack([np.clip(1 - grey - white, 0, 1), grey, white]) + _PRIOR_FLOOR
    return shares / shares.sum(axis=0)


def _mixture(values: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """(3, N) probabilities of Gaussian classes of the values (N,), by expectation maximisation.

    Where grey matter came out no brighter than white (noise alone), the priors stay all that is known.
    """
    x = values / max(float(values.std()), 1e-12)
    share = priors
    for _ in range(_ROUNDS):
        weight = share.sum(axis=1) + 1e-9
        mean = (share * x).sum(axis=1) / weight
        away = (x - mean[:, None]) ** 2
        variance = np.maximum((share * away).sum(axis=1) / weight, 1e-3)[:, None]
        log = np.log(priors) - 0.5 * (away / variance + np.log(variance))
        share = np.exp(log - log.max(axis=0))
        share /= share.sum(axis=0)
    return share if mean[1] > mean[2] else priors
