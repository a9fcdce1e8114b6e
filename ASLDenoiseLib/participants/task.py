"""The run of one scan as a task for a child process: what comes back is its record, not its images."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import InputError
from ..files import trouble
from ..group.record import ScanRecord, Status, write_record
from ..pipeline.request import Request
from ..progress import Progress
from .scan import CohortScan


@dataclass(frozen=True)
class ScanTask:
    """One scan of a cohort to be run (`running.task.Task`).

    Args:
        scan: whose run it is.
        request: what to do; its outputs name ``OUT/sub-../perf`` as folder and OUT as data set.
        out: the folder of the cohort.
        digest, stamps: of the record that is to be written.
        heads: a folder where what is found of its T1 is kept for other scans of it; None: it is the only one.
    """

    scan: CohortScan
    request: Request
    out: Path
    digest: str
    stamps: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    heads: Path | None = None

    @property
    def inputs(self) -> dict[str, object]:
        """Nothing is sent back."""
        return {}

    @property
    def device(self) -> str:
        """Where networks are to run."""
        return self.request.device

    @property
    def seconds(self) -> float | None:
        """Not known before the series is read."""
        return None

    @property
    def record(self) -> ScanRecord:
        """Its record with nothing measured yet."""
        scan = self.scan
        named = scan.name, scan.participant, scan.session
        return ScanRecord(*named, Status.FAILED, self.digest, self.stamps, folder=scan.place)

    def run(self, progress: Progress) -> ScanRecord:
        """Run it, and write and return its record.

        Raises:
            InputError: an input or a choice cannot be used; or the disk of the cohort is full, or may only be read.
        """
        try:
            return self._run(progress)
        except OSError as error:  # said here, where it is known that it is not of the disk for temporary files
            sentence = trouble(error)
            if not sentence:
                raise
            raise InputError(sentence) from error

    def _run(self, progress: Progress) -> ScanRecord:
        from ..group.region_rows import region_rows
        from ..group.rows import scan_row
        from ..pipeline.head_store import HeadStore
        from ..pipeline.run import completed

        started = time.perf_counter()
        heads = None if self.heads is None else HeadStore(self.heads)
        result = completed(self.request, progress, heads=heads).result
        record = replace(
            self.record,
            status=Status.DONE,
            seconds=round(time.perf_counter() - started, 2),
            memory=peak_memory(),
            values=scan_row(result),
            regions=region_rows(result),
        )
        write_record(self.out, record)
        return record


def peak_memory() -> float:
    """The most memory that this process has held so far, GiB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return _peak_on_windows()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024.0**3 if sys.platform == "darwin" else 1024.0**2), 2)


def _peak_on_windows() -> float:
    try:
        import psutil

        return round(psutil.Process().memory_info().peak_wset / 1024.0**3, 2)
    except (ImportError, AttributeError):
        return float("nan")
