"""Tasks of a cohort that only sleep: what is left of the clock is what their scheduling costs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from ASLDenoiseLib.group.record import ScanRecord, Status

COLUMNS, REGIONS, REGION_COLUMNS = 60, 100, 20  # of a record as a scan with an atlas has them


@dataclass(frozen=True)
class Nap:
    """A scan that is none; `whole`: it comes back as a record of a usual size instead of its name alone."""

    name: str
    seconds: float
    whole: bool = False


def nap(task: Nap) -> ScanRecord | str:
    """Sleep in a worker."""
    time.sleep(task.seconds)
    return _record(task.name) if task.whole else task.name


def name_of(task: Nap) -> str:
    """The key of a task."""
    return task.name


def naps(count: int, seconds: float, *, whole: bool) -> list[Nap]:
    """So many tasks, each of its own name."""
    return [Nap(f"sub-{number:05}_ses-1", seconds, whole) for number in range(count)]


def resident_memory() -> float:
    """MiB that this process holds now."""
    import psutil

    return psutil.Process().memory_info().rss / 2**20


def memory_of_workers() -> float:
    """MiB of the processes that this one has started, of which each worker is one."""
    import psutil

    return sum(child.memory_info().rss for child in psutil.Process().children(recursive=True)) / 2**20


def processor_seconds() -> float:
    """Seconds that the threads of this process have computed, among them Dask's scheduler."""
    times = os.times()
    return times.user + times.system


def _record(name: str) -> ScanRecord:
    values = {f"column_{n}": n / 7 for n in range(COLUMNS)}
    row = {f"column_{n}": n / 7 for n in range(REGION_COLUMNS)}
    regions = tuple({**row, "region": f"region {n}"} for n in range(REGIONS))
    return ScanRecord(name, "01", "1", Status.DONE, "0" * 64, values=values, regions=regions)
