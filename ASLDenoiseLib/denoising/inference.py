"""Running a trained denoiser over the mean differences of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..preparing.averaging import Averages, post_average, pre_average
from ..progress import Progress, silent
from ..series import ASLSeries, Volume
from .catalogue import ModelCard, load_model
from .feeding import find_feeder
from .feeding.mean import Mean


@dataclass(frozen=True, eq=False)
class DenoisingResult:
    """A denoised mean difference, the device it ran on in the end, and the scales recorded a group.

    `uncertainty` is the SD of its error in the same units, from networks that estimate it.
    """

    difference: Volume
    device: str
    scales: tuple[float, ...]
    uncertainty: Volume | None = None


def denoise_pairs(
    pairs: ASLSeries,
    brain: Volume,
    card: ModelCard,
    *,
    device: str = "cpu",
    group: int | None = None,
    interleaved: bool = False,
    weights: np.ndarray | None = None,
    m0: Volume | None = None,
    guides: Sequence[Volume] = (),
    progress: Progress = silent,
) -> DenoisingResult:
    """Pre-average, denoise each group, post-average.

    The output keeps the input's units, whatever the network's feeder scales by; NaN voxels stay NaN.

    Args:
        pairs: perfusion differences (N, K, J, I).
        brain: 0/1 mask on the same grid.
        card: the model.
        device: ``cpu``, ``cuda`` or ``mps``; running out of its memory retreats to smaller portions, then the CPU.
        group: differences averaged before the network; None all of them.
        interleaved: how groups are taken (`preparing.averaging.pre_average`).
        weights: how much of each difference counts, (N, K, 1, 1) or (N, K, J, I); None all of all.
        m0, guides: further images on the same grid, for models that use them.
        progress: told where the run is.

    Raises:
        InputError: the mask is empty, the differences are all zero in it, or the model needs an M0 that is not given.
    """
    averages = pre_average(pairs, size=group, interleaved=interleaved, weights=weights)
    network, feed = load_model(card, device=device), find_feeder(card.network)
    fed = []
    for g, (array, count) in enumerate(zip(averages.array, averages.counts, strict=True)):
        mean = Mean(array, int(count), pairs, brain, card, m0, tuple(guides), weights)
        fed.append(feed(mean, network, device))
        device = fed[-1].device
        progress((g + 1) / len(averages.array), f"denoised {g + 1} of {len(averages.array)}")
    mean = post_average(replace(averages, array=np.stack([f.array for f in fed])))
    difference = Volume(mean, pairs.geometry, name="denoised difference")
    return DenoisingResult(difference, device, tuple(f.scale for f in fed), _uncertainty(pairs, averages, fed))


def _uncertainty(pairs: ASLSeries, averages: Averages, fed: list) -> Volume | None:
    """The SD of the post-average: errors of groups add up as independent ones do."""
    if any(f.uncertainty is None for f in fed):
        return None
    shares = averages.weights / np.maximum(averages.weights.sum(axis=0), 1e-6)
    sd = np.sqrt(np.sum((shares * np.stack([f.uncertainty for f in fed])) ** 2, axis=0))
    return Volume(sd.astype(np.float32), pairs.geometry, name="uncertainty of the denoised difference")
