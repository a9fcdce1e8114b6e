"""The default model's family: the mean in units of its own noise, with averages of it that T1 and M0 have drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..noise_level import noise_level
from . import DenoiserFamily, Sample, register
from .mean import Mean, Prediction, brain_box, brain_scale, placed, tensor_of

if TYPE_CHECKING:
    import torch

    from ...compute import Compute


@register
class GuidedFamily(DenoiserFamily):
    """Volumes (B, 11, K, J, I) as `denoising.guiding` makes them; the unit is the noise SD of the mean."""

    networks: ClassVar = {"guided-unet": "ASLDenoiseLib.networks.guided_unet:GuidedUNet"}
    task = ".guided:GuidedTask"
    dimensions = 3
    uses_guides = True
    gives_uncertainty = True

    def channels(self, sample: Sample) -> torch.Tensor:
        from ..guiding import channels

        return channels(sample)

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        from ..guiding import CHANNEL_MEANINGS

        return CHANNEL_MEANINGS

    def sample_of(self, mean: Mean) -> tuple[Sample, float]:
        """The unit is the noise SD of the mean: the pairs' spread, of some of them larger by the root of the ratio."""
        import torch

        from ..guiding import noise_channels

        brain_scale(mean.array, mean.brain)  # refuses what is empty
        inside = _inside(mean)
        total = len(mean.pairs.array)
        pairs, weights = (mean.pairs.array, mean.weights) if total > 1 else (mean.array[None], None)
        level = noise_level(pairs, inside, mean.pairs.geometry, weights)
        sigma = level.sigma * (total / mean.count) ** 0.5 if level.source == "pairs" else level.sigma
        box = brain_box(mean.brain)
        brain = tensor_of(inside[box])
        unit, spread = (each if each > 0 else 1.0 for each in (sigma, level.sigma))
        local, fine, own = (tensor_of(sd[box] / spread) for sd in (level.local, level.fine, level.own))
        sample = Sample(
            tensor_of(mean.array[box] / unit) * brain,
            brain,
            torch.tensor([mean.pairs.geometry.spacing[::-1]]),
            tensor_of(mean.m0.array[box]) if mean.m0 is not None else None,
            torch.cat([tensor_of(g.array[box]) for g in mean.guides], dim=1) if mean.guides else None,
            noise_channels(local, fine, own, level.blurred),
        )
        return sample, sigma

    def predict(self, mean: Mean, network: torch.nn.Module, compute: Compute) -> Prediction:
        """One pass over the brain's box. Outside the brain nothing changes, and nothing is said of its error."""
        from ..memory import run_on_volume

        sample, sigma = self.sample_of(mean)
        inside = _inside(mean)
        if not sigma > 0:  # no noise at all: nothing to take away
            return Prediction(mean.array.astype(np.float32), 1.0, np.where(inside, 0.0, np.nan).astype(np.float32))
        output = run_on_volume(network, self.channels(sample), compute)
        estimate, spread = (output[0, n].numpy() * sigma for n in range(2))
        box = brain_box(mean.brain)
        within = inside[box]
        array = placed(np.where(within, estimate, mean.array[box]), box, mean.array)
        sd = np.full(mean.array.shape, np.nan, np.float32)
        factor = float(mean.card.metadata.get("uncertainty_factor", 1.0))
        sd[box] = np.where(within, factor * spread, np.nan)
        return Prediction(array, sigma, sd)


def _inside(mean: Mean) -> np.ndarray:
    """Bool (K, J, I): the brain, where it was measured."""
    return (mean.brain.array > 0) & np.isfinite(mean.array)
