"""One step of a run: its name, its work, and what it usually costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..progress import Progress
from ..series import ASLSeries
from .state import RunState

_USUAL_VOXELS = 64 * 64 * 24


@dataclass(frozen=True)
class Workload:
    """What a cost depends on: voxels of the series along (i, j, k), its volumes, and its delays."""

    size: tuple[int, int, int] = (64, 64, 24)
    volumes: int = 20
    delays: int = 1

    @classmethod
    def of(cls, series: ASLSeries) -> Workload:
        """Of a series."""
        stated = series.acquisition.post_labeling_delay
        used = {stated[t] for t in series.indices(*series.perfusion)} if isinstance(stated, tuple) else ()
        return cls(series.geometry.size, len(series.context), max(len(used), 1))


@dataclass(frozen=True)
class Cost:
    """Usual seconds on two CPU cores: `fixed`, more a volume, more for 64 x 64 x 24 voxels, and a volume of so many."""

    fixed: float = 0.0
    a_volume: float = 0.0
    a_grid: float = 0.0
    a_grid_and_volume: float = 0.0

    def seconds(self, work: Workload) -> float:
        """Of a series."""
        grids = math.prod(work.size) / _USUAL_VOXELS
        return self.fixed + self.a_volume * work.volumes + grids * (self.a_grid + self.a_grid_and_volume * work.volumes)


@dataclass(frozen=True)
class Step:
    """A step.

    Args:
        name: stable; the key of its time in `Result.timings`.
        text: what happens, for the progress line.
        run: does it, reporting its own 0..1.
        cost: None where it was never measured.
        computes: a network runs in it, on the device that was chosen.
        each_delay: it is done for every delay.
        several: runs of several delays alone take it.
        one: runs of one delay alone take it.
    """

    name: str
    text: str
    run: Callable[[RunState, Progress], None]
    cost: Cost | None
    computes: bool = False
    each_delay: bool = False
    several: bool = False
    one: bool = False

    def is_of(self, delays: int) -> bool:
        """Whether a run of so many delays takes it."""
        return not ((self.several and delays < 2) or (self.one and delays > 1))

    def seconds(self, work: Workload) -> float | None:
        """What it usually costs on two CPU cores; None where that was never measured."""
        if not self.is_of(work.delays):
            return 0.0
        return None if self.cost is None else self.cost.seconds(work) * (work.delays if self.each_delay else 1)
