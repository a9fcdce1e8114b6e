"""The default model: a bias-free residual 3D U-Net over guided averages, with a head for the SD of its error."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from .layers import crop_like, pad_to_multiple


def _convolution(channels_in: int, channels_out: int, size: int = 3) -> nn.Conv3d:
    return nn.Conv3d(channels_in, channels_out, size, padding=size // 2, bias=False)


class Level(nn.Module):
    """Two bias-free 3x3x3 convolutions with ReLU, and the input carried past them by a 1x1x1 one."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = _convolution(channels_in, channels_out)
        self.second = _convolution(channels_out, channels_out)
        self.past = _convolution(channels_in, channels_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.past(x))


class GuidedUNet(nn.Module):
    """3D U-Net of three levels without biases and without normalisation, in units of the noise SD.

    Without biases the estimate is homogeneous of degree one in its input: with the local noise SD as one of the
    channels, twice the signal in twice the noise gives twice the estimate, and the network holds at any level of
    signal and noise (Mohan et al. 2020 on bias-free networks; Zhang et al. 2021 on a noise channel). The first pooling
    spares the slices, which are thick.

    The estimate is a learned mixture of the input's channels plus what the U-Net adds. The head reads the last
    features without training them and gives the SD of the estimate's error, in the same units; it is not part of the
    homogeneous path, because how errors grow with the signal is learned.

    Args:
        channels: of the input; `denoising.guiding.channels` makes them.
        noise_channels: how many of them, the last ones, tell of noise.
        widths: of the three levels.

    Args of forward: x (B, channels, K, J, I), any size; returns the estimate and its SD, each (B, 1, K, J, I).
    """

    POOLS = ((1, 2, 2), (2, 2, 2))

    def __init__(
        self, *, channels: int = 11, noise_channels: int = 4, widths: tuple[int, int, int] = (32, 64, 128)
    ) -> None:
        super().__init__()
        a, b, c = widths
        self.down = nn.ModuleList([Level(channels, a), Level(a, b), Level(b, c)])
        self.lift = nn.ModuleList([_convolution(c, b, 1), _convolution(b, a, 1)])
        self.up = nn.ModuleList([Level(2 * b, b), Level(2 * a, a)])
        self.last = _convolution(a, 1)
        self.mixture = _convolution(channels, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.constant_(self.mixture.weight, 1 / max(1, channels - noise_channels))
        with torch.no_grad():
            self.mixture.weight[:, -noise_channels:] = 0  # they are no perfusion
        self.spread = nn.Sequential(nn.Conv3d(a + channels + 1, 16, 1), nn.ReLU(), nn.Conv3d(16, 1, 1))

    def load_earlier(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take the weights of a network of fewer input channels, those that came since behind them.

        The new channels have weights of zero: the estimate and its SD are those of the earlier network.
        """
        state = dict(state)
        more = self.mixture.weight.shape[1] - state["mixture.weight"].shape[1]
        for name in ("mixture.weight", "down.0.first.weight", "down.0.past.weight"):
            state[name] = _with_nothing(state[name], more, before=state[name].shape[1])
        name = "spread.0.weight"  # sees the features, the input, and at last the estimate
        state[name] = _with_nothing(state[name], more, before=state[name].shape[1] - 1)
        self.load_state_dict(state)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        size = x.shape[-3:]
        x = pad_to_multiple(x, (2, 4, 4))
        fine = self.down[0](x)
        middle = self.down[1](F.avg_pool3d(fine, self.POOLS[0]))
        coarse = self.down[2](F.avg_pool3d(middle, self.POOLS[1]))
        middle = self.up[0](torch.cat([middle, _upsampled(self.lift[0](coarse), self.POOLS[1])], dim=1))
        fine = self.up[1](torch.cat([fine, _upsampled(self.lift[1](middle), self.POOLS[0])], dim=1))
        estimate = self.mixture(x) + self.last(fine)
        features = torch.cat([fine, x, estimate], dim=1).detach()
        spread = F.softplus(self.spread(features).float()) + 1e-3
        return crop_like(estimate, size), crop_like(spread, size)


def _with_nothing(weight: torch.Tensor, more: int, *, before: int) -> torch.Tensor:
    """A convolution's weights with `more` input channels of zeros before that of the index `before`."""
    nothing = weight.new_zeros((weight.shape[0], more, *weight.shape[2:]))
    return torch.cat([weight[:, :before], nothing, weight[:, before:]], dim=1)


def _upsampled(x: torch.Tensor, factor: tuple[int, int, int]) -> torch.Tensor:
    return F.interpolate(x, scale_factor=[float(f) for f in factor], mode="nearest")
