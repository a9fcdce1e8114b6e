"""Checks of the acquisition and the context, without a voxel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from ..findings import Finding, FindingKind, note_kind
from ..quantifying.calibration import nothing_calibrates
from ..quantifying.constants import t1_blood
from ..remedies import Advice, ApplyFix, GiveImage, SetField
from ..series import PERFUSION, ASLSeries, Labeling, VolumeType
from .delay_checks import delay_findings, fitted_delays
from .m0_checks import m0_findings
from .value_checks import other_units, value_findings

_NOTHING = Advice("nothing need be done")
_QUICKEST_SLICE = 0.005  # s
_KINDS = {
    VolumeType.CONTROL: "control",
    VolumeType.LABEL: "label",
    VolumeType.DELTAM: "difference (deltam)",
    VolumeType.CBF: "CBF",
}
_IN_SECONDS = "give it in seconds, e.g."
_ONLY_RELATIVE = "only relative perfusion is given, which needs none"
_NO_LABELING = FindingKind(
    "missing-labeling",
    "The labelling type is not stated",
    "there is no ArterialSpinLabelingType",
    SetField("labeling", "PCASL", "give it (PCASL, CASL or PASL), e.g."),
    severities="unusable or note",
)
_NO_DELAY = FindingKind(
    "missing-pld",
    "The post-labelling delay is not stated",
    "there is no PostLabelingDelay, of PASL the inversion time, or it is 0 s",
    SetField("post_labeling_delay", 1.8, _IN_SECONDS),
    severities="unusable or note",
)
_NO_LABEL_DURATION = FindingKind(
    "missing-label-duration",
    "The label duration is not stated",
    "(P)CASL cannot be quantified without LabelingDuration",
    SetField("label_duration", 1.8, _IN_SECONDS),
    severities="unusable or note",
)
_NO_BOLUS_DURATION = FindingKind(
    "missing-bolus-duration",
    "The bolus duration is not stated",
    "PASL cannot be quantified without BolusCutOffDelayTime (TI1)",
    SetField("bolus_duration", 0.8, _IN_SECONDS),
    severities="unusable or note",
)
_NOT_CUT_OFF = FindingKind(
    "bolus-not-cut-off",
    "The PASL bolus was not cut off",
    "BolusCutOffFlag is false, so its duration depends on the patient's blood flow",
    Advice("read CBF as relative, not in ml/100g/min"),
)
_NO_FIELD = FindingKind(
    "field-strength-unknown",
    "The field strength is not stated",
    "3 T is taken for the T1 of blood and tissue; at 7 T CBF would be a third too low, at 1.5 T a quarter too high",
    SetField("field_strength", 3.0, "give it in tesla, e.g."),
)
_NO_READOUT = note_kind(
    "readout-unknown",
    "It is not stated whether the readout is 2D or 3D",
    "there is no MRAcquisitionType, so every slice is taken to be read at the same delay",
    SetField("readout", text="give MRAcquisitionType, and SliceTiming for 2D,"),
)
_NO_SLICE_TIMING = FindingKind(
    "slice-timing-missing",
    "The slice timing of a 2D readout is not stated",
    "later slices are read at a longer delay, so their CBF comes out too low",
    SetField("slice_timing", text="give SliceTiming in seconds, one a slice,"),
)
_SLICE_TIMING_IGNORED = FindingKind(
    "slice-timing-ignored",
    "The slice timing is not used",
    "the readout is stated as 3D, which reads all slices at one delay, yet SliceTiming differs between them",
    SetField("readout", text="correct MRAcquisitionType to 2D"),
    SetField("slice_timing", text="leave SliceTiming out"),
)
_SLICES_NOT_ALIKE = FindingKind(
    "slice-delays-uncorrected",
    "Slices of a relative map are not alike",
    "the last slice was read {apart:.2g} s after the first, so its signal is about {lower:.0f} % lower at the same "
    "perfusion; quantification corrects it, scanner units do not",
    Advice("compare regions of the same slices"),
    GiveImage("m0", "or for CBF, give an M0"),
)
_ODD_SLICE_TIMING = FindingKind(
    "slice-timing-doubtful",
    "The slice timing is doubtful",
    "{why}",
    SetField("slice_timing", text="correct SliceTiming"),
    SetField("repetition_time", text="correct RepetitionTimePreparation"),
    meaning="Its last slice is read after the repetition time, or its slices follow each other too quickly.",
)
_SUPPRESSION = FindingKind(
    "background-suppression-unknown",
    "It is not stated whether the background was suppressed",
    "each suppression pulse costs about 5 % of the label, which is not corrected for",
    SetField("background_suppression", text="give BackgroundSuppression, true or false,"),
    SetField("suppression_pulses", 2, "give the number of pulses, e.g."),
    SetField("labeling_efficiency", text="give LabelingEfficiency"),
    severities="warning or note",
)
_COUNTS = FindingKind(
    "count-mismatch",
    "The numbers of controls and labels differ",
    "{controls} controls and {labels} labels, so {over} left over",
    Advice("check the aslcontext and mark a dummy or broken volume as n/a"),
    ApplyFix("drop-first", "leave out the first volume"),
    ApplyFix("drop-last", "leave out the last"),
    meaning="Controls and labels, or pairs and `TotalAcquiredPairs`, are not as many as they should be.",
)
_FEW_PAIRS = FindingKind(
    "few-pairs",
    "There are few repetitions",
    "{pairs} only; motion or an outlier in one weighs heavily and the noise cannot be judged well",
    Advice("acquire more pairs where you can"),
    severities="note or warning",
)
_DIFFERENCES = note_kind(
    "difference-only",
    "The series holds ready differences or CBF maps",
    "control and label images cannot be checked",
    _NOTHING,
    meaning="Differences or CBF maps: alone, what needs controls and labels (motion) is left out; beside others, which "
    "of them are used.",
)
_LEFT_OUT = note_kind(
    "volumes-left-out",
    "Volumes are left out",
    "the context marks {count} as n/a or noRF: volume {volumes}",
    _NOTHING,
)


def acquisition_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings from metadata, in no order. CBF maps, which are used as they are, need none about the acquisition."""
    if not series.holds_cbf:
        yield from value_findings(series.acquisition)
        yield from _field(series)
        yield from _missing(series)
        yield from delay_findings(series)
        yield from _readout(series)
        yield from _suppression(series)
        yield from m0_findings(series)
    yield from _volumes(series)


def _missing(series: ASLSeries) -> Iterator[Finding]:
    """What quantification needs; of a series that nothing calibrates, whose perfusion is relative, only notes.

    A fit of several delays needs it all the same.
    """
    a = series.acquisition
    idle = nothing_calibrates(series) and not fitted_delays(series)
    relative = {"severity": "note", "why": _ONLY_RELATIVE} if idle else {}
    if a.labeling is None:
        yield _NO_LABELING.finding(**relative)
    if not any(a.delays):
        yield _NO_DELAY.finding(what="The post-labelling delay is zero" if a.delays else "", **relative)
    if a.labeling in (Labeling.PCASL, Labeling.CASL) and not any(a.label_durations):
        what = "" if a.label_duration is None else "The label duration is zero"
        yield _NO_LABEL_DURATION.finding(what=what, **relative)
    if a.labeling is Labeling.PASL and not a.bolus_duration:
        what = "" if a.bolus_duration is None else "The bolus duration is zero"
        yield _NO_BOLUS_DURATION.finding(what=what, **relative)
    if a.labeling is Labeling.PASL and a.bolus_cut_off is False:
        yield _NOT_CUT_OFF.finding()


def _readout(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.readout is None and a.slice_timing is None and series.geometry.size[2] > 1:
        yield _NO_READOUT.finding()
    if a.readout == "2D" and a.slice_timing is None and series.geometry.size[2] > 1:
        yield _NO_SLICE_TIMING.finding()
    if a.slice_timing is None or "slice_timing" in other_units(a):
        return
    if a.readout == "3D" and np.ptp(a.slice_timing) > 0:
        yield _SLICE_TIMING_IGNORED.finding()
    elif nothing_calibrates(series) and np.ptp(a.slice_timing) > 0 and not fitted_delays(series):
        apart = float(np.ptp(a.slice_timing))
        lower = 100 * (1 - np.exp(-apart / float(t1_blood(a).value)))
        yield _SLICES_NOT_ALIKE.finding(apart=apart, lower=lower)
    longest = None if a.repetition_time is None else float(np.max(a.repetition_time))
    if longest and max(a.slice_timing) > longest:
        why = f"its last slice is read at {max(a.slice_timing):g} s, after the repetition time of {longest:g} s"
        yield _ODD_SLICE_TIMING.finding(why=why)
    elif a.readout != "3D" and len(a.slice_timing) > 1:
        steps = np.diff(np.unique(np.round(a.slice_timing, 6)))
        if not len(steps) or np.median(steps) < _QUICKEST_SLICE:
            step = f"{1000 * np.median(steps) if len(steps) else 0:g} ms"
            remedy = (_ODD_SLICE_TIMING.remedies[0], SetField("readout", "3D", "state a 3D readout"))
            yield _ODD_SLICE_TIMING.finding(
                *remedy, why=f"its slices are read {step} apart, too quickly for excitations"
            )


def _suppression(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if a.labeling_efficiency is not None:
        return  # it covers the whole sequence
    if a.background_suppression is None:
        yield _SUPPRESSION.finding()
    elif a.background_suppression and a.suppression_pulses is None:
        what = "The number of background suppression pulses is not stated"
        yield _SUPPRESSION.finding(*_SUPPRESSION.remedies[1:], severity="note", what=what)


def _field(series: ASLSeries) -> Iterator[Finding]:
    if series.acquisition.field_strength is None and series.acquisition.t1_blood is None:
        yield _NO_FIELD.finding()


def _volumes(series: ASLSeries) -> Iterator[Finding]:
    if not series.indices(*PERFUSION):
        return  # nothing states what the volumes are: no count of them means anything
    kinds = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM, VolumeType.CBF)
    controls, labels, differences, maps = (len(series.indices(kind)) for kind in kinds)
    if controls != labels:
        remedies = _COUNTS.remedies if left_over(series) else _COUNTS.remedies[:1]
        yield _COUNTS.finding(*remedies, controls=controls, labels=labels, over=abs(controls - labels))
    pairs = min(len(series.indices(kind)) for kind in series.perfusion)
    total = series.acquisition.total_pairs
    if total is not None and total != pairs and not (differences or maps):
        check = Advice("check that the series is whole and its aslcontext right")
        why = f"TotalAcquiredPairs is {total}, the context has {pairs}"
        yield _COUNTS.finding(check, what="The number of pairs is not the stated one", why=why)
    if pairs < 6 and not (total or 0) > pairs and not (pairs == 1 and (differences or maps)):  # `map_checks` tells it
        yield _FEW_PAIRS.finding(severity="warning" if pairs < 2 else "note", pairs=pairs)
    if differences or maps:
        yield _which_are_used(series)
    left = [i for i, kind in enumerate(series.context) if kind in (VolumeType.NOT_AVAILABLE, VolumeType.NORF)]
    if left:
        listed = ", ".join(str(i + 1) for i in left[:8]) + (" ..." if len(left) > 8 else "")
        yield _LEFT_OUT.finding(count=len(left), volumes=listed)


def _which_are_used(series: ASLSeries) -> Finding:
    """Of a series with ready differences or maps: what perfusion is taken from, and what is left beside it."""
    used = " and ".join(_KINDS[kind] for kind in series.perfusion)
    beside = [name for kind, name in _KINDS.items() if kind in series.context and kind not in series.perfusion]
    if not beside:
        return _DIFFERENCES.finding(what=f"The series holds {used} volumes only")
    what = f"Perfusion is taken from the {used} volumes"
    why = f"the {' and '.join(beside)} volumes beside them are not used"
    if series.holds_cbf:
        why += ", which nothing calibrates: without an M0, a labelling type or a delay they give no CBF"
    mark = SetField("context", ",".join(_marked(series)), "to use those instead, mark the others as n/a, e.g.")
    return _DIFFERENCES.finding(mark, what=what, why=why)


def _marked(series: ASLSeries) -> list[str]:
    """The context with what is used now as n/a."""
    return ["n/a" if kind in series.perfusion else kind.value for kind in series.context]


def left_over(series: ASLSeries) -> tuple[int, int] | None:
    """The first and last volume of controls and labels that take turns yet are odd in number; None for any others.

    One of the two is without a partner, and which one the images alone seldom tell; of several delays the delay does.
    """
    turns = series.indices(VolumeType.CONTROL, VolumeType.LABEL)
    kinds = [series.context[i] for i in turns]
    alternate = all(first is not second for first, second in pairwise(kinds))
    odd = len(turns) > 2 and len(turns) % 2 and alternate and not fitted_delays(series)
    return (turns[0], turns[-1]) if odd else None
