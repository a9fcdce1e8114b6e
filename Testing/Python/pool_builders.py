"""Functions that the workers of a cohort's tests run: importable there, and quick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.participants.worker_side import WorkerProgress, is_unwanted

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Job:
    """What one of these functions is to do."""

    name: str
    seconds: float = 0.0
    folder: Path | None = None

    def said(self, word: str) -> Path:
        """A file that says, by its name, that something was reached."""
        return self.folder / f"{self.name}.{word}"


def name_of(job: Job) -> str:
    return job.name


def nap(job: Job) -> str:
    time.sleep(job.seconds)
    return job.name.upper()


def nap_aloud(job: Job) -> str:
    """Sleeps, says how far it is, and leaves a file at its end; ends early where nobody wants it any more."""
    job.said("began").write_text(str(os.getpid()))
    progress, until = WorkerProgress(), time.monotonic() + job.seconds
    while time.monotonic() < until:
        progress(0.5, "napping")
        if is_unwanted():
            job.said("unwanted").touch()
            return ""
        time.sleep(0.02)
    job.said("ended").touch()
    return job.name


def fail(job: Job) -> str:
    raise (InputError("The series is empty; export it again.") if job.name == "empty" else ValueError("odd"))


def die_where_told(job: Job) -> str:
    """Ends its worker, as the system does that runs out of memory, as often as the name says; counts its starts."""
    path = job.said("starts")
    starts = len(path.read_text("utf-8")) if path.exists() else 0
    path.write_text("x" * (starts + 1))
    if starts < int(job.name.rpartition("-")[2]):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        time.sleep(60)
    return job.name


def script(folder: Path, body: str) -> subprocess.Popen:
    """Start a script that may open a cluster of its own, in a process group as a terminal's command has one."""
    path = folder / "script.py"
    path.write_text(body)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE)))}
    return subprocess.Popen(
        [sys.executable, str(path)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_files(folder: Path, pattern: str, count: int, patience: float = 30.0) -> list[Path]:
    """The files of that pattern, once there are so many."""
    until = time.monotonic() + patience
    while len(found := sorted(folder.glob(pattern))) < count:
        assert time.monotonic() < until, f"{len(found)} of {count} {pattern}"
        time.sleep(0.02)
    return found


def await_gone(pids: list[int], patience: float = 10.0) -> list[int]:
    """The processes that are still there after a while."""
    until = time.monotonic() + patience
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return sys.platform != "linux"
