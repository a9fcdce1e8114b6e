"""The residual audit of fitted curves: over all delays a tissue's mean must be kept, and none be off its curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..result.audit import AuditVerdict, TissueMean
from ..result.delay_curves import DelayCurves

TISSUES = ("GM", "WM")
_SURELY = 3.0  # standard errors by which a tissue is off its curve, and
_MUCH = 0.1  # of the highest point that was measured
_TOLERANCE = 0.02  # of a mean over all delays: a model of two figures a voxel does not pass through every point


@dataclass(frozen=True)
class OffCurve:
    """Where the mean of a tissue is off its fitted curve by more than noise explains.

    Args:
        tissue: its name.
        delays: s, where it is.
        residual, error: measured minus fitted where it is furthest off, and the standard error of the former.
    """

    tissue: str
    delays: tuple[float, ...]
    residual: float
    error: float


def off_the_curve(curves: DelayCurves) -> tuple[OffCurve, ...]:
    """The tissues that are off their curves; those whose standard error no pairs tell are not judged."""
    found = []
    for curve in curves.regions:
        if curve.name not in TISSUES:
            continue
        top = max(map(abs, curve.measured))
        far = [
            (delay, residual, error)
            for delay, residual, error in zip(curves.delays, curve.residual, curve.errors, strict=True)
            if abs(residual) > max(_SURELY * error, _MUCH * top)  # never of an error that is NaN
        ]
        if far:
            _, residual, error = max(far, key=lambda each: abs(each[1]))
            found.append(OffCurve(curve.name, tuple(delay for delay, _, _ in far), residual, error))
    return tuple(found)


def verdict_of_curves(curves: DelayCurves, verdicts: Sequence[AuditVerdict]) -> AuditVerdict:
    """Whether the curves keep each tissue's mean over all delays, within its standard error or two per cent.

    Where the model does not describe the measurement, no fit keeps it: `off_the_curve` tells at which delays.

    Args:
        curves: measured before denoising, and fitted after it.
        verdicts: of the audit of every delay, in the order of the curves.
    """
    means = []
    for curve in curves.regions:
        networks = [mean.network for verdict in verdicts for mean in verdict.means if mean.tissue == curve.name]
        if curve.name not in TISSUES or len(networks) < len(verdicts):
            continue
        count = len(verdicts)
        error = math.sqrt(sum(error**2 for error in curve.errors)) / count
        raw, network, fitted = (sum(values) / count for values in (curve.measured, networks, curve.fitted))
        means.append(TissueMean(curve.name, raw, network, fitted, error if math.isfinite(error) else 0.0, _TOLERANCE))
    return AuditVerdict(tuple(means), curves.unit, min(verdict.pairs for verdict in verdicts))
