"""Checks of whole volumes: empty ones, a context that does not fit, no perfusion at all, values in coarse steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import InputError
from ..findings import Finding, FindingKind
from ..preparing.pairs import pair_members
from ..remedies import Advice, ApplyFix, SetField
from ..series import ASLSeries, VolumeType
from .preview import Preview, medians_of

_PAIRED = (VolumeType.CONTROL, VolumeType.LABEL)
_FEWEST_PAIRS = 4  # for a spread over pairs
_NO_SIGN = (0.45, 0.55)  # the share of negative voxels in the brain, where pairs are fewer
_CLEAR_GAP = 4.0  # between two groups of volumes, in SDs within them
_SMALL_GAP = 0.1  # of the signal; labelling changes no more of it
_SMALLER_GROUP = 0.3  # of the volumes; controls and labels are as many
_COARSE = 0.25  # of the perfusion signal
_DITHER = 2.0  # noise of half a step makes a mean of many volumes finer than the step

_ALIKE = 0.03  # of the mean, the SD over volumes; differences of real scans vary by a tenth at the least

_EMPTY = FindingKind(
    "empty-volumes",
    "Volumes hold one value everywhere",
    "volume {volumes}, as after a scan that was broken off",
    ApplyFix("empty-volumes", "leave out their pairs"),
)
_EMPTY_SLICES = FindingKind(
    "empty-slices",
    "Slices are zero in every volume",
    "slice {slices}, where the head is: they were not acquired, so CBF is not 0 there but unknown",
    Advice("export the series again, or take these slices out of every region and mean"),
)
_MIXED = FindingKind(
    "order-mixed",
    "Control and label are mixed up",
    "the volumes fall into two groups by their brightness, and {odd} of {count} are in the group of the others",
    Advice("correct the aslcontext"),
)
_NO_PERFUSION = FindingKind(
    "no-perfusion",
    "No perfusion can be told from noise",
    "the difference in the brain is {level:.3g} on average, and by chance alone it would be within {error:.3g} of zero",
    Advice("check that this is an ASL series, with the right aslcontext, before trusting any value"),
)
_NO_DIFFERENCES = FindingKind(
    "not-differences",
    "The volumes do not look like differences",
    "in the brain they vary by {share:.1f} % only, as control and label images do, and noise makes differences vary by "
    "more than 10 %",
    SetField("context", "control,label", "where they are control and label images, give their order, e.g."),
)
_STEPS = FindingKind(
    "coarse-values",
    "The images are stored in coarse steps",
    "their values differ by {step:.3g} at the least, and the perfusion signal is {level:.3g}",
    Advice("export the series again with its full range of values (16 bits or floating point)"),
)


def volume_findings(series: ASLSeries, preview: Preview, *, turned: bool) -> Iterator[Finding]:
    """Findings about whole volumes, in no order; `turned`: the order changes once, which is another finding's."""
    empty = empty_volumes(series)
    if empty:
        yield _EMPTY.finding(volumes=_listed(empty))
    slices = _empty_slices(series, preview)
    if slices:
        yield _EMPTY_SLICES.finding(slices=_listed(slices))
    yield from _no_differences(series, preview)
    odd = 0 if turned else _mixed_up(series, preview)
    if odd:
        yield _MIXED.finding(odd=odd, count=len(series.indices(*_PAIRED)))
    else:
        yield from _perfusion(preview)
    yield from _steps(series, preview)


def empty_volumes(series: ASLSeries) -> tuple[int, ...]:
    """The volumes in use that hold one finite value everywhere."""
    used = series.indices(*series.perfusion)
    return tuple(i for i in used if np.isfinite(series.array[i]).all() and not np.ptp(series.array[i]) > 0)


def without_empty(series: ASLSeries) -> list[int]:
    """The volumes of every pair of which one is empty."""
    empty = set(empty_volumes(series))
    try:
        members = pair_members(series)
    except InputError:
        return sorted(empty)
    return sorted(empty | {i for pair in members if empty & set(pair) for i in pair})


def _listed(indices: tuple[int, ...]) -> str:
    return ", ".join(str(i + 1) for i in indices[:8]) + (" ..." if len(indices) > 8 else "")


def _empty_slices(series: ASLSeries, preview: Preview) -> tuple[int, ...]:
    """The slices (along k) that hold brain and are zero in every volume in use."""
    used = [i for i in series.indices(*series.perfusion) if i not in empty_volumes(series)]
    filled = np.zeros(series.geometry.shape[0], bool)
    for i in used:
        filled |= (series.array[i] != 0).any(axis=(1, 2))
    return tuple(np.flatnonzero(~filled & preview.brain.any(axis=(1, 2))).tolist()) if used else ()


def _no_differences(series: ASLSeries, preview: Preview) -> Iterator[Finding]:
    """Differences that hardly vary are images of the head itself."""
    if series.perfusion != (VolumeType.DELTAM,) or len(preview.differences) < _FEWEST_PAIRS:
        return
    mean = np.abs(preview.differences.mean(axis=0))
    use = mean > 0
    share = float(np.median(preview.differences[:, use].std(axis=0) / mean[use])) if use.any() else 0.0
    if 0 < share < _ALIKE:
        yield _NO_DIFFERENCES.finding(share=100 * share)


def _mixed_up(series: ASLSeries, preview: Preview) -> int:
    """How many volumes are as bright as those of the other kind; 0 where groups are not clear, or all are exchanged."""
    used = series.indices(*_PAIRED)
    if len(used) < 2 * _FEWEST_PAIRS or series.perfusion != _PAIRED:
        return 0
    levels, delays = preview.levels[used], preview.volume_delays[used]
    levels = levels - medians_of(levels, delays) + np.median(levels)  # controls of two delays differ more than that
    in_order = np.sort(levels)
    first = int(np.ceil(_SMALLER_GROUP * len(used)))
    splits = range(first, len(used) - first + 1)
    at = max(splits, key=lambda n: in_order[n] - in_order[n - 1])
    gap, centre = in_order[at] - in_order[at - 1], float(np.median(np.abs(levels)))
    spread = max(in_order[:at].std(), in_order[at:].std())
    if not _CLEAR_GAP * spread < gap < _SMALL_GAP * centre:
        return 0
    controls = np.array([series.context[i] is VolumeType.CONTROL for i in used])
    odd = int(np.count_nonzero((levels >= in_order[at]) != controls))
    return 0 if odd == len(used) else odd


def _perfusion(preview: Preview) -> Iterator[Finding]:
    """The mean difference against what its spread over pairs, or over the brain, makes of nothing."""
    levels = preview.differences.mean(axis=1)  # the median of integers is too coarse here
    centre, error = preview.centre(levels), preview.centre_error(levels)
    if error is not None:
        if abs(centre) <= 3 * error:
            yield _NO_PERFUSION.finding(level=centre, error=3 * error)
        return
    mean = preview.differences.mean(axis=0)
    if _NO_SIGN[0] < float((mean < 0).mean()) < _NO_SIGN[1]:
        yield _NO_PERFUSION.finding(level=centre, error=float(np.median(np.abs(mean))))


def _steps(series: ASLSeries, preview: Preview) -> Iterator[Finding]:
    """The least distance of two values against the perfusion signal and the noise that would smooth it."""
    used = series.indices(*series.perfusion)
    values = np.unique(series.array[used[0]][preview.brain])
    level = abs(float(np.median(preview.differences.mean(axis=1))))  # the median of steps may be zero
    if len(values) < 2 or not level > 0:
        return
    step = float(np.diff(values).min())
    delays = preview.volume_delays
    same = [i for i in series.indices(series.context[used[0]]) if delays[i] == delays[used[0]]]
    spread = series.array[same][:, preview.brain].std(axis=0)
    noise = float(np.percentile(spread, 25)) if len(same) > 2 else 0.0  # rounding alone leaves many voxels without any
    if step > _COARSE * level and step > _DITHER * noise:
        yield _STEPS.finding(step=step, level=level)
