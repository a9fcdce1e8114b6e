"""Put back what denoising took from tissue: read it off the residual, where averaging makes it visible.

A denoiser that is best on average blurs what is thinner than it can see: it pulls cortex towards its surroundings. The
residual (raw minus denoised) then still holds that perfusion, hidden voxel by voxel in noise but plain in an average
over many voxels. What a blur takes from a tissue of even perfusion is that tissue's map minus the blurred map. So, in a
Gaussian window of some centimetres, the residual is regressed on the fine detail of guide maps that tell tissues apart
(fractions of CSF, grey and white matter), and the fit is put back: a linear regression as Asllani et al. (2008) apply
to the map itself. Without guide maps the M0 stands in, by its level and its square.

Averaging hundreds of voxels, it brings back little noise, and nearly keeps the tissue means of the raw map. Its price:
where a guide is wrong (white matter that looks grey on the T1) it puts grey-matter perfusion where there may be none.
So what was put back is a map of its own, a finding says so, and the step can be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..findings import Finding, note_kind
from ..remedies import Advice, Choose
from ..series import Volume
from ..spatial.smoothing import blur, smooth_within

WINDOW = 30.0  # mm FWHM of the regression's window
BLUR = 12.0  # mm FWHM: about how far the shipped network blurs; coarser structure it keeps by itself
_TRUNCATE = 3.0  # SDs at which the windows end
_BIAS_WINDOW = 40.0  # mm FWHM: slower than this, M0 is coil sensitivity, not tissue
_PUT_BACK = note_kind(
    "guided-recovery",
    "Tissue contrast was put back by the {guide}",
    "a lesion that looks like another tissue on the {guide} gets that tissue's perfusion in part",
    Advice("where the two disagree, believe the raw map; desc-recovered shows what was put back, and where"),
    Choose("no-recovery", text="leave it out"),
)


@dataclass(frozen=True, eq=False)
class Recovery:
    """A denoised difference with what was put back, and what that was, both (K, J, I) in the input's unit."""

    difference: Volume
    put_back: Volume


def recover(
    denoised: Volume, raw: Volume, brain: Volume, *, guides: Sequence[Volume] = (), m0: Volume | None = None
) -> Recovery:
    """Put back what the residual shows a denoised difference to have lost.

    Args:
        denoised: the denoised mean difference.
        raw: the mean difference it was made from.
        brain: 0/1 mask; nothing changes outside.
        guides: maps on the same grid that tell tissues apart; three or more are fractions that sum to one.
        m0: the calibration image, used where there are no guides.

    Raises:
        InputError: neither guides nor M0 are given.
    """
    residual = raw.array.astype(np.float64) - denoised.array
    inside = (brain.array > 0) & np.isfinite(residual)
    residual = np.where(inside, residual, 0.0)
    spacing = denoised.geometry.spacing
    if guides:
        maps = [np.where(inside, np.nan_to_num(g.array), 0.0).astype(np.float64) for g in guides]
        maps = maps[1:] if len(maps) > 2 else maps  # fractions sum to one: the detail of the first follows
    elif m0 is not None:
        maps = _m0_contrast(m0, inside, spacing)
    else:
        raise InputError("Recovery needs guide maps or an M0; give one of them, or switch recovery off.")
    detail = [np.where(inside, m - smooth_within(m, inside, spacing, BLUR, truncate=_TRUNCATE), 0.0) for m in maps]
    features = [inside.astype(np.float64), *detail]
    fit = regress_locally(residual, features, inside, spacing)
    return Recovery(
        denoised.with_array(denoised.array + fit), denoised.with_array(np.where(inside, fit, np.nan), name="put back")
    )


def _m0_contrast(m0: Volume, inside: np.ndarray, spacing: Sequence[float]) -> list[np.ndarray]:
    """The local M0 contrast and its square: perfusion rises from white to grey matter and falls to CSF."""
    level = smooth_within(m0.array, inside, spacing, _BIAS_WINDOW, truncate=_TRUNCATE)
    contrast = np.where(inside, m0.array / np.where(level > 0, level, 1) - 1, 0.0)
    contrast = np.clip(contrast / max(float(contrast[inside].std()), 1e-6), -3, 3)
    return [contrast, contrast**2]


def regress_locally(
    values: np.ndarray,
    features: Sequence[np.ndarray],
    inside: np.ndarray,
    spacing: Sequence[float],
    *,
    window: float = WINDOW,
) -> np.ndarray:
    """What `features` explain of `values`, by least squares in a Gaussian window round each voxel; all (K, J, I).

    Args:
        values: zero outside `inside`.
        features: likewise.
        inside: where to fit and to predict.
        spacing: mm along (i, j, k).
        window: mm FWHM.
    """
    n = len(features)
    normal = np.empty((*values.shape, n, n))
    right = np.empty((*values.shape, n, 1))
    for i in range(n):
        right[..., i, 0] = blur(features[i] * values, spacing, window, truncate=_TRUNCATE)
        for j in range(i, n):
            normal[..., i, j] = normal[..., j, i] = blur(features[i] * features[j], spacing, window, truncate=_TRUNCATE)
    # A little ridge, so that a window without one of the tissues has a solution: none of it is put back there.
    ridge = 1e-3 * np.trace(normal, axis1=-2, axis2=-1) / n + 1e-9
    weights = np.linalg.solve(normal + ridge[..., None, None] * np.eye(n), right)[..., 0]
    return np.where(inside, sum(weights[..., i] * features[i] for i in range(n)), 0.0)


def recovery_finding(guide: str) -> Finding:
    """That contrast was put back, and by what."""
    return _PUT_BACK.finding(guide=guide)
