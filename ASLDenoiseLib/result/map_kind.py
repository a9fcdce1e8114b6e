"""A kind of map: its name, its role in a run, and what it looks like in files, report, scene and panel."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

from ..series import CBF_UNIT


class Role(Enum):
    """The role of a map in its run."""

    RAW = "raw"
    PREPARED = "prepared"
    PROCESSED = "processed"
    SUPERRESOLVED = "super-resolved"
    COMPARISON = "comparison"
    DIFFERENCE = "difference"
    UNCERTAINTY = "uncertainty"
    PERFUSION_WEIGHTED = "perfusion-weighted"
    HALF = "half"
    ARRIVAL = "arrival"
    ARRIVAL_UNCERTAINTY = "arrival uncertainty"
    BLOOD_VOLUME = "blood volume"
    MASK = "mask"
    UNCORRECTED = "uncorrected"


BELOW_ZERO = "#1E64D8"  # the colour of what is measured below a window that begins at zero: no end of any scale here


@dataclass(frozen=True)
class MapKind:
    """One kind of map, by default a map of CBF.

    Args:
        key: BIDS ending without extension.
        role: in its run.
        label: its name for people; may hold ``{processed}`` and ``{acquired}``, the names of the run's furthest map of
            all, and of the furthest on the grid of the series.
        description: one sentence, for sidecars and the folder's README.
        of_superresolved: label and description where the run has a super-resolved map; empty: the same.
        of_fit: the same of a run that fitted several delays; a super-resolved map's come before it.
        short: its name where there is little room, over a view or in a corner of it; empty: as `label`.
        note: what the report says of such a map under the readouts, after its name; empty for nothing.
        unit: of its numbers; empty for fractions and masks.
        quantity: what its numbers are, for the legend's title.
        window: lowest and highest value shown, in `unit`; None for each map's own, in grey.
        colours, scene_colours: the scale over the window, by its name in matplotlib and in Slicer.
        ticks: how many numbers stand beside the legend.
    """

    key: str
    role: Role
    label: str
    description: str
    of_superresolved: tuple[str, str] | tuple[()] = ()
    of_fit: tuple[str, str] | tuple[()] = ()
    short: str = ""
    note: str = ""
    unit: str = CBF_UNIT
    quantity: str = "CBF"
    window: tuple[float, float] | None = (0.0, 90.0)
    # Not PET-Heat: it is yellow from 33 ml/100g/min of this window on, so most of grey matter would have one colour.
    colours: str = "inferno"
    scene_colours: str = "Inferno"
    ticks: int = 10

    @property
    def title(self) -> str:
        """Of the legend: quantity and unit."""
        return f"{self.quantity} ({self.unit})" if self.unit else self.quantity

    @property
    def below(self) -> str:
        """The colour of values below the window, of perfusion maps; empty where they take the end of the scale."""
        perfusion = self.colours == MapKind.colours and self.window is not None and self.window[0] == 0
        return BELOW_ZERO if perfusion else ""

    @property
    def draws_zero(self) -> bool:
        """Whether 0 is a value to be seen: of an arrival time it is one, and outside the brain that has no number."""
        return self.role is Role.ARRIVAL or bool(self.below) or (self.window is not None and self.window[0] < 0)

    def scaled(self, top: float) -> MapKind:
        """The kind with its window for maps of CBF scaled to maps whose bright voxels have the value `top`."""
        high = _round_up(top * self.window[1] / MapKind.window[1])
        return replace(self, window=(-high if self.window[0] < 0 else 0.0, high))


_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def _round_up(value: float) -> float:
    """The next value that a scale can end with: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{next(r for r in _ROUND if r * power >= value * (1 - 1e-9)) * power:.3g}")
