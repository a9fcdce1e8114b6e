"""Running a trained 2D denoiser over the mean differences of a series."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..preparing.averaging import Averages, post_average, pre_average
from ..running.progress import Progress, silent
from ..series import ASLSeries, Volume
from .catalogue import ModelCard, load_model

if TYPE_CHECKING:
    import torch

_log = logging.getLogger(__name__)
_MARGIN = 8  # voxels around the brain that the network still sees
_BATCH = 16  # slices at once; halved when memory runs out


@dataclass(frozen=True, eq=False)
class Denoised:
    """A denoised mean difference, the device it ran on in the end, and the scales recorded a group."""

    difference: Volume
    device: str
    scales: tuple[float, ...]


def denoise_pairs(
    pairs: ASLSeries,
    brain: Volume,
    card: ModelCard,
    *,
    device: str = "cpu",
    group: int | None = None,
    interleaved: bool = False,
    progress: Progress = silent,
) -> Denoised:
    """Pre-average, denoise each group, post-average.

    Each group is divided by its mean in the brain before the network and multiplied back after, so that the output
    keeps the input's units; NaN voxels stay NaN.

    Args:
        pairs: perfusion differences (N, K, J, I).
        brain: 0/1 mask on the same grid.
        card: the model.
        device: ``cpu``, ``cuda`` or ``mps``; running out of its memory retreats to smaller batches, then the CPU.
        group: differences averaged before the network; None all of them.
        interleaved: how groups are taken (`preparing.averaging.pre_average`).

    Raises:
        InputError: the mask is empty, or the differences are all zero in it.
    """
    averages = pre_average(pairs, size=group, interleaved=interleaved)
    network = load_model(card, device=device)
    outputs, scales = [], []
    for g, array in enumerate(averages.array):
        scale = _scale_of(array, brain)
        clean, device = _denoise_array(array / scale, brain, network, device)
        outputs.append(clean * scale)
        scales.append(scale)
        progress((g + 1) / len(averages.array), f"denoised {g + 1} of {len(averages.array)}")
    mean = post_average(Averages(np.stack(outputs), averages.counts))
    return Denoised(Volume(mean, pairs.geometry, name="denoised difference"), device, tuple(scales))


def _scale_of(array: np.ndarray, brain: Volume) -> float:
    """The mean of the brain; where it is not positive (swapped or no perfusion) the mean magnitude instead."""
    inside = array[brain.array > 0]
    inside = inside[np.isfinite(inside)]
    if not inside.size or not np.any(inside):
        raise InputError("The perfusion difference is empty in the brain mask; check the series and its M0.")
    mean, magnitude = float(inside.mean()), float(np.abs(inside).mean())
    return mean if mean > 0.05 * magnitude else magnitude


def _denoise_array(array: np.ndarray, brain: Volume, network: torch.nn.Module, device: str) -> tuple[np.ndarray, str]:
    """Denoise a scaled mean difference (K, J, I) slice by slice, over the brain's box."""
    import torch

    missing = ~np.isfinite(array)
    filled = np.where(missing, 0, array).astype(np.float32)
    box = _brain_box(brain.array > 0)
    stack = torch.from_numpy(np.ascontiguousarray(filled[box]))[:, None]
    result, device = run_network(network, stack, device=device)
    output = filled.copy()  # outside the box nothing was denoised: passed on as it is
    output[box] = result[:, 0].numpy()
    output[missing] = np.nan
    return output, device


def _brain_box(inside: np.ndarray) -> tuple[slice, slice, slice]:
    where = np.argwhere(inside)
    if not where.size:
        raise InputError("The brain mask is empty; give an M0 or a mask that covers the brain.")
    low = np.maximum(where.min(axis=0) - (0, _MARGIN, _MARGIN), 0)
    high = np.minimum(where.max(axis=0) + 1 + (0, _MARGIN, _MARGIN), inside.shape)
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True))


def run_network(network: torch.nn.Module, stack: torch.Tensor, *, device: str) -> tuple[torch.Tensor, str]:
    """`network` over (B, 1, J, I) in batches; on running out of memory smaller batches, then the CPU, said aloud."""
    import torch

    batch = _BATCH
    while True:
        try:
            with torch.inference_mode():
                parts = [network(part.to(device)).float().cpu() for part in stack.split(batch)]
            return torch.cat(parts), device
        except torch.OutOfMemoryError:
            if device == "cuda":
                torch.cuda.empty_cache()
            if batch > 1:
                batch //= 2
            elif device != "cpu":
                batch, device, network = _BATCH, "cpu", network.to("cpu")
            else:
                raise
            _log.warning("Out of memory: going on with %d slices at once on %s.", batch, device)
