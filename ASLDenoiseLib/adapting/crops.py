"""Random crops of learning samples, as a step of training sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from .samples import LearningSample

CROP = (16, 40, 40)  # voxels (K, J, I), at most


def crops_of(
    samples: Sequence[LearningSample], dimensions: int, rng: np.random.Generator, *, size: tuple[int, int, int] = CROP
) -> Iterator[tuple[torch.Tensor, ...]]:
    """Channels, target, weight, regions (1, *, K, J, I) and noise of random crops, without end.

    The brain is mirrored at random along i; for networks of slices, which know no up and down, along j too.
    """
    axes = (3, 2) if dimensions == 2 else (3,)
    while True:
        sample = samples[int(rng.integers(len(samples)))]
        shape = sample.channels.shape[1:]
        cut = [min(most, n) for most, n in zip(size, shape, strict=True)]
        start = [int(rng.integers(n - c + 1)) for n, c in zip(shape, cut, strict=True)]
        where = (slice(None), *(slice(a, a + c) for a, c in zip(start, cut, strict=True)))
        flipped = [axis for axis in axes if rng.random() < 0.5]
        parts = (sample.channels, sample.target, sample.weight, sample.regions)
        yield (*(part[where].flip(flipped)[None] for part in parts), torch.tensor(sample.noise))
