"""Checks of the M0, from the metadata alone."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Finding, FindingKind, note_kind, unusable_kind
from ..quantifying.calibration import (
    FULLY_RELAXED,
    NUMBER_REMEDIES,
    control_time,
    controls_stand_in,
    unclear_number,
)
from ..quantifying.constants import PARTITION_COEFFICIENT, t1_tissue
from ..quantifying.kinetics import m0_relaxation_factor
from ..reading.vendor_scaling import GE_M0_SATURATION
from ..remedies import Advice, ApplyFix, GiveImage, SetField
from ..series import ASLSeries, M0Type, Origin, VolumeType
from .value_checks import other_units

_SAME_TIME = 0.05  # s

_ABSENT = FindingKind(
    "m0-absent",
    "There is no M0",
    "no M0 image was found or given",
    GiveImage("m0", "for CBF, give an M0 image, or one number for it,"),
    SetField("suppression_pulses", 0, "where the controls were not suppressed, state it"),
    meaning="No M0. Controls stand in where they are not background-suppressed, and CBF is approximate; else the maps "
    "are relative perfusion in scanner units, not CBF.",
)
_ZERO_TIME = unusable_kind(
    "m0-tr-zero",
    "The repetition time of the M0 is zero",
    "correcting M0 for it makes CBF zero everywhere",
    SetField("m0_repetition_time", text="give RepetitionTimePreparation of the M0, in seconds,"),
    ApplyFix("m0-tr-zero", "take the M0 as fully relaxed"),
)
_NO_TIME = note_kind(
    "m0-tr-missing",
    "The repetition time of the M0 is not stated",
    "it is taken as fully relaxed; were it 2 s, CBF would be 40 % too high",
    SetField("m0_repetition_time", text="give RepetitionTimePreparation of the M0, in seconds,"),
)
_NOT_RELAXED = note_kind(
    "m0-not-relaxed",
    "The M0 is not fully relaxed",
    "its repetition time is {time:g} s, below 5 s",
    Advice("nothing need be done: M0 is multiplied by 1/(1 - exp(-TR/T1))"),
)
_GE_SATURATION = FindingKind(
    "ge-m0-saturation",
    "GE reads its M0 2 s after a saturation, whatever repetition time is stated",
    "{used}; for 2 s the M0 would be multiplied by {factor:.3f}",
    SetField("m0_repetition_time", GE_M0_SATURATION, "of GE's 3D product, state the time since the saturation"),
    ApplyFix("ge-m0-saturation", "of GE's 3D product, state the time since the saturation"),
    Advice("of another sequence, state the repetition time of its M0 in the same place"),
)


_UNCLEAR_NUMBER = unusable_kind(
    "m0-number-unclear",
    "It is unclear whether the M0 is relaxed",
    "a repetition time is stated in a file beside an M0 that is one number",
    *NUMBER_REMEDIES,
)
_NUMBER = note_kind(
    "m0-number",
    "The M0 is one number for the whole brain",
    "it is taken as the M0 of tissue, fully relaxed unless a repetition time is given, and the coils' sensitivity is "
    "not divided out",
    SetField("m0_scale", PARTITION_COEFFICIENT, "where it is the M0 of blood, as in BIDS, state their ratio"),
    GiveImage("m0", "give an M0 image"),
)
_SOURCES = note_kind(
    "m0-sources",
    "There are several sources of the M0",
    "{used} is used; {unused} is not",
    GiveImage("m0", "choose otherwise"),
)


def m0_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings about the M0's presence, its sources and its repetition time."""
    yield from _sources(series)
    if series.m0 is None and not series.acquisition.m0_estimate:
        yield _absent(series)
    if by_number(series):
        why = unclear_number(series.acquisition)
        yield _UNCLEAR_NUMBER.finding(why=why) if why else _NUMBER.finding()
    time = m0_time(series)
    known = not {"t1_tissue", "field_strength"} & set(other_units(series.acquisition))
    if known and ge_saturation_unstated(series):
        yield _of_ge(series)
    if time == 0:
        yield _ZERO_TIME.finding()
    elif time is not None and time < FULLY_RELAXED and known:
        factor = m0_relaxation_factor(repetition_time=time, t1_tissue=float(t1_tissue(series.acquisition).value))
        yield _NOT_RELAXED.finding(Advice(f"nothing need be done: M0 is multiplied by {factor:.3f}"), time=time)
    elif time is None and series.m0 is not None:
        yield _NO_TIME.finding()


def by_number(series: ASLSeries) -> bool:
    """Whether one number calibrates."""
    return series.m0 is None and bool(series.acquisition.m0_estimate)


def _sources(series: ASLSeries) -> Iterator[Finding]:
    """What else could calibrate, and is passed over."""
    a, made = series.acquisition, series.m0_source
    unused = [] if made is None else list(made.unused)
    if series.m0 is not None and a.m0_estimate:
        unused.append(f"the M0Estimate of {a.m0_estimate:g}")
    if series.indices(VolumeType.M0SCAN) and a.m0_type not in (None, M0Type.INCLUDED):
        unused.append("the m0scan volumes of the series")
    if unused:
        image = f"the M0 image {made.name}" if made is not None and made.name else "the M0 image"
        number = f"the number {a.m0_estimate:g}" if by_number(series) else "none"
        used = image if series.m0 is not None else number
        yield _SOURCES.finding(used=used, unused=" and ".join(unused))


def holds_ge_differences(series: ASLSeries) -> bool:
    """Whether perfusion is taken from differences that GE's 3D product made."""
    ge = (series.acquisition.manufacturer or "").lower().startswith("ge")
    return ge and VolumeType.DELTAM in series.perfusion


def ge_saturation_unstated(series: ASLSeries) -> bool:
    """Whether an M0 of GE's 3D product calibrates, and its stated time is not that since its saturation."""
    a = series.acquisition
    by_user = a.origins.get("m0_repetition_time") is Origin.USER
    stated = a.m0_repetition_time is not None and abs(a.m0_repetition_time - GE_M0_SATURATION) < _SAME_TIME
    return holds_ge_differences(series) and series.m0 is not None and not by_user and not stated


def _of_ge(series: ASLSeries) -> Finding:
    tissue = float(t1_tissue(series.acquisition).value)
    factor = m0_relaxation_factor(repetition_time=GE_M0_SATURATION, t1_tissue=tissue)
    time = series.acquisition.m0_repetition_time
    used = f"the stated {time:g} s are used" if time else "it is taken as fully relaxed"
    return _GE_SATURATION.finding(used=used, factor=factor)


def m0_time(series: ASLSeries) -> float | None:
    """The repetition time (s) of what calibrates, M0 image or mean control; None where it is not stated."""
    a = series.acquisition
    if series.m0 is not None or by_number(series):
        return a.m0_repetition_time
    if controls_stand_in(series):
        return control_time(a)
    return None


def _absent(series: ASLSeries) -> Finding:
    a = series.acquisition
    stated = "M0Type is Absent" if a.m0_type is M0Type.ABSENT else _ABSENT.why
    if controls_stand_in(series):
        why = f"{stated}; the mean control stands in for it"
        return _ABSENT.finding(Advice("read CBF as approximate"), _ABSENT.remedies[0], why=why)
    remedies = _ABSENT.remedies[:1]
    if not series.indices(VolumeType.CONTROL):
        why = "it has no control images to stand in for it"
    elif a.look_locker:
        why = "controls of a Look-Locker readout, which are never relaxed, cannot stand in for it"
    elif a.background_suppression:
        why = "its controls are background-suppressed and cannot stand in for it"
    else:
        why = "it is not stated that its controls, which could stand in, are without background suppression"
        remedies = _ABSENT.remedies
    what = "There is no M0, so relative perfusion in scanner units is given, no CBF"
    return _ABSENT.finding(*remedies, what=what, why=f"{stated}, and {why}")
