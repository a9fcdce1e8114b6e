"""What a network learns from: means of some pairs as its family sees them, and the mean of other pairs beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..denoising.catalogue import ModelCard
from ..denoising.families.mean import Mean, brain_box
from ..preparing.averaging import variance_of_mean
from ..series import Tissue
from .groups import draw_halves, part_of, raw_mean
from .scan import AdaptationScan
from .teaching_lesions import teaching_lesions

SHARES = (0.3, 0.7)  # of the pairs in an input: networks see several levels of noise


@dataclass(frozen=True, eq=False)
class LearningSample:
    """An input and a target that share no pair, in the brain's box and in the family's unit.

    Args:
        channels: (C, K, J, I) what the network sees.
        target: (1, K, J, I) mean of other pairs.
        weight: (1, K, J, I) one where both were measured in the brain.
        regions: (5, K, J, I) grey and white matter, lesions darker and brighter, and of the guides alone, within it.
        noise: SD of the input's noise in the family's unit.
        unit: the family's, in scanner units.
        box: of the brain.
    """

    channels: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor
    regions: torch.Tensor
    noise: float
    unit: float
    box: tuple[slice, slice, slice]


def mean_of(card: ModelCard, scan: AdaptationScan) -> Mean:
    """The mean of a scan's pairs as its run would give it to the model; the pairs tell its noise themselves."""
    array, guides = raw_mean(scan).array, scan.guides
    count = len(scan.pairs.context)
    return Mean(array, count, scan.pairs, scan.brain, card, guides.m0, tuple(guides.maps), scan.weights)


def seen_of(card: ModelCard, scan: AdaptationScan) -> tuple[torch.Tensor, float, tuple[slice, slice, slice]]:
    """What the network sees (C, K, J, I) of a scan in its brain's box, the unit in scanner units, and the box."""
    mean, family = mean_of(card, scan), card.family
    sample, unit = family.sample_of(mean)
    seen = family.channels(sample)
    seen = seen.movedim(0, 1) if family.dimensions == 2 else seen[0]
    box = brain_box(mean.brain)
    inside = tuple(slice(None) for _ in box) if seen.shape[1:] == mean.array[box].shape else box
    return seen[(slice(None), *inside)].contiguous(), unit, box


def answer_to(
    network: torch.nn.Module, seen: torch.Tensor, dimensions: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What a network makes of (B, C, K, J, I): the estimate (B, 1, K, J, I), and the SD of its error if it has one."""
    if dimensions == 2:
        b, c, k, j, i = seen.shape
        output = network(seen.movedim(2, 1).reshape(b * k, c, j, i))
        return output.reshape(b, k, 1, j, i).movedim(1, 2), None
    output = network(seen)
    return (output, None) if isinstance(output, torch.Tensor) else (output[0], output[1])


def draw_samples(
    card: ModelCard, scan: AdaptationScan, learn: np.ndarray, count: int, rng: np.random.Generator
) -> list[LearningSample]:
    """About `count` samples of random splits of the pairs at `learn`, each split in both directions.

    Every second split has lesions (`teaching_lesions`): a few healthy scans alone would teach that there are none.
    """
    samples = []
    for n in range(max(1, count // 2)):
        parts = draw_halves(learn, rng.uniform(*SHARES), rng)
        shown, lesions = scan, ()
        if n % 2:
            struck = teaching_lesions(scan, learn, rng)
            shown, lesions = struck.scan, (struck.darker, struck.brighter, struck.painted)
        for given, others in (parts, parts[::-1]):
            samples.append(make_sample(card, shown, given, others, lesions))
    return samples


def make_sample(
    card: ModelCard,
    scan: AdaptationScan,
    given: np.ndarray,
    others: np.ndarray,
    lesions: Sequence[np.ndarray] = (),
) -> LearningSample:
    """The sample whose input are the pairs at `given`, and whose target those at `others`.

    `lesions`, bool (K, J, I), are regions beside the tissues; three of nothing where there are none.
    """
    source, aim = part_of(scan, given), raw_mean(part_of(scan, others)).array
    seen, unit, box = seen_of(card, source)
    unit = unit if unit > 0 else 1.0
    inside = (scan.brain.array > 0) & np.isfinite(raw_mean(source).array) & np.isfinite(aim)
    variance = variance_of_mean(source.pairs.array, source.weights)
    known = variance[inside & np.isfinite(variance)]
    noise = float(np.sqrt(known.mean())) / unit if known.size else 1.0
    return LearningSample(
        seen,
        _tensor(np.where(inside, aim / unit, 0)[box]),
        _tensor(inside[box]),
        _regions(scan.tissue, lesions or (np.zeros_like(inside),) * 3, inside, box),
        noise if noise > 0 else 1.0,
        unit,
        box,
    )


def _regions(
    tissue: Tissue, lesions: Sequence[np.ndarray], inside: np.ndarray, box: tuple[slice, slice, slice]
) -> torch.Tensor:
    known = [np.nan_to_num(tissue.gm.array), np.nan_to_num(tissue.wm.array), *lesions]
    return torch.cat([_tensor(np.where(inside, each, 0)[box]) for each in known])


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array, np.float32))[None]
