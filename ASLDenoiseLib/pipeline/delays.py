"""A run of several delays on its way: a state a delay, and what they tell gathered into that of the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..findings import Finding, Severity
from ..preparing.averaging import mean_difference
from ..preparing.delays import FEWEST_DELAYS, Delay, delays_of, reference_delay, series_of_delay
from ..preparing.pairs import difference_volumes, some_pairs
from ..quantifying.delays import quantifications
from ..quantifying.kinetic_model import kinetic_model, tissue_weights
from ..remedies import ApplyFix, Choose
from ..series import ASLSeries, Parameter, Volume
from .request import Request
from .state import RunState

_OF_ONE = (("pairs_needed", "pairs-needed"), ("split_half", "split-half"))


def several_delays(series: ASLSeries, request: Request) -> tuple[Delay, ...]:
    """The delays of a series that are fitted together; none where it has one.

    Raises:
        InputError: two delays are too few to fit, or something is asked that is of one delay.
    """
    found = delays_of(series)
    if len({each.delay for each in found}) < 2:
        return ()
    keep = ApplyFix(f"pld-{reference_delay(found).delay:g}", "keep the pairs of one delay")
    if len(found) < FEWEST_DELAYS:
        listed = " and ".join(f"{each.delay:g}" for each in found)
        few = f"Pairs of {len(found)} delays ({listed} s) are too few to fit CBF and arrival time"
        what = f"{few}, which takes {FEWEST_DELAYS}"
        raise InputError(what, [keep])
    asked = request.denoising
    for name, option in _OF_ONE if asked is not None else ():
        if getattr(asked, name):
            what = f"What --{option} tells is of one delay, and the series has {len(found)}"
            raise InputError(what, [Choose(option, text="leave it out"), keep])
    return found


def quantify_each(run: RunState) -> None:
    """The quantification of every delay of a run, from that of its reference delay (`run.quantification`)."""
    if run.acquired_delays:
        each = [series_of_delay(run.aligned, delay).acquisition for delay in run.acquired_delays]
        reference = each[run.acquired_delays.index(reference_delay(run.acquired_delays))]
        run.quantifications = quantifications(run.quantification, reference, each)


def image_of_tissue(run: RunState) -> Volume:
    """The mean difference of several delays that shows tissue: each weighted by its tissue's signal over its arteries'.

    Early delays are bright where label is still in arteries, which no T1 shows so; the plain mean of all is not to be
    registered by. Each counts as the difference at the reference delay of the same perfusion.
    """
    delays = run.acquired_delays
    model, _ = kinetic_model(run.aligned.acquisition, kinetics=run.request.fit.kinetics)
    times = np.array([(delay.delay, delay.duration) for delay in delays], float).T
    weights = tissue_weights(model, *times)
    reference = run.quantifications[delays.index(reference_delay(delays))].factor.array
    differences = difference_volumes(run.aligned)
    image = 0.0
    for delay, weight, quantification in zip(delays, weights, run.quantifications, strict=True):
        level = weight * float(np.nanmedian(quantification.factor.array / reference))
        image = image + level * mean_difference(some_pairs(differences, np.array(delay.pairs))).array
    return run.raw.with_array(image)


def split_by_delay(run: RunState) -> None:
    """A state for every delay, with what the run knows by now; those that are there get the aligned series anew."""
    if run.delays:
        for one in run.delays:
            one.aligned = series_of_delay(run.aligned, one.delay)
        return
    states = []
    for delay, quantification in zip(run.acquired_delays, run.quantifications, strict=True):
        acquired = some_pairs(run.acquired, np.array(delay.pairs))
        of_delay = {"delay": delay, "quantification": quantification, "acquired": acquired}
        of_delay |= {"raw": mean_difference(acquired), "chosen": series_of_delay(run.chosen, delay)}
        of_delay |= {"aligned": series_of_delay(run.aligned, delay), "findings": [], "parameters": []}
        states.append(replace(run, acquired_delays=(), quantifications=(), delays=(), **of_delay))
    run.delays = tuple(states)


def perfusion_of_pairs(run: RunState, differences: np.ndarray) -> np.ndarray:
    """Differences (N, K, J, I) of the chosen pairs, each as CBF by the formula of its delay."""
    if not run.acquired_delays:
        return differences * run.quantification.factor.array
    found = np.empty_like(differences)
    for delay, quantification in zip(run.acquired_delays, run.quantifications, strict=True):
        found[list(delay.pairs)] = differences[list(delay.pairs)] * quantification.factor.array
    return found


def gather(run: RunState) -> None:
    """Take findings and parameters from the states of the delays to that of the run, each once."""
    if not run.delays:
        return
    run.findings += _gathered([(one.delay, finding) for one in run.delays for finding in one.findings], len(run.delays))
    names = dict.fromkeys(parameter.name for one in run.delays for parameter in one.parameters)
    run.parameters += [_joined([_named(one.parameters, name) for one in run.delays]) for name in names]
    for one in run.delays:
        one.findings.clear()
        one.parameters.clear()


def _gathered(found: Iterable[tuple[Delay, Finding]], count: int) -> list[Finding]:
    """One finding a code, with the delays that it is about where that is not all, and the worst one's words."""
    by_code: dict[str, list[tuple[Delay, Finding]]] = {}
    for delay, finding in found:
        by_code.setdefault(finding.code, []).append((delay, finding))
    gathered = []
    for each in by_code.values():
        worst = max((finding for _, finding in each), key=lambda finding: list(Severity).index(finding.severity))
        delays = list(dict.fromkeys(delay.delay for delay, _ in each))
        of_one = next(delay.delay for delay, finding in each if finding is worst)
        alike = len({(finding.what, finding.why) for _, finding in each}) == 1
        told = "" if len(delays) == count else f"; at {'delays' if len(delays) > 1 else 'the delay'} of "
        told += ", ".join(f"{delay:g}" for delay in delays) + " s" if told else ""
        told += "" if alike or len(delays) == 1 else f"; these words are of {of_one:g} s"
        gathered.append(replace(worst, why=worst.why + told))
    return gathered


def _named(parameters: Iterable[Parameter], name: str) -> Parameter | None:
    return next((parameter for parameter in parameters if parameter.name == name), None)


def _joined(each: Sequence[Parameter | None]) -> Parameter:
    """One parameter of what every delay has, with its value where all have the same, else a list, a value a delay."""
    first = next(parameter for parameter in each if parameter is not None)
    values = [None if parameter is None else parameter.value for parameter in each]
    if all(value == first.value for value in values):
        return first
    return replace(first, value=values, note="; ".join(filter(None, (first.note, "a value a delay"))))
