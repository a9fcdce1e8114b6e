"""The SD that an adapted network tells of its error, held against pairs that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import torch

from ..compute import Compute
from ..denoising.catalogue import ModelCard
from ..denoising.noise_level import noise_level
from .groups import raw_mean
from .scan import AdaptationScan
from .watching import Watched, answer

LEVEL = 0.95
FURTHEST = 2.0  # times the factor that the network came with, or one over it
_LIMIT = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def noise_of_mean(scan: AdaptationScan) -> np.ndarray:
    """The SD (K, J, I) of the noise of the mean of a scan's pairs, each voxel's drawn towards its neighbours'."""
    inside = (scan.brain.array > 0) & np.isfinite(raw_mean(scan).array)
    return noise_level(scan.pairs.array, inside, scan.pairs.geometry, scan.weights).own


def found_factor(network: torch.nn.Module, card: ModelCard, watched: Sequence[Watched], compute: Compute) -> float:
    """What the network's SD is multiplied by so that, with the noise of unseen pairs, 95 % of them lie within 1.96.

    Where their noise drowns the network's error it cannot be told; it stays between half and twice what it was.
    """
    stated = float(card.metadata.get("uncertainty_factor", 1.0))
    apart, own, noise = [], [], []
    for each in watched:
        estimate, sd = answer(network, card, each, compute)
        mean, error = raw_mean(each.scan).array, noise_of_mean(each.scan)
        known = (each.blocks >= 0) & np.isfinite(estimate) & np.isfinite(mean) & (error > 0)
        apart.append((np.abs(mean - estimate) / each.unit)[known])
        own.append((sd / each.unit)[known])
        noise.append((error / each.unit)[known])
    distance, deviation, other = (np.concatenate(parts).astype(np.float64) for parts in (apart, own, noise))
    if not distance.size:
        return stated
    low, high = stated / FURTHEST, stated * FURTHEST
    for _ in range(30):  # more factor, more within
        middle = (low * high) ** 0.5
        within = np.mean(distance <= _LIMIT * np.hypot(middle * deviation, other))
        low, high = (middle, high) if within < LEVEL else (low, middle)
    return float(round((low * high) ** 0.5, 4))
