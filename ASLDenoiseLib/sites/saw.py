"""What an adapted model saw of each scan, for its card: no path and no name but the scan's and the subject's label."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .look import Seen
from .prepare import PreparedScan


@dataclass(frozen=True)
class SawScan:
    """A scan as the card names it.

    Args:
        name, subject: of the scan, and the label of its subject; empty where it has none.
        pairs, usable: of the scan, and how many of them are not left out whole.
        labeling, readout, voxels, t1: as `look.Seen`.
        delay: s; None where it is not stated.
        mean_snr: of the mean difference in the brain; None where it cannot be told.
    """

    name: str
    subject: str
    pairs: int
    usable: int
    labeling: str
    readout: str
    delay: float | None
    spacing: tuple[float, float, float]
    voxels: str
    t1: bool
    mean_snr: float | None

    @classmethod
    def of(cls, seen: Seen, ready: PreparedScan) -> SawScan:
        """What was looked at and prepared."""
        snr = ready.figures.get("mean_snr")
        return cls(
            seen.name,
            seen.subject,
            seen.pairs,
            ready.usable,
            seen.labeling,
            seen.readout,
            seen.delay,
            seen.spacing,
            seen.voxels,
            seen.t1,
            None if snr is None else round(snr, 2),
        )

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "spacing": list(self.spacing)}
