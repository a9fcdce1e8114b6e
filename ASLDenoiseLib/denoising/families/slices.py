"""Networks that see one slice at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .brain_mean import BrainMeanFamily
from .family import Sample, register

if TYPE_CHECKING:
    import torch


@register
class SlicesFamily(BrainMeanFamily):
    """Slices (N, 1, J, I), each over the mean of the brain of its volume."""

    networks: ClassVar = {
        "dwan": "ASLDenoiseLib.networks.dwan:DWAN",
        "unet2d": "ASLDenoiseLib.networks.unet2d:UNet2D",
        "dilated-net": "ASLDenoiseLib.networks.dilated_net:DilatedNet",
        "deepasl": "ASLDenoiseLib.networks.deepasl:DeepASL",
    }
    task = "ASLDenoiseLib.learning.tasks.slices:SlicesTask"
    dimensions = 2

    def channels(self, sample: Sample) -> torch.Tensor:
        """Every slice of every volume."""
        return self.smoothed(sample.difference, sample)[:, 0].flatten(0, 1)[:, None]
