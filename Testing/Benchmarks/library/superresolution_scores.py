"""The super-resolving methods by name, and the figures of one on a case against its fine truth."""

from __future__ import annotations

from functools import partial

import numpy as np

from ASLDenoiseLib.measuring.image_quality import bias, psnr, ssim
from ASLDenoiseLib.superresolving import METHODS as PRODUCT
from ASLDenoiseLib.superresolving import GuidedSettings, LowResolution, SuperResolver
from ASLDenoiseLib.superresolving.guided import guided, unguided

from .command import timed
from .lesions import lesion_contrast, ring_around
from .superresolution_cases import SuperCase

INTERPOLATIONS = ("nearest", "linear", "spline", "gaussian")
_QUIET = GuidedSettings(draws=0)
METHODS: dict[str, SuperResolver] = {
    **{name: PRODUCT[name].run for name in INTERPOLATIONS},
    "smooth": partial(unguided, settings=_QUIET),
    "guided": partial(guided, settings=_QUIET),
}
GM, WM = 0.7, 0.9


def asked(case: SuperCase) -> LowResolution:
    """What a method is given."""
    head = case.head
    return LowResolution(
        case.low, head.truth.geometry, head.t1, head.t1_to_asl, sd=case.sigma, point_spread=case.point_spread
    )


def score(case: SuperCase, method: SuperResolver, reference: np.ndarray | None = None) -> dict[str, float]:
    """The figures of a method on a case, against the fine truth unless another reference is given."""
    result, seconds = timed(method, asked(case))
    array, truth = result.fine.array, case.head.truth.array if reference is None else reference
    inside = case.head.brain & case.measured
    residual = result.residual.array / case.sigma
    return {
        "PSNR (dB)": psnr(array, truth, inside),
        "SSIM": ssim(array, truth, inside),
        "GM bias (%)": bias(array, truth, (case.head.gm > GM) & inside),
        "WM bias (%)": bias(array, truth, (case.head.wm > WM) & inside),
        "residual RMS / noise": float(np.sqrt(np.nanmean(residual**2))),
        "largest residual / noise": float(np.nanmax(np.abs(residual))),
        "s": seconds,
    }


def recovered(case: SuperCase, array: np.ndarray) -> float:
    """Contrast of the head's lesions to their rings, found over true, pooled."""
    head, found, true = case.head, 0.0, 0.0
    brain = head.truth.with_array(head.brain)
    for share in head.lesions:
        ring = ring_around(head.truth.with_array(share), brain) & case.measured
        inner = (share > 0.5) & head.brain & case.measured
        contrast = lesion_contrast(head.truth.array, inner, ring)
        found += np.sign(contrast) * lesion_contrast(array, inner, ring)
        true += abs(contrast)
    return float(found / true)
