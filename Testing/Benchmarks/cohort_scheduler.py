"""What scheduling a cohort costs, with scans that only sleep: up to 10,000 of them; writes cohort_scheduler.md.

Workers and pool are those of the command `cohort`. Each row is measured in a process of its own, so that its memory is
its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from ASLDenoiseLib.participants.clusters import Workers, open_cluster
from ASLDenoiseLib.participants.pool import run_tasks

from .library.command import begin, options, say
from .library.naps import memory_of_workers, name_of, nap, naps, processor_seconds, resident_memory
from .library.tables import text_table

COUNTS, QUICK_COUNTS = (100, 1_000, 10_000), (50, 200)
WORKERS = (2, 8)
NAP = 0.05  # s
SCAN = 120.0  # s, what a scan takes on one core, for the share
HEAD = [
    *("scans", "workers", "returned", "s", "of which asleep", "ms a scan between scans", "of a scan of 2 min (%)"),
    *("ms of processor a scan", "MiB before", "MiB after", "MiB a worker"),
]


def measured(count: int, workers: int, *, whole: bool) -> dict[str, float]:
    """Run so many naps on so many workers; in this process, which must have run none before."""
    with open_cluster(Workers(count=workers)) as client:
        list(run_tasks(client, nap, naps(4 * workers, NAP, whole=whole), key=name_of))  # all modules are loaded
        memory, computed = resident_memory(), processor_seconds()
        started = time.perf_counter()
        ended = sum(
            not outcome.failed for outcome in run_tasks(client, nap, naps(count, NAP, whole=whole), key=name_of)
        )
        seconds = time.perf_counter() - started
        if ended != count:
            raise RuntimeError(f"{count - ended} of {count} failed")
        return {
            "seconds": seconds,
            "processor": processor_seconds() - computed,
            "before": memory,
            "after": resident_memory(),
            "worker": memory_of_workers() / workers,
        }


def row(count: int, workers: int, whole: bool, told: dict[str, float]) -> Sequence[str]:
    """A line of the table."""
    asleep = count * NAP / workers
    between = (told["seconds"] - asleep) * workers / count
    return [
        *(f"{count:,}", str(workers), "record" if whole else "name", f"{told['seconds']:.1f}", f"{asleep:.1f}"),
        *(f"{1000 * between:.1f}", f"{100 * between / SCAN:.3f}", f"{1000 * told['processor'] / count:.1f}"),
        *(f"{told['before']:.0f}", f"{told['after']:.0f}", f"{told['worker']:.0f}"),
    ]


def main() -> None:
    parser = options(__doc__, quick="few scans on two workers")
    parser.add_argument("--alone", nargs=3, metavar=("N", "WORKERS", "RETURNED"), help=argparse.SUPPRESS)
    command = begin(__file__, parser)
    if command.args.alone:
        count, workers, returned = command.args.alone
        print(json.dumps(measured(int(count), int(workers), whole=returned == "record")))
        return
    cases = [(count, workers, False) for workers in WORKERS for count in COUNTS] + [(1_000, 2, True)]
    if command.quick:
        cases = [(count, WORKERS[0], False) for count in QUICK_COUNTS]
    body = []
    for count, workers, whole in cases:
        told = command.alone("--alone", count, workers, "record" if whole else "name")
        body.append(row(count, workers, whole, told))
        say(*body[-1])
    command.publish(
        "What scheduling a cohort costs",
        f"Scans that sleep {1000 * NAP:.0f} ms, on workers that are processes of this machine, handed out and heard of "
        "as the command `cohort` does. Between scans: what a worker waits from the end of one to the beginning of the "
        "next, on average, longer sleep than was asked for included; beside it as a share of a real scan. Processor "
        "and memory are of the process that hands out, in which Dask's scheduler runs as well; memory before and after "
        "all scans, with the list of tasks. A worker's memory is without the scan's, which runs in a child of it. A "
        "record has 60 columns and 100 regions of 20.",
        text_table(HEAD, body),
    )


if __name__ == "__main__":
    main()
