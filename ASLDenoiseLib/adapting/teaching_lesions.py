"""Lesions that every pair has, and lesions that the guides alone have: what a few healthy scans cannot teach.

Learning from noise on a few healthy scans makes a network sure of what those scans look like, and small lesions pay.
A lesion that is added to all pairs, input and target alike, is part of the truth to be learned, and the guides do not
know of it; one that is painted into the guides alone is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..measuring.masks import FEWEST_VOXELS
from .groups import part_of, raw_mean
from .implants import guides_with_lesions, m0_with_lesions, sphere, spread_places, with_added
from .scan import AdaptationScan

DIAMETERS = (2.5, 8.0)  # voxels
CHANGES = (-0.9, 1.3)  # of the tissue's perfusion
LEAST_CHANGE = 0.3
PERFUSED, PAINTED = 10, 5  # lesions a scan, at most
_APART = 20.0  # mm


@dataclass(frozen=True, eq=False)
class TeachingScan:
    """A scan with lesions, and where they are: bool (K, J, I), darker and brighter ones, and those of the guides."""

    scan: AdaptationScan
    darker: np.ndarray
    brighter: np.ndarray
    painted: np.ndarray


def teaching_lesions(scan: AdaptationScan, learn: np.ndarray, rng: np.random.Generator) -> TeachingScan:
    """Lesions of perfusion in all pairs, and others in the guides alone.

    What a lesion is a share of is the mean of grey or white matter over the whole brain, of the pairs at `learn`: a
    local mean would carry noise that input and target share.
    """
    brain = scan.brain.array > 0
    geometry, seed = scan.pairs.geometry, int(rng.integers(2**31))
    places = spread_places(brain, geometry, PERFUSED + PAINTED, apart=_APART, seed=seed)
    balls = [sphere(geometry, place, float(np.exp(rng.uniform(*np.log(DIAMETERS))))) & brain for place in places]
    painted = balls[2::3]
    base, added = tissue_perfusion(part_of(scan, learn)), np.zeros(brain.shape, np.float32)
    for ball in (*balls[::3], *balls[1::3]):
        low, high = ((CHANGES[0], -LEAST_CHANGE), (LEAST_CHANGE, CHANGES[1]))[int(rng.random() < 0.5)]
        added += rng.uniform(low, high) * base * ball * (added == 0)
    painted = [clear for ball in painted if (clear := ball & (added == 0)).any()]
    if painted:
        change: Callable = m0_with_lesions if rng.random() < 0.5 else guides_with_lesions
        scan = replace(scan, guides=change(scan.guides, painted))
    where = np.any(painted, axis=0) if painted else np.zeros_like(brain)
    return TeachingScan(with_added(scan, added), added < 0, added > 0, where)


def tissue_perfusion(scan: AdaptationScan) -> np.ndarray:
    """The difference (K, J, I) if grey and white matter were each perfused alike everywhere; zero outside the brain."""
    mean = raw_mean(scan).array
    known = (scan.brain.array > 0) & np.isfinite(mean)
    parts = np.stack([np.nan_to_num(each.array)[known] for each in (scan.tissue.gm, scan.tissue.wm)], axis=1)
    if (parts.sum(axis=0) < FEWEST_VOXELS).any():
        parts = np.ones((len(parts), 1))
    levels = np.linalg.lstsq(parts, mean[known], rcond=None)[0]
    base = np.zeros(known.shape, np.float32)
    base[known] = np.clip(parts @ levels, 0, None)
    return base
