"""Feeding the default model: the mean in units of its own noise, with averages of it that T1 and M0 have drawn."""

from __future__ import annotations

import numpy as np
import torch

from ..guiding import Guides, channels, m0_features, t1_features
from ..noise_level import noise_level
from .mean import Mean, Prediction, brain_box, brain_scale, filled, placed
from .memory import run_on_volume


class _Stacked(torch.nn.Module):
    """Estimate and SD as two channels of one output, so that patches of both are blended alike."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([part.float() for part in self.network(x)], dim=1)


def feed_guided(mean: Mean, network: torch.nn.Module, device: str) -> Prediction:
    """One pass over the brain's box. Outside the brain nothing changes, and nothing is said of its error.

    The noise comes from the spread of the pairs; that of the mean of some of them is larger by the root of the ratio.
    """
    brain_scale(mean.array, mean.brain)  # refuses what is empty
    inside = (mean.brain.array > 0) & np.isfinite(mean.array)
    total = len(mean.pairs.array)
    pairs, weights = (mean.pairs.array, mean.weights) if total > 1 else (mean.array[None], None)
    level = noise_level(pairs, inside, mean.pairs.geometry, weights)
    sigma = level.sigma * (total / mean.count) ** 0.5 if level.source == "pairs" else level.sigma
    if not sigma > 0:  # no noise at all: nothing to take away
        return Prediction(mean.array.astype(np.float32), device, 1.0, np.where(inside, 0.0, np.nan).astype(np.float32))
    box = brain_box(mean.brain)

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(filled(array[box])))[None, None]

    mask = tensor(inside)
    spacing = torch.tensor([mean.pairs.geometry.spacing[::-1]], dtype=torch.float32)
    nothing = torch.zeros((1, 2, *mask.shape[2:]))
    classes = [tensor(g.array) for g in mean.guides]
    features = Guides(
        t1_features(torch.cat(classes, dim=1), mask) if classes else nothing,
        m0_features(tensor(mean.m0.array), mask, spacing) if mean.m0 is not None else nothing,
    )
    local, fine = tensor(level.local / level.sigma), tensor(level.fine / level.sigma)
    noise = torch.cat([local, fine, level.blurred * local], dim=1)
    inputs = channels(tensor(mean.array / sigma) * mask, noise, mask, features, spacing)
    output, device = run_on_volume(_Stacked(network), inputs, device=device)
    estimate, spread = (output[0, n].numpy() * sigma for n in range(2))
    within = inside[box]
    array = placed(np.where(within, estimate, mean.array[box]), box, mean.array)
    sd = np.full(mean.array.shape, np.nan, np.float32)
    factor = float(mean.card.metadata.get("uncertainty_factor", 1.0))
    sd[box] = np.where(within, factor * spread, np.nan)
    return Prediction(array, device, sigma, sd)
