"""What regions of a series of several delays measured at each, beside the curve that was fitted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegionCurve:
    """The mean over one region at every delay, and the means there of the curves that were fitted voxel by voxel.

    All are as CBF by the formula of each delay alone (`DelayCurves.unit`); NaN where nothing was measured.

    Args:
        name: ``GM``, ``WM``, or that of a region.
        measured: of the prepared mean differences.
        errors: their standard errors, from the spread of the pairs; NaN of a delay of fewer than three pairs.
        fitted: by the CBF and arrival time of the run's furthest maps.
        plain: by those of the plain fit of the prepared mean differences.
        cbf, att: of the furthest maps, their means over the region, in `DelayCurves.unit` and s.
    """

    name: str
    measured: tuple[float, ...]
    errors: tuple[float, ...]
    fitted: tuple[float, ...]
    plain: tuple[float, ...]
    cbf: float
    att: float

    @property
    def residual(self) -> tuple[float, ...]:
        """Measured minus fitted."""
        return tuple(m - f for m, f in zip(self.measured, self.fitted, strict=True))


@dataclass(frozen=True)
class DelayCurves:
    """The curves of a run over several delays.

    Args:
        delays, durations: s, of each delay its post-labelling delay (PASL: inversion time) and its label duration.
        pairs: how many each delay has.
        unit: of the curves.
        regions: GM and WM first.
        model: what was fitted, in words.
    """

    delays: tuple[float, ...]
    durations: tuple[float, ...]
    pairs: tuple[int, ...]
    unit: str
    regions: tuple[RegionCurve, ...]
    model: str
