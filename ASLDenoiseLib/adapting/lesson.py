"""What scans teach with: groups of their pairs, samples of halves, pairs that watch, lesions that ask how far to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..denoising.catalogue import ModelCard
from ..progress import Progress, silent
from .caution import Probe, draw_probes
from .groups import Groups, draw_groups
from .samples import LearningSample, draw_samples
from .scan import AdaptationScan
from .watching import Watched, watch

SAMPLES = 12  # a scan


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that is drawn of the scans that teach; a generator in the same state draws the same.

    Args:
        groups: of each scan's pairs.
        samples: of all scans, of the pairs that teach.
        watched: the pairs of each scan that say when to stop.
        probes: lesions in the pairs that teach.
    """

    groups: tuple[Groups, ...]
    samples: list[LearningSample]
    watched: list[Watched]
    probes: list[Probe]

    @classmethod
    def drawn(
        cls,
        card: ModelCard,
        teaching: Sequence[AdaptationScan],
        rng: np.random.Generator,
        progress: Progress = silent,
    ) -> Lesson:
        """Of the scans that teach, as a model's network sees them.

        Raises:
            InputError: a scan has fewer than eight pairs that count.
        """
        groups = tuple(draw_groups(scan, rng) for scan in teaching)
        samples, watched = [], []
        for n, (scan, parts) in enumerate(zip(teaching, groups, strict=True)):
            progress(n / len(teaching), f"halves of {scan.name}")
            samples += draw_samples(card, scan, parts.learn, SAMPLES, rng)
            watched.append(watch(card, scan, parts.learn, parts.watch))
        probes = draw_probes(card, teaching, [parts.learn for parts in groups], rng)
        return cls(groups, samples, watched, probes)
