"""What was done to the pairs before they were averaged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .. import maps
from .statement import Facts, Statement, number

_SOUGHT = {
    "zscore": "slices of pairs whose noise was out of proportion (robust z-scores) [@tan2009]",
    "score": "pairs that made the tissues uneven (SCORE) [@dolui2017]",
    "aoc": "pairs that strayed from the mean (adaptive outlier cleaning) [@wang2013]",
    "paocsl": "slices of pairs unlike what the tissues predict (priors-guided slice-wise cleaning) [@li2018]",
}

_UNSOUGHT = "nothing was rejected."


def motion_said(facts: Facts) -> Iterator[Statement]:
    """Head motion: corrected, found to be none, or left."""
    motion = facts.result.motion
    if facts.result.series.holds_cbf:
        return
    if motion is None:
        if facts.value("motion_correction") is False:
            yield Statement("Head motion was not corrected, by choice.")
        elif "motion-unknown" in facts.codes:
            yield Statement("Head motion could not be estimated and was not corrected.")
        return
    yield Statement(
        "Head motion was estimated by rigid registration of every control and label image to the median of its own "
        "kind, so that labelling was not taken for motion [@friston1995;@wang2012]."
    )
    if motion.still:
        yield Statement("The head kept within 0.1 mm of its median pose, and no volume was resampled.", of_scan=True)
        return
    yield Statement("All volumes were then resampled once, by a cubic B-spline.")
    framewise = motion.framewise
    if np.isfinite(framewise).any():
        mean, most = np.nanmean(framewise), np.nanmax(framewise)
        figures = f"mean {mean:.2f} mm, largest {most:.2f} mm"
        yield Statement(f"Displacement between successive volumes, averaged over the brain: {figures}.", of_scan=True)


def outliers_said(facts: Facts) -> Iterator[Statement]:
    """How outliers were sought, how many were left out, and what a person decided."""
    report = facts.result.outliers
    if report is None or facts.result.series.holds_cbf:
        return
    found = [r for r in report.rejections if not r.by_user]
    unsought = next((note for note in report.notes if note.endswith(_UNSOUGHT)), "")
    if report.method == "none":
        yield Statement("No outliers were sought among the pairs, by choice.")
    elif unsought:
        why = unsought.removesuffix(_UNSOUGHT).rstrip(" :")
        yield Statement(f"No outliers were sought: {why[:1].lower()}{why[1:]}.", of_scan=True)
    elif report.method == "huber":
        yield Statement("Pairs were weighted voxel by voxel with Huber's M-estimator [@maumet2014].")
    elif report.method in _SOUGHT:
        yield Statement(f"Outliers were sought and left out of the mean: {_SOUGHT[report.method]}.")
        absent = len(facts.value("slices_unmeasured") or ())
        left = len(found) - absent
        yield Statement(f"Of these, {_places(left)} left out." if left else "None was found.", of_scan=True)
    if facts.value("outliers_rescued"):
        yield Statement(
            "Of pairs with one corrupted member the sound one was kept, less the mean of its neighbours of the other "
            "kind, at half weight [@liu2005]."
        )
    if report.by_user:
        yield Statement(f"By hand, {_places(len(report.by_user))} taken out of the mean.", of_scan=True)
    if report.put_back:
        yield Statement(f"By hand, {_places(len(report.put_back))} put back into the mean.", of_scan=True)


def _places(many: int) -> str:
    return "1 pair or slice was" if many == 1 else f"{many} pairs or slices were"


def nuisance_said(facts: Facts) -> Iterator[Statement]:
    """What was regressed out, where a finding says that it was."""
    if "nuisance-regressed" not in facts.codes:
        return
    names = {"motion": "the six courses of head motion", "csf": "the course of CSF", "global": "the brain's mean"}
    motion = facts.result.motion
    moved = motion is not None and not motion.still  # a run regresses no courses of a head that kept still
    asked = [name for name in str(facts.value("nuisance", "")).split("+") if name != "motion" or moved]
    chosen = [names.get(name, name) for name in asked]
    if not chosen:
        return
    yield Statement(
        f"Nuisances ({', '.join(chosen)}), orthogonal to the labelling, were regressed out of controls and labels "
        "[@wang2012]."
    )


def averaging_said(facts: Facts) -> Iterator[Statement]:
    """Smoothing, and the mean that is the basis of everything."""
    for name, what in (("smoothing", "The differences were"), ("m0_smoothing", "The M0 was")):
        width = facts.value(name)
        if isinstance(width, (int, float)) and width > 0:
            yield Statement(f"{what} smoothed with a Gaussian of {number(width)} mm FWHM within the brain.")
    if facts.result.series.holds_cbf:
        return
    error = ""
    if maps.named(maps.MEAN_ERROR, facts.result.maps) in facts.result.maps:
        error = "; the standard error of the mean was taken from the spread of the pairs"
    of = "for each delay " if facts.result.delays is not None else ""
    yield Statement(f"The differences that were kept {of}were averaged{error}.")
