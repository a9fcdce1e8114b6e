"""Feeding networks that see the whole volume."""

from __future__ import annotations

import numpy as np
import torch

from ...errors import InputError
from .mean import Mean, Prediction, brain_box, brain_scale, filled, placed
from .memory import run_on_volume


def feed_volume(mean: Mean, network: torch.nn.Module, device: str) -> Prediction:
    """The brain's box in one piece, divided by the brain mean."""
    return _fed(mean, network, device, ())


def feed_volume_with_m0(mean: Mean, network: torch.nn.Module, device: str) -> Prediction:
    """As `feed_volume`, with the M0, divided by its mean in the brain, as a second channel.

    Raises:
        InputError: the series has no M0.
    """
    if mean.m0 is None:
        raise InputError(
            f"Model {mean.card.name} needs the M0 image and the series has none; give it with --m0, "
            "or choose a model that needs none."
        )
    m0 = filled(mean.m0.array)
    inside = m0[mean.brain.array > 0]
    if not inside.size or inside.mean() <= 0:
        raise InputError("The M0 image is empty in the brain mask; check it, or choose a model that needs none.")
    return _fed(mean, network, device, (m0 / inside.mean(),))


def _fed(mean: Mean, network: torch.nn.Module, device: str, further: tuple[np.ndarray, ...]) -> Prediction:
    scale = brain_scale(mean.array, mean.brain)
    box = brain_box(mean.brain)
    channels = np.stack([channel[box] for channel in (filled(mean.array) / scale, *further)])
    result, device = run_on_volume(network, torch.from_numpy(channels.astype(np.float32))[None], device=device)
    return Prediction(placed(result[0, 0].numpy() * scale, box, mean.array), device, scale)
