"""What gains alone gave, and what all weights gave on top, whether the adaptation kept them or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ASLDenoiseLib.adapting.adapt import judge
from ASLDenoiseLib.adapting.adaptation import Adaptation
from ASLDenoiseLib.adapting.caution import as_far_as_lesions_allow
from ASLDenoiseLib.adapting.handed_on import adapted, network_as_it_was
from ASLDenoiseLib.adapting.lesson import Lesson
from ASLDenoiseLib.adapting.scan import AdaptationScan
from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.denoising.catalogue import ModelCard

from .adapting_figures import BeforeAfter, gains_told_and_true
from .cases import Case


def way_rows(
    card: ModelCard,
    adaptation: Adaptation,
    scans: Sequence[AdaptationScan],
    unseen: Sequence[Case],
    compute: Compute,
    *,
    seed: int = 0,
) -> list[dict]:
    """A row a way that was tried, in order, as plain JSON.

    `watched` and `on_top` are dB over what was kept before it, on the pairs that watch and on unseen scans; `share`,
    `true` (dB over the model as it was) and `verdict` are of what lesions allow of it.

    Args:
        card: the model that was adapted.
        adaptation: with what was tried.
        scans: that it was adapted to, by `seed`, which draws the same pairs and lesions again here.
        unseen: whose truth is known.
        compute: where.
        seed: of the adaptation.
    """
    rows, start = [], network_as_it_was(card, compute)
    before, tuned = start, adaptation.tuned
    chosen = [attempt for attempt in tuned.tried if attempt.kept][-1:]
    for attempt in tuned.tried:
        way = replace(tuned, way=attempt.way, steps=attempt.steps, weights=attempt.weights, tried=())
        after = adapted(card, way, compute)
        if attempt in chosen:
            allowed, share, verdict = tuned, adaptation.saw["share_of_learning"], adaptation.verdict
        else:
            rng = np.random.default_rng(seed)
            lesson = Lesson.drawn(card, scans[:-1], rng)
            allowed, share = as_far_as_lesions_allow(card, way, lesson.probes, lesson.watched, compute)
            verdict = judge(card, allowed, scans, lesson.groups, compute=compute, rng=rng)
        both = BeforeAfter(start, adapted(card, allowed, compute))
        true = gains_told_and_true(unseen, both)["true (dB)"] if share else 0.0
        rows.append(
            {
                "way": attempt.way,
                "steps": attempt.steps,
                "kept": attempt.kept,
                "watched": [attempt.gain, attempt.error],
                "on_top": gains_told_and_true(unseen, BeforeAfter(before, after)),
                "share": share,
                "true": true,
                "verdict": verdict.to_plain(),
            }
        )
        before = after
    return rows
