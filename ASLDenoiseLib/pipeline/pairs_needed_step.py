"""How many pairs are enough: a run's own denoising, again and again, on some of its pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..denoising.catalogue import find_model
from ..findings import note_kind
from ..measuring.pairs_needed import DRAWS, FEWEST_PAIRS, pairs_needed, sizes
from ..preparing.averaging import mean_difference, standard_error
from ..preparing.pairs import some_pairs
from ..preparing.tissue_guess import guess_tissue
from ..progress import Progress, silent
from ..remedies import Advice
from ..series import Tissue, Volume
from .adapt_step import is_adapted
from .audit_step import audit_denoised
from .denoising_steps import denoise_pairs
from .request import Denoising
from .state import RunState
from .step import Cost

_UNTOLD = note_kind(
    "pairs-needed-untold",
    "How many pairs are enough cannot be told: {count} pairs are averaged",
    f"some pairs are denoised and the others judge them, which takes {FEWEST_PAIRS} that measure the same voxels",
    Advice("ask it of a scan with more pairs"),
)
_USUAL_PAIRS = 40  # of a scan that is long enough to ask it of
_MAPS = DRAWS * len(sizes(_USUAL_PAIRS))


def measure_pairs_needed(run: RunState, progress: Progress) -> None:
    """Denoise some of the pairs, as the run denoised all, for `measuring.pairs_needed`; a finding where it cannot."""
    factor = run.quantification.factor.array

    def denoised(chosen: np.ndarray) -> np.ndarray:
        return denoised_of(run, chosen).array * factor

    perfusion = run.pairs.array * factor
    given = {"inside": run.brain.array > 0, "weights": run.weights, "unit": run.quantification.unit}
    run.pairs_needed = pairs_needed(perfusion, denoised, **given, progress=progress)
    if run.pairs_needed is not None:
        run.pairs_needed = replace(run.pairs_needed, adapted=is_adapted(run))
    else:
        run.findings.append(_UNTOLD.finding(count=len(run.pairs.context)))


def denoised_of(run: RunState, chosen: np.ndarray) -> Volume:
    """The denoised difference of some of a run's pairs, by their positions: every step after the pairs are clean.

    Brain, guides, M0 and weights are the run's, and tissue but where it was guessed from perfusion: then the map would
    know of the other pairs. The run itself is left as it is.
    """
    asked = run.request.denoising
    group = None if asked.group is None else min(asked.group, len(chosen))
    pairs = some_pairs(run.pairs, chosen)
    weights = None if run.weights is None else run.weights[chosen]
    part = replace(
        run,
        request=replace(run.request, denoising=replace(asked, group=group)),
        pairs=pairs,
        weights=weights,
        tissue=_tissue_of(run, chosen),
        cleaned=mean_difference(pairs, weights),
        error=standard_error(pairs, weights),
        denoised=None,
        audit=None,
        verdict=None,
        findings=[],
        parameters=[],
    )
    denoise_pairs(part, silent)
    if asked.audit:
        audit_denoised(part, silent)
    return part.difference


def _tissue_of(run: RunState, chosen: np.ndarray) -> Tissue:
    """The run's tissue, or what the chosen pairs alone would have it guess (`preparation_steps.find_tissue`)."""
    head = run.request.head
    if head.t1 is not None or head.tissue_given:
        return run.tissue
    raw = run.raw.with_array(run.acquired.array[chosen].mean(axis=0))
    return guess_tissue(raw, run.brain)


def pairs_needed_cost(asked: Denoising) -> Cost:
    """Of the networks' runs, over all pairs at once or each group of them, of audits and of comparisons."""
    measured = find_model(asked.model).seconds.get("cpu", 1.0)
    rest = 0.9 * _MAPS
    if asked.group is None:
        return Cost(a_grid=_MAPS * measured + rest)
    share = sum(sizes(_USUAL_PAIRS)) * DRAWS / _USUAL_PAIRS
    return Cost(a_grid=rest, a_grid_and_volume=share * measured / (2 * asked.group))
