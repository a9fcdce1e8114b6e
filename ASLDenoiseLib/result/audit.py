"""What the residual audit found: whether the means that people publish are those of the raw map."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class TissueMean:
    """A tissue's mean perfusion, in the unit of the map.

    Args:
        tissue: ``GM`` or ``WM``.
        raw, network, audited: its mean in the prepared map before denoising, after the network (NaN where none was
            asked), and after the audit.
        error: standard error of the first, from the spread of the pairs, correlated noise counted; 0 of one image,
            which tells none.
        tolerance: share of it by which it may move whatever its standard error.
    """

    tissue: str
    raw: float
    network: float
    audited: float
    error: float
    tolerance: float = 1e-3

    @property
    def kept(self) -> bool:
        """Whether the mean is the raw map's within its standard error, or within `tolerance` of it."""
        return abs(self.audited - self.raw) <= max(self.error, self.tolerance * abs(self.raw))

    @property
    def limit(self) -> str:
        """What it was kept within, in words."""
        wider = self.tolerance * abs(self.raw) > self.error
        return f"{100 * self.tolerance:g} %" if wider and self.tolerance > 1e-3 else "its standard error"

    @property
    def moved(self) -> float:
        """By how many per cent the network alone had moved it."""
        return 100 * (self.network - self.raw) / abs(self.raw) if self.raw else 0.0


@dataclass(frozen=True)
class AuditVerdict:
    """The residual audit of a run.

    Args:
        means: of the tissues there were enough voxels of.
        unit: of the means.
        pairs: how many told the standard errors; one tells none.
        places: how single places were put back, in words; empty where they were left alone.
    """

    means: tuple[TissueMean, ...]
    unit: str
    pairs: int
    places: str = ""

    @property
    def kept(self) -> bool:
        """Whether every mean was kept."""
        return all(mean.kept for mean in self.means)

    @property
    def sentence(self) -> str:
        """The verdict in a line or two."""
        if not self.means:
            return "Residual audit: there is too little grey or white matter to tell whether its mean was kept."
        if self.pairs < 2:
            what = ", ".join(f"{m.tissue} {m.raw:.3g} {self.unit}" for m in self.means)
            return f"Residual audit: tissue means put back whole ({what}); one image tells no standard error."
        return " ".join(["Residual audit:", "; ".join(map(self._words, self.means)) + ".", *self._places])

    @property
    def _places(self) -> list[str]:
        return [f"Single places were put back: {self.places}."] if self.places else []

    def _words(self, mean: TissueMean) -> str:
        how = f"kept within {mean.limit}" if mean.kept else "not kept"
        figures = f"{mean.audited:.3g}, raw {mean.raw:.3g} ± {mean.error:.2g} {self.unit}"
        figures += f"; the network alone {mean.network:.3g}" if math.isfinite(mean.network) else ""
        return f"{mean.tissue} mean {how} ({figures})"
