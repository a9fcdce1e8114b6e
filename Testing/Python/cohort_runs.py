"""Cohorts that run in this process, for tests of what a cohort does around its scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.group.record import ScanRecord, Status, write_record
from ASLDenoiseLib.participants.checks import CheckTask
from ASLDenoiseLib.participants.execute import failed_record
from ASLDenoiseLib.participants.pool import Outcome, TaskEnded
from ASLDenoiseLib.participants.task import ScanTask
from ASLDenoiseLib.participants.template import Template
from ASLDenoiseLib.pipeline.request import Outputs
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reporting.listing import file_digest
from ASLDenoiseLib.reporting.provenance import to_json

# Seconds a scan: the plain mean, without MNI space and scene
QUICK = Template(preparation=Preparation(motion=False, nuisance=(), outliers="none"), denoising=None, outputs=Outputs())


def truly(task: ScanTask) -> ScanRecord:
    """Run a scan, here."""
    try:
        return task.run(silent)
    except InputError as error:
        return failed_record(task, str(error))


def pretended(task: ScanTask) -> ScanRecord:
    """Leave what a run leaves: a file, its listing and a record."""
    folder, name = task.request.outputs.folder, task.scan.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_report.html").write_text("page")
    files = {f"{name}_report.html": file_digest(folder / f"{name}_report.html")}
    empty = {"source": "", "voxels": name, "shared": {}, "contents": {"*_report.html": "a page"}}
    (folder / f"{name}_files.json").write_text(
        to_json({"GeneratedBy": "ASLDenoise", "series": name, "files": files, **empty})
    )
    record = ScanRecord(**{**vars(task.record), "status": Status.DONE, "values": {"raw_gm_mean": 60.0}})
    write_record(task.out, record)
    return record


class Here:
    """Pools (`participants.cohort.Pools`) that look and run in this process; `ran` names the scans that were run.

    Args:
        run: what becomes of a `ScanTask`: a record, or an error that stands for a worker that died.
    """

    def __init__(self, run: Callable[[ScanTask], ScanRecord] = pretended) -> None:
        self.ran: list[str] = []
        self.folders: list[Path] = []
        self._run = run

    def __call__(self, workers: object, folders: Sequence[Path]) -> AbstractContextManager[Any]:
        """What runs tasks."""
        self.folders += folders
        return nullcontext(self._tasks)

    def _tasks(
        self, function: Any, tasks: Any, *, key: Any, listener: Any = lambda event: None
    ) -> Iterator[Outcome[Any]]:
        for task in tasks:
            outcome = self._outcome(function, task, key(task))
            listener(TaskEnded(outcome))
            yield outcome

    def _outcome(self, function: Any, task: Any, key: str) -> Outcome[Any]:
        if isinstance(task, CheckTask):
            return Outcome(key, task, function(task))
        self.ran.append(key)
        try:
            return Outcome(key, task, self._run(task))
        except RuntimeError as error:
            return Outcome(key, task, sentence=str(error), error=error)
