"""Networks that see one slice at a time, or a slab of three whose middle one they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from . import Sample, register
from .mean import BrainMeanFamily

if TYPE_CHECKING:
    import torch


@register
class SlicesFamily(BrainMeanFamily):
    """Slices (N, 1, J, I), every one of every volume, each over the mean of the brain of its volume."""

    networks: ClassVar = {
        "dwan": "ASLDenoiseLib.networks.dwan:DWAN",
        "unet2d": "ASLDenoiseLib.networks.unet2d:UNet2D",
        "dilated-net": "ASLDenoiseLib.networks.dilated_net:DilatedNet",
        "deepasl": "ASLDenoiseLib.networks.deepasl:DeepASL",
    }
    task = ".published:SlicesTask"
    dimensions = 2

    def channels(self, sample: Sample) -> torch.Tensor:
        return self.smoothed(sample.difference, sample)[:, 0].flatten(0, 1)[:, None]


@register
class SlabsFamily(SlicesFamily):
    """Slabs (N, 3, J, I) round every slice; the outermost slices of the scan are their own neighbours."""

    networks: ClassVar = {"slab-transformer": "ASLDenoiseLib.networks.slab_transformer:SlabTransformer"}
    task = ".published:SlabsTask"

    def channels(self, sample: Sample) -> torch.Tensor:
        import torch

        difference = self.smoothed(sample.difference, sample)
        count, device = difference.shape[2], difference.device
        ends = torch.tensor([[0, count - 1]], device=device) if sample.ends is None else sample.ends
        near = torch.arange(count, device=device)[:, None] + torch.arange(-1, 2, device=device)
        near = near.clamp(ends[:, :1, None], ends[:, 1:, None])
        volume = torch.arange(len(difference), device=device)[:, None, None]
        return difference[volume, 0, near].flatten(0, 1)

    def inputs(self, smoothing_mm: float = 0.0) -> tuple[str, ...]:
        (difference,) = super().inputs(smoothing_mm)
        return tuple(f"{difference}: the slice {where}" for where in ("below", "itself", "above"))
