"""What inspection can tell from the acquisition and the context alone, without a voxel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..findings import Finding, FindingKind
from ..remedies import Advice, ApplyFix, SetField
from ..series import ASLSeries, Labeling, VolumeType
from .m0_checks import m0_findings

_CONSENSUS_TIME = 1.8  # s: Alsop 2015 recommends it for the label and for the delay
_NOTHING = Advice("nothing need be done")
LONGEST_TIME = 20.0  # s; no time of an ASL sequence is longer, so a larger number is in milliseconds
_TIMES = {
    "post_labeling_delay": "PostLabelingDelay",
    "label_duration": "LabelingDuration",
    "bolus_duration": "BolusCutOffDelayTime",
    "slice_timing": "SliceTiming",
    "repetition_time": "RepetitionTimePreparation",
    "m0_repetition_time": "repetition time of the M0 scan",
}

_NO_LABELING = FindingKind(
    "missing-labeling", "unusable", "PCASL, CASL or PASL? Each has its own equation.", SetField("labeling", "PCASL")
)
_IN_SECONDS = "give it in seconds, e.g."
_NO_DELAY = FindingKind(
    "missing-pld",
    "unusable",
    "No post-labelling delay (PASL: inversion time), or zero.",
    SetField("post_labeling_delay", 1.8, _IN_SECONDS),
)
_NO_LABEL_DURATION = FindingKind(
    "missing-label-duration",
    "unusable",
    "(P)CASL without the label duration.",
    SetField("label_duration", 1.8, _IN_SECONDS),
)
_NO_BOLUS_DURATION = FindingKind(
    "missing-bolus-duration",
    "unusable",
    "PASL without TI1, the bolus duration.",
    SetField("bolus_duration", 0.8, _IN_SECONDS),
)
_MILLISECONDS = FindingKind(
    "milliseconds",
    "unusable",
    "A time above 20: ASL has none, so it is in milliseconds.",
    ApplyFix("milliseconds", "divide every such time by 1000"),
)
_SEVERAL_DELAYS = FindingKind(
    "multi-pld",
    "unusable",
    "Several delays. Fitting them is not built.",
    ApplyFix("pld-1.8", "keep the volumes of one delay"),
)
_ODD_TIMES = FindingKind(
    "pld-label-duration-doubtful",
    "warning or note",
    "Times that are possible but unusual, or two that look mixed up.",
    Advice("compare both with the scanner's protocol"),
    SetField("post_labeling_delay", text="correct what is wrong"),
    SetField("label_duration", text="correct what is wrong"),
)
_NOT_CUT_OFF = FindingKind(
    "bolus-not-cut-off",
    "warning",
    "PASL without QUIPSS II or Q2TIPS: the bolus lasts as long as the blood takes.",
    Advice("read CBF as relative, not in ml/100g/min"),
)
_NO_READOUT = FindingKind(
    "readout-unknown",
    "note",
    "2D or 3D is not stated, so all slices count as read at one delay.",
    SetField("readout", text="give MRAcquisitionType, and SliceTiming for 2D,"),
)
_NO_SLICE_TIMING = FindingKind(
    "slice-timing-missing",
    "warning",
    "2D, yet no slice times: CBF of late slices comes out too low.",
    SetField("slice_timing", text="give SliceTiming in seconds, one a slice,"),
)
_SLICE_TIMING_IGNORED = FindingKind(
    "slice-timing-ignored",
    "warning",
    "3D is stated, yet slice times differ.",
    SetField("readout", text="correct MRAcquisitionType to 2D"),
    SetField("slice_timing", text="leave SliceTiming out"),
)
_ODD_SLICE_TIMING = FindingKind(
    "slice-timing-doubtful",
    "warning",
    "A slice is read after the repetition time is over.",
    SetField("slice_timing", text="correct SliceTiming"),
    SetField("repetition_time", text="correct RepetitionTimePreparation"),
)
_SUPPRESSION = FindingKind(
    "background-suppression-unknown",
    "warning or note",
    "Whether, or with how many pulses, is not stated. Each pulse costs about 5 % of the label.",
    SetField("background_suppression", text="give BackgroundSuppression"),
    SetField("suppression_pulses", 2, "give the number of pulses, e.g."),
    SetField("labeling_efficiency", text="give LabelingEfficiency"),
)
_COUNTS = FindingKind(
    "count-mismatch",
    "warning",
    "Controls and labels, or pairs and `TotalAcquiredPairs`, are not as many as they should be.",
    Advice("check the aslcontext and mark a dummy or broken volume as n/a"),
    ApplyFix("drop-first", "leave out the first volume"),
    ApplyFix("drop-last", "leave out the last"),
)
_FEW_PAIRS = FindingKind(
    "few-pairs",
    "note or warning",
    "Fewer than six pairs: one bad volume weighs heavily.",
    Advice("acquire more pairs where you can"),
)
_DIFFERENCES = FindingKind(
    "difference-only",
    "note",
    "Differences or CBF, not controls and labels: what needs those (motion) is left out.",
    _NOTHING,
)
_LEFT_OUT = FindingKind("volumes-left-out", "note", "The aslcontext says `n/a` or `noRF`.", _NOTHING)


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
        seconds = float(np.max(value)) / 1000
        yield _MILLISECONDS.finding(
            f"{_TIMES[name]} looks like milliseconds",
            f"it is {1000 * seconds:g} where seconds are meant",
            SetField(name, seconds, f"give it in seconds, {seconds:g},"),
            *_MILLISECONDS.remedies,
        )


def _missing(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.labeling is None:
        yield _NO_LABELING.finding("The labelling type is not stated", "there is no ArterialSpinLabelingType")
    if not any(a.delays):
        yield _NO_DELAY.finding(
            "The post-labelling delay is not stated" if not a.delays else "The post-labelling delay is zero",
            "there is no PostLabelingDelay" if not a.delays else "PostLabelingDelay is 0 s",
        )
    if a.labeling in (Labeling.PCASL, Labeling.CASL) and not a.label_duration:
        yield _NO_LABEL_DURATION.finding(
            "The label duration is not stated" if a.label_duration is None else "The label duration is zero",
            f"{a.labeling.value} cannot be quantified without LabelingDuration",
        )
    if a.labeling is Labeling.PASL and not a.bolus_duration:
        yield _NO_BOLUS_DURATION.finding(
            "The bolus duration is not stated" if a.bolus_duration is None else "The bolus duration is zero",
            "PASL cannot be quantified without BolusCutOffDelayTime (TI1)",
        )
    if a.labeling is Labeling.PASL and a.bolus_cut_off is False:
        why = "BolusCutOffFlag is false, so its duration depends on the patient's blood flow"
        yield _NOT_CUT_OFF.finding("The PASL bolus was not cut off", why)


def _delays(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    delays = a.delays
    if len(delays) > 1:
        listed = ", ".join(f"{d:g}" for d in delays)
        nearest = min(usable_delays(series), key=lambda d: abs(d - _CONSENSUS_TIME), default=None)
        text = "keep the volumes of one delay"
        yield _SEVERAL_DELAYS.finding(
            "The series has several post-labelling delays",
            f"{listed} s; fitting them is not built",
            Advice(text) if nearest is None else ApplyFix(f"pld-{nearest:g}", text),
        )
        return
    if not delays or not 0 < delays[0] <= LONGEST_TIME:
        return
    delay, duration, bolus = delays[0], a.label_duration, a.bolus_duration
    doubts, remedies = [], _ODD_TIMES.remedies
    if a.labeling is Labeling.PASL:
        remedies = (*remedies[:-1], SetField("bolus_duration", text=remedies[-1].text))
        if bolus and bolus >= delay:
            doubts.append(
                ("warning", f"the bolus of {bolus:g} s is not shorter than the inversion time of {delay:g} s")
            )
        if not 1.2 <= delay <= 4:
            doubts.append(("warning", f"an inversion time of {delay:g} s is unusual, 1.8 to 2.4 s is common"))
    elif a.labeling is not None:
        if not 1 <= delay <= 4:
            short = "much label is still in the arteries" if delay < 1 else "little label is left"
            doubts.append(("warning", f"a delay of {delay:g} s is unusual, 1.5 to 2.5 s is common, and {short}"))
        if duration and duration <= LONGEST_TIME and not 1 <= duration <= 4:
            doubts.append(("warning", f"a label duration of {duration:g} s is unusual, 1.4 to 2 s is common"))
        if duration and duration == delay and delay != _CONSENSUS_TIME:
            doubts.append(("note", f"both are {delay:g} s, which is what a mix-up looks like"))
    for severity, why in doubts:
        what = "The delay or the label duration is doubtful"
        yield _ODD_TIMES.finding(what, why, *remedies, severity=severity)


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
        yield _NO_READOUT.finding(
            "It is not stated whether the readout is 2D or 3D",
            "there is no MRAcquisitionType, so every slice is taken to be read at the same delay",
        )
    if a.readout == "2D" and a.slice_timing is None and series.geometry.size[2] > 1:
        yield _NO_SLICE_TIMING.finding(
            "The slice timing of a 2D readout is not stated",
            "later slices are read at a longer delay, so their CBF comes out too low",
        )
    yield from _slice_timing(series)


def _slice_timing(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.slice_timing is None or max(a.slice_timing) > LONGEST_TIME:
        return
    if a.readout == "3D" and np.ptp(a.slice_timing) > 0:
        yield _SLICE_TIMING_IGNORED.finding(
            "The slice timing is not used",
            "the readout is stated as 3D, which reads all slices at one delay, yet SliceTiming differs between them",
        )
    longest = None if a.repetition_time is None else float(np.max(a.repetition_time))
    if longest and longest <= LONGEST_TIME and max(a.slice_timing) > longest:
        yield _ODD_SLICE_TIMING.finding(
            "The slice timing is doubtful",
            f"its last slice is read at {max(a.slice_timing):g} s, after the repetition time of {longest:g} s",
        )


def _suppression(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.background_suppression is None:
        yield _SUPPRESSION.finding(
            "It is not stated whether the background was suppressed",
            "each suppression pulse costs about 5 % of the label, which is not corrected for",
        )
    elif a.background_suppression and a.suppression_pulses is None and a.labeling_efficiency is None:
        yield _SUPPRESSION.finding(
            "The number of background suppression pulses is not stated",
            "each costs about 5 % of the label, which is not corrected for, so CBF comes out as much too low",
            *_SUPPRESSION.remedies[1:],
            severity="note",
        )


def _volumes(series: ASLSeries) -> Iterator[Finding]:
    controls, labels = len(series.indices(VolumeType.CONTROL)), len(series.indices(VolumeType.LABEL))
    differences = len(series.indices(VolumeType.DELTAM))
    ready = len(series.indices(VolumeType.CBF))
    if controls != labels:
        yield _COUNTS.finding(
            "The numbers of controls and labels differ",
            f"{controls} controls and {labels} labels, so {abs(controls - labels)} left over",
            *(_COUNTS.remedies if left_over(series) else _COUNTS.remedies[:1]),
        )
    pairs = min(controls, labels) or differences or ready
    total = series.acquisition.total_pairs
    if total is not None and total != pairs and not (differences or ready):
        yield _COUNTS.finding(
            "The number of pairs is not the stated one",
            f"TotalAcquiredPairs is {total}, the context has {pairs}",
            Advice("check that the series is whole and its aslcontext right"),
        )
    if pairs < 6 and not (total or 0) > pairs:
        yield _FEW_PAIRS.finding(
            "There are few repetitions",
            f"{pairs} only; motion or an outlier in one weighs heavily and the noise cannot be judged well",
            severity="warning" if pairs < 2 else "note",
        )
    if differences or ready:
        what = "difference (deltam)" if differences else "CBF"
        yield _DIFFERENCES.finding(
            f"The series holds {what} volumes only" if not controls else f"The series holds {what} volumes too",
            "control and label images cannot be checked"
            if not controls
            else "these are used, not the control and label images",
        )
    left = [i for i, kind in enumerate(series.context) if kind in (VolumeType.NOT_AVAILABLE, VolumeType.NORF)]
    if left:
        listed = ", ".join(str(i + 1) for i in left[:8]) + (" ..." if len(left) > 8 else "")
        yield _LEFT_OUT.finding(
            "Volumes are left out", f"the context marks {len(left)} as n/a or noRF: volume {listed}"
        )


def left_over(series: ASLSeries) -> tuple[int, int] | None:
    """The first and last volume of controls and labels that take turns yet are odd in number; None for any others.

    One of the two is without a partner, and which one the images alone seldom tell.
    """
    turns = series.indices(VolumeType.CONTROL, VolumeType.LABEL)
    kinds = [series.context[i] for i in turns]
    alternate = all(first is not second for first, second in pairwise(kinds))
    return (turns[0], turns[-1]) if len(turns) > 2 and len(turns) % 2 and alternate else None
