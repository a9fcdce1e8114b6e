"""DeepASL, the plain residual network that is trained with a kinetic model in its loss."""

from __future__ import annotations

import torch
from torch import nn

from .layers import start_by_he


class DeepASL(nn.Module):
    """Eight 3x3 convolutions of 48 channels with a PReLU a channel, and one to the noise; 146,785 parameters.

    The convolutions estimate the noise (`residual`); `forward` takes it from the input. The last convolution starts at
    zero, so that an untrained network changes nothing.

    Source: Ulas et al., DeepASL, section 2.2 and figure 1; one PReLU slope a channel is our choice.

    Args of forward: x (B, 1, J, I), any J and I; returns the same shape.
    """

    def __init__(self, *, channels: int = 48, layers: int = 8) -> None:
        super().__init__()
        body: list[nn.Module] = []
        for n in range(layers):
            body += [nn.Conv2d(1 if n == 0 else channels, channels, 3, padding=1), nn.PReLU(channels)]
        self.body = nn.Sequential(*body)
        self.tail = nn.Conv2d(channels, 1, 3, padding=1)
        start_by_he(self)
        nn.init.zeros_(self.tail.weight)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """The estimate of the noise in `x`."""
        return self.tail(self.body(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.residual(x)
