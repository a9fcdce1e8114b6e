"""The 3D U-Net of the 3D denoising article, with and without the M0 as a second channel."""

from __future__ import annotations

import torch
from torch import nn

from .layers import crop_like, pad_to_multiple, start_by_he


class _Block(nn.Sequential):
    """Three 3x3x3 convolutions with ReLU, and dropout after the last."""

    def __init__(self, before: int, after: int, dropout: float) -> None:
        layers: list[nn.Module] = []
        for n in range(3):
            layers += [nn.Conv3d(before if n == 0 else after, after, 3, padding=1), nn.ReLU()]
        super().__init__(*layers, nn.Dropout3d(dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-3] != 2:
            return super().forward(x)
        # torch 2.13 leaves garbage in bfloat16 weight gradients of volumes two slices deep, on a CPU: not in bfloat16
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class UNet3D(nn.Module):
    """3D U-Net of 16 start channels, doubling to 128, and 4 poolings; 5,362,129 parameters.

    Three 3x3x3 convolutions a level on both sides and in the centre, which is joined to its own input by a residual
    connection; 2x2x2 maximum pooling; 2x2x2 transposed convolutions of stride 2; channels of both sides concatenated;
    dropout 0.05; a linear 1x1x1 convolution gives the image itself (no connection from input to output).

    Source: the 3D denoising article, 'Network architectures: 3D U-Net' (64x64x32 in, 4x4x2x128 in the centre). It
    leaves open the convolutions a level on the way down (taken symmetric, three) and the activation (ReLU).

    Args of forward: x (B, 1, K, J, I) or (B, 2, K, J, I) with the M0 second, any size (padded to multiples of 16
        within); returns (B, 1, K, J, I).
    """

    def __init__(self, *, inputs: int = 1, channels: int = 16, poolings: int = 4, dropout: float = 0.05) -> None:
        super().__init__()
        widths = [channels * 2**n for n in range(poolings)]
        self.multiple = 2**poolings
        self.down = nn.ModuleList([_Block(a, b, dropout) for a, b in zip([inputs, *widths[:-1]], widths, strict=True)])
        self.centre = _Block(widths[-1], widths[-1], dropout)
        below = [widths[-1], *reversed(widths[1:])]
        self.up = nn.ModuleList(
            [nn.ConvTranspose3d(a, b, 2, stride=2) for a, b in zip(below, reversed(widths), strict=True)]
        )
        self.merge = nn.ModuleList([_Block(2 * w, w, dropout) for w in reversed(widths)])
        self.tail = nn.Conv3d(channels, 1, 1)
        start_by_he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = x.shape[-3:]
        x = pad_to_multiple(x, (self.multiple,) * 3)
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
            x = nn.functional.max_pool3d(x, 2)
        x = x + self.centre(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            x = merge(torch.cat([skip, up(x)], dim=1))
        return crop_like(self.tail(x), shape)


class UNet3DWithM0(UNet3D):
    """`UNet3D` with the M0, divided by its mean in the brain, as a second channel."""

    def __init__(self) -> None:
        super().__init__(inputs=2)
