"""What a run tells of its own preparation: which outliers it left out, and what to look at before believing it."""

from __future__ import annotations

from ..series import Finding, Geometry, Severity, Tissue
from .nuisance import NuisanceRegression
from .outliers import OutlierReport


def outlier_finding(report: OutlierReport, rescued: int = 0) -> Finding:
    """How much was left out, the first of it, and of how many slices one member could be kept."""
    pairs, slices = int((report.slices_of_pairs > 0).sum()), int(report.flags.sum())
    return Finding(
        "outliers",
        Severity.NOTE,
        f"{slices} slices in {pairs} of {len(report.flags)} pairs were left out of the mean as outliers",
        f"method {report.method}: {report.rejections[0]}"
        + (" ..." if len(report.rejections) > 1 else "")
        + (f"; of {rescued} slices one sound member is kept" if rescued else ""),
        "desc-mean shows the mean with them; keep them with --outliers none.",
    )


def nuisance_finding(done: NuisanceRegression) -> Finding:
    """How much of the controls' and labels' spread nuisances explained, or why none were regressed."""
    if done.reason:
        mend = "Nothing needs to be done; the differences are averaged as they are."
        return Finding("nuisance-not-regressed", Severity.NOTE, "Nuisances were not regressed", done.reason, mend)
    return Finding(
        "nuisance-regressed",
        Severity.NOTE,
        f"{len(done.courses)} nuisance courses explained {done.explained:.0%} of the spread of controls and of labels",
        f"{', '.join(done.courses)}; as many random courses would explain {done.chance:.0%}",
        "The mean over all pairs stays as it was; leave the regression out with --nuisance none.",
    )


def estimate_finding(acquired: Geometry, target: Geometry) -> Finding:
    """A super-resolved map says more than was measured."""
    old, new = (" x ".join(f"{s:.3g}" for s in g.spacing) for g in (acquired, target))
    return Finding(
        "superres-estimate",
        Severity.NOTE,
        f"The super-resolved map is an estimate: {new} mm were asked of {old} mm",
        "detail finer than the acquired voxels comes from the T1 and from smoothness, not from the scanner",
        "Read it beside the acquired map and its residual.",
    )


def registration_finding(warning: str) -> Finding:
    """The alignment of T1 and series is in doubt."""
    return Finding(
        "registration-doubtful",
        Severity.WARNING,
        warning,
        "the alignment of the T1 with the series did not pass its own checks",
        "Look at the overlay; where it is wrong give --t1-start, --t1-to-asl, or tissue masks.",
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
