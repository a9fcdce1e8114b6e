"""What adapting makes small: an error against noisy targets whose expectation is smallest at the truth's mean.

Both terms are squares of what is linear in the error, so that the target's independent noise adds a constant and moves
nothing. An absolute error would settle on the median of the noise.
"""

from __future__ import annotations

import torch

from ..denoising.gaussian_windows import gaussian_window

LOCAL_SD = 2.0  # voxels, in plane; half of it between slices
LOCAL_WEIGHT = 1.0  # of each region's local averages, against the voxels
MEAN_WEIGHT = 10.0  # of each region's mean
FEW = 500.0  # voxels: a region of so many weighs half, since the target's noise is what its averages mostly show


def noisy_target_loss(
    error: torch.Tensor,
    weight: torch.Tensor,
    regions: torch.Tensor,
    *,
    local: float = LOCAL_WEIGHT,
    mean: float = MEAN_WEIGHT,
) -> torch.Tensor:
    """Mean squared error, plus that of its local averages within the brain and within each region.

    Args:
        error: (B, 1, K, J, I) estimate minus target, in units of the input's noise.
        weight: (B, 1, K, J, I) one where it counts.
        regions: (B, R, K, J, I) further regions, 0..1.
        local: weight of each region's local averages.
        mean: of its mean.
    """
    error = error * weight
    count = weight.sum(dim=(1, 2, 3, 4)).clamp_min(1)
    loss = error.square().sum(dim=(1, 2, 3, 4)) / count
    every = torch.cat([weight, regions], dim=1)
    total = every.sum(dim=(2, 3, 4))
    share = total / (total + FEW)
    total = total.clamp_min(1e-3)
    window = gaussian_window(error.shape[-3:], error.new_tensor([[LOCAL_SD / 2, LOCAL_SD, LOCAL_SD]]))
    nearby = (window(error * every) / (window(every) + 0.02)).square()
    averages = (nearby * every).sum(dim=(2, 3, 4)) / total
    means = ((error * every).sum(dim=(2, 3, 4)) / total).square()
    return (loss + (share * (local * averages + mean * means)).sum(dim=1)).mean()
