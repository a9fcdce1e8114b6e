"""A scan of a data set: its files, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CohortScan:
    """An ASL series of a BIDS data set with what belongs to it.

    Args:
        name: of the series without ``_asl``; its results begin with it: ``sub-01_ses-1_acq-grase``.
        participant, session: labels without ``sub-`` and ``ses-``; session empty where there is none.
        series: its NIfTI.
        t1: of the same head; None where there is none.
        labels: label map of that head in the space of its T1 (FreeSurfer, SynthSeg, another); None where none was asked
            for, or found.
        notes: what to know before it is run: a T1 of another session, say.
    """

    name: str
    participant: str
    session: str
    series: Path
    t1: Path | None = None
    labels: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where its results lie in OUT, as BIDS derivatives have it: ``sub-01/ses-1/perf``."""
        session = f"ses-{self.session}/" if self.session else ""
        return f"sub-{self.participant}/{session}perf"
