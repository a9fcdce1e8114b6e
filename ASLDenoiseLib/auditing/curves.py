"""The residual audit of fitted curves: over all delays a tissue's mean must be kept, and none be off its curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..fitting.curves import curves_of
from ..fitting.maps import DelayMeans, FittedMaps
from ..measuring.masks import FEWEST_VOXELS, tissue_masks
from ..quantifying.kinetic_model import KineticModel
from ..result.audit import AuditVerdict, TissueMean
from ..result.delay_curves import DelayCurves
from ..series import Tissue
from .levels import wiener_weight

TISSUES = ("GM", "WM")
_SURELY = 3.0  # standard errors by which a tissue is off its curve, and
_MUCH = 0.1  # of the highest point that was measured
_ALIKE = 10.0  # voxels that share their noise, in real series
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
        verdicts: of the audit of every delay, where a network denoised each.
    """
    means = []
    for curve in curves.regions:
        if curve.name not in TISSUES:
            continue
        count = len(curves.delays)
        networks = [mean.network for verdict in verdicts for mean in verdict.means if mean.tissue == curve.name]
        network = sum(networks) / count if len(networks) == count else math.nan
        error = math.sqrt(sum(error**2 for error in curve.errors)) / count
        raw, fitted = sum(curve.measured) / count, sum(curve.fitted) / count
        means.append(TissueMean(curve.name, raw, network, fitted, error if math.isfinite(error) else 0.0, _TOLERANCE))
    return AuditVerdict(tuple(means), curves.unit, min(curves.pairs))


def keep_means(fitted: FittedMaps, means: DelayMeans, model: KineticModel, tissue: Tissue) -> FittedMaps:
    """The fit with the mean of grey and of white matter put back where it was measured, delays weighed by their noise.

    What a prior takes from the mean of a tissue is put back to its CBF by the fraction of it in each voxel, as far as
    it is more than noise (`levels.wiener_weight`); arrival times stay.

    Args:
        fitted: of `means`.
        means: measured, with the SDs of their noise.
        model: of the fit.
        tissue: on the grid.
    """
    unit = curves_of(replace(fitted, cbf=np.ones_like(fitted.cbf), abv=None), means, model)
    residual = means.images - curves_of(fitted, means, model)
    known = np.isfinite(residual) & np.isfinite(unit) & np.isfinite(means.errors) & (means.errors > 0)
    weighted = np.divide(unit, means.errors**2, out=np.zeros(unit.shape, np.float64), where=known)
    told = (weighted * np.where(known, unit, 0.0)).sum(axis=0)
    lacks = (weighted * np.where(known, residual, 0.0)).sum(axis=0)
    found = [(mask & (told > 0), np.nan_to_num(each.array)) for mask, each in tissue_masks(tissue).values()]
    found = [(mask, fraction) for mask, fraction in found if mask.sum() >= FEWEST_VOXELS]
    if not found:
        return fitted
    lost = np.array([lacks[mask].sum() for mask, _ in found])
    moved = np.array([[(told * other)[mask].sum() for _, other in found] for mask, _ in found])
    noise = np.array([_ALIKE * told[mask].sum() for mask, _ in found])  # of `lost`, whose terms are of unit variance
    shares = np.linalg.solve(moved, wiener_weight(lost**2, noise) * lost)
    restored = sum(share * fraction for share, (_, fraction) in zip(shares, found, strict=True))
    return replace(fitted, cbf=(fitted.cbf + restored).astype(np.float32))
