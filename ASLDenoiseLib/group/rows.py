"""What one finished run puts into the table of scans of its cohort: one row."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..findings import Severity
from ..result import Result
from ..result.pairs_used import acquired_pairs, left_out
from ..software import own_version
from .columns import PROCESSED, RAW

_NAN = float("nan")


def scan_row(result: Result) -> dict[str, object]:
    """The columns of the table of scans (`group.columns`) of one run: numbers, words, NaN; words that are not known
    are empty.
    """
    processed = result.processed or result.raw
    row: dict[str, object] = {"unit": result.unit, "raw_map": result.raw, "processed_map": processed}
    for prefix, key in ((RAW, result.raw), (PROCESSED, processed)):
        row |= {f"{prefix}{r.name}": r.value for r in result.readouts[key] if not r.name.startswith("roi_")}
    parts = (_pairs, _motion, _head, _audit, _findings, _acquisition, _software)
    return row | {name: value for part in parts for name, value in part(result).items()}


def _pairs(result: Result) -> dict[str, object]:
    total, lost = acquired_pairs(result), left_out(result)
    if lost is None:
        return {"pairs_total": total, "pairs_used": total, "outlier_percent": _NAN}
    used = float(np.sum(1 - lost.mean(axis=1)))
    return {"pairs_total": total, "pairs_used": round(used, 3), "outlier_percent": round(100 * float(lost.mean()), 3)}


def _motion(result: Result) -> dict[str, object]:
    motion = result.motion
    if motion is None:
        return dict.fromkeys(("motion_mean_fd_mm", "motion_max_fd_mm", "motion_max_mm"), _NAN)
    steps, places = motion.framewise, motion.displacement
    return {
        "motion_mean_fd_mm": _of(np.mean, steps),
        "motion_max_fd_mm": _of(np.max, steps),
        "motion_max_mm": _of(np.max, places),
    }


def _of(figure, values: np.ndarray) -> float:
    """A figure of the finite values; NaN without any."""
    known = values[np.isfinite(values)]
    return round(float(figure(known)), 4) if known.size else _NAN


def _head(result: Result) -> dict[str, object]:
    fit, codes = result.fit, {finding.code for finding in result.findings}
    told = {parameter.name: parameter.value for parameter in result.parameters}
    return {
        "fit_light": "" if fit is None else fit.light.value,
        "fit_score": _NAN if fit is None else _number(fit.certainty),
        "fit_share_percent": _NAN if fit is None else round(100 * fit.share, 2),
        "registration": "" if result.t1 is None else "doubtful" if "registration-doubtful" in codes else "passed",
        "registration_nats": _number(told.get("t1_mutual_information")),
        "brain_coverage_percent": brain_coverage(result),
        "mni_gm_overlap": _number(told.get("mni_gm_overlap")),
    }


def brain_coverage(result: Result) -> float:
    """The share of the T1's brain, laid on the series, in voxels that the furthest map measured, %; NaN without a T1.

    What lies beyond the field of view counts as not measured.
    """
    if result.t1_tissue is None:
        return _NAN
    brain, shown = result.t1_tissue.brain, result.maps[result.on_series]
    where = np.argwhere(brain.array > 0.5)[:, ::-1]
    if not where.size:
        return _NAN
    to_voxel = np.linalg.inv(shown.geometry.affine_lps) @ result.t1_to_asl @ brain.geometry.affine_lps
    voxel = np.rint(where @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    inside = ((voxel >= 0) & (voxel < shown.geometry.size)).all(axis=1)
    i, j, k = voxel[inside].T
    return round(100 * float(np.isfinite(shown.array[k, j, i]).sum()) / len(where), 2)


def _audit(result: Result) -> dict[str, object]:
    verdict = result.audit
    if verdict is None:
        return {"audit": "", "audit_moved_percent": _NAN}
    moved = [mean.moved for mean in verdict.means if math.isfinite(mean.moved)]
    said = "untold" if not verdict.means else "kept" if verdict.kept else "not kept"
    return {"audit": said, "audit_moved_percent": round(max(moved, key=abs), 2) if moved else _NAN}


def _findings(result: Result) -> dict[str, object]:
    of = {severity: [f.code for f in result.findings if f.severity is severity] for severity in reversed(Severity)}
    counts = {f"findings_{severity.value}": len(codes) for severity, codes in of.items()}
    notes = of.pop(Severity.NOTE)
    worst = (code for codes in of.values() for code in codes)
    return {**counts, "findings": "; ".join(dict.fromkeys(worst)), "notes": "; ".join(dict.fromkeys(notes))}


def _acquisition(result: Result) -> dict[str, object]:
    stated = result.series.acquisition
    delays = stated.delays or _listed(_parameter(result, "post_labeling_delay"))
    return {
        "manufacturer": stated.manufacturer or "",
        "labeling": stated.labeling.value if stated.labeling else "",
        "readout": stated.readout or "",
        "field_strength_t": _number(stated.field_strength),
        "delays": len(delays),
        "pld_s": max(delays, default=_NAN),
    }


def _software(result: Result) -> dict[str, object]:
    model: Mapping[str, object] = result.model
    named = {name: str(model.get(key) or "") for name, key in (("model", "name"), ("model_sha256", "sha256"))}
    return {**named, "version": own_version()}


def _parameter(result: Result, name: str) -> object:
    return next((p.value for p in result.parameters if p.name == name), None)


def _listed(value: object) -> tuple[float, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(float(v) for v in dict.fromkeys(values) if isinstance(v, (int, float)))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else _NAN
