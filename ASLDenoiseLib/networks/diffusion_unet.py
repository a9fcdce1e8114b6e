"""MONAI's diffusion U-Net for slices, without attention: its forward pass, its blocks, and none that needs einops."""

from __future__ import annotations

import torch
from monai.networks.blocks import Convolution
from monai.networks.nets.diffusion_model_unet import (
    DiffusionModelUNet,
    DiffusionUNetResnetBlock,
    DownBlock,
    UpBlock,
    zero_module,
)
from torch import nn

_NORM = {"norm_num_groups": 8, "norm_eps": 1e-6}


class PlainMiddle(nn.Module):
    """MONAI's middle block less the attention between its two residual blocks."""

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__()
        both = {"in_channels": channels, "out_channels": channels, "temb_channels": embedding}
        self.first, self.second = (DiffusionUNetResnetBlock(spatial_dims=2, **both, **_NORM) for _ in range(2))

    def forward(
        self, hidden_states: torch.Tensor, temb: torch.Tensor, context: torch.Tensor | None = None
    ) -> torch.Tensor:
        return self.second(self.first(hidden_states, temb), temb)


class PlainDiffusionUNet(DiffusionModelUNet):
    """MONAI's `DiffusionModelUNet` with one residual block a level and no attention.

    MONAI's own always attends in the middle, which takes memory with the square of a slice's size.

    Args:
        channels_in: of the input.
        widths: channels of each level.

    Args of forward: x (N, channels_in, J, I), sizes that the levels can halve, and timesteps (N,); returns
    (N, 1, J, I).
    """

    def __init__(self, channels_in: int, widths: tuple[int, ...]) -> None:
        nn.Module.__init__(self)
        self.block_out_channels, self.num_class_embeds, self.with_conditioning = widths, None, False
        first, embedding = widths[0], 4 * widths[0]
        plain = {"strides": 1, "kernel_size": 3, "padding": 1, "conv_only": True}
        blocks = {"spatial_dims": 2, "temb_channels": embedding, **_NORM}
        self.conv_in = Convolution(2, channels_in, first, **plain)
        self.time_embed = nn.Sequential(nn.Linear(first, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        for n, (before, width) in enumerate(zip((first, *widths), widths, strict=False)):
            last = n == len(widths) - 1
            self.down_blocks.append(
                DownBlock(in_channels=before, out_channels=width, add_downsample=not last, **blocks)
            )
        self.middle_block = PlainMiddle(widths[-1], embedding)
        upwards = widths[::-1]
        for n, (before, width) in enumerate(zip((upwards[0], *upwards), upwards, strict=False)):
            last, skipped = n == len(widths) - 1, upwards[min(n + 1, len(widths) - 1)]
            sizes = {"in_channels": skipped, "prev_output_channel": before, "out_channels": width}
            self.up_blocks.append(UpBlock(**sizes, num_res_blocks=2, add_upsample=not last, **blocks))
        norm = nn.GroupNorm(_NORM["norm_num_groups"], first, eps=_NORM["norm_eps"])
        self.out = nn.Sequential(norm, nn.SiLU(), zero_module(Convolution(2, first, 1, **plain)))
