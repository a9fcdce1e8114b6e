"""What the published networks share: they see a mean difference divided by its mean in the brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError
from .family import DenoiserFamily, Sample
from .mean import Mean, Prediction, brain_box, brain_scale, over_brain_mean, placed, spacing_of, tensor_of

if TYPE_CHECKING:
    import torch

    from ...compute import Compute


class BrainMeanFamily(DenoiserFamily):
    """Networks that see a mean difference divided by its mean in the brain, and the M0 likewise where they need it."""

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        """What each channel that a network sees is."""
        after = f", after a {smoothing_mm:g} mm Gaussian" if smoothing_mm else ""
        m0 = ("M0 divided by its mean in the brain",) if "m0" in self.needs else ()
        return (f"mean difference divided by its mean in the brain{after}", *m0)

    def predict(self, mean: Mean, network: torch.nn.Module, compute: Compute) -> Prediction:
        """The brain's box, slice by slice or in one piece."""
        from ..memory import run_network, run_on_volume

        scale = brain_scale(mean.array, mean.brain)
        k, j, i = box = brain_box(mean.brain)
        seen = self.channels(_sample(mean, scale, with_m0="m0" in self.needs))
        if self.dimensions == 2:
            result = run_network(network, seen[k, :, j, i].contiguous(), compute)[:, 0]
        else:
            result = run_on_volume(network, seen[:, :, k, j, i].contiguous(), compute)[0, 0]
        return Prediction(placed(result.numpy() * scale, box, mean.array), scale)


def _sample(mean: Mean, scale: float, *, with_m0: bool) -> Sample:
    """The mean over `scale`, and the M0 over its own mean in the brain.

    Raises:
        InputError: the M0 is empty in the brain mask.
    """
    brain, m0 = tensor_of(mean.brain.array > 0), None
    if with_m0:
        m0 = tensor_of(mean.m0.array)
        if not (m0 * brain).sum() > 0:
            raise InputError("The M0 image is empty in the brain mask; check it, or choose a model that needs none.")
        m0 = over_brain_mean(m0, brain)
    smoothing = float(mean.card.metadata.get("input_smoothing_mm", 0.0) or 0.0)
    return Sample(tensor_of(mean.array) / scale, brain, spacing_of(mean.pairs), m0, smoothing_mm=smoothing)
