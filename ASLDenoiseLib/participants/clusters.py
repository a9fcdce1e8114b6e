"""Where the scans of a cohort run: workers of Dask on this machine, of a scheduler that is there, or of a queue."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..software import own_version
from .capacity import SCAN_MEMORY, scans_side_by_side
from .cluster_file import LOCAL, needs_cohort, read_cluster_file

if TYPE_CHECKING:
    from distributed import Client

DEATHS = 3  # of a worker under one scan, before that scan is given up
_PATIENCE = 10.0  # s, for a scheduler to answer, and for its workers
_LOUD = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
_SETTINGS = {
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.admin.large-graph-warning-threshold": "1GB",
    # nobody looks at what Dask watches of itself, which took half of what workers compute while their scans run
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


@dataclass(frozen=True)
class Workers:
    """Which workers run the scans of a cohort.

    Args:
        count: how many on this machine; None: as many as its cores and its free memory allow.
        threads: of one scan.
        scheduler: the address of a Dask scheduler that runs already.
        cluster_file: of a queue (`cluster_file`).
        memory_gib: what one scan takes, GiB; None: what was measured (`capacity.SCAN_MEMORY`).

    Raises:
        InputError: a number is none, or two places are named.
    """

    count: int | None = None
    threads: int = 1
    scheduler: str = ""
    cluster_file: Path | None = None
    memory_gib: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("workers", self.count), ("threads", self.threads)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InputError(f"The number of {name} is {value!r}; give a whole number from 1.")
        if self.memory_gib is not None and not 0 < self.memory_gib < 2**20:
            raise InputError(f"The memory of a scan is {self.memory_gib!r} GiB; give a number above 0.")
        elsewhere = [name for name, given in (("scheduler", self.scheduler), ("cluster", self.cluster_file)) if given]
        if len(elsewhere) == 2:
            raise InputError("Both a scheduler and a cluster are named; give one of them.")
        if elsewhere and self.count is not None:
            raise InputError(
                f"The number of workers is the {elsewhere[0]}'s own; leave it out"
                f"{' or set jobs in the file' if self.cluster_file else ''}."
            )

    @property
    def local_count(self) -> int:
        """How many are started on this machine."""
        return self.count or scans_side_by_side(self.threads, self.memory_gib or SCAN_MEMORY)


@contextmanager
def open_cluster(workers: Workers, *, folders: Sequence[Path] = ()) -> Iterator[Client]:
    """Start or find the workers and give a client of them; at the end those that were started are gone.

    Args:
        workers: which.
        folders: that every worker must see under the same path.

    Raises:
        InputError: Dask is not installed; there is no scheduler, or no worker of it; a worker lacks ASLDenoiseLib or a
            folder, or has another version.
    """
    dask, distributed = needs_cohort("dask"), needs_cohort("distributed")
    with _quiet(), dask.config.set(_SETTINGS):
        if workers.scheduler:
            with _connected(distributed, workers.scheduler) as client:
                _await_worker(client, workers.scheduler)
                check_workers(client, folders=folders)
                yield client
            return
        with _started(distributed, workers) as cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


@contextmanager
def _started(distributed: Any, workers: Workers) -> Iterator[Any]:
    """The cluster that is this run's own."""
    count = workers.count
    if workers.cluster_file is not None:
        queue = read_cluster_file(workers.cluster_file, threads=workers.threads)
        if queue.kind != LOCAL:
            with queue.opened() as cluster:
                yield cluster
            return
        count = queue.jobs
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise InputError(_UNGUARDED)
    try:
        cluster = distributed.LocalCluster(
            n_workers=count or workers.local_count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None would take port 8787 of all addresses, and warn where it is taken
            scheduler_kwargs={"dashboard": False},
            memory_limit=None,  # scans run in children, whose memory a worker does not see
            silence_logs=logging.CRITICAL,
            preload=[f"{__package__}.interrupts"],
        )
    except RuntimeError as error:
        raise InputError(_UNGUARDED) from error
    with cluster:
        yield cluster


_UNGUARDED = (
    "The workers did not start, which load the script that starts them; "
    'in a script, put what runs a cohort below: if __name__ == "__main__":'
)


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Client]:
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:  # of Dask a timeout is an OSError, and of an unknown protocol a ValueError
        raise InputError(
            f"No Dask scheduler answers at {address}; start one with: dask scheduler, and give the address it says."
        ) from error
    with client:
        yield client


def _await_worker(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except OSError as error:
        raise InputError(
            f"The scheduler at {address} has no workers; start some with: dask worker {address}"
        ) from error


def check_workers(client: Client, *, folders: Sequence[Path] = ()) -> None:
    """Refuse workers that cannot run a scan as this process would.

    Raises:
        InputError: in one sentence, of the first such worker.
    """
    import distributed

    own = own_version()
    # names of builtins alone: nothing of ours need be importable there
    said = client.run(eval, "__import__('ASLDenoiseLib').__version__", on_error="return")
    for worker, version in said.items():
        if isinstance(version, BaseException):
            raise InputError(_lacking(worker, version))
        if version != own:
            raise InputError(
                f"The worker {worker} has ASLDenoiseLib {version}, and this is {own}; install the same version."
            )
    for worker, version in client.run(eval, "__import__('distributed').__version__").items():
        if version != distributed.__version__:
            raise InputError(
                f"The worker {worker} has distributed {version}, and this is {distributed.__version__}; "
                "install the same version."
            )
    for folder in folders:
        place = str(folder.absolute())
        for worker, there in client.run(eval, f"__import__('os').path.isdir({place!r})").items():
            if not there:
                raise InputError(f"The worker {worker} does not see {place}; put it on a disk that all workers have.")


def _lacking(worker: str, error: BaseException) -> str:
    return (
        f"The worker {worker} cannot load ASLDenoiseLib ({type(error).__name__}: {error}); install asldenoise where it "
        "runs, and start it again."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs of workers that come and go is told by the cohort itself."""
    levels = {name: logging.getLogger(name).level for name in _LOUD}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
