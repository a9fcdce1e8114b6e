"""What a bend is: one way in which a sound scan is made wrong, and which findings name its cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan

Random = np.random.Generator
# The findings that say that the size of CBF is in doubt, and that M0 and series differ in scale.
MAGNITUDE = ("implausible-cbf",)
SCALE = ("m0-scale", "warning:ge-scaling", "warning:philips-scaling", *MAGNITUDE)


class InapplicableError(Exception):
    """The scan has nothing that this bend could change."""


@dataclass(frozen=True)
class Bend:
    """One way of going wrong.

    Args:
        name: unique.
        kind: its group: sidecar, value, image, geometry, context, m0, file or option.
        apply: changes the scan in place and says what it did; raises `InapplicableError`.
        named: codes of the findings that name its cause; ``warning:`` before one asks for that severity. Where there
            are none, CBF must come out right, or the scan must be refused.
        harmless: the scan is as good as before, so that it must not be refused.
    """

    name: str
    kind: str
    apply: Callable[[MadeScan, Random], str | None]
    named: tuple[str, ...] = ()
    harmless: bool = False


def need(condition: object) -> None:
    """Leave where a scan has not what is to be bent."""
    if not condition:
        raise InapplicableError


def pick(random: Random, choices: Iterable[object]) -> object:
    """One of them, as it is (numpy would make of it a number of its own)."""
    choices = list(choices)
    need(choices)
    return choices[int(random.integers(len(choices)))]


def perfusion_volumes(scan: MadeScan) -> list[int]:
    """The volumes that are no M0."""
    return [i for i, word in enumerate(scan.words) if word != "m0scan"]


def each(scan: MadeScan, change: Callable[[np.ndarray], np.ndarray], *, m0: bool = True) -> None:
    """Change the grid of series, tissues and M0 alike; `change` takes (I, J, K[, T])."""
    scan.volumes, scan.gm, scan.wm = change(scan.volumes), change(scan.gm), change(scan.wm)
    if m0 and scan.m0 is not None:
        scan.m0 = change(scan.m0)
