"""Signal of tissues on an M0 and a T1w, drawn by tissue class for each head."""

from __future__ import annotations

import torch

from .anatomy import GM_CLASSES, WM_CLASSES, TissueClass
from .lesions import Lesion
from .smooth import gaussian_blur, smooth_field, uniform

# Relative signal by TissueClass at 3 T: proton-density-like M0 (long TR, short TE) and an MPRAGE-like T1 weighting.
_M0 = (0.0, 1.0, 0.82, 0.80, 0.82, 0.70, 0.72, 0.65, 0.12)
_T1W = (0.0, 0.18, 0.55, 0.62, 0.55, 0.95, 0.92, 0.60, 0.12)
TISSUES = (*GM_CLASSES, *WM_CLASSES)


def draw_m0_values(generator: torch.Generator, *, jitter: float = 1.0) -> torch.Tensor:
    """Relative M0 by class, CSF near 1. Proton density and T2* vary: some heads show almost no GM/WM contrast."""
    values = torch.tensor(_M0)
    grey = 0.82 + jitter * uniform(generator, -0.08, 0.06)
    contrast = 0.85 + jitter * uniform(generator, -0.07, 0.14)
    for tissue in TISSUES:
        base = grey if tissue in GM_CLASSES else grey * contrast
        values[tissue] = base * (1 + jitter * uniform(generator, -0.03, 0.03))
    values[TissueClass.CSF] = 1 + jitter * uniform(generator, -0.1, 0.1)
    return values


def draw_t1w_values(generator: torch.Generator, *, jitter: float = 1.0) -> torch.Tensor:
    """MPRAGE-like signal (0..1) by class: each tissue within 10 %, the contrast of GM to WM from half to full."""
    values = torch.tensor(_T1W)
    contrast = 1 + jitter * uniform(generator, -0.5, 0.1)
    for tissue in (TissueClass.CSF, *TISSUES):
        values[tissue] = values[tissue] * (1 + jitter * uniform(generator, -0.1, 0.1))
    white = values[TissueClass.WM].clone()
    for tissue in TISSUES:
        values[tissue] = white + contrast * (values[tissue] - white)
    return values


def signal_by_region(values: torch.Tensor, lesions: tuple[Lesion, ...], image: str) -> torch.Tensor:
    """Signal by region and class (L + 1, C): row 0 is `values` (C,), row n what lesion n makes of tissue on `image`."""
    rows = values.repeat(len(lesions) + 1, 1)
    for n, lesion in enumerate(lesions, start=1):
        change = getattr(lesion, image)
        if change is not None:
            for tissue in TISSUES:
                rows[n, tissue] = (1 - change.mix) * values[tissue] + change.mix * values[change.towards]
    return rows


def draw_t1w(clean: torch.Tensor, *, seed: int = 0, noise: float = 0.015, bias: float = 0.1) -> torch.Tensor:
    """A T1w as a scanner gives it (K, J, I), 0..1000, of clean signal 0..1.

    Args:
        clean: (K, J, I), from `Phantom.t1w_at`.
        seed: fixes bias and noise.
        noise: SD a channel of the Rician noise, relative to a signal of 1.
        bias: SD of the smooth coil bias.
    """
    g = torch.Generator().manual_seed(seed)
    device = str(clean.device)
    signal = gaussian_blur(clean[None], (0.5, 0.5, 0.5))[0]
    signal = signal * (1 + bias * smooth_field(tuple(signal.shape), 3, g, device)).clamp_min(0.3)
    real, imaginary = (noise * torch.randn(signal.shape, generator=g).to(device) for _ in range(2))
    return 1000 * torch.hypot(signal + real, imaginary)
