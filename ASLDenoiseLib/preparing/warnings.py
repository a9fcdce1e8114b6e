"""What a run tells of its own preparation: which outliers it left out, and what to look at before believing it."""

from __future__ import annotations

from ..findings import Finding, FindingKind
from ..remedies import Advice, Choose, GiveImage
from ..series import Geometry, Tissue
from .nuisance import NuisanceRegression
from .outliers import OutlierReport

_OUTLIERS = FindingKind(
    "outliers",
    "note",
    "Slices of pairs that were left out of the mean, with the first reason; `outliers.tsv` has all.",
    Advice("desc-mean shows the mean with them"),
    Choose("outliers", "none", "keep them"),
)
_REGRESSED = FindingKind(
    "nuisance-regressed",
    "note",
    "How much of the spread went with motion (or CSF, or the mean of the brain), and how much chance alone would take.",
    Advice("the mean over all pairs stays as it was"),
    Choose("nuisance", "none", "leave the regression out"),
)
_NOT_REGRESSED = FindingKind(
    "nuisance-not-regressed",
    "note",
    "Too few volumes: six courses need 13 pairs.",
    Advice("nothing need be done: the differences are averaged as they are"),
)
_ESTIMATE = FindingKind(
    "superres-estimate",
    "note",
    "A finer map is an estimate.",
    Advice("read it beside the acquired map and its residual"),
)
_REGISTRATION = FindingKind(
    "registration-doubtful",
    "warning",
    "The T1's alignment did not pass its own checks.",
    Advice("look at the overlay"),
    Choose("t1-start", text="where it is wrong, lay the T1 on the series"),
    Choose("t1-to-asl", text="where it is wrong, lay the T1 on the series"),
    GiveImage("masks", "give tissue masks"),
)
_TISSUE = FindingKind(
    "tissue-doubtful",
    "warning",
    "Grey and white matter were guessed, or came out oddly.",
    Advice("look at the tissue maps"),
    GiveImage("t1", "give a T1"),
    GiveImage("masks", "give masks"),
)


def outlier_finding(report: OutlierReport, rescued: int = 0) -> Finding:
    """How much was left out, the first of it, and of how many slices one member could be kept."""
    pairs, slices = int((report.slices_of_pairs > 0).sum()), int(report.flags.sum())
    return _OUTLIERS.finding(
        f"{slices} slices in {pairs} of {len(report.flags)} pairs were left out of the mean as outliers",
        f"method {report.method}: {report.rejections[0]}"
        + (" ..." if len(report.rejections) > 1 else "")
        + (f"; of {rescued} slices one sound member is kept" if rescued else ""),
    )


def nuisance_finding(done: NuisanceRegression) -> Finding:
    """How much of the controls' and labels' spread nuisances explained, or why none were regressed."""
    if done.reason:
        return _NOT_REGRESSED.finding("Nuisances were not regressed", done.reason)
    return _REGRESSED.finding(
        f"{len(done.courses)} nuisance courses explained {done.explained:.0%} of the spread of controls and of labels",
        f"{', '.join(done.courses)}; as many random courses would explain {done.chance:.0%}",
    )


def estimate_finding(acquired: Geometry, target: Geometry) -> Finding:
    """A super-resolved map says more than was measured."""
    old, new = (" x ".join(f"{s:.3g}" for s in g.spacing) for g in (acquired, target))
    return _ESTIMATE.finding(
        f"The super-resolved map is an estimate: {new} mm were asked of {old} mm",
        "detail finer than the acquired voxels comes from the T1 and from smoothness, not from the scanner",
    )


def registration_finding(warning: str) -> Finding:
    """The alignment of T1 and series is in doubt."""
    return _REGISTRATION.finding(warning, "the alignment of the T1 with the series did not pass its own checks")


def tissue_finding(tissue: Tissue) -> Finding:
    """Grey and white matter are in doubt."""
    return _TISSUE.finding(tissue.warning, f"tissue comes from: {tissue.source}")
