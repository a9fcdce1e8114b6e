"""What the default model sees: the mean difference, and averages of it that anatomy has drawn, all in units of noise.

A guide (the T1's intensity classes, the M0's contrast) enters only as the basis of local linear regressions of the
difference itself: within a Gaussian window, perfusion is taken to be a linear function of the guide, fitted, and read
off at the centre (the guided filter of He et al. 2010 with Gaussian windows; Asllani et al. 2008 fit perfusion to
tissue fractions the same way). Every channel is therefore linear in the difference: a guide can say where perfusion
may change, never how much there is, and a guide that is missing leaves plain local means in its channels.
"""

from __future__ import annotations

import torch  # at file scope: nearly every line computes with it, and no module imports this one but in a function

from .families import Sample
from .gaussian_windows import Window, window_of_mm

T1_WINDOWS = (10.0, 18.0, 36.0)  # mm FWHM
M0_WINDOWS = (14.0, 28.0)
PLAIN_WINDOW = 12.0
_BIAS_WINDOW = 40.0  # slower than this, M0 is coil sensitivity, not tissue
_T1_RIDGE = 0.003  # in units of the variance of a fraction
_M0_RIDGE = 0.03  # in units of the variance of a standardised contrast
CHANNEL_MEANINGS = (
    "mean difference over its noise SD",
    *(f"its regression on the T1's intensity classes, window {w:g} mm" for w in T1_WINDOWS),
    *(f"its regression on the M0's contrast, window {w:g} mm" for w in M0_WINDOWS),
    f"its mean, window {PLAIN_WINDOW:g} mm",
    "local noise SD, pooled over 12 mm, over the noise SD",
    "the same pooled over 6 mm",
    "the first times what an 8 mm mean leaves of the noise SD",
    "the voxel's own noise SD, shrunk towards the second",
)
CHANNELS = len(CHANNEL_MEANINGS)
NOISE_CHANNELS = 4


def m0_features(m0: torch.Tensor, brain: torch.Tensor, spacing: torch.Tensor) -> torch.Tensor:
    """The standardised local contrast of an M0 (B, 1, K, J, I) and its square less one, as (B, 2, K, J, I).

    Perfusion rises from white to grey matter and falls again to CSF, hence the square. An M0 of one value gives zeros.
    """
    m0 = torch.nan_to_num(m0) * brain
    window = window_of_mm(m0.shape[-3:], spacing, _BIAS_WINDOW)
    level = window(m0) / window(brain).clamp_min(1e-6)
    contrast = torch.where(brain > 0, m0 / level.clamp_min(1e-6) - 1, 0.0)
    count = brain.sum(dim=(2, 3, 4), keepdim=True).clamp_min(1)
    sd = (contrast.square().sum(dim=(2, 3, 4), keepdim=True) / count).sqrt()
    contrast = torch.where(sd > 1e-4, contrast / sd.clamp_min(1e-4), 0.0).clamp(-2.5, 2.5)
    return torch.cat([contrast, torch.where(sd > 1e-4, contrast.square() - 1, 0.0) * brain], dim=1)


def noise_channels(
    local: torch.Tensor, fine: torch.Tensor, own: torch.Tensor, blurred: torch.Tensor | float
) -> torch.Tensor:
    """Maps of the noise (B, NOISE_CHANNELS, K, J, I).

    Args:
        local, fine: (B, 1, K, J, I) its SD over that of the mean, pooled over 12 and 6 mm.
        own: the same of the voxel itself, shrunk towards `fine`.
        blurred: what an 8 mm mean leaves of the SD.
    """
    return torch.cat([local, fine, blurred * local, own], dim=1)


def regress_on(
    features: torch.Tensor, values: torch.Tensor, brain: torch.Tensor, window: Window, *, ridge: float
) -> torch.Tensor:
    """What two `features` explain of `values` within a window round each voxel, all (B, *, K, J, I).

    Ridge regression with an unpenalised constant: where the features do not vary, the window's mean.
    """
    f, g = features[:, :1], features[:, 1:2]
    moments = torch.cat([brain, values, f, g, f * values, g * values, f * f, f * g, g * g], dim=1) * brain
    w, p, mf, mg, fp, gp, ff, fg, gg = (window(moments)[:, n : n + 1] for n in range(9))
    w = w.clamp_min(1e-6)
    p, mf, mg = p / w, mf / w, mg / w
    fp, gp = fp / w - mf * p, gp / w - mg * p
    ff, fg, gg = ff / w - mf * mf + ridge, fg / w - mf * mg, gg / w - mg * mg + ridge
    determinant = (ff * gg - fg * fg).clamp_min(ridge * ridge)
    a = (gg * fp - fg * gp) / determinant
    b = (ff * gp - fg * fp) / determinant
    return (p + a * (f - mf) + b * (g - mg)) * brain


def channels(sample: Sample) -> torch.Tensor:
    """The network's input (B, CHANNELS, K, J, I); homogeneous of degree one in difference and noise together.

    The unit of both is the noise SD of the difference; outside the brain the difference is zero. A guide that is None
    leaves plain local means in its channels.
    """
    difference, brain, spacing, parts = sample.difference, sample.brain, sample.spacing, [sample.difference]
    nothing = torch.zeros_like(brain).expand(-1, 2, -1, -1, -1)
    # the fraction of the brightest class follows from the others
    t1 = nothing if sample.t1 is None else torch.nan_to_num(sample.t1[:, :-1]) * brain
    m0 = nothing if sample.m0 is None else m0_features(sample.m0, brain, spacing)
    for windows, features, ridge in ((T1_WINDOWS, t1, _T1_RIDGE), (M0_WINDOWS, m0, _M0_RIDGE)):
        for fwhm in windows:
            window = window_of_mm(brain.shape[-3:], spacing, fwhm)
            parts.append(regress_on(features, difference, brain, window, ridge=ridge))
    window = window_of_mm(brain.shape[-3:], spacing, PLAIN_WINDOW)
    parts.append(window(difference * brain) / window(brain).clamp_min(1e-6) * brain)
    return torch.cat([*parts, sample.noise * brain], dim=1)
