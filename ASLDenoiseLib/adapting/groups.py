"""Disjoint groups of a scan's pairs: some teach, some say when to stop, some judge, and none does two of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from ..preparing.averaging import counted_pairs, mean_difference
from ..preparing.pairs import some_pairs
from ..series import Volume
from .scan import AdaptationScan

FEWEST_SCANS = 3  # two teach, and one judges
FEWEST_PAIRS = 8  # of a scan: four teach, two watch, two judge
FEWEST_ALONE = 12  # of a scan that is adapted to by itself
_FEWEST_APART = 2  # to watch or to judge: an error without truth takes two that are disjoint


@dataclass(frozen=True, eq=False)
class Groups:
    """Positions of a scan's pairs by what they are for; each pair is in one of them."""

    learn: np.ndarray
    watch: np.ndarray
    judge: np.ndarray


def counted(scan: AdaptationScan) -> np.ndarray:
    """The positions of the pairs that count: all but those whose weight is zero throughout."""
    return counted_pairs(len(scan.pairs.context), scan.weights)


def draw_groups(scan: AdaptationScan, rng: np.random.Generator) -> Groups:
    """A quarter of the pairs to watch, a quarter to judge, the rest to learn, drawn at random.

    Raises:
        InputError: fewer than eight pairs count.
    """
    pairs = counted(scan)
    if len(pairs) < FEWEST_PAIRS:
        raise InputError(
            f"Of {scan.name} {len(pairs)} pairs count, and adapting takes {FEWEST_PAIRS} or more; leave this scan out."
        )
    apart = max(_FEWEST_APART, len(pairs) // 4)
    drawn = rng.permutation(pairs)
    parts = np.split(drawn, [apart, 2 * apart])
    judge, watch, learn = (np.sort(part) for part in parts)
    return Groups(learn, watch, judge)


def draw_halves(pairs: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random `share` (0..1) of some pairs and the rest of them, each of two at least where there are four."""
    least = min(_FEWEST_APART, len(pairs) // 2)
    size = int(np.clip(round(share * len(pairs)), least, len(pairs) - least))
    drawn = rng.permutation(pairs)
    return np.sort(drawn[:size]), np.sort(drawn[size:])


def part_of(scan: AdaptationScan, positions: np.ndarray) -> AdaptationScan:
    """The scan with some of its pairs, and their weights."""
    weights = None if scan.weights is None else scan.weights[positions]
    return replace(scan, pairs=some_pairs(scan.pairs, positions), weights=weights)


def raw_mean(scan: AdaptationScan) -> Volume:
    """The mean difference of a scan's pairs, NaN where all weights are zero."""
    return mean_difference(scan.pairs, scan.weights)
