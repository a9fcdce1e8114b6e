"""The command `cohort` run as a user runs it, killed while it works, and what it left."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .command import ROOT, say

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
APART = ("seconds", "memory_gib")  # columns of the table of scans that differ from run to run
MARK = "ASLDENOISE_BENCHMARK"
_LONGEST = 6 * 3600.0  # s


@dataclass
class Running:
    """A command of the shell with all processes that it starts, told by a mark in their environment."""

    process: subprocess.Popen
    mark: str
    started: float

    @classmethod
    def of(cls, *arguments: object, log: Path, threads: int = 1) -> Running:
        """Start it, with what it says going to a file."""
        mark = uuid.uuid4().hex
        environment = os.environ | dict.fromkeys(THREADS, str(threads)) | {MARK: mark}
        call = [sys.executable, "-m", "ASLDenoiseLib", *map(str, arguments)]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as said:
            process = subprocess.Popen(call, cwd=ROOT, env=environment, stdout=said, stderr=said)
        return cls(process, mark, time.perf_counter())

    def family(self) -> dict[int, str]:
        """Its processes that live, by id, with their command lines."""
        import psutil

        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = " ".join(process.cmdline())
            except (psutil.Error, OSError):
                continue
        return found

    def ended(self) -> float:
        """Wait for its end; the seconds since its start.

        Raises:
            subprocess.TimeoutExpired: it takes hours.
        """
        self.process.wait(_LONGEST)
        return time.perf_counter() - self.started

    def killed(self, when: Callable[[], bool], *, victim: Callable[[dict[int, str]], int | None]) -> bool:
        """Kill (SIGKILL) one of its processes as soon as `when` holds; whether that came before its end."""
        while self.process.poll() is None:
            if when() and (chosen := victim(self.family())) is not None:
                os.kill(chosen, signal.SIGKILL)
                return True
            time.sleep(0.25)
        return False

    def seconds_to_vanish(self, longest: float = 60.0) -> float:
        """How long until none of its processes is left; infinite where some still are after `longest`."""
        started = time.perf_counter()
        while self.family():
            if time.perf_counter() - started > longest:
                return float("inf")
            time.sleep(0.1)
        return time.perf_counter() - started


def cohort(bids: Path, out: Path, *levels: str, workers: int, log: Path, options: Sequence[object] = ()) -> Running:
    """Start the command on a data set, a thread each for so many workers."""
    counted = ("--workers", workers, "--threads", 1, "--progress", "none")
    return Running.of("cohort", bids, out, *levels, *counted, *options, log=log)


@dataclass(frozen=True)
class Progressed:
    """How far a cohort has come.

    Args:
        done, failed: the scans whose run ended well, and not.
        written: when the record of each of them was written, and its readouts, ns.
    """

    done: frozenset[str]
    failed: frozenset[str]
    written: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, out: Path) -> Progressed:
        """As the records in a folder have it."""
        from ASLDenoiseLib.group.record import FOLDER, Status, read_records

        found = read_records(out)
        done = frozenset(each.name for each in found if each.status is Status.DONE)
        files = {
            each.name: (out / FOLDER / f"{each.name}.json", out / each.folder / f"{each.name}_readouts.json")
            for each in found
        }
        written = {name: tuple(p.stat().st_mtime_ns for p in both if p.is_file()) for name, both in files.items()}
        return cls(done, frozenset(files) - done, written)

    def done_again(self, later: Progressed) -> frozenset[str]:
        """The scans that were done by now and were run again until later."""
        return frozenset(name for name in self.done if later.written.get(name) != self.written[name])


def leftovers(out: Path) -> list[Path]:
    """What an unfinished write leaves."""
    return sorted(path for path in out.rglob("*.partial*"))


def table_differences(first: Path, second: Path) -> list[str]:
    """What differs between the tables of two cohorts, but for time and memory: 'table: column' or 'table: rows'."""
    import pandas as pd

    different = []
    for name in ("scans.tsv", "regions.tsv"):
        here, there = (out / "group" / name for out in (first, second))
        if not here.is_file() and not there.is_file():
            continue
        one, two = (pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False) for path in (here, there))
        if one.shape != two.shape or list(one.columns) != list(two.columns):
            different.append(f"{name}: rows or columns")
            continue
        columns = [column for column in one.columns if column not in APART]
        different += [f"{name}: {column}" for column in columns if not one[column].equals(two[column])]
    return different


def map_differences(first: Path, second: Path) -> list[str]:
    """The maps of scans that are not the very same in two cohorts."""
    return [str(place) for place in _maps(first) if _digest(first / place) != _digest(second / place)]


def _maps(out: Path) -> Iterator[Path]:
    return (path.relative_to(out) for path in sorted(out.glob("sub-*/**/*.nii.gz")))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def scan_process(family: dict[int, str]) -> int | None:
    """A process that runs a scan, the youngest; None where there is none yet."""
    import psutil

    found = {}
    for pid, line in family.items():
        if "ASLDenoiseLib.running.child" not in line:
            continue
        try:
            process = psutil.Process(pid)
            if "ASLDenoiseLib.running.child" not in family.get(process.ppid(), ""):  # else it watches that one
                found[pid] = process.create_time()
        except psutil.Error:
            continue
    return max(found, key=found.__getitem__, default=None)


def worker_process(family: dict[int, str]) -> int | None:
    """A worker of the cluster: the parent of a process that runs a scan."""
    import psutil

    scan = scan_process(family)
    try:
        return None if scan is None else psutil.Process(scan).ppid()
    except psutil.Error:
        return None


def told(log: Path, lines: int = 20) -> None:
    """Say the end of what a command said."""
    say("\n".join(log.read_text(errors="replace").splitlines()[-lines:]))
