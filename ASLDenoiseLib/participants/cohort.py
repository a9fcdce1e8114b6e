"""A cohort from its data set to its records: scans are found, looked at, run side by side, and brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..files import trouble
from ..given import settle
from ..group.record import ScanRecord, Status, read_records, write_record
from .clusters import Workers, open_cluster
from .dataset import check_place, describe
from .execute import failed_record, run_scan
from .find import FoundScans, find_scans
from .heads import SharedHeads
from .leftovers import remove_leftovers
from .lock import locked
from .plan import Plan, Run, Watch, make_plan
from .pool import run_tasks
from .task import ScanTask
from .template import Template, require_files

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("participant", "group")
_FULL = " is full;"  # as `files` and `running.ending` say it of a disk
_NOBODY = Watch()
_MANY = 64  # scans side by side, where that is a scheduler's own affair


@dataclass(frozen=True, eq=False)
class CohortRequest:
    """What a cohort is asked for.

    Args:
        bids: the root of the BIDS data set.
        out: a folder for the results of all scans.
        levels: of `LEVELS`: run the scans, and bring them together.
        participants, sessions: labels, with or without ``sub-`` and ``ses-``; none: all.
        template: what is done with each scan.
        labels_from: a folder of label maps in the space of the T1s.

    Raises:
        InputError: there is no such level.
    """

    bids: Path
    out: Path
    levels: tuple[str, ...] = LEVELS
    participants: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    template: Template = field(default_factory=Template)
    labels_from: Path | None = None

    def __post_init__(self) -> None:
        settle(self)
        wrong = [level for level in self.levels if level not in LEVELS]
        if wrong or not self.levels:
            raise InputError(f"There is no level '{''.join(wrong[:1])}' of a cohort; give {' or '.join(LEVELS)}.")

    def found(self) -> FoundScans:
        """Its scans; raises as `find_scans`, and `template.require_files`."""
        require_files(self.template)
        asked = {"participants": self.participants, "sessions": self.sessions, "labels_from": self.labels_from}
        return find_scans(self.bids, **asked)


@dataclass(frozen=True, eq=False)
class Cohort:
    """A finished cohort.

    Args:
        folder: that holds its results.
        records: of its scans, by their names.
        notes: sentences on the data set, and on scans that are twice in it.
    """

    folder: Path
    records: tuple[ScanRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> dict[str, str]:
        """Why scans failed, by their names."""
        return {each.name: each.sentence for each in self.records if each.status is Status.FAILED}

    @cached_property
    def scans(self) -> pd.DataFrame:
        """The table of scans, one row each (`group.tables.scans_table`)."""
        from ..group.tables import scans_table

        return scans_table(self.records)

    @cached_property
    def regions(self) -> pd.DataFrame:
        """The table of regions, a row a region a scan (`group.region_tables.regions_table`)."""
        from ..group.region_tables import regions_table

        return regions_table(self.records)

    def __repr__(self) -> str:
        return f"<Cohort of {len(self.records)} scans, {len(self.failed)} failed, in {self.folder}>"


Pools = Callable[[Workers, Sequence[Path]], AbstractContextManager[Run]]


@contextmanager
def on_dask(workers: Workers, folders: Sequence[Path]) -> Iterator[Run]:
    """What runs tasks on workers of Dask; raises as `clusters.open_cluster`."""
    with open_cluster(workers, folders=folders) as client:
        yield partial(run_tasks, client, threads=workers.threads)


def run_cohort(
    cohort: CohortRequest,
    *,
    workers: Workers | None = None,
    watch: Watch = _NOBODY,
    pools: Pools = on_dask,
) -> Cohort:
    """Do what a cohort is asked for; what is finished in its OUT is not done again.

    Args:
        cohort: what.
        workers: where; None: as many processes of this machine as its cores and memory allow.
        watch: told how far it is.
        pools: opens what runs tasks.

    Raises:
        InputError: data set, OUT, template or workers cannot be used; or the disk is full: what is done is kept.
        KeyboardInterrupt: it was stopped; its text says how far it came, and the same call goes on from there.
    """
    out, notes = cohort.out, ()
    with _kept(out):
        if "participant" in cohort.levels:
            check_place(cohort.bids, out)
            found = cohort.found()
            with locked(out) as lock:
                remove_leftovers(out, locked=lock.held)
                found = replace(found, notes=(*found.notes, *filter(None, (lock.note,))))
                _run_scans(cohort, found, workers or Workers(), watch, pools)
            notes = found.notes
        if "group" in cohort.levels:
            from ..group.group import run_group

            run_group(out, watch.group)
    return Cohort(out, read_records(out), notes)


def plan_cohort(
    cohort: CohortRequest, *, workers: Workers | None = None, watch: Watch = _NOBODY, pools: Pools = on_dask
) -> Plan:
    """What a cohort would run, and what is missing or doubtful in each scan, its images inspected; nothing is written.

    Raises:
        InputError: as `run_cohort`.
    """
    check_place(cohort.bids, cohort.out)
    found = cohort.found()
    with pools(workers or Workers(), (cohort.bids,)) as run:
        return make_plan(cohort, found, run, watch=watch, thorough=True)


def _run_scans(cohort: CohortRequest, found: FoundScans, workers: Workers, watch: Watch, pools: Pools) -> None:
    out, plan = cohort.out, None
    try:
        with pools(workers, (cohort.bids, out)) as run:
            plan = make_plan(cohort, found, run, watch=watch)
            watch.planned(plan)
            describe(out, cohort.bids)
            for record in plan.refused:
                write_record(out, record)
            with SharedHeads(out, plan.scans) as heads:
                _run_all(plan, run, heads, workers, watch)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_stopped(out, plan)) from None
    finally:
        if plan is not None:
            with suppress(OSError):  # of a disk that fails, the first word is the one to tell
                describe(out, cohort.bids)


def _run_all(plan: Plan, run: Run, heads: SharedHeads, workers: Workers, watch: Watch) -> None:
    """Run every scan that is to be; a disk that is full ends it."""
    tasks = heads.in_order(plan.tasks, abreast=_abreast(workers))
    left = len(tasks)
    for outcome in run(partial(run_scan, threads=workers.threads), tasks, key=_name_of, listener=watch.scans):
        record = failed_record(outcome.task, outcome.sentence) if outcome.failed else outcome.result
        heads.ended(outcome.task)
        left -= 1
        if left and record.status is Status.FAILED and _FULL in record.sentence:
            raise InputError(f"{record.sentence.rstrip('.')}; {left} scans are still to do, and what is done is kept.")


def _name_of(task: ScanTask) -> str:
    return task.scan.name


def _abreast(workers: Workers) -> int:
    return workers.local_count if not (workers.scheduler or workers.cluster_file) else _MANY


def _stopped(out: Path, plan: Plan | None) -> str:
    if plan is None:
        return "Stopped before a scan was run; the same command begins again."
    done = {record.name for record in read_records(out) if record.status is Status.DONE}
    count = sum(scan.name in done for scan in plan.scans)
    return f"Stopped: {count} of {len(plan.scans)} scans are done; the same command goes on."


@contextmanager
def _kept(out: Path) -> Iterator[None]:
    """A disk that fails is said in one sentence."""
    try:
        yield
    except OSError as error:
        sentence = trouble(error, otherwise="what is done is kept")
        if not sentence:
            raise
        raise InputError(sentence) from error
