"""Checks of the voxels: gaps, the brain, dummies, order, motion. Scale is in `scale_checks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..findings import Finding, FindingKind
from ..preparing.brain_mask import shows_anatomy, was_masked
from ..remedies import Advice, ApplyFix, Choose, GiveImage, SetField
from ..series import ASLSeries, VolumeType
from .map_checks import map_findings
from .preview import Preview, medians_of
from .volume_checks import volume_findings

if TYPE_CHECKING:
    from .inspection import Inspection

_PAIRED = (VolumeType.CONTROL, VolumeType.LABEL)
_WHOLE_HEAD = 110.0  # mm along every axis: a field of view that holds most of a brain
_BRAIN_ML = (700.0, 2200.0)  # with CSF; adults have some 1200-1700
_FAR = 1.5  # mm; the centre of real series at rest stays within 0.7
_FEWEST_EACH_SIDE = 3  # pairs, for a change of order to be told from an outlier

_SWAPPED = FindingKind(
    "control-label-swapped",
    "Control and label look swapped",
    "control minus label is negative in the brain",
    Choose("swap", text="swap them (of differences: turn the sign)"),
    ApplyFix("control-label-swapped", "swap them (of differences: turn the sign)"),
)
_ORDER = FindingKind(
    "order-changes",
    "The order of control and label changes within the series",
    "the difference in the brain turns its sign at about pair {pair} of {count}, as after a lost or doubled volume",
    Advice("correct the aslcontext from there on and mark the odd volume as n/a"),
)
_DUMMIES = FindingKind(
    "dummy-volumes",
    "The first volumes do not look like the rest",
    "mean in the brain against the others of their kind: {kinds}",
    ApplyFix("dummy-volumes", "leave them out"),
    SetField("context", "n/a,n/a,control,label", "mark them as n/a, e.g."),
    meaning="The first volumes were taken before the steady state.",
)
_MOVED = FindingKind(
    "motion-suspected",
    "The head seems to have moved",
    "its centre lies up to {worst:.1f} mm from the median, in volume {volume}, "
    f"and more than {_FAR:g} mm in {{far}} of {{count}} volumes",
    Advice("a run corrects motion between volumes; call one that moved within its readout n/a in the aslcontext"),
)
_GAPS = FindingKind(
    "nan-voxels",
    "Voxels are not measured in every volume",
    "{count} voxels ({share:.2g} %) are NaN or infinite in at least one volume",
    Advice("nothing need be done: they stay NaN in the results"),
    severities="note or warning",
)
_NO_BRAIN = FindingKind(
    "brain-not-found",
    "No brain was found by its shape",
    "what is bright amounts to {volume:.0f} ml and does not look like a brain",
    Advice("look at the M0"),
    GiveImage("m0", "give one of this scan"),
)
_ODD_BRAIN = FindingKind(
    "brain-mask-doubtful",
    "The brain mask is doubtful",
    "it holds {volume:.0f} ml, adult brains have some 1200 to 1700",
    Advice("look at the mask and at the voxel size"),
    GiveImage("masks", "where it is wrong, give tissue masks"),
)


def image_findings(inspection: Inspection) -> Iterator[Finding]:
    """Findings from voxel values, in no order."""
    series, preview = inspection.series, inspection.preview
    yield from _gaps(series)
    if preview is None:
        return
    yield from _brain(inspection, preview)
    yield from _dummies(series, preview)
    yield from _sign(series, preview)
    yield from _motion(series, preview)
    yield from volume_findings(series, preview, turned=order_change(preview) is not None)
    yield from map_findings(inspection)


def _gaps(series: ASLSeries) -> Iterator[Finding]:
    missing = ~np.isfinite(series.array[series.indices(*series.perfusion)]).all(axis=0)
    if missing.any():
        share, count = 100 * missing.mean(), np.count_nonzero(missing)
        yield _GAPS.finding(severity="warning" if share > 1 else "note", count=count, share=share)


def _brain(inspection: Inspection, preview: Preview) -> Iterator[Finding]:
    """A mask that failed, or that is too large or too small for a field of view that holds the whole head."""
    series = inspection.series
    if not shows_anatomy(series) and was_masked(inspection.reference):
        return  # the scanner's own mask, as `map_findings` says
    if not preview.brain_found:
        yield _NO_BRAIN.finding(volume=preview.millilitres)
        return
    whole = min(np.multiply(series.geometry.size, series.geometry.spacing)) >= _WHOLE_HEAD
    if preview.millilitres > _BRAIN_ML[1] or (whole and preview.millilitres < _BRAIN_ML[0]):
        yield _ODD_BRAIN.finding(volume=preview.millilitres)


def dummy_volumes(series: ASLSeries, preview: Preview) -> tuple[tuple[int, float], ...]:
    """Leading volumes before a steady state: index, and level over that of the others of their kind and delay."""
    odd = []
    for index in series.indices(*series.perfusion)[:4]:
        same = preview.volume_delays == preview.volume_delays[index]
        others = [i for i in series.indices(series.context[index]) if i != index and same[i]]
        if len(others) < 2:
            break
        centre = np.median(preview.levels[others])
        spread = 1.4826 * np.median(np.abs(preview.levels[others] - centre))
        # Controls alone: a difference volume's level is small and noisy, so a share of it means nothing.
        floor = 0.05 * abs(centre) if series.context[index] in _PAIRED else np.inf
        if abs(preview.levels[index] - centre) <= max(10 * spread, floor):
            break
        odd.append((index, float(preview.levels[index] / centre)))
    return tuple(odd)


def _dummies(series: ASLSeries, preview: Preview) -> Iterator[Finding]:
    odd = dummy_volumes(series, preview)
    if odd:
        cycle = [kind.value for kind in series.context if kind in _PAIRED][-2:]
        m0 = "or as m0scan if they were acquired without background suppression, " if odd[0][1] > 1.3 else ""
        kinds = " and ".join(f"volume {index + 1}: {ratio:.2f} times" for index, ratio in odd)
        mark = SetField("context", f"{'n/a,' * len(odd)}{','.join(cycle)}", f"mark them as n/a, {m0}e.g.")
        yield _DUMMIES.finding(_DUMMIES.remedies[0], mark, kinds=kinds)


def looks_swapped(series: ASLSeries, preview: Preview) -> str:
    """Why control minus label looks negative in the brain; '' where it does not, or only in part of the series."""
    levels = preview.pair_levels
    centre, error = preview.centre(levels), preview.centre_error(levels)  # dummies and motion are outvoted
    if error is not None:
        clear = centre < -3 * error
        why = f"the median difference in the brain is {centre:.3g}, over {len(levels)} pairs"
    else:
        share = float((preview.differences.mean(axis=0) < 0).mean())
        clear = centre < 0 and share > 0.65
        why = f"control minus label is negative in {100 * share:.0f} % of the brain"
    return why if clear and order_change(preview) is None else ""


def order_change(preview: Preview) -> int | None:
    """The first pair from which the sign of the difference is turned, as after a lost volume; None where it is not.

    Of splits into three pairs or more, the one with the least variance within its two sides counts if both differ from
    zero, with opposite signs, by three standard errors.
    """
    levels = preview.pair_levels
    splits = range(_FEWEST_EACH_SIDE, len(levels) - _FEWEST_EACH_SIDE + 1)
    sides = [(levels[:split], levels[split:]) for split in splits]
    if not sides:
        return None
    before, after = min(sides, key=lambda pair: sum(((side - side.mean()) ** 2).sum() for side in pair))
    within = np.concatenate([before - before.mean(), after - after.mean()])
    error = float(np.sqrt((within**2).sum() / (len(levels) - 2)))
    opposite = before.mean() * after.mean() < 0
    clear = all(abs(side.mean()) > 3 * error / np.sqrt(len(side)) for side in (before, after))
    return len(before) if opposite and clear else None


def _sign(series: ASLSeries, preview: Preview) -> Iterator[Finding]:
    """Control minus label must be positive in a brain, throughout."""
    change = order_change(preview)
    if change is not None:
        yield _ORDER.finding(pair=change + 1, count=len(preview.differences))
    why = looks_swapped(series, preview)
    if why:
        ready = len(series.perfusion) == 1
        text, again = ("turn the sign", []) if ready else ("swap them", [Advice("correct the aslcontext")])
        remedies = (Choose("swap", text=text), ApplyFix("control-label-swapped", text), *again)
        yield _SWAPPED.finding(*remedies, what="The perfusion signal is negative" if ready else "", why=why)


def _motion(series: ASLSeries, preview: Preview) -> Iterator[Finding]:
    """The head's centre of mass against its median over the series; turns about it are not seen.

    Of several delays against the median of its own: suppression leaves other tissue bright at each.
    """
    used = series.indices(*_PAIRED)
    if len(used) < 4:
        return
    centres = np.array([_centre(series.array[i]) for i in used]) * series.geometry.spacing[::-1]
    distances = np.linalg.norm(centres - medians_of(centres, preview.volume_delays[used]), axis=1)
    if np.nanmax(distances, initial=0.0) > _FAR:
        worst = int(np.nanargmax(distances))
        far = int(np.count_nonzero(distances > _FAR))
        yield _MOVED.finding(worst=distances[worst], volume=used[worst] + 1, far=far, count=len(used))


def _centre(array: np.ndarray) -> list[float]:
    """Centre of mass along (k, j, i), in voxels; NaN where nothing is positive."""
    weights = np.clip(np.nan_to_num(array.astype(np.float64)), 0, None)
    total = weights.sum()
    if not total > 0:
        return [np.nan] * 3
    others = ((1, 2), (0, 2), (0, 1))
    return [float(weights.sum(axis=axes) @ np.arange(n)) / total for axes, n in zip(others, array.shape, strict=True)]
