"""Where a cohort runs: how many workers a machine has room for, schedulers that are not there, scripts for queues."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.participants import capacity, clusters
from ASLDenoiseLib.participants.capacity import free_memory, scans_side_by_side
from ASLDenoiseLib.participants.cluster_file import read_cluster_file
from ASLDenoiseLib.participants.clusters import Workers, open_cluster

pytest.importorskip("dask_jobqueue", reason='the extra "cohort" is not installed')
ROOT = Path(__file__).resolve().parents[2]

SLURM = """
type: slurm
jobs: 10
cores: 4
memory: 12GB
walltime: "04:00:00"
queue: normal
account: perfusion
log_directory: LOGS
job_script_prologue:
  - module load python/3.11
job_extra_directives:
  - --constraint=avx2
"""
PBS = """
type: pbs
jobs: 2
cores: 8
memory: 16GB
processes: 4
walltime: "01:30:00"
queue: long
"""


def written(folder: Path, text: str, name: str = "queue.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def script(folder: Path, text: str, *, threads: int = 1) -> list[str]:
    """The lines of the job's script but the empty ones."""
    read = read_cluster_file(written(folder, text), threads=threads)
    return [line for line in read.job_script().splitlines() if line.strip()]


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_cluster_file(written(folder, text)).job_script()
    return str(caught.value)


PATH = f'export PYTHONPATH="{ROOT}${{PYTHONPATH:+:$PYTHONPATH}}"'
WORKER = f"{sys.executable} -m distributed.cli.dask_worker tcp://SCHEDULER:PORT --name asldenoise-0"


def test_a_slurm_script_says_what_its_file_says_line_by_line_and_writes_nothing(tmp_path):
    logs = tmp_path / "logs" / "of jobs"
    assert script(tmp_path, SLURM.replace("LOGS", str(logs))) == [
        "#!/usr/bin/env bash",
        "#SBATCH -J asldenoise",
        f"#SBATCH -e {logs}/asldenoise-%J.err",
        f"#SBATCH -o {logs}/asldenoise-%J.out",
        "#SBATCH -p normal",
        "#SBATCH -A perfusion",
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=4",
        "#SBATCH --mem=12G",
        "#SBATCH -t 04:00:00",
        "#SBATCH --constraint=avx2",
        PATH,
        "module load python/3.11",
        f"{WORKER} --nthreads 1 --memory-limit 2.79GiB --nworkers 4 --nanny --death-timeout 60",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["queue.yaml"]


def test_threads_of_a_scan_leave_fewer_workers_in_a_job(tmp_path):
    last = script(tmp_path, SLURM.replace("log_directory: LOGS", ""), threads=4)[-1]
    assert "--nthreads 4" in last and "--nworkers" not in last


def test_a_pbs_script_says_what_its_file_says_line_by_line(tmp_path):
    assert script(tmp_path, PBS) == [
        "#!/usr/bin/env bash",
        "#PBS -N asldenoise",
        "#PBS -q long",
        "#PBS -l select=1:ncpus=8:mem=15GB",
        "#PBS -l walltime=01:30:00",
        PATH,
        f"{WORKER} --nthreads 2 --memory-limit 3.73GiB --nworkers 4 --nanny --death-timeout 60",
    ]


@pytest.mark.parametrize("kind", ["sge", "lsf", "htcondor", "oar", "moab"])
def test_every_other_queue_makes_a_script_that_starts_workers(tmp_path, kind):
    more = "disk: 1GB\n" if kind == "htcondor" else ""
    lines = script(tmp_path, f"type: {kind}\njobs: 1\ncores: 2\nmemory: 8GB\n{more}")
    assert any("distributed.cli.dask_worker" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jobs: 1", r"queue.yaml names no type of queue; choose one of slurm, pbs, .*, moab, local\."),
        ("type: torque", r"queue.yaml names no type of queue \('torque'\); choose one of slurm"),
        ("type: slurm", "must say how many jobs are to be submitted; add, for example, jobs: 4"),
        ("type: slurm\njobs: 0", "must say how many jobs"),
        ("type: slurm\njobs: 1\ncores: 4", "does not say the memory of a job; add, for example, memory: 12GB"),
        ("type: slurm\njobs: 1\nmemory: 4GB", "does not say the cores of a job; add, for example, cores: 4"),
        ("type: slurm\njobs: 1\ncores: some\nmemory: 4GB", "says cores: some; give a whole number"),
        ("type: slurm\njobs: 1\nmemry: 4GB", r"has 'memry', which slurm has not; did you mean 'memory'\?"),
        ("type: slurm\njobs: 1\nzzz: 4GB", "has 'zzz', which slurm has not; it has .*walltime"),
        ("type: local\njobs: 2\ncores: 4", "has 'cores', which local has not; it has jobs alone"),
        ("type: slurm\njobs: 1\njob_extra: []", "'job_extra' is now called 'job_extra_directives'; rename it"),
        ("type: slurm\njobs: 1\ncores: 1\nmemory: lots", "No job can be made of the options for slurm: .*lots"),
        ("- slurm", "is no list of 'key: value'"),
        ("type: [slurm", "is not valid YAML .*; correct it"),
        ("", "is empty; copy or export it again"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, text, sentence):
    import re

    said = refusal(tmp_path, text)
    assert re.search(sentence, said), said
    assert "\n" not in said


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"There is no cluster file .*none.yaml; check the path"):
        read_cluster_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"count": 0}, "The number of workers is 0; give a whole number from 1"),
        ({"threads": 1.5}, "The number of threads is 1.5; give a whole number"),
        ({"memory_gib": 0}, "The memory of a scan is 0 GiB; give a number above 0"),
        ({"scheduler": "tcp://a:1", "cluster_file": Path("b")}, "Both a scheduler and a cluster are named"),
        ({"scheduler": "tcp://a:1", "count": 2}, r"The number of workers is the scheduler's own; leave it out\."),
        ({"cluster_file": Path("b"), "count": 2}, "is the cluster's own; leave it out or set jobs in the file"),
    ],
)
def test_workers_that_cannot_be_are_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        Workers(**given)


def test_workers_are_as_many_as_cores_and_memory_allow(monkeypatch):
    monkeypatch.setattr(capacity, "cores", lambda: 16)
    monkeypatch.setattr(capacity, "free_memory", lambda: 11.0)
    assert scans_side_by_side(memory=2.0) == 5
    assert scans_side_by_side(threads=4, memory=2.0) == 4
    assert scans_side_by_side(threads=32) == scans_side_by_side(memory=100.0) == 1
    assert Workers(memory_gib=5.0).local_count == 2
    assert Workers(count=7).local_count == 7


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"memory.max": "max"}, None),
        ({"memory.max": str(3 * 2**30), "memory.current": str(2**30)}, 2.0),
        (
            {"memory.max": str(3 * 2**30), "memory.current": str(2**30), "memory.stat": f"inactive_file {2**29}\n"},
            2.5,  # what is held of files is given back
        ),
        ({"memory/memory.limit_in_bytes": str(2**30), "memory/memory.usage_in_bytes": "0"}, 1.0),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ({"job/step/memory.max": "max", "job/memory.max": str(2**30), "memory.max": str(2**31)}, 1.0),
    ],
    ids=["none", "unlimited", "container", "cache", "version 1", "version 1 unlimited", "job of a queue"],
)
def test_the_limit_of_a_container_or_job_is_what_is_free(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    own = written(tmp_path, "4:memory:/\n0::/job/step\n", "cgroup")
    all_of_it = free_memory(tmp_path / "nowhere", tmp_path / "nowhere")
    assert free_memory(tmp_path, own) == pytest.approx(all_of_it if expected is None else expected, rel=0.1)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x:1"])
def test_a_scheduler_that_does_not_answer_is_told_in_one_sentence(monkeypatch, address):
    monkeypatch.setattr(clusters, "_PATIENCE", 0.5)
    said = f"No Dask scheduler answers at {address}; start one with: dask scheduler, and give the address it says"
    with pytest.raises(InputError, match=said), open_cluster(Workers(scheduler=address)):
        pass


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    wanted = r'distributed is not installed; run: pip install "asldenoise\[cohort\]"'
    with pytest.raises(InputError, match=wanted), open_cluster(Workers()):
        pass


def test_a_script_that_starts_workers_outside_of_main_is_told_so(monkeypatch):
    """Its workers load it again, and would start workers of their own."""
    import multiprocessing

    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    said = 'put what runs a cohort below: if __name__ == "__main__":'
    with pytest.raises(InputError, match=said), open_cluster(Workers(count=1)):
        pass


@pytest.fixture
def queue(tmp_path, monkeypatch) -> Path:
    """A Slurm that is this machine: what it was given, and what it took back, are files of a folder."""
    folder = tmp_path / "queue"
    folder.mkdir()
    sbatch = f'cp "$1" {folder}/job.sh; setsid bash {folder}/job.sh >{folder}/log 2>&1 & echo Submitted batch job $!'
    for name, text in (("sbatch", sbatch), ("scancel", f'kill -- -"$1"; echo "$1" >{folder}/cancelled')):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.mark.skipif(os.name != "posix", reason="the jobs are shell scripts")
@pytest.mark.child
def test_jobs_that_a_queue_starts_run_tasks_and_are_taken_back(tmp_path, queue, monkeypatch):
    from pool_builders import HERE, Job, name_of, nap

    from ASLDenoiseLib.participants.pool import PoolState, run_tasks

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    path = written(tmp_path, "type: slurm\njobs: 1\ncores: 2\nmemory: 4GB\n")
    told = []
    with open_cluster(Workers(cluster_file=path)) as client:
        outcomes = list(run_tasks(client, nap, [Job("a", 1.5), Job("b", 1.5)], key=name_of, listener=told.append))
    assert sorted(o.result for o in outcomes) == ["A", "B"]
    states = [event.slots for event in told if isinstance(event, PoolState)]
    assert states[0] == 0 and states[-1] == 2  # it waits until the queue lets the job begin
    assert (queue / "cancelled").exists()


def test_a_queue_that_is_not_there_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = written(tmp_path, SLURM.replace("log_directory: LOGS", ""))
    said = r"The jobs could not be submitted: .*sbatch.*; run this where the queue's own commands are"
    with pytest.raises(InputError, match=said), open_cluster(Workers(cluster_file=path)):
        pass


@pytest.mark.child
def test_a_file_for_this_machine_says_how_many_workers(tmp_path):
    with open_cluster(Workers(cluster_file=written(tmp_path, "type: local\njobs: 1"))) as client:
        assert len(client.nthreads()) == 1
