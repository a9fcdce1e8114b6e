"""What adapting makes small: an error against noisy targets whose expectation is smallest at the truth's mean.

Both terms are squares of what is linear in the error, so that the target's independent noise adds a constant and moves
nothing. An absolute error would settle on the median of the noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..denoising.gaussian_windows import gaussian_window

LOCAL_SD = 2.0  # voxels, in plane; half of it between slices
# Of brain, grey matter, white matter, darker and brighter lesions, lesions of guides alone, against the voxels
LOCAL_WEIGHTS = (1.0, 1.0, 1.0, 2.0, 2.0, 2.0)  # of a region's local averages
MEAN_WEIGHTS = (3.0, 3.0, 3.0, 1.0, 1.0, 1.0)  # of its mean
FEW = 500.0  # voxels: a region of so many weighs half, since the target's noise is what its averages mostly show


def noisy_target_loss(
    error: torch.Tensor,
    weight: torch.Tensor,
    regions: torch.Tensor,
    *,
    local: Sequence[float] = LOCAL_WEIGHTS,
    mean: Sequence[float] = MEAN_WEIGHTS,
) -> torch.Tensor:
    """Mean squared error, plus that of its local averages within the brain and within each region.

    Args:
        error: (B, 1, K, J, I) estimate minus target, in units of the input's noise.
        weight: (B, 1, K, J, I) one where it counts.
        regions: (B, R, K, J, I) up to five further regions, 0..1.
        local: weights of the local averages of the brain and of each region.
        mean: of their means.
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
    local, mean = (error.new_tensor(each[: every.shape[1]]) for each in (local, mean))
    return (loss + (share * (local * averages + mean * means)).sum(dim=1)).mean()
