"""From a series as read to clean differences with all that is needed to judge them: the first half of every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..inspecting.inspection import inspect, require_quantifiable
from ..inspecting.m0_image_checks import ALIGNED, m0_fit_findings
from ..preparing.averaging import mean_difference
from ..preparing.brain_mask import brain_mask, mask_of_perfusion, shows_anatomy, was_masked
from ..preparing.delays import reference_delay, series_of_delay
from ..preparing.m0_fit import m0_position
from ..preparing.motion import correct_motion, estimate_motion, motion_findings
from ..preparing.pairs import choose_pairs, difference_volumes, pair_members
from ..preparing.registration import RigidRegistration, judge_alignment, register_rigid
from ..preparing.segmenters import DEFAULT_SEGMENTER
from ..preparing.series_fit import fit_findings, series_fit
from ..preparing.t1_contrast import contrast_findings
from ..preparing.tissue import tissue_on
from ..preparing.tissue_guess import guess_tissue
from ..preparing.warnings import (
    REGISTRATION,
)
from ..progress import Progress
from ..quantifying.calibration import calibrate, nothing_calibrates
from ..quantifying.cbf import as_it_is, quantification, relative
from ..series import CBF_UNIT, ASLSeries, Origin, Parameter, Tissue, Volume, VolumeType
from ..spatial.resampling import resample
from ..spatial.smoothing import gaussian
from .delays import image_of_tissue, quantify_each, several_delays
from .region_steps import place_on_t1
from .segmenting import segmented_head
from .state import RunState


def inspect_series(run: RunState, progress: Progress) -> None:
    """Refuse what cannot be used, find what is doubtful, choose the pairs, and find the brain.

    Raises:
        InputError: the series or the choice of pairs cannot be used.
    """
    series, pairs = run.series, run.request.preparation.pairs
    require_quantifiable(series)
    run.inspection = inspect(series)
    run.findings += run.inspection
    progress(0.8, "choosing pairs")
    run.chosen = run.aligned = choose_pairs(series, pairs)
    run.acquired_delays = several_delays(run.chosen, run.request)
    run.acquired = run.inspection.differences if pairs is None else difference_volumes(run.chosen)
    run.raw = mean_difference(run.acquired)
    same_reference = series.m0 is not None or pairs is None
    found = run.inspection.brain if same_reference else None
    run.brain = found or _brain(run.chosen, run.raw)
    if series.holds_cbf and was_masked(run.raw):  # what the scanner masked was not measured
        covered = mask_of_perfusion(run.raw).array > 0
        run.brain = run.brain.with_array((run.brain.array > 0) & covered)
    run.parameters += _stated(run)


def align_volumes(run: RunState, progress: Progress) -> None:
    """Correct head motion, where the volumes tell it."""
    place = run.inspection.m0_position
    start = place.matrix if place is not None and place.displaced else None
    run.motion = estimate_motion(run.chosen, brain=run.brain, m0_start=start, progress=progress)
    run.findings += motion_findings(run.chosen, run.motion)
    if run.motion is None:
        return
    # what the volumes alone made one suspect is now known, and corrected
    run.findings[:] = [f for f in run.findings if f.code != "motion-suspected"]
    run.aligned = correct_motion(run.chosen, run.motion)
    if run.aligned.m0 is not run.chosen.m0:
        _check_aligned_m0(run)


def quantify_pairs(run: RunState, progress: Progress) -> None:
    """Calibrate: what turns differences into ml/100g/min; without an M0 they stay in scanner units."""
    aligned, smoothing = run.aligned, run.request.preparation.m0_smoothing
    if aligned is not run.chosen and (aligned.m0 is None or aligned.m0 is not run.chosen.m0):
        run.brain = _moved_brain(run)
    if aligned.holds_cbf:
        run.quantification, run.m0 = as_it_is(run.brain, CBF_UNIT), aligned.m0
    elif nothing_calibrates(aligned):
        run.quantification, run.m0 = relative(run.brain), None
    else:
        one = aligned if not run.acquired_delays else series_of_delay(aligned, reference_delay(run.acquired_delays))
        known = run.inspection.calibration if aligned is run.series else None
        calibration = known or calibrate(aligned)
        if smoothing:
            calibration = replace(calibration, m0=gaussian(calibration.m0, smoothing, mask=run.brain))
        run.quantification, run.m0 = quantification(one.acquisition, calibration, run.brain), calibration.m0
    quantify_each(run)
    if run.acquired_delays:
        run.raw = image_of_tissue(run)
    run.tell(run.quantification.parameters)


def segment_t1(run: RunState, progress: Progress) -> None:
    """Tissue in the T1's space, and the T1 without its bias field, for guides and super-resolution.

    What segmented is told among the parameters, with what it came to: the network may have handed the T1 to Atropos.
    """
    segmenter = run.request.preparation.segmenter
    head = None if run.heads is None else run.heads.segmented(run.t1, segmenter)
    if head is None:
        begun, run.segmenting = run.segmenting, None
        head = segmented_head(run.t1, segmenter, progress) if begun is None else begun.result()
        if run.heads is not None:
            run.heads.keep_segmented(run.t1, segmenter, head)
    run.t1_tissue, run.even_t1 = head.tissue, head.even_t1
    origin = Origin.DEFAULT if segmenter == DEFAULT_SEGMENTER else Origin.USER
    run.parameters.append(Parameter("segmenter", segmenter, "", origin, head.tissue.source))
    run.findings += contrast_findings(run.t1_tissue.levels)


def align_t1(run: RunState, progress: Progress) -> None:
    """Where the T1 lies, and with it tissue on the grid of the series.

    The T1 was segmented first: its brain guides the registration, where skull and neck would mislead it.
    """
    target = alignment_target(run.aligned, run.raw)
    given = {"fixed_mask": run.brain, "moving_mask": run.t1_tissue.brain, "moving_even": True}
    how = "found" if run.t1_start is None else "given start"
    if run.t1_to_asl is not None:
        found, how = judge_alignment(run.even_t1, target, run.t1_to_asl, **given), "given"
    else:
        found = register_rigid(run.even_t1, target, start=run.t1_start, **given)
    note = f"agreement of T1 and series; starts that rival the best end up to {found.spread:.1f} mm apart"
    run.parameters += [
        Parameter("t1_alignment", how, "", Origin.IMAGE if how == "found" else Origin.USER),
        Parameter("t1_mutual_information", round(found.mutual_information, 3), "nats", Origin.IMAGE, note),
    ]
    if found.warning:
        run.findings.append(REGISTRATION.finding(what=found.warning))
    run.t1_to_asl, laid = found.matrix, None
    if run.tissue is None:
        run.tissue = tissue_on(run.series.geometry, run.tissue_on_t1 or run.t1_tissue, transform=found.matrix)
        laid = run.tissue if run.tissue_on_t1 is None and found.settled is found.matrix else None
    _judge_fit(run, found, target, laid)
    place_on_t1(run)


def _judge_fit(run: RunState, found: RigidRegistration, target: Volume, laid: Tissue | None) -> None:
    """Whether the T1 belongs to the series, by what it was aligned with and by the mean difference.

    `laid` is the T1's tissue on the series, where that was worked out already.
    """
    difference = run.raw if run.acquired_delays else mean_difference(difference_volumes(run.aligned))
    images = [target] if target is run.raw else [target, difference]
    fit = run.fit = series_fit(run.t1_tissue, found, images, run.brain, on_series=laid)
    run.parameters += fit.parameters()
    run.findings += fit_findings(fit)


def find_tissue(run: RunState, progress: Progress) -> None:
    """Tissue without a T1: as given, else guessed."""
    run.t1_to_asl = np.eye(4)
    if run.tissue is None:
        run.tissue = guess_tissue(run.raw, run.brain)


def _check_aligned_m0(run: RunState) -> None:
    """What inspecting said of the M0's place gives way to what is true of it now."""
    brain = _with_m0(run.brain, run.motion.m0)
    run.findings[:] = [f for f in run.findings if f.code not in ("m0-displaced", "m0-coverage")]
    run.findings.append(ALIGNED.finding(moved=run.motion.m0_moved))
    run.findings += m0_fit_findings(run.aligned, m0_position(run.aligned, brain))


def _stated(run: RunState) -> list[Parameter]:
    """What the series states, what was fixed in it, and what was chosen."""
    series, choices = run.series, run.request.preparation
    pairs = choices.pairs or f"1-{len(pair_members(series))}"
    origin = Origin.DEFAULT if choices.pairs is None else Origin.USER
    chosen = (Parameter("pairs", pairs, "", origin), *choices.parameters())
    return [*series.acquisition.parameters(), *series.fixes, *chosen]


def _reference(series: ASLSeries, raw: Volume) -> Volume:
    """The image anatomy is best seen in: M0, else the mean control, else the mean difference."""
    if series.m0 is not None:
        return series.m0
    return series.mean(VolumeType.CONTROL) if series.indices(VolumeType.CONTROL) else raw


def _brain(series: ASLSeries, raw: Volume) -> Volume:
    """0/1, in the M0 or what stands in for it; of perfusion images alone, where they have values."""
    return brain_mask(_reference(series, raw)) if shows_anatomy(series) else mask_of_perfusion(raw)


def _moved_brain(run: RunState) -> Volume:
    """The brain of the aligned series: that of the M0 goes where the M0 went, any other is found anew."""
    if run.inspection.brain is run.brain and run.chosen.m0 is not None:
        return _with_m0(run.brain, run.motion.m0)
    return _brain(run.aligned, run.raw)


def _with_m0(brain: Volume, matrix: np.ndarray) -> Volume:
    """A mask (0/1) resampled by the 4x4 matrix (LPS mm) that brought its M0 to the series."""
    return resample(brain, brain.geometry, transform=matrix, interpolation="nearest", outside=0.0)


def alignment_target(series: ASLSeries, raw: Volume) -> Volume:
    """What the T1 is aligned with: a background-suppressed control, whose CSF stands out, else the usual reference."""
    if series.acquisition.background_suppression and series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL)
    return _reference(series, raw)
