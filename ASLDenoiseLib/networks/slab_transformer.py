"""A window-attention transformer over slabs of three slices (SwinIR's form, built from MONAI's blocks)."""

from __future__ import annotations

import torch
from monai.networks.nets.swin_unetr import SwinTransformerBlock, compute_mask, get_window_size
from torch import nn

from .layers import crop_like, pad_to_multiple, start_at_zero


class _ResidualGroup(nn.Module):
    """Window-attention blocks, every second one shifted by half a window, then a 3x3 convolution, plus the input."""

    def __init__(self, channels: int, *, depth: int, heads: int, window: int, mlp_ratio: float) -> None:
        super().__init__()
        self.window = (window, window)
        shifts = [(0, 0) if n % 2 == 0 else (window // 2, window // 2) for n in range(depth)]
        self.blocks = nn.ModuleList(
            [SwinTransformerBlock(channels, heads, self.window, shift, mlp_ratio=mlp_ratio) for shift in shifts]
        )
        self.mix = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = tuple(x.shape[-2:])
        half = tuple(w // 2 for w in self.window)
        # MONAI masks by -100, whose exponential is a denormal number: several times slower on a CPU than a true zero.
        mask = 10 * compute_mask(shape, *get_window_size(shape, self.window, half), x.device)
        features = x.movedim(1, -1).contiguous()
        for block in self.blocks:
            features = block(features, mask)
        return x + self.mix(features.movedim(-1, 1))


class SlabTransformer(nn.Module):
    """Three adjacent slices in, the middle one out; 898,873 parameters.

    A 3x3 convolution to 84 channels, two groups of six window-attention blocks (window 8, 6 heads, MLP ratio 2), each
    group closed by a 3x3 convolution and a residual connection, layer normalisation, a 3x3 convolution added to the
    first one's result, a last 3x3 convolution, added to the middle slice. The last convolution starts at zero, so that
    an untrained network changes nothing.

    Source: Shou et al., Transformer-based deep learning denoising of single and multi-delay 3D ASL, MRM 2024 (depths,
    heads, embedding, window), after Liang et al., SwinIR, 2021. Their rescaling of each output slice by least squares
    is left out, because it would hide a bias.

    Args of forward: x (B, 3, J, I), any J and I (padded to multiples of the window within); returns (B, 1, J, I).
    """

    def __init__(
        self,
        *,
        slices: int = 3,
        channels: int = 84,
        depths: tuple[int, ...] = (6, 6),
        heads: int = 6,
        window: int = 8,
        mlp_ratio: float = 2.0,
    ) -> None:
        super().__init__()
        self.window, self.middle = window, slices // 2
        self.head = nn.Conv2d(slices, channels, 3, padding=1)
        self.norm_in = nn.LayerNorm(channels)
        self.groups = nn.ModuleList(
            [_ResidualGroup(channels, depth=d, heads=heads, window=window, mlp_ratio=mlp_ratio) for d in depths]
        )
        self.norm_out = nn.LayerNorm(channels)
        self.join = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = start_at_zero(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape, middle = x.shape[-2:], x[:, self.middle : self.middle + 1]
        first = self.head(pad_to_multiple(x, (self.window, self.window)))
        features = _over_channels(self.norm_in, first)
        for group in self.groups:
            features = group(features)
        features = first + self.join(_over_channels(self.norm_out, features))
        return middle + crop_like(self.tail(features), shape)


def _over_channels(norm: nn.LayerNorm, x: torch.Tensor) -> torch.Tensor:
    """Normalise each voxel; in float32, and so is all that is added to it (bfloat16 loses the norms' gradients)."""
    return norm(x.movedim(1, -1).float()).movedim(-1, 1)
