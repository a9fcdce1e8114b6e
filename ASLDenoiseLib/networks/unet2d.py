"""The 2D U-Net that the learning-from-noise paper compares with."""

from __future__ import annotations

import torch
from torch import nn

from .layers import crop_like, pad_to_multiple, start_by_he


def _two_convolutions(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1), nn.PReLU(after), nn.Conv2d(after, after, 3, padding=1), nn.PReLU(after)
    )


class UNet2D(nn.Module):
    """U-Net of 32 start channels and 3 poolings, 1,926,433 parameters.

    Two 3x3 convolutions a level, each followed by a PReLU a channel; 2x2 maximum pooling, 2x2 transposed convolutions,
    a last 1x1 convolution. No batch normalisation, no dropout, no connection from input to output.

    Source: Xie et al., learning from noise, section 2.3 names a U-Net without batch normalisation and gives no more;
    widths, depth and activation are our choice.

    Args of forward: x (B, 1, J, I), any J and I; returns the same shape.
    """

    def __init__(self, *, channels: int = 32, poolings: int = 3) -> None:
        super().__init__()
        widths = [channels * 2**n for n in range(poolings + 1)]
        self.multiple = 2**poolings
        self.down = nn.ModuleList([_two_convolutions(a, b) for a, b in zip([1, *widths[:-1]], widths, strict=True)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1])])
        self.merge = nn.ModuleList([_two_convolutions(2 * w, w) for w in reversed(widths[:-1])])
        self.tail = nn.Conv2d(channels, 1, 1)
        start_by_he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = x.shape[-2:]
        x = pad_to_multiple(x, (self.multiple, self.multiple))
        skips = []
        for n, level in enumerate(self.down):
            x = level(x if n == 0 else nn.functional.max_pool2d(x, 2))
            skips.append(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips[:-1]), strict=True):
            x = merge(torch.cat([skip, up(x)], dim=1))
        return crop_like(self.tail(x), shape)
