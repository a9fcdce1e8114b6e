"""What networks share: padding to sizes they can halve, leaky convolutions, and the weights they start from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn


def pad_to_multiple(x: torch.Tensor, multiples: Sequence[int]) -> torch.Tensor:
    """Zeros at the end of the last ``len(multiples)`` axes of `x` until each is a multiple; crop with `crop_like`."""
    amounts = [(-n) % m for n, m in zip(x.shape[-len(multiples) :], multiples, strict=True)]
    return F.pad(x, [v for a in reversed(amounts) for v in (0, a)]) if any(amounts) else x


def crop_like(x: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """The first voxels of `x` along its last axes, as many as `shape` says."""
    return x[(..., *(slice(0, n) for n in shape))]


def upsampled_like(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """`x` (B, C, k, j, i) interpolated linearly to the size of `like`."""
    return F.interpolate(x, size=like.shape[-3:], mode="trilinear", align_corners=False)


def leaky_convolution(before: int, after: int, *, slope: float, stride: int = 1, norm: str | None = None) -> nn.Module:
    """A 3x3x3 convolution with a leaky rectifier, after MONAI's `norm` if any."""
    from monai.networks.blocks import Convolution  # slow to load, and few networks need it

    act = ("LEAKYRELU", {"negative_slope": slope})
    return Convolution(3, before, after, strides=stride, kernel_size=3, norm=norm, act=act)


def start_at_zero(layer: nn.Conv2d | nn.Conv3d) -> nn.Module:
    """The layer with weights and bias of zero, so that what it adds starts as nothing."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def start_by_he(network: nn.Module) -> None:
    """He et al. 2015 normal weights and zero biases for every convolution.

    Without batch normalisation torch's own start shrinks the signal layer by layer: deep plain stacks hardly learn.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
