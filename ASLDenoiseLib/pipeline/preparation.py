"""From a series as read to clean differences with all that is needed to judge them: the first half of every run.

choose pairs -> correct motion -> find the brain, calibrate -> tissue and the T1's place -> find outliers -> regress
nuisances -> subtract -> average. This module joins the stages and holds no arithmetic; the stages are in `preparing`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from ..inspecting.inspection import inspect, require_quantifiable
from ..preparing.averaging import mean_difference, standard_error
from ..preparing.brain_mask import brain_mask, mask_of_cbf
from ..preparing.choices import Preparation
from ..preparing.motion import Motion, correct_motion, estimate_motion, motion_findings
from ..preparing.nuisance import nuisance_courses, regress_nuisance
from ..preparing.outliers import OutlierContext, OutlierReport, PairMotion, find_outliers
from ..preparing.pairs import choose_pairs, difference_volumes, pair_members
from ..preparing.registration import judge_alignment, register_rigid
from ..preparing.rescue import rescue_members
from ..preparing.tissue import tissue_from_t1, tissue_on
from ..preparing.tissue_guess import guess_tissue
from ..preparing.warnings import nuisance_finding, outlier_finding, registration_finding
from ..progress import Progress, silent, span
from ..quantifying.calibration import calibrate
from ..quantifying.cbf import Quantification, quantification
from ..series import ASLSeries, Finding, Origin, Parameter, Tissue, Volume, VolumeType
from ..spatial.smoothing import gaussian


@dataclass(frozen=True, eq=False)
class Head:
    """What is known of the head besides the series.

    Args:
        t1: a T1-weighted image, or None.
        tissue: known tissue on the grid of the series, or None to make it from the T1, or else to guess it.
        t1_to_asl: 4x4, LPS mm, a transform that takes points of the T1 to the series, used as it is; None finds it.
        t1_start: 4x4 likewise, rigid, from which the search starts; None searches from many places.
    """

    t1: Volume | None = None
    tissue: Tissue | None = None
    t1_to_asl: np.ndarray | None = None
    t1_start: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Tissue on the grid of the series, the T1's transform to it (identity without a T1), and tissue in the T1's space.

    `segmented` is None without a T1.
    """

    tissue: Tissue
    t1_to_asl: np.ndarray
    segmented: Tissue | None = None


@dataclass(eq=False)
class Prepared:
    """A series on its way: what the stages of one run have in common. `begin` makes it, `clean` completes it.

    Args:
        series: as read.
        aligned: the chosen pairs (all else n/a), corrected for motion, then for nuisances.
        acquired: the chosen differences (N, K, J, I) before anything was done to them.
        raw: their plain mean.
        brain: 0/1 on the grid of the series.
        m0: what calibrates the pairs; None where they are CBF.
        quantification: differences to ml/100g/min.
        findings, parameters: what is to be told.
        motion: None where it was not, or could not be, estimated.
        pairs: the differences (N, K, J, I) that are averaged.
        outliers: what was found among them.
        weights: (N, K, 1, 1) or (N, K, J, I), how much of each difference counts in the mean; None all of all.
        cleaned: the mean difference that is left; `raw` itself where nothing was done to it.
        error: the standard error of `cleaned`; None for fewer than three pairs.
        timings: seconds a stage.
    """

    series: ASLSeries
    aligned: ASLSeries
    acquired: ASLSeries
    raw: Volume
    brain: Volume
    m0: Volume | None
    quantification: Quantification
    findings: list[Finding]
    parameters: list[Parameter]
    motion: Motion | None = None
    pairs: ASLSeries | None = None
    outliers: OutlierReport | None = None
    weights: np.ndarray | None = None
    cleaned: Volume | None = None
    error: Volume | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        started = time.perf_counter()
        yield
        self.timings[name] = round(self.timings.get(name, 0.0) + time.perf_counter() - started, 3)

    @property
    def kept_pairs(self) -> np.ndarray:
        """The differences (N, K, J, I) that are averaged; NaN where one was left out."""
        return self.pairs.array if self.weights is None else np.where(self.weights > 0, self.pairs.array, np.nan)


def prepare(
    series: ASLSeries, choices: Preparation, head: Head, progress: Progress = silent
) -> tuple[Prepared, Anatomy]:
    """Every stage in order.

    Raises:
        InputError: the series, the choice of pairs, or what is known of the head cannot be used.
    """
    run = begin(series, choices, span(progress, 0.0, 0.4))
    with run.stage("tissue"):
        anatomy = find_anatomy(run, head, span(progress, 0.4, 0.95))
    with run.stage("clean"):
        clean(run, choices, anatomy.tissue)
    progress(1.0, "prepared")
    return run, anatomy


def begin(series: ASLSeries, choices: Preparation, progress: Progress = silent) -> Prepared:
    """Inspect, choose pairs, correct motion, find the brain and calibrate.

    Raises:
        InputError: the series or the choice of pairs cannot be used.
    """
    started = time.perf_counter()
    progress(0.0, "inspecting the series")
    require_quantifiable(series)
    findings = list(inspect(series))
    chosen = choose_pairs(series, choices.pairs)
    acquired = difference_volumes(chosen)
    raw = mean_difference(acquired)
    calibration = None if chosen.indices(VolumeType.CBF) else calibrate(chosen)  # refuses before the long work
    progress(0.05, "finding the brain")
    brain = _brain(chosen, raw)
    inspected = time.perf_counter()
    aligned, motion = chosen, None
    if choices.motion:
        aligned, motion = _still(chosen, brain, findings, span(progress, 0.1, 0.9))
    moved = time.perf_counter()
    progress(0.9, "calibrating")
    if aligned is not chosen and (aligned.m0 is None or aligned.m0 is not chosen.m0):
        brain = _brain(aligned, raw)
    if calibration is None:
        factor = brain.with_array(np.where(brain.array > 0, 1.0, np.nan))
        quantified, m0 = Quantification(factor, ()), aligned.m0
    else:
        calibration = calibration if aligned is chosen else calibrate(aligned)
        if choices.m0_smoothing:
            calibration = replace(calibration, m0=gaussian(calibration.m0, choices.m0_smoothing, mask=brain))
        quantified, m0 = quantification(aligned.acquisition, calibration, brain), calibration.m0
    parameters = _parameters(series, choices, quantified)
    run = Prepared(series, aligned, acquired, raw, brain, m0, quantified, findings, parameters, motion)
    run.timings["motion"] = round(moved - inspected, 3)
    run.timings["prepare"] = round(time.perf_counter() - started - (moved - inspected), 3)
    progress(1.0, "calibrated")
    return run


def find_anatomy(run: Prepared, head: Head, progress: Progress = silent) -> Anatomy:
    """Tissue, and where the T1 lies.

    The T1 is segmented first: its brain then guides the registration, where skull and neck would mislead it.
    """
    if head.t1 is None:
        tissue = head.tissue
        if tissue is None:
            tissue = guess_tissue(run.raw, run.brain)
        return Anatomy(tissue, np.eye(4))
    progress(0.0, "finding grey and white matter in the T1")
    segmented = tissue_from_t1(head.t1, progress=span(progress, 0.0, 0.7))
    progress(0.7, "aligning the T1 with the series")
    target = _alignment_target(run.aligned, run.raw)
    masks = {"fixed_mask": run.brain, "moving_mask": segmented.brain}
    if head.t1_to_asl is not None:
        found = judge_alignment(head.t1, target, head.t1_to_asl, **masks)
    else:
        found = register_rigid(head.t1, target, start=head.t1_start, **masks)
    how = "given" if head.t1_to_asl is not None else "given start" if head.t1_start is not None else "found"
    origin = Origin.IMAGE if how == "found" else Origin.USER
    note = f"agreement of T1 and series; starts that rival the best end up to {found.spread:.1f} mm apart"
    run.parameters += [
        Parameter("t1_alignment", how, "", origin),
        Parameter("t1_mutual_information", round(found.mutual_information, 3), "nats", Origin.IMAGE, note),
    ]
    if found.warning:
        run.findings.append(registration_finding(found.warning))
    tissue = head.tissue
    if tissue is None:
        tissue = tissue_on(run.series.geometry, segmented, transform=found.matrix)
    return Anatomy(tissue, found.matrix, segmented)


def clean(run: Prepared, choices: Preparation, tissue: Tissue) -> None:
    """Find outliers, regress nuisances, subtract, smooth by choice, and average what is left.

    Outliers come first: regression keeps the mean of what it is fitted to, and would deal a spike out to the others.
    """
    motion = None if run.motion is None else _motion_of_pairs(run.motion)
    pairs = difference_volumes(run.aligned)
    context = OutlierContext(pairs, run.quantification.factor, run.brain, tissue, motion)
    report = run.outliers = find_outliers(choices.outliers, context)
    _regress(run, choices, tissue)
    rescued = rescue_members(run.aligned, report, context.inside)
    run.pairs = rescued.pairs
    if choices.smoothing:
        smooth = [gaussian(run.pairs.volume(n), choices.smoothing, mask=run.brain) for n in range(len(run.pairs.array))]
        run.pairs = replace(run.pairs, array=np.stack([each.array for each in smooth]))
    if report.rejections:
        run.weights = rescued.weights
        run.parameters += [
            Parameter("outliers_left_out", [str(r) for r in report.rejections], "", Origin.IMAGE),
            Parameter("outliers_rescued", rescued.count, "slices of pairs", Origin.IMAGE, "one member is borrowed"),
        ]
        run.findings.append(outlier_finding(report, rescued.count))
    run.cleaned, run.error = mean_difference(run.pairs, run.weights), standard_error(run.pairs, run.weights)
    if np.array_equal(run.cleaned.array, run.raw.array, equal_nan=True):
        run.cleaned = run.raw
    if report.notes:
        run.parameters.append(Parameter("outlier_notes", "; ".join(report.notes), "", Origin.IMAGE))


def reference(series: ASLSeries, raw: Volume) -> Volume:
    """The image anatomy is best seen in: M0, else the mean control, else the mean difference."""
    if series.m0 is not None:
        return series.m0
    if series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL)
    return raw


def _brain(series: ASLSeries, raw: Volume) -> Volume:
    """0/1, in the M0 or what stands in for it; of CBF maps without an M0, where they have values."""
    if series.indices(VolumeType.CBF) and series.m0 is None:
        return mask_of_cbf(raw)
    return brain_mask(reference(series, raw))


def _still(
    series: ASLSeries, brain: Volume, findings: list[Finding], progress: Progress
) -> tuple[ASLSeries, Motion | None]:
    """The series corrected for motion, and the motion; what is to be said of it goes to the findings."""
    motion = estimate_motion(series, brain=brain, progress=progress)
    findings += motion_findings(series, motion)
    if motion is None:
        return series, None
    # what the doctor suspected from the volumes alone is now known, and corrected
    findings[:] = [f for f in findings if f.code != "motion-suspected"]
    return correct_motion(series, motion), motion


def _alignment_target(series: ASLSeries, raw: Volume) -> Volume:
    """What the T1 is aligned with: a background-suppressed control, whose CSF stands out, else the usual reference."""
    if series.acquisition.background_suppression and series.indices(VolumeType.CONTROL):
        return series.mean(VolumeType.CONTROL)
    return reference(series, raw)


def _parameters(series: ASLSeries, choices: Preparation, quantified: Quantification) -> list[Parameter]:
    """What the series states, what was mended, what was chosen, and what quantification added."""
    pairs = choices.pairs or f"1-{len(pair_members(series))}"
    origin = Origin.DEFAULT if choices.pairs is None else Origin.USER
    stated = [*series.acquisition.parameters(), *series.fixes, Parameter("pairs", pairs, "", origin)]
    stated += choices.parameters()
    known = {p.name for p in stated}
    return stated + [p for p in quantified.parameters if p.name not in known]


def _regress(run: Prepared, choices: Preparation, tissue: Tissue) -> None:
    """Take the chosen nuisances out of the aligned series; motion only where it is known."""
    known = run.motion is not None
    wanted = [name for name in choices.nuisance if name != "motion" or (known and not run.motion.still)]
    if not wanted or not run.aligned.indices(VolumeType.CONTROL):
        return
    left_out = np.zeros(run.aligned.array.shape[:2], bool)
    for pair, slices in zip(pair_members(run.aligned), run.outliers.flags, strict=True):
        left_out[list(pair)] = slices
    courses = nuisance_courses(run.aligned, *wanted, motion=run.motion, tissue=tissue, brain=run.brain)
    done = regress_nuisance(run.aligned, courses, left_out=left_out)
    run.aligned = done.series
    run.findings.append(nuisance_finding(done))


def _motion_of_pairs(motion: Motion) -> PairMotion:
    return PairMotion(motion.pair_motion, motion.displacement[motion.pairs].mean(axis=1))
