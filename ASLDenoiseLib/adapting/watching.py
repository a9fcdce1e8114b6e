"""When to stop, and what a verdict rests on: the unbiased error of a network on pairs that do not teach it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..compute import Compute
from ..denoising.catalogue import ModelCard
from ..denoising.memory import run_network, run_on_volume
from .groups import part_of
from .samples import seen_of
from .scan import AdaptationScan
from .unbiased_error import BlockSums, blocks_of, error_map


@dataclass(frozen=True, eq=False)
class Watched:
    """A mean of some pairs as a network sees it, and other pairs that judge the answer.

    Args:
        scan: with the pairs that judge.
        channels: (C, K, J, I) of the input's pairs, in the brain's box.
        unit: of what the network gives, in scanner units.
        box: of the brain.
        blocks: (K, J, I) of the brain, -1 where it was not measured.
    """

    scan: AdaptationScan
    channels: torch.Tensor
    unit: float
    box: tuple[slice, slice, slice]
    blocks: np.ndarray


def watch(card: ModelCard, scan: AdaptationScan, given: np.ndarray, unseen: np.ndarray) -> Watched:
    """The pairs at `given` for a network to see, and those at `unseen` to judge by."""
    seen, unit, box = seen_of(card, part_of(scan, given))
    inside = scan.brain.array > 0
    blocks = blocks_of(inside, scan.pairs.geometry.spacing[::-1])
    return Watched(part_of(scan, unseen), seen, unit if unit > 0 else 1.0, box, blocks)


def answer(network: torch.nn.Module, card: ModelCard, watched: Watched, compute: Compute) -> np.ndarray:
    """What the network makes of the input, (1 or 2, K, J, I) in scanner units on the whole grid: estimate and SD."""
    seen = watched.channels
    if card.family.dimensions == 2:
        output = run_network(network, seen.movedim(1, 0).contiguous(), compute).movedim(0, 1)
    else:
        output = run_on_volume(network, seen[None], compute)[0]
    array = np.full((len(output), *watched.blocks.shape), np.nan, np.float32)
    array[(slice(None), *watched.box)] = output.numpy() * watched.unit
    return array


def watched_errors(
    network: torch.nn.Module, card: ModelCard, watched: list[Watched], compute: Compute
) -> list[np.ndarray]:
    """The unbiased squared error (K, J, I) of each, in squares of its unit."""
    return [error_map(answer(network, card, w, compute)[0], w.scan) / w.unit**2 for w in watched]


def compared(before: list[np.ndarray], after: list[np.ndarray], watched: list[Watched]) -> BlockSums:
    """Sums over the blocks of all of them."""
    return BlockSums.joined([BlockSums.of(b, a, w.blocks) for b, a, w in zip(before, after, watched, strict=True)])
