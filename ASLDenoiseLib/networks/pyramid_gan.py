"""Generator and critic of the multi-scale GAN (Super Resolution of ASL by unsupervised multi-scale GAN, section 2.1).

The paper gives 'a three-layer 3D U-Net' and 'a Markovian discriminator'; widths, norms and the residual form, which
SinGAN (Shaham 2019) has, are ours where it is silent.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.blocks import Convolution
from torch import nn

from .padding import crop_like, pad_to_multiple

_SLOPE = 0.2


def _block(before: int, after: int, *, stride: int = 1, norm: str | None = None) -> Convolution:
    return Convolution(
        3, before, after, strides=stride, kernel_size=3, norm=norm, act=("LEAKYRELU", {"negative_slope": _SLOPE})
    )


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
        self.leave = nn.Conv3d(first, 1, 1)
        nn.init.zeros_(self.leave.weight)  # a generator starts as the interpolation it is to improve on
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: torch.Tensor, t1: torch.Tensor) -> torch.Tensor:
        """(B, 1, K, J, I) image and T1 on one grid, both scaled to about 1; the same shape out."""
        both = pad_to_multiple(torch.cat([x, t1], dim=1), (4, 4, 4))
        high = self.enter(both)
        middle = self.down1(high)
        low = self.down2(middle)
        middle = self.join1(torch.cat([_doubled(low, middle), middle], dim=1))
        high = self.join2(torch.cat([_doubled(middle, high), high], dim=1))
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


def _doubled(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return nn.functional.interpolate(x, size=like.shape[-3:], mode="trilinear", align_corners=False)
