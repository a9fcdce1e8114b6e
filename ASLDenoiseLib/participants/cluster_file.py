"""``--cluster FILE.yaml``: a queue of a computing centre, by the options that dask-jobqueue has for it.

    type: slurm          # pbs, sge, lsf, htcondor, oar, moab; or local, with jobs alone: workers of this machine
    jobs: 10             # how many are submitted
    cores: 4             # of a job; as many scans at once as cores over --threads
    memory: 12GB         # of a job
    walltime: "04:00:00"
    queue: normal

One sentence each is said of a file that cannot be read, of a key that the queue has not, and of what is missing.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import InputError
from ..files import read_text

CLASSES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster",
    "oar": "OARCluster",
    "moab": "MoabCluster",
}
LOCAL = "local"
_PACKAGES = {"dask_jobqueue": "dask-jobqueue", "yaml": "PyYAML"}
_OURS = ("type", "jobs")
_NOT_FOR_A_FILE = {"self", "scheduler", "name", "loop", "security", "asynchronous", "job_cls", "n_workers"}
_NOT_FOR_A_FILE |= {"scheduler_cls", "dashboard_address", "host", "kwargs", "job_kwargs", "base_class_kwargs"}
_RENAMED = {"extra": "worker_extra_args", "job_extra": "job_extra_directives", "env_extra": "job_script_prologue"}
_RENAMED |= {"header_skip": "job_directives_skip", "project": "account"}
_SCHEDULER = "tcp://SCHEDULER:PORT"  # in a script that is only shown


def needs_cohort(module: str) -> ModuleType:
    """Import what the extra ``cohort`` installs.

    Raises:
        InputError: it is not there; says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = _PACKAGES.get(module, module)
        raise InputError(
            f'A cohort runs on Dask, and {package} is not installed; run: pip install "asldenoise[cohort]"'
        ) from error


@dataclass(frozen=True)
class ClusterFile:
    """A queue and its jobs.

    Args:
        kind: of `CLASSES`, or `LOCAL`, where the jobs are workers of this machine.
        jobs: how many are submitted.
        options: of dask-jobqueue's class.
    """

    kind: str
    jobs: int
    options: Mapping[str, Any]

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """Start a scheduler here, submit the jobs, and at the end take them back.

        Raises:
            InputError: the queue refuses them, or is not there.
        """
        cluster = self._made()
        try:
            for _ in range(self.jobs):
                cluster.worker_spec.update(cluster.new_worker_spec())
            cluster.sync(cluster._correct_state)  # as `scale` does, which only logs what was in the way
        except (RuntimeError, OSError, ValueError) as error:
            with suppress(Exception):  # dask-jobqueue does not foresee to close jobs that were never submitted
                cluster.close()
            why = f"The jobs could not be submitted: {_line(error)}"
            raise InputError(f"{why}; run this where the queue's own commands are, and see what they say.") from error
        with cluster:
            yield cluster

    def job_script(self) -> str:
        """What is submitted for each job, as text; nothing is, and there is none for this machine."""
        if self.kind == LOCAL:
            return ""
        jobs = self._class().job_cls
        named = _parameters(jobs)
        options = {name: value for name, value in self.options.items() if name in named}
        logs = Path(str(options["log_directory"])) if options.get("log_directory") else None
        made = [] if logs is None else [p for p in (logs, *logs.parents) if not p.exists()]
        try:
            script = jobs(_SCHEDULER, name=f"{options['job_name']}-0", **options).job_script()
        except Exception as error:  # what dask-jobqueue raises of its options is not one kind
            raise InputError(f"No job can be made of the options for {self.kind}: {_line(error)}") from error
        finally:
            with suppress(OSError):  # dask-jobqueue makes it as soon as it is named
                for folder in made:
                    folder.rmdir()
        return script

    def _class(self) -> Any:
        return getattr(needs_cohort("dask_jobqueue"), CLASSES[self.kind])

    def _made(self) -> Any:
        scheduler = {
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
            **self.options.get("scheduler_options", {}),
        }
        try:
            return self._class()(**{**self.options, "scheduler_options": scheduler})
        except Exception as error:
            raise InputError(f"No cluster can be made of the options for {self.kind}: {_line(error)}") from error


def read_cluster_file(path: Path, *, threads: int = 1) -> ClusterFile:
    """Read a file; `threads` are those of one scan.

    Raises:
        InputError: as the module says.
    """
    yaml = needs_cohort("yaml")
    try:
        content = yaml.safe_load(read_text(path, what="cluster file"))
    except yaml.YAMLError as error:
        raise InputError(f"{path.name} is not valid YAML ({_line(error)}); correct it.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name} is no list of 'key: value'; begin with, for example, type: slurm")
    kind = content.get("type")
    if kind not in (*CLASSES, LOCAL):
        said = f"names no type of queue ('{kind}')" if "type" in content else "names no type of queue"
        raise InputError(f"{path.name} {said}; choose one of {', '.join((*CLASSES, LOCAL))}.")
    jobs = content.get("jobs")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise InputError(f"{path.name} must say how many jobs are to be submitted; add, for example, jobs: 4")
    options = {name: value for name, value in content.items() if name not in _OURS}
    cluster = ClusterFile(kind, jobs, options)
    if kind == LOCAL and options:
        raise InputError(f"{path.name} has '{next(iter(options))}', which local has not; it has jobs alone.")
    if kind == LOCAL:
        return cluster
    _check_keys(path.name, cluster)
    return ClusterFile(kind, jobs, _with_defaults(path.name, cluster, threads))


def _check_keys(name: str, cluster: ClusterFile) -> None:
    made = cluster._class()
    known = {*_parameters(made), *_parameters(made.job_cls)} - _NOT_FOR_A_FILE
    for key in cluster.options:
        if key in _RENAMED and _RENAMED[key] in known:
            raise InputError(f"In {name}, '{key}' is now called '{_RENAMED[key]}'; rename it.")
        if key not in known:
            near = difflib.get_close_matches(str(key), sorted(known), 1)
            hint = f"did you mean '{near[0]}'?" if near else f"it has {', '.join(sorted(known - set(_RENAMED)))}."
            raise InputError(f"{name} has '{key}', which {cluster.kind} has not; {hint}")


def _with_defaults(name: str, cluster: ClusterFile, threads: int) -> dict[str, Any]:
    import dask

    needs_cohort("dask_jobqueue")
    options = {"job_name": "asldenoise", **cluster.options}
    for key, example in (("cores", "cores: 4"), ("memory", "memory: 12GB")):
        if options.setdefault(key, dask.config.get(f"jobqueue.{cluster.kind}.{key}", None)) is None:
            raise InputError(f"{name} does not say the {key} of a job; add, for example, {example}")
    if isinstance(options["cores"], bool) or not isinstance(options["cores"], int) or options["cores"] < 1:
        raise InputError(f"{name} says cores: {options['cores']}; give a whole number from 1.")
    options.setdefault("processes", max(1, options["cores"] // threads))
    home = Path(__file__).resolve().parents[2]
    if "site-packages" not in home.parts:  # a checkout, which a job would not find
        options["job_script_prologue"] = [
            f'export PYTHONPATH="{home}${{PYTHONPATH:+:$PYTHONPATH}}"',
            *(options.get("job_script_prologue") or []),
        ]
    return options


def _parameters(made: type) -> set[str]:
    """The arguments of a class and of those that it is made of."""
    return {name for base in made.__mro__ for name in inspect.signature(base.__init__).parameters}


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
