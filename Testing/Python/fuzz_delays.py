"""Bends of the delays: several, each acquired rightly, stated in every form, or in none that fits."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.library.field_phantom import BLOOD_T1, MadeScan
from Testing.Python.fuzz_bends import Bend, Random, need, pick

_KEY = "PostLabelingDelay"
_STEP = 0.25  # s
_NAMED = ("multi-pld", "pld-label-duration-doubtful", "unusual-value")


def _pairs(scan: MadeScan) -> list[list[int]]:
    """The positions of each pair's control and label, or of each difference."""
    kinds = [kind for kind in ("control", "label", "deltam") if kind in scan.words]
    need(kinds and "cbf" not in scan.words and isinstance(scan.keys.get(_KEY), (int, float)))
    places = [[t for t, word in enumerate(scan.words) if word == kind] for kind in kinds]
    need(len({len(each) for each in places}) == 1)
    return [list(each) for each in zip(*places, strict=True)]


def _acquired(scan: MadeScan, count: int, *, blocks: bool) -> list[float]:
    """Acquires the pairs at so many delays; returns the delay of every volume, 0 of an M0."""
    pairs = _pairs(scan)
    need(len(pairs) % count == 0 and len(pairs) >= count)
    repeats, first = len(pairs) // count, float(scan.keys[_KEY])
    scan.volumes = np.array(scan.volumes, np.float64)
    stated = [0.0] * len(scan.words)
    for n, members in enumerate(pairs):
        later = _STEP * (n // repeats if blocks else n % count)
        decayed = np.exp(-later / BLOOD_T1[scan.protocol.field])
        if len(members) == 1:
            scan.volumes[..., members[0]] *= decayed
        else:
            control, label = (scan.volumes[..., t] for t in members)
            scan.volumes[..., members[1]] = control - decayed * (control - label)
        for t in members:
            stated[t] = round(first + later, 6)
    return stated


def _several(scan: MadeScan, random: Random) -> str:
    count = int(pick(random, (3, 6)))
    scan.keys[_KEY] = _acquired(scan, count, blocks=bool(pick(random, (True, False))))
    return f"{count} delays, one a volume"


def _as_a_list(scan: MadeScan, random: Random) -> str:
    blocks = bool(pick(random, (True, False)))
    need(len(_pairs(scan)) == 6)
    stated = _acquired(scan, 3, blocks=blocks)
    scan.keys[_KEY] = list(dict.fromkeys(delay for delay in stated if delay))
    scan.options += ["--pld-order", "blocks" if blocks else "turns"]
    return f"3 delays, one each, in {scan.options[-1]}"


def _in_no_order(scan: MadeScan, random: Random) -> str:
    need(len(_pairs(scan)) == 6)
    stated = _acquired(scan, 3, blocks=True)
    scan.keys[_KEY] = list(dict.fromkeys(delay for delay in stated if delay))
    return "3 delays, one each, in an order that nothing states"


def _in_no_way(scan: MadeScan, random: Random) -> str:
    pairs = len(_pairs(scan))
    count = int(pick(random, [n for n in range(2, 3 * pairs) if pairs % n and n != 2 * pairs]))
    need(count != len(scan.words))
    scan.keys[_KEY] = [round(1.0 + 0.1 * n, 2) for n in range(count)]
    return f"{count} delays for {pairs} pairs"


def _two(scan: MadeScan, random: Random) -> str:
    scan.keys[_KEY] = _acquired(scan, 2, blocks=True)
    return "2 delays, one a volume"


BENDS = (
    Bend("several delays, each acquired", "value", _several, harmless=True),
    Bend("several delays in a list, with their order", "value", _as_a_list, harmless=True),
    Bend("several delays in a list, in no order", "value", _in_no_order),
    Bend("delays that fit no volumes", "value", _in_no_way),
    Bend("two delays", "value", _two, _NAMED),
)
