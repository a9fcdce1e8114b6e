"""What the doctor can tell from the acquisition and the context alone, without looking at a voxel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..series import ASLSeries, Finding, Labeling, Severity, VolumeType
from .m0_checks import m0_findings

_CONSENSUS_TIME = 1.8  # s: Alsop 2015 recommends it for the label and for the delay
_NOTE, _WARNING, _UNUSABLE = Severity.NOTE, Severity.WARNING, Severity.UNUSABLE
LONGEST_TIME = 20.0  # s; no time of an ASL sequence is longer, so a larger number is in milliseconds
_TIMES = {
    "post_labeling_delay": ("PostLabelingDelay", "--pld"),
    "label_duration": ("LabelingDuration", "--label-duration"),
    "bolus_duration": ("BolusCutOffDelayTime", "--bolus-duration"),
    "slice_timing": ("SliceTiming", ""),
    "repetition_time": ("RepetitionTimePreparation", ""),
    "m0_repetition_time": ("repetition time of the M0 scan", ""),
}


def acquisition_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings from metadata, in no order. A series with ``cbf`` volumes, which are used as they are, needs none."""
    if not series.indices(VolumeType.CBF):
        yield from _milliseconds(series)
        yield from _missing(series)
        yield from _delays(series)
        yield from _readout(series)
        yield from _suppression(series)
        yield from m0_findings(series)
    yield from _volumes(series)


def in_milliseconds(series: ASLSeries) -> dict[str, float | tuple[float, ...]]:
    """The times that can only be milliseconds, by field of the acquisition, as stated."""
    values = {name: getattr(series.acquisition, name) for name in _TIMES}
    return {name: value for name, value in values.items() if value is not None and np.max(value) > LONGEST_TIME}


def _milliseconds(series: ASLSeries) -> Iterator[Finding]:
    for name, value in in_milliseconds(series).items():
        key, option = _TIMES[name]
        largest = float(np.max(value))
        by = f"with {option} {largest / 1000:g}" if option else "in the sidecar"
        yield Finding(
            "milliseconds",
            _UNUSABLE,
            f"{key} looks like milliseconds",
            f"it is {largest:g} where seconds are meant",
            f"Give it in seconds, {largest / 1000:g}, {by}, or divide every such time by 1000 with --fix milliseconds.",
        )


def _missing(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.labeling is None:
        yield Finding(
            "missing-labeling",
            _UNUSABLE,
            "The labelling type is not stated",
            "there is no ArterialSpinLabelingType",
            "Give it with --labeling PCASL (or CASL, PASL) or in the sidecar.",
        )
    if not any(a.delays):
        yield Finding(
            "missing-pld",
            _UNUSABLE,
            "The post-labelling delay is not stated" if not a.delays else "The post-labelling delay is zero",
            "there is no PostLabelingDelay" if not a.delays else "PostLabelingDelay is 0 s",
            "Give it in seconds, e.g. with --pld 1.8, or as PostLabelingDelay in the sidecar.",
        )
    if a.labeling in (Labeling.PCASL, Labeling.CASL) and not a.label_duration:
        yield Finding(
            "missing-label-duration",
            _UNUSABLE,
            "The label duration is not stated" if a.label_duration is None else "The label duration is zero",
            f"{a.labeling.value} cannot be quantified without LabelingDuration",
            "Give it in seconds, e.g. with --label-duration 1.8, or as LabelingDuration in the sidecar.",
        )
    if a.labeling is Labeling.PASL and not a.bolus_duration:
        yield Finding(
            "missing-bolus-duration",
            _UNUSABLE,
            "The bolus duration is not stated" if a.bolus_duration is None else "The bolus duration is zero",
            "PASL cannot be quantified without BolusCutOffDelayTime (TI1)",
            "Give it in seconds, e.g. with --bolus-duration 0.8, or as BolusCutOffDelayTime in the sidecar.",
        )
    if a.labeling is Labeling.PASL and a.bolus_cut_off is False:
        yield Finding(
            "bolus-not-cut-off",
            _WARNING,
            "The PASL bolus was not cut off",
            "BolusCutOffFlag is false, so its duration depends on the patient's blood flow",
            "Read CBF as relative, not in ml/100g/min.",
        )


def _delays(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    delays = a.delays
    if len(delays) > 1:
        listed = ", ".join(f"{d:g}" for d in delays)
        usable = usable_delays(series)
        nearest = min(usable, key=lambda d: abs(d - _CONSENSUS_TIME), default=None)
        keep = "" if nearest is None else f", for example with --fix pld-{nearest:g}"
        yield Finding(
            "multi-pld",
            _UNUSABLE,
            "The series has several post-labelling delays",
            f"{listed} s; fitting them is not built",
            f"Keep the volumes of one delay{keep}.",
        )
        return
    if not delays or not 0 < delays[0] <= LONGEST_TIME:
        return
    delay, duration, bolus = delays[0], a.label_duration, a.bolus_duration
    doubts = []
    if a.labeling is Labeling.PASL:
        if bolus and bolus >= delay:
            doubts.append((_WARNING, f"the bolus of {bolus:g} s is not shorter than the inversion time of {delay:g} s"))
        if not 1.2 <= delay <= 4:
            doubts.append((_WARNING, f"an inversion time of {delay:g} s is unusual, 1.8 to 2.4 s is common"))
    elif a.labeling is not None:
        if not 1 <= delay <= 4:
            short = "much label is still in the arteries" if delay < 1 else "little label is left"
            doubts.append((_WARNING, f"a delay of {delay:g} s is unusual, 1.5 to 2.5 s is common, and {short}"))
        if duration and duration <= LONGEST_TIME and not 1 <= duration <= 4:
            doubts.append((_WARNING, f"a label duration of {duration:g} s is unusual, 1.4 to 2 s is common"))
        if duration and duration == delay and delay != _CONSENSUS_TIME:
            doubts.append((_NOTE, f"both are {delay:g} s, which is what a mix-up looks like"))
    for severity, why in doubts:
        yield Finding(
            "pld-label-duration-doubtful",
            severity,
            "The delay or the label duration is doubtful",
            why,
            "Compare both with the scanner's protocol and correct them with --pld and --label-duration."
            if a.labeling is not Labeling.PASL
            else "Compare both with the scanner's protocol and correct them with --pld and --bolus-duration.",
        )


def usable_delays(series: ASLSeries) -> tuple[float, ...]:
    """Of a series with a delay a volume, the delays (s) at which a whole pair or a difference was acquired."""
    stated = series.acquisition.post_labeling_delay
    if not isinstance(stated, tuple) or len(stated) != len(series.context):
        return ()

    def whole(delay: float) -> bool:
        kinds = {kind for kind, d in zip(series.context, stated, strict=True) if abs(d - delay) < 1e-6}
        return {VolumeType.CONTROL, VolumeType.LABEL} <= kinds or VolumeType.DELTAM in kinds

    return tuple(delay for delay in series.acquisition.delays if whole(delay))


def _readout(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.readout is None and a.slice_timing is None and series.geometry.size[2] > 1:
        yield Finding(
            "readout-unknown",
            _NOTE,
            "It is not stated whether the readout is 2D or 3D",
            "there is no MRAcquisitionType, so every slice is taken to be read at the same delay",
            "Give MRAcquisitionType, and SliceTiming for 2D, in the sidecar.",
        )
    if a.readout == "2D" and a.slice_timing is None and series.geometry.size[2] > 1:
        yield Finding(
            "slice-timing-missing",
            _WARNING,
            "The slice timing of a 2D readout is not stated",
            "later slices are read at a longer delay, so their CBF comes out too low",
            "Give SliceTiming in seconds, one a slice, in the sidecar.",
        )
    yield from _slice_timing(series)


def _slice_timing(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.slice_timing is None or max(a.slice_timing) > LONGEST_TIME:
        return
    if a.readout == "3D" and np.ptp(a.slice_timing) > 0:
        yield Finding(
            "slice-timing-ignored",
            _WARNING,
            "The slice timing is not used",
            "the readout is stated as 3D, which reads all slices at one delay, yet SliceTiming differs between them",
            "Correct MRAcquisitionType to 2D, or take SliceTiming out of the sidecar.",
        )
    longest = None if a.repetition_time is None else float(np.max(a.repetition_time))
    if longest and longest <= LONGEST_TIME and max(a.slice_timing) > longest:
        yield Finding(
            "slice-timing-doubtful",
            _WARNING,
            "The slice timing is doubtful",
            f"its last slice is read at {max(a.slice_timing):g} s, after the repetition time of {longest:g} s",
            "Correct SliceTiming or RepetitionTimePreparation in the sidecar.",
        )


def _suppression(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    mend = "Give BackgroundSuppression and BackgroundSuppressionNumberPulses, or LabelingEfficiency, in the sidecar."
    if a.background_suppression is None:
        yield Finding(
            "background-suppression-unknown",
            _WARNING,
            "It is not stated whether the background was suppressed",
            "each suppression pulse costs about 5 % of the label, which is not corrected for",
            mend,
        )
    elif a.background_suppression and a.suppression_pulses is None and a.labeling_efficiency is None:
        yield Finding(
            "background-suppression-unknown",
            _NOTE,
            "The number of background suppression pulses is not stated",
            "each costs about 5 % of the label, which is not corrected for, so CBF comes out as much too low",
            mend,
        )


def _volumes(series: ASLSeries) -> Iterator[Finding]:
    controls, labels = len(series.indices(VolumeType.CONTROL)), len(series.indices(VolumeType.LABEL))
    differences = len(series.indices(VolumeType.DELTAM))
    ready = len(series.indices(VolumeType.CBF))
    if controls != labels:
        fix = ", or leave out an end with --fix drop-first or --fix drop-last" if left_over(series) else ""
        yield Finding(
            "count-mismatch",
            _WARNING,
            "The numbers of controls and labels differ",
            f"{controls} controls and {labels} labels, so {abs(controls - labels)} left over",
            f"Check the aslcontext and mark a dummy or broken volume as n/a{fix}.",
        )
    pairs = min(controls, labels) or differences or ready
    total = series.acquisition.total_pairs
    if total is not None and total != pairs and not (differences or ready):
        yield Finding(
            "count-mismatch",
            _WARNING,
            "The number of pairs is not the stated one",
            f"TotalAcquiredPairs is {total}, the context has {pairs}",
            "Check that the series is whole and its aslcontext right.",
        )
    if pairs < 6 and not (total or 0) > pairs:
        yield Finding(
            "few-pairs",
            _WARNING if pairs < 2 else _NOTE,
            "There are few repetitions",
            f"{pairs} only; motion or an outlier in one weighs heavily and the noise cannot be judged well",
            "Acquire more pairs where you can.",
        )
    if differences or ready:
        what = "difference (deltam)" if differences else "CBF"
        yield Finding(
            "difference-only",
            _NOTE,
            f"The series holds {what} volumes only" if not controls else f"The series holds {what} volumes too",
            "control and label images cannot be checked"
            if not controls
            else "these are used, not the control and label images",
            "Nothing need be done.",
        )
    left = [i for i, kind in enumerate(series.context) if kind in (VolumeType.NOT_AVAILABLE, VolumeType.NORF)]
    if left:
        yield Finding(
            "volumes-left-out",
            _NOTE,
            "Volumes are left out",
            f"the context marks {len(left)} as n/a or noRF: volume {', '.join(str(i + 1) for i in left[:8])}"
            + (" ..." if len(left) > 8 else ""),
            "Nothing need be done.",
        )


def left_over(series: ASLSeries) -> tuple[int, int] | None:
    """The first and last volume of controls and labels that take turns yet are odd in number; None for any others.

    One of the two is without a partner, and which one the images alone seldom tell.
    """
    turns = series.indices(VolumeType.CONTROL, VolumeType.LABEL)
    kinds = [series.context[i] for i in turns]
    alternate = all(first is not second for first, second in pairwise(kinds))
    return (turns[0], turns[-1]) if len(turns) > 2 and len(turns) % 2 and alternate else None
