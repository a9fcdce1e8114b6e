"""Findings of a run about its own preparation: outliers left out, and what to look at before believing it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, FindingKind, note_kind
from ..remedies import Advice, Choose, GiveImage
from ..series import Geometry
from .nuisance import NuisanceRegression
from .outliers import OutlierContext, OutlierReport, fewest_kept
from .outliers.report import flags_of

_OUTLIERS = note_kind(
    "outliers",
    "{slices} slices in {pairs} of {count} pairs were left out of the mean as outliers",
    "method {method}: {first}{rescued}",
    Advice("desc-mean shows the mean with them"),
    Choose("outliers", "none", "keep them"),
    meaning="Slices of pairs that were left out of the mean, with the first reason; `*_outliers.tsv` has all.",
)
_UNMEASURED = note_kind(
    "slices-unmeasured",
    "{slices} slices in {pairs} of {count} pairs hold too little of the brain to be averaged",
    "{first}; the head moved out of the field of view, or they were not acquired",
    Advice("the mean is that of the other pairs there"),
    meaning="Slices of pairs that hold less than half of the brain's voxels, after motion was corrected.",
)
_BY_HAND = FindingKind(
    "pairs-by-hand",
    "The user took {slices} slices in {pairs} of {count} pairs out of the mean, and put {back} back",
    "{first}",
    Advice("say so beside the figures; desc-mean shows the mean of all pairs"),
    Choose("take-out", text="put them back by leaving them out of the places given"),
    severities="note or warning",
    meaning="What was taken out of the mean, or put back into it, by hand; a warning where a slice of the brain keeps "
    "fewer than half of its pairs, or fewer than three. `*_outliers.tsv` has all.",
)
_REGRESSED = note_kind(
    "nuisance-regressed",
    "{count} nuisance courses explained {explained:.0%} of the spread of controls and of labels",
    "{courses}; as many random courses would explain {chance:.0%}",
    Advice("the mean over all pairs stays as it was"),
    Choose("nuisance", "none", "leave the regression out"),
    meaning="How much of the spread went with motion (or what else was chosen), and how much chance alone would take.",
)
_NOT_REGRESSED = note_kind(
    "nuisance-not-regressed",
    "Nuisances were not regressed",
    "too few volumes: six courses need 13 pairs",
    Advice("nothing need be done: the differences are averaged as they are"),
)
_ESTIMATE = note_kind(
    "superres-estimate",
    "The super-resolved map is an estimate: {new} mm were asked of {old} mm",
    "detail finer than the acquired voxels comes from the T1 and from smoothness, not from the scanner",
    Advice("read it beside the acquired map and its residual"),
)
REGISTRATION = FindingKind(
    "registration-doubtful",
    "The T1 may not lie on the series",
    "the alignment of the T1 with the series did not pass its own checks",
    Advice("look at the overlay"),
    Choose("t1-start", text="where it is wrong, lay the T1 on the series"),
    Choose("t1-to-asl", text="where it is wrong, lay the T1 on the series"),
    GiveImage("masks", "give tissue masks"),
)
TISSUE = FindingKind(
    "tissue-doubtful",
    "Grey and white matter are in doubt",
    "tissue comes from: {source}",
    Advice("look at the tissue maps"),
    GiveImage("t1", "give a T1"),
    GiveImage("masks", "give masks"),
)


def outlier_findings(report: OutlierReport, measured: np.ndarray, rescued: int = 0) -> Iterator[Finding]:
    """How much the method left out, the first of it, and of how many slices one member could be kept.

    What was not `measured` (bool (N, K)), which every method leaves out, is told apart.
    """
    for kind, of_kind in zip((_OUTLIERS, _UNMEASURED), report.kinds(measured), strict=True):
        if of_kind:
            flags = flags_of(of_kind, measured.shape)
            yield kind.finding(
                slices=int(flags.sum()),
                pairs=int(flags.any(axis=1).sum()),
                count=len(flags),
                method=report.method,
                first=f"{of_kind[0]}{' ...' if len(of_kind) > 1 else ''}",
                rescued=f"; of {rescued} slices one sound member is kept" if rescued else "",
            )


def by_hand_findings(report: OutlierReport, context: OutlierContext) -> Iterator[Finding]:
    """What the user took out or put back; nothing where that is nothing."""
    decided = (*report.by_user, *report.put_back)
    if not decided:
        return
    out, back = report.taken_out, flags_of(report.put_back, report.weights.shape[:2])
    kept = (context.measured & ~report.flags).sum(axis=0)
    least = np.array([fewest_kept(n) for n in context.measured.sum(axis=0)])
    few = bool((out.any(axis=0) & context.judged & (kept < least)).any())
    yield _BY_HAND.finding(
        severity="warning" if few else "note",
        slices=int(out.sum()),
        pairs=int(out.any(axis=1).sum()),
        count=len(out),
        back=int(back.sum()),
        first=f"{decided[0]}{' (put back)' if not report.by_user else ''}{' ...' if len(decided) > 1 else ''}",
    )


def nuisance_finding(regression: NuisanceRegression) -> Finding:
    """How much of the controls' and labels' spread nuisances explained, or why none were regressed."""
    if regression.reason:
        return _NOT_REGRESSED.finding(why=regression.reason)
    count, courses = len(regression.courses), ", ".join(regression.courses)
    return _REGRESSED.finding(count=count, courses=courses, explained=regression.explained, chance=regression.chance)


def estimate_finding(acquired: Geometry, target: Geometry) -> Finding:
    """A super-resolved map says more than was measured."""
    old, new = (" x ".join(f"{s:.3g}" for s in g.spacing) for g in (acquired, target))
    return _ESTIMATE.finding(old=old, new=new)
