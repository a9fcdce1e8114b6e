"""The small T1-conditioned 3D U-Net that is trained on one scan alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.blocks import Convolution
from torch import nn

from .padding import crop_like, pad_to_multiple

_SLOPE = 0.1


def _block(before: int, after: int, *, stride: int = 1) -> Convolution:
    # Without normalisation: the network must do to a whole head what it has learnt to do to a patch.
    return Convolution(
        3, before, after, strides=stride, kernel_size=3, norm=None, act=("LEAKYRELU", {"negative_slope": _SLOPE})
    )


class ScanNetwork(nn.Module):
    """base + U(base, features): two levels, no normalisation, the last layer starting at zero.

    Args:
        features: channels beside the image.
        channels: of the two levels.
    """

    def __init__(self, features: int, channels: Sequence[int] = (16, 32)) -> None:
        super().__init__()
        first, second = channels
        self.enter = nn.Sequential(_block(1 + features, first), _block(first, first))
        self.down = nn.Sequential(_block(first, second, stride=2), _block(second, second))
        self.join = nn.Sequential(_block(first + second, first), _block(first, first))
        self.leave = nn.Conv3d(first, 1, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, base: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """(B, 1, K, J, I) and (B, C, K, J, I) on one grid; the shape of `base` out."""
        both = pad_to_multiple(torch.cat([base, features], dim=1), (2, 2, 2))
        high = self.enter(both)
        low = self.down(high)
        low = nn.functional.interpolate(low, size=high.shape[-3:], mode="trilinear", align_corners=False)
        return base + crop_like(self.leave(self.join(torch.cat([high, low], dim=1))), base.shape[-3:])
