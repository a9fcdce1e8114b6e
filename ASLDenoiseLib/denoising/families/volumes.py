"""Networks that see the whole volume, alone or with the M0."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from . import Sample, register
from .mean import BrainMeanFamily

if TYPE_CHECKING:
    import torch


@register
class VolumesFamily(BrainMeanFamily):
    """Volumes (B, 1, K, J, I), each over the mean of its brain."""

    networks: ClassVar = {"unet3d": "ASLDenoiseLib.networks.unet3d:UNet3D"}
    task = ".published:VolumesTask"
    dimensions = 3

    def channels(self, sample: Sample) -> torch.Tensor:
        return self.smoothed(sample.difference, sample)


@register
class VolumesWithM0Family(VolumesFamily):
    """Volumes (B, 2, K, J, I) whose second channel is the M0 over the mean of its brain."""

    networks: ClassVar = {"unet3d-m0": "ASLDenoiseLib.networks.unet3d:UNet3DWithM0"}
    needs = ("m0",)

    def channels(self, sample: Sample) -> torch.Tensor:
        import torch

        return torch.cat([super().channels(sample), sample.m0], dim=1)
