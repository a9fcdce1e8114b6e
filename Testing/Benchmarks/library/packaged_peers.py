"""Denoisers that people install: of ANTs and DIPY, each as its package has it.

They get the mean difference over the brain's box, zero outside, as the other peers do.
"""

from __future__ import annotations

import warnings

import numpy as np

from ASLDenoiseLib.series import Volume

from .cases import Case
from .peers import Peer, brain_box, on_array


def ants_denoise(strength: float) -> Peer:
    """ANTs' DenoiseImage: spatially adaptive non-local means (Manjon 2010) for Gaussian noise, whose level it finds.

    `strength` is the radius of its search in voxels; it has no other.
    """
    import ants

    def run(case: Case) -> Volume:
        box = brain_box(case.brain.array > 0)
        mask, spacing = case.brain.array[box] > 0, case.raw.geometry.spacing[::-1]
        # without a scale its histograms of small numbers are coarse, as the values of differences may be
        scale = float(np.nanpercentile(case.raw.array[box][mask], 99.9)) / 1000
        data = np.where(mask, np.nan_to_num(case.raw.array[box]), 0) / scale
        image, inside = (ants.from_numpy(a.astype(np.float32), spacing=spacing) for a in (data, mask))
        found = ants.denoise_image(image, mask=inside, r=int(strength), noise_model="Gaussian").numpy() * scale
        result = np.array(case.raw.array)
        result[box] = np.where(mask, found, result[box])
        return case.raw.with_array(result)

    return run


def dipy_non_local_means(strength: float) -> Peer:
    """DIPY's blockwise non-local means (Coupe 2008), told `strength` times the noise SD it finds in the image."""
    from dipy.denoise.nlmeans import nlmeans
    from dipy.denoise.noise_estimate import estimate_sigma

    def denoised(array: np.ndarray, _: float) -> np.ndarray:
        sigma = estimate_sigma(array, disable_background_masking=True)  # which takes those not zero
        return nlmeans(array, strength * sigma, patch_radius=1, rician=False, num_threads=1)

    return on_array(denoised)


def patch2self(case: Case) -> Volume:
    """The mean of the pairs, each regressed on all others (Patch2Self, Fadnavis 2020; DIPY, least squares, radius 0).

    It is made for the many directions of diffusion MRI; here pairs stand for directions, whose signal is the same.
    """
    from dipy.denoise.patch2self import patch2self as regress

    box, n = brain_box(case.brain.array > 0), len(case.pairs.context)
    inside = case.brain.array[box] > 0
    data = np.moveaxis(np.where(inside, np.nan_to_num(case.kept[(slice(None), *box)]), 0), 0, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are fewer than ten volumes is known
        each = regress(np.array(data), np.full(n, 1000.0), model="ols", shift_intensity=False, version=1)
    # least squares keep a volume's mean; DIPY 1.12 loses it, since its solver centres what it then predicts from
    each = each + (data - each).mean(axis=(0, 1, 2))
    result = np.array(case.raw.array)
    result[box] = np.where(inside, each.mean(axis=-1), result[box])
    return case.raw.with_array(result)
