"""Checks of the M0 image: what was averaged into it, and whether it fits the series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..findings import Finding, FindingKind, note_kind
from ..m0_source import M0Source
from ..preparing.m0_fit import M0Position, uncovered
from ..remedies import Advice, GiveImage, SetField
from ..series import ASLSeries

if TYPE_CHECKING:
    from .inspection import Inspection

_ALIKE = 0.9  # of the brightest M0 volume's level; steady M0 volumes of one head differ by a few percent

_NEGATIVE = 0.01  # of the bright voxels, either sign; a magnitude image has none

_SIGN = FindingKind(
    "m0-negative",
    "The M0 holds negative values",
    "{share:.0f} % of its bright voxels are below zero, and a magnitude image has none",
    Advice("export it again as a magnitude image"),
    GiveImage("m0", "give an M0 image of this scan"),
)
_MOVED = FindingKind(
    "m0-volumes-moved",
    "The head moved between the M0 volumes",
    "of {name}, {volumes}",
    Advice("nothing need be done: each was laid on the one that agrees best with the series before they were averaged"),
    severities="note or warning",
    meaning="M0 volumes lay more than 0.5 mm apart. They were laid on each other before averaging (note), or could not "
    "be (warning): their mean is blurred then.",
)
_LEFT_OUT = FindingKind(
    "m0-volumes-left-out",
    "Not every M0 volume was averaged",
    "of {name}, {volumes}",
    Advice("look at them; where one is right, give it alone"),
    SetField("context", text="name what is no M0 n/a"),
    GiveImage("m0", "give an M0 image"),
    severities="warning or note",
    meaning="M0 volumes that are blank, far darker than the others or of something else were left out; so were those "
    "of a shorter repetition time (note).",
)
_UNEVEN = FindingKind(
    "m0-volumes-uneven",
    "The M0 volumes differ in brightness",
    "of {name}, {volumes} of the brightest one's level",
    Advice("a first volume before the steady state, or one with background suppression, is no M0"),
    SetField("context", text="name what is no M0 n/a"),
    GiveImage("m0", "give an M0 image of the others"),
)


_DIRECTION = FindingKind(
    "m0-phase-encoding",
    "The phase encoding of the M0 is not that of the series",
    "{m0} and {series}; echo-planar images of the two are distorted differently, by millimetres near the sinuses",
    Advice("expect CBF to be wrong at edges and near the sinuses, and look at the overlay"),
    GiveImage("m0", "give an M0 of the same direction, or both images corrected for distortion"),
)
_COVERAGE = FindingKind(
    "m0-coverage",
    "The M0 does not cover the whole brain",
    "in {share:.1f} % of the brain of the series it is NaN, zero, negative or noise, and CBF is not measured there",
    Advice("nothing is filled in; read means over the rest alone"),
    GiveImage("m0", "give an M0 of the whole brain"),
)
_DISPLACED = FindingKind(
    "m0-displaced",
    "The M0 does not lie on the series",
    "it agrees better with the {by} some {moved:.0f} mm away",
    Advice("a run that corrects motion lays it on the controls; look at the overlay"),
    GiveImage("m0", "give one that is aligned with the series"),
    meaning="The M0 was taken in another pose of the head than the series. A run lays it on the controls where it "
    "corrects motion; with differences alone, or without motion correction, it stays as it is and CBF is wrong.",
)
ALIGNED = note_kind(
    "m0-aligned",
    "The M0 was laid on the series",
    "it lay {moved:.1f} mm from it, on average over the brain",
    Advice("nothing need be done: look at the overlay"),
)
_FEWEST_MISSED = 0.01  # of the brain


def m0_image_findings(inspection: Inspection) -> Iterator[Finding]:
    """Findings about the M0 image, in no order; of a series of CBF, which needs no M0, about its sign alone."""
    series = inspection.series
    if series.m0 is None:
        return
    yield from _sign(series.m0.array)
    if series.holds_cbf:
        return
    if series.m0_source is not None:
        yield from _volumes(series.m0_source)
        if series.m0_source.directions:
            m0, own = series.m0_source.directions
            yield _DIRECTION.finding(m0=m0, series=own)
    yield from m0_fit_findings(series, inspection.m0_position)


def m0_fit_findings(series: ASLSeries, position: M0Position | None) -> Iterator[Finding]:
    """Findings about how the M0 covers the brain of the series and where it lies, as it is now."""
    share = uncovered(series)
    if share > _FEWEST_MISSED:
        yield _COVERAGE.finding(share=100 * share)
    if position is not None and position.displaced:
        look, give = _DISPLACED.remedies
        if position.by == "differences":
            look = Advice("differences tell the place to some 3 mm only, so it stays as it is; look at the overlay")
        yield _DISPLACED.finding(look, give, by=position.by, moved=position.moved)


def _sign(m0: np.ndarray) -> Iterator[Finding]:
    """Noise, phase, or the negative of an image: what is bright is below zero."""
    size = np.abs(m0[np.isfinite(m0)])
    if not size.size:
        return
    bright = np.abs(np.nan_to_num(m0)) > 0.5 * np.percentile(size, 98)
    share = float((m0[bright] < 0).mean()) if bright.any() else 0.0
    if share > _NEGATIVE:
        yield _SIGN.finding(share=100 * share)


def _volumes(made: M0Source) -> Iterator[Finding]:
    """What was averaged, what had moved, and what was left out."""
    if made.left_out:
        brief = all("repetition time" in each for each in made.left_out)
        yield _LEFT_OUT.finding(severity="note" if brief else "", name=made.name, volumes=", ".join(made.left_out))
    moved = [f"volume {n} by {mm:.1f} mm" for n, mm in zip(made.volumes, made.moved, strict=True) if mm > 0]
    blurred = max(made.apart, default=0.0)
    if moved and blurred > 0:
        look = Advice("their mean is blurred; look at the M0"), GiveImage("m0", "give one M0 volume")
        why = f"of {made.name}, {', '.join(moved)}, and could not be laid on each other"
        yield _MOVED.finding(*look, severity="warning", why=why)
    elif moved:
        yield _MOVED.finding(name=made.name, volumes=", ".join(moved))
    if min(made.levels, default=1.0) < _ALIKE:
        levels = (f"volume {n} at {level:.2f}" for n, level in zip(made.volumes, made.levels, strict=True))
        yield _UNEVEN.finding(name=made.name, volumes=", ".join(levels))
