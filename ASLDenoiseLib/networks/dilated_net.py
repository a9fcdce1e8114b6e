"""DilatedNet, the two-pathway network of Kim et al."""

from __future__ import annotations

import torch
from torch import nn

from .layers import start_by_he


def _pathway(channels: int, dilations: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for d in dilations:
        layers += [nn.Conv2d(channels, channels, 3, padding=d, dilation=d), nn.ReLU()]
    return nn.Sequential(*layers)


class DilatedNet(nn.Module):
    """A local and a dilated pathway of four convolutions each, 444,801 parameters.

    A 3x3 convolution to 64 channels feeds four 3x3 convolutions of 64 channels, and four more dilated 2, 4, 8, 16;
    both are concatenated, taken through a 3x3 convolution of 128 channels, and to one channel. ReLU; no batch
    normalisation.

    Source: Kim, Choi, Park, Improving arterial spin labeling by using deep learning, Radiology 2018.

    Args of forward: x (B, 1, J, I), any J and I; returns the same shape.
    """

    def __init__(self, *, channels: int = 64, dilations: tuple[int, ...] = (2, 4, 8, 16)) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU())
        self.local_path = _pathway(channels, (1,) * len(dilations))
        self.global_path = _pathway(channels, dilations)
        self.tail = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.ReLU(), nn.Conv2d(2 * channels, 1, 3, padding=1)
        )
        start_by_he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.head(x)
        return self.tail(torch.cat([self.local_path(features), self.global_path(features)], dim=1))
