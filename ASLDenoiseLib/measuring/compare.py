"""How a CBF map compares with a reference, as readouts."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..result import Readout
from ..series import CBF_UNIT, Tissue, Volume
from .image_quality import bias, ccc, nmae, psnr, rmse, ssim
from .masks import GM_THRESHOLD, WM_THRESHOLD, grey_matter, white_matter


def compare_maps(cbf: Volume, reference: Volume, tissue: Tissue) -> tuple[Readout, ...]:
    """PSNR, SSIM, RMSE, NMAE and CCC in the brain, bias in GM and WM; voxels not measured in either are left out.

    Raises:
        InputError: the maps are not on one grid, or share no measured voxel of the brain.
    """
    if not cbf.geometry.matches(reference.geometry):
        raise InputError("The reference is not on the grid of the CBF map; resample it first.")
    mask = (tissue.brain.array > 0) & np.isfinite(cbf.array) & np.isfinite(reference.array)
    if not mask.any():
        raise InputError("The CBF map and its reference share no measured voxel in the brain; check both.")
    pair = (cbf.array, reference.array)
    gm, wm = mask & grey_matter(tissue), mask & white_matter(tissue)
    gm_bias, wm_bias = (bias(*pair, m) if m.any() else float("nan") for m in (gm, wm))
    peak = f"peak: the reference's maximum in the brain, {reference.array[mask].max():.1f} {CBF_UNIT}"
    return (
        Readout("psnr", "PSNR", psnr(*pair, mask), "dB", peak),
        Readout("ssim", "SSIM", ssim(*pair, mask), "", "mean over the brain"),
        Readout("rmse", "RMSE", rmse(*pair, mask), CBF_UNIT, "in the brain"),
        Readout("nmae", "NMAE", nmae(*pair, mask), "", "sum of absolute error over sum of the reference"),
        Readout("ccc", "CCC", ccc(*pair, mask), "", "concordance correlation in the brain"),
        Readout("gm_bias", "GM bias", gm_bias, "%", f"GM fraction > {GM_THRESHOLD:g}"),
        Readout("wm_bias", "WM bias", wm_bias, "%", f"WM fraction > {WM_THRESHOLD:g}"),
    )
