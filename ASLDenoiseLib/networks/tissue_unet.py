"""The U-Net that tells tissue in an anatomical image of any contrast."""

from __future__ import annotations

import torch
from torch import nn

from .layers import crop_like, pad_to_multiple

WIDTHS = (16, 32, 64, 96, 128)


class _Layer(nn.Sequential):
    """A convolution, then instance normalisation and a leaky ReLU."""

    def __init__(self, convolution: nn.Module, channels: int) -> None:
        super().__init__(convolution, nn.InstanceNorm3d(channels), nn.LeakyReLU())


class _Down(nn.Module):
    """Two convolutions, the first of the given stride, beside one that carries the input past them."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _Layer(nn.Conv3d(before, after, 3, stride, 1), after)
        self.second = _Layer(nn.Conv3d(after, after, 3, 1, 1), after)
        kernel = 3 if stride > 1 else 1
        self.past = nn.Conv3d(before, after, kernel, stride, kernel // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x)) + self.past(x)


class _Up(nn.Module):
    """A transposed convolution to twice the size, and a convolution added to what it gives; bare in the last level."""

    def __init__(self, before: int, after: int, *, last: bool) -> None:
        super().__init__()
        self.grow = _Layer(nn.ConvTranspose3d(before, after, 3, 2, 1, output_padding=1), after)
        convolution = nn.Conv3d(after, after, 3, 1, 1)
        self.join = convolution if last else _Layer(convolution, after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.grow(x)
        return self.join(x) + x


class TissueUNet(nn.Module):
    """MONAI's residual U-Net (Kerfoot et al. 2019) of five levels; 2,327,997 parameters.

    It is `monai.networks.nets.UNet(spatial_dims=3, in_channels=1, out_channels=5, channels=WIDTHS, strides=(2,) * 4,
    num_res_units=2, norm="INSTANCE", act="LEAKYRELU")`, layer by layer and in the same order; written out because
    importing MONAI takes longer than segmenting a head. A test compares the two.

    Args of forward: x (B, 1, K, J, I), any size (padded to multiples of 16 within); returns logits (B, 5, K, J, I) of
        everything else, CSF, grey matter, white matter and brain stem.
    """

    def __init__(self) -> None:
        super().__init__()
        steps = zip((1, *WIDTHS[:-1]), WIDTHS, (2, 2, 2, 2, 1), strict=True)
        self.down = nn.ModuleList([_Down(before, after, stride) for before, after, stride in steps])
        below, onto = (WIDTHS[4] + WIDTHS[3], *(2 * width for width in WIDTHS[2::-1])), (*WIDTHS[2::-1], 5)
        self.up = nn.ModuleList(
            [_Up(before, after, last=after == 5) for before, after in zip(below, onto, strict=True)]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = x.shape[-3:]
        x = pad_to_multiple(x, (16,) * 3)
        skips = []
        for level in self.down[:-1]:
            x = level(x)
            skips.append(x)
        x = self.down[-1](x)
        for level in self.up:
            x = level(torch.cat([skips.pop(), x], dim=1))
        return crop_like(x, shape)
