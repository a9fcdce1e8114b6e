"""Generator and critic of the multi-scale GAN (Super Resolution of ASL by unsupervised multi-scale GAN, section 2.1).

The paper gives 'a three-layer 3D U-Net' and 'a Markovian discriminator'; widths, norms and the residual form, which
SinGAN (Shaham 2019) has, are ours where it is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from .layers import crop_like, leaky_convolution, pad_to_multiple, start_at_zero, upsampled_like

_block = partial(leaky_convolution, slope=0.2)


class PyramidGenerator(nn.Module):
    """x + U(x, T1): a 3D U-Net of three levels that adds detail to an image of any size.

    Args:
        channels: of the three levels.
        norm: of MONAI, after each convolution; None where training sees patches, whose statistics are not the head's.
    """

    def __init__(self, channels: Sequence[int] = (16, 32, 64), *, norm: str | None = "INSTANCE") -> None:
        super().__init__()
        first, second, third = channels

        def twice(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
            return nn.Sequential(_block(before, after, stride=stride, norm=norm), _block(after, after, norm=norm))

        self.enter = twice(2, first)
        self.down1 = twice(first, second, stride=2)
        self.down2 = twice(second, third, stride=2)
        self.join1 = twice(third + second, second)
        self.join2 = twice(second + first, first)
        self.leave = start_at_zero(nn.Conv3d(first, 1, 1))  # it starts as the interpolation it improves on

    def forward(self, x: torch.Tensor, t1: torch.Tensor) -> torch.Tensor:
        """(B, 1, K, J, I) image and T1 on one grid, both scaled to about 1; the same shape out."""
        both = pad_to_multiple(torch.cat([x, t1], dim=1), (4, 4, 4))
        high = self.enter(both)
        middle = self.down1(high)
        low = self.down2(middle)
        middle = self.join1(torch.cat([upsampled_like(low, middle), middle], dim=1))
        high = self.join2(torch.cat([upsampled_like(middle, high), high], dim=1))
        return x + crop_like(self.leave(high), x.shape[-3:])


class PatchCritic(nn.Sequential):
    """A Markovian critic: a score for every patch of 9 voxels, (B, 1, K, J, I) in and out.

    Without normalisation, which the gradient penalty of single images forbids (Gulrajani 2017), and without strides, so
    that small scales have scores, too.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__(
            _block(1, width),
            _block(width, 2 * width),
            _block(2 * width, 2 * width),
            nn.Conv3d(2 * width, 1, 3, padding=1),
        )
