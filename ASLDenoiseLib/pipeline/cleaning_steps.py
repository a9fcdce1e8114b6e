"""From aligned controls and labels to the differences that are averaged: outliers, nuisances, smoothing, the mean.

Of several delays each has its outliers and its mean; nuisances are regressed out of all volumes at once.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..preparing.averaging import mean_difference, standard_error
from ..preparing.course import course_of, join_courses
from ..preparing.motion import Motion
from ..preparing.nuisance import nuisance_courses, regress_nuisance
from ..preparing.outliers import OutlierContext, PairMotion, decide_by_hand, find_outliers
from ..preparing.outliers.joined import join_reports
from ..preparing.pairs import chosen_numbers, difference_volumes, pair_members
from ..preparing.rescue import rescue_members
from ..preparing.warnings import by_hand_findings, nuisance_finding, outlier_findings
from ..progress import Progress
from ..series import Origin, Parameter, VolumeType
from ..spatial.smoothing import gaussian
from .delays import gather, split_by_delay
from .state import RunState


def clean_pairs(run: RunState, progress: Progress) -> None:
    """Find outliers, regress nuisances, subtract, smooth by choice, and average what is left.

    Outliers come first: regression keeps the mean of what it is fitted to, and would deal a spike out to the others.
    """
    split_by_delay(run)
    contexts = [_judge(one) for one in run.each]
    if run.delays:
        run.outliers = join_reports([one.outliers for one in run.delays], [one.delay.pairs for one in run.delays])
        run.course = join_courses([one.course for one in run.delays])
    progress(0.5, "regressing nuisances")
    _regress(run)
    split_by_delay(run)
    rescued = [_average(one, context) for one, context in zip(run.each, contexts, strict=True)]
    _tell(run, contexts, sum(rescued))
    for one, context in zip(run.each, contexts, strict=True):
        one.findings += by_hand_findings(one.outliers, context)
    gather(run)


def _judge(run: RunState) -> OutlierContext:
    """Find the outliers of a run, or of one of its delays."""
    choices = run.request.preparation
    motion = None if run.motion is None else _motion_of_pairs(run.motion)
    motion = motion if run.delay is None or motion is None else _some_of(motion, run.delay.pairs)
    factor, unit = run.quantification.factor, run.quantification.unit
    context = OutlierContext(difference_volumes(run.aligned), factor, run.brain, run.tissue, motion, unit)
    numbers = chosen_numbers(run.series, choices.pairs)
    numbers = numbers if run.delay is None else tuple(numbers[n] for n in run.delay.pairs)
    by_hand = {"taken_out": choices.taken_out, "put_back": choices.put_back}
    found = find_outliers(choices.outliers, context)
    total = len(pair_members(run.series))
    run.outliers = decide_by_hand(found, context, numbers=numbers, total=total, **by_hand)
    run.course = course_of(context, numbers, pair_members(run.aligned))
    return context


def _average(run: RunState, context: OutlierContext) -> int:
    """Average what is left of a run, or of one of its delays; how many slices of pairs have a borrowed member."""
    width, report = run.request.preparation.smoothing, run.outliers
    rescued = rescue_members(run.aligned, report, context.inside)
    run.pairs = rescued.pairs
    if width:
        smooth = [gaussian(run.pairs.volume(n), width, mask=run.brain) for n in range(len(run.pairs.array))]
        run.pairs = replace(run.pairs, array=np.stack([each.array for each in smooth]))
    run.weights = rescued.weights if report.rejections else None
    run.cleaned, run.error = mean_difference(run.pairs, run.weights), standard_error(run.pairs, run.weights)
    if np.array_equal(run.cleaned.array, run.raw.array, equal_nan=True):
        run.cleaned = run.raw
    return rescued.count


def _tell(run: RunState, contexts: list[OutlierContext], rescued: int) -> None:
    """What was left out of the mean, put back or noted, among parameters and findings."""
    report, measured = run.outliers, np.empty(run.outliers.weights.shape[:2], bool)
    for one, context in zip(run.each, contexts, strict=True):
        measured[slice(None) if one.delay is None else list(one.delay.pairs)] = context.measured
    if report.rejections:
        rejected, absent = ([str(r) for r in each] for each in report.kinds(measured))
        run.parameters += [Parameter("outliers_left_out", rejected, "", Origin.IMAGE)] * bool(rejected)
        run.parameters += [Parameter("slices_unmeasured", absent, "", Origin.IMAGE)] * bool(absent)
        note = "one member is borrowed"
        run.parameters.append(Parameter("outliers_rescued", rescued, "slices of pairs", Origin.IMAGE, note))
        run.findings += outlier_findings(report, measured, rescued)
    if report.put_back:
        run.parameters.append(Parameter("outliers_put_back", [str(r) for r in report.put_back], "", Origin.USER))
    if report.notes:
        run.parameters.append(Parameter("outlier_notes", "; ".join(report.notes), "", Origin.IMAGE))


def _regress(run: RunState) -> None:
    """Take the chosen nuisances out of the aligned series; motion only where it is known."""
    known = run.motion is not None and not run.motion.still
    wanted = [name for name in run.request.preparation.nuisance if name != "motion" or known]
    if not wanted or not run.aligned.indices(VolumeType.CONTROL):
        return
    left_out = np.zeros(run.aligned.array.shape[:2], bool)
    for pair, slices in zip(pair_members(run.aligned), run.outliers.flags, strict=True):
        left_out[list(pair)] = slices
    courses = nuisance_courses(run.aligned, *wanted, motion=run.motion, tissue=run.tissue, brain=run.brain)
    done = regress_nuisance(run.aligned, courses, left_out=left_out)
    run.aligned = done.series
    run.findings.append(nuisance_finding(done))


def _motion_of_pairs(motion: Motion) -> PairMotion:
    return PairMotion(motion.pair_motion, motion.displacement[motion.pairs].mean(axis=1))


def _some_of(motion: PairMotion, pairs: tuple[int, ...]) -> PairMotion:
    return PairMotion(motion.relative[list(pairs)], motion.position[list(pairs)])
