"""The network adapted to the scan itself: gains learned from the noise of its own pairs, used if they earn it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..adapting.groups import FEWEST_ALONE
from ..adapting.scan import AdaptationScan
from ..compute import Compute
from ..denoising.catalogue import ModelCard, find_model
from ..errors import InputError
from ..findings import note_kind
from ..preparing.averaging import counted_pairs
from ..progress import Progress
from ..remedies import Advice
from ..result.adaptation import ScanAdaptation
from ..series import Origin, Parameter, VolumeType
from .guides import guides_of
from .request import Denoising
from .state import RunState
from .step import Cost

if TYPE_CHECKING:
    import torch

    from ..adapting.adaptation import Adaptation

SEED = 0  # a request that is run again gives the same,
_LONGEST = 600.0  # s, which is why steps end learning, not the time: a busy computer takes as many
_NOT_EARNED = note_kind(
    "adaptation-not-earned",
    "Adapting the network to this scan did not earn its place, and the model was used as it is",
    "{short}",
    Advice("nothing need be done: the maps are those of a run that does not ask for it"),
    meaning="Adapting the network to this scan did not earn its place, and the model was used as it is: the "
    "figures say what fell short.",
)
_UNTRIED = note_kind(
    "adaptation-untried",
    "The network was not adapted to this scan: {what}",
    "{why}",
    Advice("nothing need be done: the model is used as it is"),
    meaning="The network was not adapted to this scan: it has several delays or too few pairs, holds CBF maps, or is "
    "averaged in groups before the network.",
)


def adapt_network(run: RunState, progress: Progress) -> None:
    """Adapt the network to the run's pairs; a note where that is not tried, or does not earn its place."""
    untried = _obstacle(run)
    if untried is None:
        try:
            run.adaptation = _learn(run, progress)
        except InputError as error:
            untried = str(error).rstrip("."), "learning needs differences that are there, and pairs apart to judge it"
    if untried is not None:
        what, why = untried
        run.findings.append(_UNTRIED.finding(what=what, why=why))
        run.parameters.append(Parameter("adapted", "no", "", Origin.IMAGE, what))
        return
    told = adaptation_told(run)
    if not told.used:
        run.findings.append(_NOT_EARNED.finding(short=told.shortfall))
    run.parameters += _parameters(told)


def adaptation_told(run: RunState) -> ScanAdaptation | None:
    """What is handed on of the run's adaptation; None where none was tried."""
    if run.adaptation is None:
        return None
    tuned, verdict = run.adaptation.tuned, run.adaptation.verdict
    asked = run.request.denoising.model
    return ScanAdaptation(asked, _counting(run), tuned.gains, tuned.steps, round(tuned.seconds, 1), SEED, verdict)


def as_adapted(run: RunState) -> dict[str, object]:
    """What a model that was adapted is called in results, and what it learned; empty where it was used as it is."""
    told = adaptation_told(run)
    return {"name": f"{told.model}, adapted to this scan", "adapted": told.sentence} if told and told.used else {}


def is_adapted(run: RunState) -> bool:
    """Whether an adapted network denoises the run."""
    return run.adaptation is not None and run.adaptation.verdict.earned


def adapted_network(card: ModelCard, adaptation: Adaptation | None) -> tuple[ModelCard, torch.nn.Module | None]:
    """What denoises: the card with the adapted network, on the CPU, where it earned its place; else None beside it."""
    if adaptation is None or not adaptation.verdict.earned:
        return card, None
    from ..adapting.handed_on import adapted

    found = adapted(card, adaptation.tuned, Compute("cpu"))
    return found.card, found.network


def adaptation_scan(run: RunState, name: str) -> AdaptationScan:
    """A run whose pairs are clean, and whose guides are gathered where the model has any, as adapting takes it."""
    return AdaptationScan(name, run.pairs, run.brain, run.weights, guides_of(run), run.tissue, run.quantification)


def _learn(run: RunState, progress: Progress) -> Adaptation:
    from ..adapting import one_scan

    scan = adaptation_scan(run, run.series.name)
    card = find_model(run.request.denoising.model)
    options = {"max_seconds": _LONGEST, "seed": SEED, "compute": run.compute}
    return one_scan.adapt_to_scan(card, scan, **options, progress=progress)


def _obstacle(run: RunState) -> tuple[str, str] | None:
    """What it is not tried for, and why; None where it is."""
    if run.acquired_delays:
        by = "the prior of their fit denoises them" if run.by_prior else "each has too few pairs to learn from"
        return f"the series has {len(run.acquired_delays)} delays", by
    if run.pairs.context[0] is VolumeType.CBF:
        return "the series holds CBF maps", "it is learned from the noise of pairs, in their own unit"
    if run.request.denoising.group is not None:
        return "pairs are averaged in groups before the network", "it is learned for the mean of all pairs"
    count = _counting(run)
    if count < FEWEST_ALONE:
        why = f"some pairs teach and others judge, which takes {FEWEST_ALONE}"
        return f"{count} pairs are averaged", why
    return None


def _counting(run: RunState) -> int:
    """The pairs that are not left out whole."""
    return len(counted_pairs(len(run.pairs.context), run.weights))


def _parameters(told: ScanAdaptation) -> list[Parameter]:
    steps = f" in {told.steps} steps" if told.used else ""
    learned = f"{told.gains} gains{steps}, seed {told.seed}"
    found = [Parameter("adapted", "yes" if told.used else "no", "", Origin.IMAGE, learned)]
    if math.isfinite(told.gained):
        error = f"standard error {told.gain.error:.2g}; " if math.isfinite(told.gain.error) else ""
        note = f"{error}{told.gain.label}"
        found.append(Parameter("adaptation_gain", round(told.gained, 3), told.gained_unit, Origin.IMAGE, note))
    return found


def adaptation_cost(asked: Denoising) -> Cost:
    """Of learning, and of judging what was learned; of groups of pairs it is not tried."""
    return Cost(18.0, a_grid=8.0) if asked.group is None else Cost(0.1)
