"""What the doctor can tell about the M0 from the metadata alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..series import ASLSeries, Finding, M0Type, Severity, VolumeType

_FULLY_RELAXED = 5.0  # s, as in quantifying.calibration


def m0_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings about the M0's presence and its repetition time."""
    if series.m0 is None and not series.acquisition.m0_estimate:
        yield _absent(series)
    time = m0_time(series)
    if time == 0:
        yield Finding(
            "m0-tr-zero",
            Severity.UNUSABLE,
            "The repetition time of the M0 is zero",
            "correcting M0 for it makes CBF zero everywhere",
            "Give it in seconds with --m0-tr or as RepetitionTimePreparation in the sidecar of the M0, or take the M0 "
            "as fully relaxed with --fix m0-tr-zero.",
        )
    elif time is not None and time < _FULLY_RELAXED:
        from ..quantifying.constants import t1_tissue
        from ..quantifying.kinetics import m0_relaxation_factor

        factor = m0_relaxation_factor(repetition_time=time, t1_tissue=float(t1_tissue(series.acquisition).value))
        yield Finding(
            "m0-not-relaxed",
            Severity.NOTE,
            "The M0 is not fully relaxed",
            f"its repetition time is {time:g} s, below 5 s",
            f"Nothing need be done: M0 is multiplied by {factor:.3f}.",
        )
    elif time is None and series.m0 is not None:
        yield Finding(
            "m0-tr-missing",
            Severity.NOTE,
            "The repetition time of the M0 is not stated",
            "it is taken as fully relaxed; were it 2 s, CBF would be 40 % too high",
            "Give RepetitionTimePreparation in the sidecar of the M0.",
        )


def controls_stand_in(series: ASLSeries) -> bool:
    """Whether the mean control calibrates for want of an M0."""
    a = series.acquisition
    missing = series.m0 is None and not a.m0_estimate
    return missing and a.background_suppression is False and bool(series.indices(VolumeType.CONTROL))


def m0_time(series: ASLSeries) -> float | None:
    """The repetition time (s) of what calibrates, M0 image or mean control; None where it is not stated."""
    a = series.acquisition
    if series.m0 is not None:
        return a.m0_repetition_time
    if controls_stand_in(series) and a.repetition_time is not None:
        return float(np.median(a.repetition_time))
    return None


def _absent(series: ASLSeries) -> Finding:
    controls = bool(series.indices(VolumeType.CONTROL))
    suppressed = series.acquisition.background_suppression
    stated = "M0Type is Absent" if series.acquisition.m0_type is M0Type.ABSENT else "no M0 image was found or given"
    if controls_stand_in(series):
        return Finding(
            "m0-absent",
            Severity.WARNING,
            "There is no M0",
            f"{stated}; the mean control stands in for it",
            "Read CBF as approximate, or give an M0 image with --m0.",
        )
    why = "it has no control images to stand in for it"
    if controls:
        why = "its controls are background-suppressed and cannot stand in for it"
        if suppressed is None:
            why = "it is not stated that its controls, which could stand in, are without background suppression"
    return Finding(
        "m0-absent", Severity.UNUSABLE, "There is no M0", f"{stated}, and {why}", "Give an M0 image with --m0."
    )
