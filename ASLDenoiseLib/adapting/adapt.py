"""Adapting a model to the scans of one site, and whether it earned its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..compute import Compute
from ..denoising.adaptable import check_adaptable
from ..denoising.catalogue import ModelCard
from ..errors import InputError
from ..measuring.image_quality import decibels
from ..progress import Progress, silent, span
from ..verdict import Figure, Verdict
from .adaptation import Adaptation, Tuned
from .caution import as_far_as_lesions_allow
from .figures import errors_of, gain_figure, judged_by_groups, judged_by_halves, mean_figures
from .groups import FEWEST_SCANS, Groups, counted, draw_groups
from .handed_on import Denoiser, adapted, network_as_it_was
from .lesson import Lesson
from .safety import (
    another_head_figure,
    coverage_figure,
    guide_lesion_figures,
    lesion_figures,
    noise_figure,
    removed_figure,
)
from .scan import AdaptationScan
from .tuning import TuneSettings, tune

_LEARNING = 0.75  # of the time: the rest is for the verdict


def adapt_to_scans(
    card: ModelCard,
    scans: Sequence[AdaptationScan],
    *,
    max_minutes: float = 20,
    seed: int = 0,
    compute: Compute,
    progress: Progress = silent,
    settings: TuneSettings | None = None,
) -> Adaptation:
    """Adapt a model by learning from noise on the pairs of several scans, the last of which is held out to judge.

    In every other scan, half of the pairs or more teach, by random halves that never meet; a quarter says when to stop;
    a quarter judges. The held-out scan neither teaches nor stops. What is judged is what a run hands on: the network's
    answer with its residual audited.

    Args:
        card: the model to start from; its bundle is left as it is.
        scans: three or more of eight pairs that count, in one way of labelling; the last one is held out.
        max_minutes: of learning and judging; judging takes a few minutes at least, however little it is.
        seed: of the groups, halves and crops.
        compute: where.
        progress: told the steps, what they gained, and the time that is left.
        settings: of the tuning.

    Raises:
        InputError: too few scans or pairs, scans of several ways of labelling, or a model that cannot be adapted.
    """
    check_adaptable(card)
    check_scans(scans)
    rng = np.random.default_rng(seed)
    *teaching, held = scans
    lesson = Lesson.drawn(card, teaching, rng, span(progress, 0.0, 0.05))
    tuned = tune(
        *(card, lesson.samples, lesson.watched),
        compute=compute,
        max_seconds=60 * max_minutes * _LEARNING,
        settings=settings,
        seed=seed,
        progress=span(progress, 0.05, 0.72),
    )
    progress(0.72, "asking how far lesions allow it to go")
    tuned, share = as_far_as_lesions_allow(card, tuned, lesson.probes, lesson.watched, compute)
    verdict = judge(card, tuned, scans, lesson.groups, compute=compute, rng=rng, progress=span(progress, 0.75, 1.0))
    return Adaptation(tuned, verdict, _saw(teaching, lesson.groups, held) | {"share_of_learning": share})


def check_scans(scans: Sequence[AdaptationScan]) -> None:
    """Refuse what cannot be adapted to.

    Raises:
        InputError: fewer than three scans, one of fewer than eight pairs that count, or several ways of labelling.
    """
    if len(scans) < FEWEST_SCANS:
        raise InputError(
            f"Adapting takes {FEWEST_SCANS} scans or more, and there are {len(scans)}; give more scans of this scanner."
        )
    for scan in scans:
        draw_groups(scan, np.random.default_rng(0))  # refuses what is too short
    kinds = {kind.value for scan in scans if (kind := scan.pairs.acquisition.labeling) is not None}
    if len(kinds) > 1:
        raise InputError(
            f"The scans are labelled in several ways ({', '.join(sorted(kinds))}); adapt to those of one way at a time."
        )


def judge(
    card: ModelCard,
    tuned: Tuned,
    scans: Sequence[AdaptationScan],
    groups: Sequence[Groups],
    *,
    compute: Compute,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Verdict:
    """Whether what was learned earned its place, by pairs and a scan that neither taught nor stopped it.

    Args:
        card: the model as it was.
        tuned: what was learned.
        scans: as `adapt_to_scans` takes them; the last one taught nothing.
        groups: of the pairs of each of the others.
        compute: where.
        rng: draws the halves of the last scan, and its noise.
        progress: told what is asked.
    """
    before, (*teaching, held) = network_as_it_was(card, compute), scans
    if tuned.way == "nothing":
        return Verdict((nothing_gained(tuned),))
    after: Denoiser = adapted(card, tuned, compute)
    progress(0.0, "judging by pairs that did not teach")
    apart = [[judged_by_groups(scan, parts, before, after)] for scan, parts in zip(teaching, groups, strict=True)]
    progress(0.2, f"judging by {held.name}, which did not teach")
    halves = judged_by_halves(held, before, after, rng)
    plain = [before(held), after(held)]
    pairs_place = f"unseen pairs of the {len(teaching)} scans that taught"
    scan_place = f"{held.name}, held out whole, half judged by half"
    figures = [
        gain_figure("pairs_gain", pairs_place, errors_of(apart), surely=0),
        gain_figure("scan_gain", scan_place, errors_of([halves]), surely=1),
        *mean_figures(held, *plain),
    ]
    progress(0.4, "asking for lesions")
    figures += lesion_figures(held, before, after, plain)
    progress(0.6, "asking for noise and guides")
    figures.append(noise_figure(held, before, after, rng))
    figures += guide_lesion_figures(held, before, after, plain)
    figures += [removed_figure(held, plain), coverage_figure(halves)]
    progress(0.85, "asking for another head's T1")
    figures.append(another_head_figure(halves[0], before, after, teaching))
    progress(1.0, "judged")
    return Verdict(tuple(figures))


def nothing_gained(tuned: Tuned) -> Figure:
    """The figure of a network that learned nothing that its own watched pairs were better for."""
    best = min((ratio for step, ratio in tuned.curve if step), default=1.0)
    gained = decibels(1.0, best)
    label = "pairs that watched the learning, as far as lesions allow it: error below that of the network as it was"
    asked = "more than before by more than its standard error"
    return Figure("watched_gain", label, "dB", 0.0, gained, float("nan"), asked, False)


def _saw(teaching: Sequence[AdaptationScan], groups: Sequence[Groups], held: AdaptationScan) -> dict[str, object]:
    every = [*teaching, held]
    return {
        "scans": [scan.name for scan in every],
        "pairs": [len(counted(scan)) for scan in every],
        "pairs_that_taught": [len(parts.learn) for parts in groups],
        "pairs_that_stopped": [len(parts.watch) for parts in groups],
        "pairs_that_judged": [len(parts.judge) for parts in groups],
        "held_out": held.name,
    }
