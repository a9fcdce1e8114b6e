"""DWAN, the dilated wide-activation network of learning from noise."""

from __future__ import annotations

import torch
from torch import nn


class WideBlock(nn.Module):
    """x + conv(ReLU(conv(x))): 3x3 to `wide` channels, dilated by `dilation`, and 3x3 back."""

    def __init__(self, *, channels: int = 32, wide: int = 128, dilation: int = 1) -> None:
        super().__init__()
        self.widen = nn.Conv2d(channels, wide, 3, padding=dilation, dilation=dilation)
        self.narrow = nn.Conv2d(wide, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.narrow(torch.relu(self.widen(x)))


class DWAN(nn.Module):
    """Dilated Wide Activation Network, 592,011 parameters.

    A first 3x3 convolution to 32 channels feeds a local pathway (four wide-activation residual blocks) and a global
    one (the same four with the wide convolution dilated 2, 4, 8, 16). Both are concatenated to 64 channels, taken to
    one by a 3x3 convolution, and a 3x3 convolution of the input is added. No batch normalisation.

    Source: Xie et al., A Learning-from-noise Dilated Wide Activation Network for denoising ASL perfusion images,
    section 2.2 and figure 1.

    Args of forward: x (B, `inputs`, J, I), any J and I; returns (B, 1, J, I).
    """

    inputs = 1

    def __init__(self, *, channels: int = 32, wide: int = 128, dilations: tuple[int, ...] = (2, 4, 8, 16)) -> None:
        super().__init__()
        self.head = nn.Conv2d(self.inputs, channels, 3, padding=1)
        self.local_path = nn.Sequential(*[WideBlock(channels=channels, wide=wide) for _ in dilations])
        self.global_path = nn.Sequential(*[WideBlock(channels=channels, wide=wide, dilation=d) for d in dilations])
        self.tail = nn.Conv2d(2 * channels, 1, 3, padding=1)
        self.skip = nn.Conv2d(self.inputs, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.head(x)
        both = torch.cat([self.local_path(features), self.global_path(features)], dim=1)
        return self.tail(both) + self.skip(x)


class DWANOfTwo(DWAN):
    """The same of two channels (B, 2, J, I): 592,308 parameters."""

    inputs = 2
