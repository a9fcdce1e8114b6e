"""Feeding networks that see one slice, or a slab of three, at a time."""

from __future__ import annotations

import numpy as np
import torch

from ..gaussian_windows import window_of_mm
from .mean import Mean, Prediction, brain_box, brain_scale, filled, placed
from .memory import run_network


def feed_slices(mean: Mean, network: torch.nn.Module, device: str) -> Prediction:
    """Slice by slice over the brain's box, divided by the brain mean; smoothed first where the card asks for it."""
    scale = brain_scale(mean.array, mean.brain)
    box = brain_box(mean.brain)
    stack = torch.from_numpy(np.ascontiguousarray(_smoothed(mean)[box] / scale))[:, None]
    result, device = run_network(network, stack, device=device)
    return Prediction(placed(result[:, 0].numpy() * scale, box, mean.array), device, scale)


def feed_slabs(mean: Mean, network: torch.nn.Module, device: str) -> Prediction:
    """Three adjacent slices for each one wanted, over the brain's box; the outermost slices of the scan repeated."""
    scale = brain_scale(mean.array, mean.brain)
    box = brain_box(mean.brain)
    whole = torch.from_numpy(np.ascontiguousarray(filled(mean.array)[:, box[1], box[2]] / scale))
    middle = torch.arange(box[0].start, box[0].stop)
    near = (middle[:, None] + torch.arange(-1, 2)).clamp(0, len(whole) - 1)
    result, device = run_network(network, whole[near], device=device)
    return Prediction(placed(result[:, 0].numpy() * scale, box, mean.array), device, scale)


def _smoothed(mean: Mean) -> np.ndarray:
    """The mean after the in-plane Gaussian that the model's inputs had in training, zero where not measured."""
    array, width = filled(mean.array), float(mean.card.metadata.get("input_smoothing_mm", 0.0) or 0.0)
    if width <= 0:
        return array
    sx, sy, _ = mean.pairs.geometry.spacing
    spacing = torch.tensor([[1e6, sy, sx]])  # slices do not mix
    return window_of_mm(array.shape, spacing, width)(torch.from_numpy(array)[None, None])[0, 0].numpy()
