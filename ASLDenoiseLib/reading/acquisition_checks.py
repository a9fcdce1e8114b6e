"""What the doctor can tell from the acquisition and the context alone, without looking at a voxel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..series import ASLSeries, Finding, Labeling, M0Type, Severity, VolumeType

_CONSENSUS_TIME = 1.8  # s: Alsop 2015 recommends it for the label and for the delay
_NOTE, _WARNING, _UNUSABLE = Severity.NOTE, Severity.WARNING, Severity.UNUSABLE
LONGEST_TIME = 20.0  # s; no time of an ASL sequence is longer, so a larger number is in milliseconds
_FULLY_RELAXED = 5.0  # s, as in quantifying.calibration
_TIMES = {
    "post_labeling_delay": ("PostLabelingDelay", "--pld"),
    "label_duration": ("LabelingDuration", "--label-duration"),
    "bolus_duration": ("BolusCutOffDelayTime", "--bolus-duration"),
    "slice_timing": ("SliceTiming", ""),
    "repetition_time": ("RepetitionTimePreparation", ""),
    "m0_repetition_time": ("repetition time of the M0 scan", ""),
}


def acquisition_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings from metadata, in no order. A series of ``cbf`` volumes alone needs no parameters."""
    ready = not series.indices(VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM)
    if not ready:
        yield from _milliseconds(series)
        yield from _missing(series)
        yield from _delays(series)
        yield from _readout(series)
        yield from _suppression(series)
        yield from _m0(series)
    yield from _volumes(series)


def _milliseconds(series: ASLSeries) -> Iterator[Finding]:
    for name, (key, option) in _TIMES.items():
        value = getattr(series.acquisition, name)
        largest = 0.0 if value is None else float(np.max(value))
        if largest > LONGEST_TIME:
            by = f"with {option} {largest / 1000:g}" if option else "in the sidecar"
            yield Finding(
                "milliseconds",
                _UNUSABLE,
                f"{key} looks like milliseconds",
                f"it is {largest:g} where seconds are meant",
                f"Give it in seconds, {largest / 1000:g}, {by}.",
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
        yield Finding(
            "multi-pld",
            _UNUSABLE,
            "The series has several post-labelling delays",
            f"{listed} s; fitting them is not built",
            "Give a series with one delay, cut from this one.",
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


def _m0(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if series.m0 is None and not a.m0_estimate:
        yield _m0_absent(series)
    time = a.m0_repetition_time if series.m0 is not None else None
    stands_in = series.m0 is None and not a.m0_estimate and a.background_suppression is False
    if stands_in and series.indices(VolumeType.CONTROL) and a.repetition_time is not None:
        time = float(np.median(a.repetition_time))
    if time == 0:
        yield Finding(
            "m0-tr-zero",
            _UNUSABLE,
            "The repetition time of the M0 is zero",
            "correcting M0 for it makes CBF zero everywhere",
            "Give RepetitionTimePreparation in seconds in the sidecar of the M0, or leave it out.",
        )
    elif time is not None and time < _FULLY_RELAXED:
        from ..quantifying.constants import t1_tissue
        from ..quantifying.kinetics import m0_relaxation_factor

        factor = m0_relaxation_factor(repetition_time=time, t1_tissue=float(t1_tissue(a).value))
        yield Finding(
            "m0-not-relaxed",
            _NOTE,
            "The M0 is not fully relaxed",
            f"its repetition time is {time:g} s, below 5 s",
            f"Nothing need be done: M0 is multiplied by {factor:.3f}.",
        )
    elif time is None and series.m0 is not None:
        yield Finding(
            "m0-tr-missing",
            _NOTE,
            "The repetition time of the M0 is not stated",
            "it is taken as fully relaxed; were it 2 s, CBF would be 40 % too high",
            "Give RepetitionTimePreparation in the sidecar of the M0.",
        )


def _m0_absent(series: ASLSeries) -> Finding:
    controls = bool(series.indices(VolumeType.CONTROL))
    suppressed = series.acquisition.background_suppression
    stated = "M0Type is Absent" if series.acquisition.m0_type is M0Type.ABSENT else "no M0 image was found or given"
    if controls and suppressed is False:
        return Finding(
            "m0-absent",
            _WARNING,
            "There is no M0",
            f"{stated}; the mean control stands in for it",
            "Read CBF as approximate, or give an M0 image with --m0.",
        )
    why = "it has no control images to stand in for it"
    if controls:
        why = "its controls are background-suppressed and cannot stand in for it"
        if suppressed is None:
            why = "it is not stated that its controls, which could stand in, are without background suppression"
    return Finding("m0-absent", _UNUSABLE, "There is no M0", f"{stated}, and {why}", "Give an M0 image with --m0.")


def _volumes(series: ASLSeries) -> Iterator[Finding]:
    controls, labels = len(series.indices(VolumeType.CONTROL)), len(series.indices(VolumeType.LABEL))
    differences = len(series.indices(VolumeType.DELTAM))
    ready = len(series.indices(VolumeType.CBF))
    if controls != labels:
        yield Finding(
            "count-mismatch",
            _WARNING,
            "The numbers of controls and labels differ",
            f"{controls} controls and {labels} labels, so {abs(controls - labels)} left over",
            "Check the aslcontext: mark a dummy or broken volume as n/a.",
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
