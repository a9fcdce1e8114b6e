"""The delays of a series: which pairs were acquired at which, and the series of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..series import PERFUSION, Acquisition, ASLSeries, VolumeType
from .pairs import pair_members

FEWEST_DELAYS = 3  # a curve of two unknowns leaves a residual to judge it by
CONSENSUS_TIME = 1.8  # s: Alsop 2015 recommends it for the label and for the delay
_A_VOLUME = ("post_labeling_delay", "label_duration", "repetition_time")  # may be stated volume by volume


@dataclass(frozen=True)
class Delay:
    """One delay of a series.

    Args:
        delay: post-labelling delay, of PASL inversion time, s; 0 is one.
        duration: label duration, of PASL bolus duration, s; None where it is not stated.
        pairs: positions of its pairs among those of the series (`preparing.pairs.pair_members`).
    """

    delay: float
    duration: float | None
    pairs: tuple[int, ...]


def delays_of(series: ASLSeries) -> tuple[Delay, ...]:
    """The delays at which pairs were acquired, ascending; none where no delay is stated, or of CBF maps.

    Pairs of one delay and of other label durations count as of other delays.

    Raises:
        InputError: there is no pair.
    """
    if series.holds_cbf:
        return ()
    found: dict[tuple[float, float | None], list[int]] = {}
    for position, members in enumerate(pair_members(series)):
        delay, duration = series.timing(members[0])
        if delay is not None:
            found.setdefault((delay, duration), []).append(position)
    ordered = sorted(found, key=lambda timing: (timing[0], timing[1] or 0.0))
    return tuple(Delay(*timing, tuple(found[timing])) for timing in ordered)


def reference_delay(delays: Sequence[Delay]) -> Delay:
    """The delay nearest to 1.8 s, which stands for all where one is asked for."""
    return min(delays, key=lambda each: abs(each.delay - CONSENSUS_TIME))


def series_of_delay(series: ASLSeries, delay: Delay) -> ASLSeries:
    """The series with all but the pairs of one delay as n/a; what is stated volume by volume is theirs.

    Volumes keep their places, as motion parameters need.
    """
    members = pair_members(series)
    kept = {t for position in delay.pairs for t in members[position]}
    context = tuple(
        kind if t in kept or kind not in PERFUSION else VolumeType.NOT_AVAILABLE
        for t, kind in enumerate(series.context)
    )
    return replace(series, context=context, acquisition=_of_volumes(series.acquisition, sorted(kept)))


def _of_volumes(acquisition: Acquisition, kept: list[int]) -> Acquisition:
    """Values that are stated volume by volume, as the one of the volumes that are kept where they share one."""
    for name in _A_VOLUME:
        stated = getattr(acquisition, name)
        if isinstance(stated, tuple) and len({round(stated[t], 6) for t in kept}) == 1:
            acquisition = acquisition.with_values(acquisition.origins[name], **{name: stated[kept[0]]})
    return acquisition
