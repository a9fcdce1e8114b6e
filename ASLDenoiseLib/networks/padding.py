"""Padding to the sizes a network can halve, and the start that plain rectifier stacks need."""

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


def start_by_he(network: nn.Module) -> None:
    """He et al. 2015 normal weights and zero biases for every convolution.

    Without batch normalisation torch's own start shrinks the signal layer by layer: deep plain stacks hardly learn.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
