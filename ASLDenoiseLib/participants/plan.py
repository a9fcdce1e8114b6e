"""Which scans of a cohort are to be run, which are finished, and which cannot be run: all are looked at first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..findings import Severity
from ..group.record import ScanRecord, Status, read_records
from ..progress import Progress, silent
from .checks import CheckTask, ScanCheck, Told, check_scan, with_twins
from .find import FoundScans
from .identity import Identity
from .scan import CohortScan
from .task import ScanTask
from .template import Template, request_of

if TYPE_CHECKING:
    from .cohort import CohortRequest
    from .pool import Listener, Outcome

_UNKNOWN = Identity("", {})


class Run(Protocol):
    """What runs a function of each task somewhere (`pool.run_tasks` on a client), and gives the ends as they come."""

    def __call__(self, function: Any, tasks: Iterable[Any], *, key: Any, listener: Any = ...) -> Iterator[Outcome[Any]]:
        """An outcome a task."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A cohort before it runs.

    Args:
        out: its folder.
        template: what is done with each scan.
        scans: that were asked for.
        checks: what was seen of each, in the same order.
        notes: sentences on the data set.
    """

    out: Path
    template: Template
    scans: tuple[CohortScan, ...]
    checks: tuple[ScanCheck, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[tuple[CohortScan, ScanCheck], ...]:
        """Each scan with what was seen of it."""
        return tuple(zip(self.scans, self.checks, strict=True))

    @property
    def done(self) -> int:
        """How many are finished already."""
        return sum(check.done for check in self.checks)

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst sentence on any scan."""
        found = {check.worst for check in self.checks}
        return next((each for each in reversed(Severity) if each in found), None)

    @property
    def tasks(self) -> tuple[ScanTask, ...]:
        """The scans to run."""
        return tuple(self._task(scan, check) for scan, check in self.rows if not check.done and not check.unusable)

    @property
    def refused(self) -> tuple[ScanRecord, ...]:
        """Records of the scans that cannot be run."""
        return tuple(self._refused(scan, check) for scan, check in self.rows if check.unusable)

    def _task(self, scan: CohortScan, check: ScanCheck) -> ScanTask:
        identity = check.identity or _UNKNOWN
        return ScanTask(scan, request_of(scan, self.template, self.out), self.out, identity.digest, identity.stamps)

    def _refused(self, scan: CohortScan, check: ScanCheck) -> ScanRecord:
        identity = check.identity or _UNKNOWN
        told = Status.FAILED, identity.digest, identity.stamps, check.unusable, scan.place
        return ScanRecord(scan.name, scan.participant, scan.session, *told)


def _unheard(event: object) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Watch:
    """Who is told how far a cohort is.

    Args:
        looking: by the pool, while scans are looked at.
        planned: what is going to be run, before it is.
        scans: by the pool, what becomes of the scans.
        group: what is made of all of them.
    """

    looking: Listener = _unheard
    planned: Callable[[Plan], None] = _unheard
    scans: Listener = _unheard
    group: Progress = silent


def make_plan(cohort: CohortRequest, found: FoundScans, run: Run, *, watch: Watch, thorough: bool = False) -> Plan:
    """Look at each scan of a cohort on its workers.

    Args:
        cohort: what is asked for.
        found: its scans.
        run: runs the looking.
        watch: told how far that is.
        thorough: inspect the images, too.
    """
    earlier = {record.name: record for record in read_records(cohort.out)}
    tasks = [
        CheckTask(scan, cohort.template, cohort.bids, cohort.out, earlier.get(scan.name), thorough)
        for scan in found.scans
    ]
    seen = {outcome.key: _check(outcome) for outcome in run(check_scan, tasks, key=_name_of, listener=watch.looking)}
    checks = with_twins([seen[scan.name] for scan in found.scans])
    return Plan(cohort.out, cohort.template, found.scans, checks, found.notes)


def _check(outcome: Outcome[CheckTask]) -> ScanCheck:
    if outcome.failed:  # a worker that died over it, say
        return ScanCheck(outcome.key, (Told(Severity.UNUSABLE, outcome.sentence),))
    return outcome.result


def _name_of(task: CheckTask) -> str:
    return task.scan.name
