"""What a network is trained towards: the noisy references of the papers, and the phantom's truth.

Noise of the mean is all that differs. With sigma the noise SD of an input that averages a share f of the target's
pairs, the target's noise is f * (the input's own noise) + (1 - f) * (noise of the rest), the rest having
SD sigma * sqrt(f / (1 - f)); the target's SD is then sigma * sqrt(f).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..denoising.gaussian_windows import window_of_mm
from ..errors import InputError
from .noise import NoiseDraw, draw_noise


@dataclass(frozen=True)
class TrainingTarget:
    """How a target is made.

    Args:
        description: for the model card.
        shares: shares of the target's pairs that the input averages, one drawn a sample; none: no pair is shared.
        noisy: whether the target has noise at all.
        cleaned: outliers (corrupted slices) are taken out of the target, as an outlier cleaning does.
        smoothing_mm: FWHM of the Gaussian over the target.
    """

    description: str
    shares: tuple[float, ...] = ()
    noisy: bool = True
    cleaned: bool = False
    smoothing_mm: float = 0.0


TARGETS = {
    "clean": TrainingTarget("the phantom's noise-free truth", noisy=False),
    # Xie et al. 2020: mean of segment A towards mean of segment B.
    "noisy": TrainingTarget("learning from noise: an independent mean of the same number of pairs"),
    # Xie et al. 2018, 2020: 10 of 40 pairs towards the cleaned, smoothed mean of all 40.
    "pseudo-gold": TrainingTarget(
        "pseudo gold standard: mean of four times the pairs, the input's among them, outliers cleaned, 3 mm Gaussian",
        shares=(0.25,),
        cleaned=True,
        smoothing_mm=3.0,
    ),
    # Ulas et al. 2018: 20, 40, 60 or 80 % of the pairs towards all of them.
    "all-pairs": TrainingTarget(
        "mean of all pairs, of which the input averages 20, 40, 60 or 80 %", (0.2, 0.4, 0.6, 0.8)
    ),
    # The 3D denoising article: means of 2, 4, 8, 16 time points towards all 32, or towards 16 or 8 of them.
    "gt100": TrainingTarget(
        "mean of 32 time points, of which the input averages 2, 4, 8 or 16", (1 / 16, 1 / 8, 1 / 4, 1 / 2)
    ),
    "gt50": TrainingTarget(
        "mean of 16 of 32 time points, of which the input averages 2, 4 or 8", (1 / 8, 1 / 4, 1 / 2)
    ),
    "gt25": TrainingTarget("mean of 8 of 32 time points, of which the input averages 2 or 4", (1 / 4, 1 / 2)),
}


def find_target(name: str) -> TrainingTarget:
    """A target by name.

    Raises:
        InputError: there is no such target.
    """
    if name not in TARGETS:
        raise InputError(
            f"A recipe's target '{name}' is not known; correct the recipe to one of: {', '.join(TARGETS)}."
        )
    return TARGETS[name]


def draw_means(
    truth: torch.Tensor,
    brain: torch.Tensor,
    draw: NoiseDraw,
    target: TrainingTarget,
    generator: torch.Generator,
    *,
    spacing: torch.Tensor,
    fade: torch.Tensor | float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """An input and its target, (B, 1, K, J, I) each, in the units of `truth`.

    Args:
        truth, brain: (B, 1, K, J, I), brain 0/1.
        draw: the noise of the input's mean.
        target: what to make.
        generator: on the device of `truth`.
        spacing: (B, 3) mm along (k, j, i), for smoothing; single slices are smoothed in plane.
        fade: factor of the noise, by voxel (less of it where there is no signal).
    """
    before = generator.get_state()
    noise = fade * draw_noise(draw, brain, generator)
    if not target.noisy:
        return truth + noise, truth
    quiet = replace(draw, spikes=0.0) if target.cleaned else draw
    if not target.shares:
        return truth + noise, truth + fade * draw_noise(quiet, brain, generator)
    own = noise
    if target.cleaned:  # the input's noise again, from the same random numbers, without its outliers
        after = generator.get_state()
        generator.set_state(before)
        own = fade * draw_noise(quiet, brain, generator)
        generator.set_state(after)
    shares = torch.tensor(target.shares, device=truth.device)
    pick = torch.randint(len(shares), (len(truth),), generator=generator, device=truth.device)
    f = shares[pick][:, None, None, None, None]
    rest = fade * draw_noise(quiet, brain, generator) * (f / (1 - f)).sqrt()
    mean = truth + f * own + (1 - f) * rest
    return truth + noise, smoothed(mean, spacing, target.smoothing_mm)


def smoothed(volumes: torch.Tensor, spacing: torch.Tensor, fwhm: float) -> torch.Tensor:
    """Gaussian of `fwhm` mm over (B, 1, K, J, I); 0 changes nothing."""
    return window_of_mm(volumes.shape[-3:], spacing, fwhm)(volumes) if fwhm > 0 else volumes
