"""The small T1-conditioned 3D U-Net that is trained on one scan alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from .layers import crop_like, leaky_convolution, pad_to_multiple, start_at_zero, upsampled_like

# Without normalisation: the network must do to a whole head what it has learnt to do to a patch.
_block = partial(leaky_convolution, slope=0.1)


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
        self.leave = start_at_zero(nn.Conv3d(first, 1, 1))

    def forward(self, base: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """(B, 1, K, J, I) and (B, C, K, J, I) on one grid; the shape of `base` out."""
        both = pad_to_multiple(torch.cat([base, features], dim=1), (2, 2, 2))
        high = self.enter(both)
        low = upsampled_like(self.down(high), high)
        return base + crop_like(self.leave(self.join(torch.cat([high, low], dim=1))), base.shape[-3:])
