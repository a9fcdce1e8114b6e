"""The delays of a simulated scan: each as a protocol of its own, and the order in which they are acquired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..series import Acquisition, Labeling, Origin

_READOUT = 0.7  # s, what a volume takes after its longest delay
ORDERS = {
    "blocks": "all pairs of a delay, then of the next",
    "turns": "a pair of each delay, then again",
    "shuffled": "in any order",
}


def with_delays(
    protocol: Acquisition, delays: tuple[float, ...], durations: tuple[float, ...] | None = None
) -> Acquisition:
    """A protocol of several delays, s, and of a label duration for each where these are given.

    Raises:
        InputError: fewer than two delays, one that is there twice or below 0, or other than as many durations.
    """
    if len(set(delays)) < max(2, len(delays)) or min(delays) < 0:
        raise InputError("Several delays are two or more, each 0 s or more and there once; correct them.")
    if durations is not None and protocol.labeling is Labeling.PASL:
        raise InputError("PASL has one bolus duration for all delays; leave the label durations out.")
    if durations is not None and len(durations) != len(delays):
        raise InputError(f"There are {len(durations)} label durations of {len(delays)} delays; give one a delay.")
    values = {"post_labeling_delay": tuple(map(float, delays))}
    if durations is not None:
        values["label_duration"] = tuple(map(float, durations))
    changed = replace(protocol, **values)
    labels = (p.post_labeling_delay + (p.label_duration or 0.0) for p in each_delay(changed))
    return replace(changed, repetition_time=max(protocol.repetition_time or 0.0, round(max(labels) + _READOUT, 6)))


def each_delay(protocol: Acquisition) -> tuple[Acquisition, ...]:
    """A protocol of one or of several delays as protocols of one each, in its order."""
    delays, durations = protocol.post_labeling_delay, protocol.label_duration
    if not isinstance(delays, tuple):
        return (protocol,)
    durations = durations if isinstance(durations, tuple) else (durations,) * len(delays)
    values = zip(delays, durations, strict=True)
    return tuple(replace(protocol, post_labeling_delay=d, label_duration=t) for d, t in values)


def acquired_order(delays: int, pairs: int, *, order: str, seed: int) -> tuple[int, ...]:
    """Which delay each pair is of, where there are `pairs` of each; `order` as in `ORDERS`, with its seed."""
    if order == "turns":
        return tuple(range(delays)) * pairs
    blocks = np.repeat(np.arange(delays), pairs)
    return tuple(map(int, np.random.default_rng(seed).permutation(blocks) if order == "shuffled" else blocks))


def stated_by_volume(protocols: tuple[Acquisition, ...], which: tuple[int, ...]) -> Acquisition:
    """What a sidecar states of a scan whose every volume is of one of `protocols`."""
    first, values = protocols[0], {}
    for name in ("post_labeling_delay", "label_duration"):
        each = tuple(getattr(protocols[n], name) for n in which)
        values[name] = each if len(set(each)) > 1 else each[0]
    return first if len(protocols) == 1 else first.with_values(Origin.USER, **values)
