"""The quality evaluation index of a CBF map (Dolui 2024)."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..series import Tissue, Volume
from ..spatial.smoothing import gaussian
from .masks import FEWEST_VOXELS

_SMOOTHING_FWHM = 5.0  # mm
_TISSUE_THRESHOLD = 0.5  # each voxel to the tissue that holds most of it, as the index pools all three


def qei_from_terms(rho: float, di: float, neg: float) -> float:
    """QEI from its three terms (Dolui 2024): [(1 - exp(-3.0126 rho^2.4419)) exp(-(.054 DI^.9272 + 2.8478
    neg^.5196))]^(1/3).

    Args:
        rho: correlation with the structural pseudo-CBF, 0..1.
        di: index of dispersion, pooled tissue variance over the absolute mean of GM, ml/100g/min, 0 or more.
        neg: fraction of grey matter below zero, 0..1.

    Returns:
        0 (worst) .. 1, no unit. The authors give no cut-off, and neither does this.
    """
    structure = 1.0 - np.exp(-3.0126 * rho**2.4419)
    noise = np.exp(-(0.054 * di**0.9272 + 2.8478 * neg**0.5196))
    return float(np.cbrt(structure * noise))


def quality_evaluation_index(cbf: Volume, tissue: Tissue) -> float:
    """QEI of a CBF map: its likeness to a pseudo-CBF of 2.5 GM + WM, its dispersion and its negative grey matter.

    After 5 mm FWHM smoothing within the brain: rho = max(0, Pearson r with 2.5 GM + WM over the brain); DI = the
    variances in GM, WM and CSF pooled by their degrees of freedom, over |mean GM|; neg = the fraction of GM below zero.
    The masks are the voxels that hold more than half of a tissue.

    Args:
        cbf: ml/100g/min (the index depends on the unit); NaN is left out.
        tissue: on the grid of `cbf`. Without CSF only GM and WM are pooled.

    Returns:
        0..1, or NaN where GM or WM has fewer than 10 measured voxels.
    """
    if not tissue.gm.geometry.matches(cbf.geometry):
        raise InputError("The tissue is not on the grid of the CBF map; resample it to the map first.")
    smooth = gaussian(cbf, _SMOOTHING_FWHM, mask=tissue.brain).array.astype(np.float64)
    inside = np.isfinite(smooth)
    maps = [np.nan_to_num(t.array) for t in (tissue.gm, tissue.wm, tissue.csf) if t is not None]
    samples = [smooth[inside & (p > _TISSUE_THRESHOLD)] for p in maps]
    if any(s.size < FEWEST_VOXELS for s in samples[:2]):
        return float("nan")
    pseudo = (2.5 * maps[0] + maps[1])[inside]
    varies = np.ptp(smooth[inside]) > 0 and np.ptp(pseudo) > 0
    rho = max(0.0, float(np.corrcoef(smooth[inside], pseudo)[0, 1])) if varies else 0.0
    pooled = [s for s in samples if s.size > 1]
    variance = sum((s.size - 1) * s.var(ddof=1) for s in pooled) / sum(s.size - 1 for s in pooled)
    mean = abs(float(samples[0].mean()))
    if mean == 0:  # infinite dispersion
        return 0.0
    return qei_from_terms(rho, variance / mean, float(np.mean(samples[0] < 0)))
