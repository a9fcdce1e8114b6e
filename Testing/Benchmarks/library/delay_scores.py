"""How far CBF and arrival time of a fit are from the truth, and whether its SDs say so."""

from __future__ import annotations

import numpy as np

from .delay_cases import DelayScan
from .delay_methods import Fit

_PURE = 0.5  # of a voxel that a lesion fills
_DELAYED = (2.3, 2.7)  # s


def errors_in(fit: Fit, scan: DelayScan, where: np.ndarray) -> dict[str, float]:
    """Bias and RMSE of both maps in a region (CBF: % of its true mean), and the share within one SD of it (%)."""
    known = (fit.cbf, fit.att, scan.cbf, scan.att)
    where = where & np.isfinite(known).all(axis=0)
    figures = {}
    for name, found, truth, sd in (
        ("CBF", fit.cbf[where], scan.cbf[where], fit.cbf_sd[where]),
        ("ATT", fit.att[where], scan.att[where], fit.att_sd[where]),
    ):
        error = (found - truth).astype(float)
        unit, scale = ("%", 100 / truth.mean()) if name == "CBF" else ("s", 1.0)
        figures[f"{name} bias ({unit})"] = float(error.mean() * scale)
        figures[f"{name} RMSE ({unit})"] = float(np.sqrt(np.mean(error**2)) * scale)
        figures[f"{name} within 1 SD (%)"] = float(100 * np.mean(np.abs(error) <= sd))
    return figures


def delayed_tissue(scan: DelayScan) -> np.ndarray:
    """Bool (K, J, I): grey and white matter that blood reaches at about 2.5 s."""
    return (scan.gm | scan.wm) & (scan.att >= _DELAYED[0]) & (scan.att <= _DELAYED[1])


def share_of_truth(cbf: np.ndarray, att: np.ndarray | None, scan: DelayScan, where: np.ndarray) -> dict[str, float]:
    """The mean CBF of a region over the true one (%), and its mean arrival time and the true one (s)."""
    where = where & np.isfinite(cbf)
    return {
        "CBF of the truth (%)": float(100 * cbf[where].mean() / scan.cbf[where].mean()),
        "ATT (s)": float("nan") if att is None else float(np.nanmean(att[where])),
        "true ATT (s)": float(scan.att[where].mean()),
    }


def contrast_kept(fit: Fit, healthy: Fit, scan: DelayScan, name: str) -> float:
    """Of the change that a lesion makes in the truth, what a fit shows against its fit without the lesion, %.

    Of a deficit in CBF, of a patch of late blood in arrival time.
    """
    where = (scan.lesions[name] > _PURE) & (scan.gm | scan.wm)
    found, was = (fit.cbf, healthy.cbf) if name == "deficit" else (fit.att, healthy.att)
    truth, before = (scan.cbf, scan.healthy.cbf) if name == "deficit" else (scan.att, scan.healthy.att)
    where &= np.isfinite(found) & np.isfinite(was)
    return float(100 * np.mean(found[where] - was[where]) / np.mean(truth[where] - before[where]))
