"""What a run tells of its own preparation: which outliers it left out, and what to look at before believing it."""

from __future__ import annotations

from ..series import Finding, Severity, Tissue
from .outliers import OutlierReport


def outlier_finding(report: OutlierReport) -> Finding:
    """How much was left out, and the first of it."""
    pairs, slices = int((report.slices_of_pairs > 0).sum()), int(report.flags.sum())
    return Finding(
        "outliers",
        Severity.NOTE,
        f"{slices} slices in {pairs} of {len(report.flags)} pairs were left out of the mean as outliers",
        f"method {report.method}: {report.rejections[0]}" + (" ..." if len(report.rejections) > 1 else ""),
        "desc-mean shows the mean with them; keep them with --outliers none.",
    )


def registration_finding(warning: str) -> Finding:
    """The alignment of T1 and series is in doubt."""
    return Finding(
        "registration-doubtful",
        Severity.WARNING,
        warning,
        "the alignment of the T1 with the series did not pass its own checks",
        "Look at the overlay; give tissue masks on the grid of the series if it is wrong.",
    )


def tissue_finding(tissue: Tissue) -> Finding:
    """Grey and white matter are in doubt."""
    return Finding(
        "tissue-doubtful",
        Severity.WARNING,
        tissue.warning,
        f"tissue comes from: {tissue.source}",
        "Look at the tissue maps; give a T1 with --t1, or masks with --gm and --wm.",
    )
