"""Scans as a run prepares them for its denoiser, one after the other: the long part of adapting."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..adapting.groups import counted
from ..adapting.scan import AdaptationScan
from ..denoising.catalogue import ModelCard
from ..denoising.domain import domain_findings, input_figures
from ..errors import InputError
from ..findings import Severity
from ..pipeline.adapt_step import adaptation_scan
from ..pipeline.denoising_steps import gather_guides
from ..pipeline.head_store import HeadStore
from ..pipeline.request import Request
from ..pipeline.run import prepared
from ..progress import Progress, silent, span
from .look import of_scan, refuse_few
from .scans import SiteScan

SECONDS = 60.0  # a scan with a T1 usually takes on two cores


@dataclass(frozen=True, eq=False)
class PreparedScan:
    """A scan that can be learned from.

    Args:
        scan: what the learning is given.
        usable: its pairs that are not left out whole.
        figures: of the input, as a domain states them (`denoising.domain.input_figures`).
        warnings: a sentence on each doubt of a run, and on each figure outside of what the model was trained on.
    """

    scan: AdaptationScan
    usable: int
    figures: dict[str, float]
    warnings: tuple[str, ...]


def prepare_scans(scans: Sequence[SiteScan], card: ModelCard, progress: Progress = silent) -> tuple[PreparedScan, ...]:
    """Every scan, prepared; what several find of one T1 is found once.

    Raises:
        InputError: one cannot be prepared, or fewer of its pairs are usable than are needed; it is named.
    """
    ready = []
    with _shared_heads(scans) as heads:
        for number, scan in enumerate(scans):
            part = span(progress, number / len(scans), (number + 1) / len(scans))
            try:
                ready.append(_prepared(scan, card, heads, _naming(part, scan.name)))
            except InputError as error:
                raise of_scan(scan, error) from error
    return tuple(ready)


def _prepared(scan: SiteScan, card: ModelCard, heads: HeadStore | None, progress: Progress) -> PreparedScan:
    run = prepared(scan.request, progress, heads=heads)
    if card.guided:
        gather_guides(run, silent)
    given = adaptation_scan(run, scan.name)
    usable = len(counted(given))
    refuse_few(scan.name, usable, f"usable pairs of {len(run.pairs.context)}")
    found = [f for f in run.findings if f.severity is not Severity.NOTE]
    doubts = (f"{scan.name}: {f.what} ({f.why})." for f in (*found, *domain_findings(card, run.pairs, run.brain)))
    return PreparedScan(given, usable, input_figures(run.pairs, run.brain), tuple(dict.fromkeys(doubts)))


def _naming(progress: Progress, name: str) -> Progress:
    """A progress that says whose step it is."""
    return lambda fraction, text: progress(fraction, f"{name}: {text}")


@contextmanager
def _shared_heads(scans: Sequence[SiteScan]) -> Iterator[HeadStore | None]:
    """Where what is found of a T1 is kept, if scans share one."""
    t1s = Counter(str(t1) for t1 in (_t1_of(scan.request) for scan in scans) if t1 is not None)
    if not any(count > 1 for count in t1s.values()):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ASLDenoise-", ignore_cleanup_errors=True) as folder:
        yield HeadStore(Path(folder))


def _t1_of(request: Request) -> Path | None:
    return request.head.t1.absolute() if isinstance(request.head.t1, Path) else None
