"""Scans whose runs end in every way there is, for child processes, which import this file to find them."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.group.record import Status, write_record
from ASLDenoiseLib.participants.scan import CohortScan
from ASLDenoiseLib.participants.task import ScanTask

ENVIRONMENT = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


@dataclass(frozen=True)
class MadeScan(ScanTask):
    """A scan that ends as told, without images."""

    end: str = "done"

    def _run(self, progress):
        progress(0.5, "segmenting the T1")
        match self.end:
            case "input":
                raise InputError("The M0 is missing; give one.")
            case "killed":
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
                time.sleep(60)
            case "memory":
                raise MemoryError
            case "disk":
                raise OSError(errno.ENOSPC, "No space left on device", str(self.out / "map.nii.gz"))
            case "read-only":
                raise OSError(errno.EROFS, "Read-only file system", str(self.out / "map.nii.gz"))
            case "odd":
                raise ValueError("odd")
            case "sleep":
                said = self.out / f"{self.scan.name}.began"
                said.with_suffix(".part").write_text(f"{os.getpid()} {tempfile.gettempdir()}")
                os.replace(said.with_suffix(".part"), said)
                time.sleep(600)
        values = {name: os.environ[name] for name in ENVIRONMENT}
        record = replace(self.record, status=Status.DONE, seconds=1.0, memory=0.5, values=values)
        write_record(self.out, record)
        return record


def made_scan(out: Path, end: str = "done", *, name: str = "sub-01_ses-1") -> MadeScan:
    """A task whose scan ends so."""
    scan = CohortScan(name, name[4:6], "1", Path(f"{name}_asl.nii.gz"))
    return MadeScan(scan, None, out, "digest", end=end)


def name_of(task: ScanTask) -> str:
    return task.scan.name
