"""Running a trained denoiser over the mean differences of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..compute import Compute
from ..errors import InputError
from ..preparing.averaging import Averages, post_average, pre_average
from ..progress import Progress, silent
from ..remedies import Advice, GiveImage
from ..series import ASLSeries, Volume
from .catalogue import ModelCard, load_model
from .families.mean import Mean, Prediction

if TYPE_CHECKING:
    import torch


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
    compute: Compute | None = None,
    device: str = "cpu",
    group: int | None = None,
    interleaved: bool = False,
    weights: np.ndarray | None = None,
    m0: Volume | None = None,
    guides: Sequence[Volume] = (),
    network: torch.nn.Module | None = None,
    progress: Progress = silent,
) -> DenoisingResult:
    """Pre-average, denoise each group, post-average.

    The output keeps the input's units, whatever the network's family scales by; NaN voxels stay NaN.

    Args:
        pairs: perfusion differences (N, K, J, I).
        brain: 0/1 mask on the same grid.
        card: the model.
        compute: where the network runs; out of memory it falls back to smaller portions, then the CPU.
        device: ``cpu``, ``cuda`` or ``mps``, where no `compute` is given.
        group: differences averaged before the network; None all of them.
        interleaved: how groups are taken (`preparing.averaging.pre_average`).
        weights: how much of each difference counts, (N, K, 1, 1) or (N, K, J, I); None all of all.
        m0, guides: further images on the same grid, for models that use them.
        network: of the card's architecture with weights of its own, such as adapted ones; it is put on the device and
            into evaluation mode, and left there. None loads the bundle's.
        progress: told where the run is.

    Raises:
        InputError: the mask is empty, the differences are all zero in it, or the model needs an M0 that is not given.
    """
    family, compute = card.family, compute or Compute(device)
    if "m0" in family.needs and m0 is None:
        raise InputError(
            f"Model {card.name} needs the M0 image and the series has none",
            [GiveImage("m0", "give it"), Advice("choose a model that needs none")],
        )
    averages = pre_average(pairs, size=group, interleaved=interleaved, weights=weights)
    network = load_model(card, device=compute.device) if network is None else network.to(compute.device).eval()
    predictions = []
    for g, (array, count) in enumerate(zip(averages.array, averages.counts, strict=True)):
        mean = Mean(array, int(count), pairs, brain, card, m0, tuple(guides), weights)
        predictions.append(family.predict(mean, network, compute))
        progress((g + 1) / len(averages.array), f"denoised {g + 1} of {len(averages.array)}")
    mean = post_average(replace(averages, array=np.stack([p.array for p in predictions])))
    difference = Volume(mean, pairs.geometry, name="denoised difference")
    uncertainty = _uncertainty(pairs, averages, predictions) if family.gives_uncertainty else None
    return DenoisingResult(difference, compute.device, tuple(p.scale for p in predictions), uncertainty)


def _uncertainty(pairs: ASLSeries, averages: Averages, predictions: Sequence[Prediction]) -> Volume:
    """The SD of the post-average: errors of groups add up as independent ones do."""
    shares = averages.weights / np.maximum(averages.weights.sum(axis=0), 1e-6)
    sd = np.sqrt(np.sum((shares * np.stack([p.uncertainty for p in predictions])) ** 2, axis=0))
    return Volume(sd.astype(np.float32), pairs.geometry, name="uncertainty of the denoised difference")
