"""Runs without POSIX: trees of processes that `taskkill` ends, handles instead of groups, a child that cannot fork."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from running_builders import HERE, Bench, Count, Sleep, events_of, with_tests

from ASLDenoiseLib.running import processes, windows
from ASLDenoiseLib.running.events import Cancelled, Done, Failed
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.windows import JobLimits, KeptProcess, end_tree, end_what_this_process_starts

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="it looks at processes by /proc")

# What Windows' own command does with /T /F /PID: ends a process and, from parent to child, all below it.
TASKKILL = """
#!{python}
import os, pathlib, sys
assert sys.argv[1:4] == ["/T", "/F", "/PID"], sys.argv
with open({told!r}, "a") as file:
    file.write(sys.argv[4] + "\\n")
parents = {{}}
for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
    try:
        state, parent = path.read_text("utf-8").rpartition(")")[2].split()[:2]
    except OSError:
        continue
    if state not in "ZX":
        parents[int(path.parent.name)] = int(parent)
tree = [int(sys.argv[4])]
for pid in tree:
    tree += [each for each, parent in parents.items() if parent == pid]
if tree[0] not in parents:
    sys.exit(128)
for pid in tree:
    os.kill(pid, 9)
"""

# A Python that lacks what Windows' does; put on the path as sitecustomize.
WITHOUT_POSIX = """
import os, signal
for name in ("fork", "killpg", "getpgrp", "getsid", "waitid", "geteuid", "getuid", "setsid", "nice"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGUSR1"):
    delattr(signal, name)
"""


class Kernel:
    """Windows' kernel32, as far as it is asked here: handles of the processes that are `there`."""

    def __init__(self, *there: int, refuses: str = "") -> None:
        self.there, self.refuses = set(there), refuses
        self.jobs, self.assigned, self.handles = {}, [], {}

    def CreateJobObjectW(self, security, name):
        self.jobs[7] = None
        return 0 if self.refuses == "CreateJobObjectW" else 7

    def SetInformationJobObject(self, job, kind, limits, size):
        self.jobs[job] = (kind, ctypes.cast(limits, ctypes.POINTER(JobLimits)).contents.basic.flags, size)
        return self.refuses != "SetInformationJobObject"

    def AssignProcessToJobObject(self, job, process):
        self.assigned.append((job, process))
        return self.refuses != "AssignProcessToJobObject"

    def GetCurrentProcess(self):
        return -1

    def OpenProcess(self, access, inherit, pid):
        if pid not in self.there:
            return None
        self.handles[1000 + pid] = access
        return 1000 + pid

    def CloseHandle(self, handle):
        del self.handles[handle]
        return True


@pytest.fixture
def taskkill(tmp_path, monkeypatch):
    """The system is taken for Windows, with a `taskkill`; gives the numbers that it was told."""
    told = tmp_path / "told"
    path = tmp_path / "Windows" / "System32" / "taskkill.exe"
    path.parent.mkdir(parents=True)
    path.write_text(TASKKILL.format(python=sys.executable, told=str(told)).lstrip())
    path.chmod(0o755)
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path / "Windows"))
    monkeypatch.setattr(processes, "_POSIX", False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0, raising=False)

    class Kept(KeptProcess):
        def __init__(self, pid: int) -> None:
            super().__init__(pid, Kernel(pid))

    monkeypatch.setattr(windows, "KeptProcess", Kept)
    return lambda: [int(line) for line in told.read_text("utf-8").split()] if told.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(*pids: int, patience: float = 5.0) -> bool:
    until = time.monotonic() + patience
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(alive, pids))


def asleep(said: Path) -> tuple[int, int]:
    """The numbers of the worker and of what it started, once it sleeps."""
    until = time.monotonic() + 60
    while not said.exists():
        assert time.monotonic() < until, "the child never slept"
        time.sleep(0.02)
    return tuple(int(word) for word in said.read_text("utf-8").split(maxsplit=2)[:2])


@LINUX
@pytest.mark.child
@pytest.mark.parametrize("launched", [False, True])
def test_cancel_ends_the_whole_tree_without_signals_and_leaves_no_file(tmp_path, taskkill, launched):
    with Bench(tmp_path) as bench:
        runner = bench.runner(launched=launched)
        runner.start(Sleep(tmp_path / "said"))
        worker, other = asleep(tmp_path / "said")
        runner.cancel()
        assert events_of(runner) == [Cancelled()]
        assert gone(worker, other)
        assert list(bench.folders.iterdir()) == []
        assert (worker in taskkill()) and len(set(taskkill())) == 1 + launched


@LINUX
@pytest.mark.child
def test_a_launcher_that_somebody_ended_takes_the_work_with_it_without_signals(tmp_path, taskkill):
    with Bench(tmp_path) as bench:
        runner = bench.runner(launched=True)
        runner.start(Sleep(tmp_path / "said"))
        worker, other = asleep(tmp_path / "said")
        launcher = int(Path(f"/proc/{worker}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
        os.kill(launcher, 9)
        assert isinstance(events_of(runner)[-1], Failed)
        assert gone(worker, other)


@pytest.mark.child
def test_a_run_without_signals_gives_its_result(tmp_path, taskkill):
    with Bench(tmp_path) as bench:
        runner = bench.runner()
        runner.start(Count(3))
        last = events_of(runner)[-1]
        assert isinstance(last, Done) and last.result == 3
        assert len(taskkill()) == 1, "what was left behind is looked for"


def test_a_system_without_taskkill_ends_the_process_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    end_tree(process.pid)
    assert process.wait(10) != 0
    end_tree(process.pid)  # gone already


def test_all_that_a_child_starts_ends_with_it():
    kernel = Kernel()
    assert end_what_this_process_starts(kernel)
    assert kernel.jobs == {7: (9, 0x2000, ctypes.sizeof(JobLimits))}  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
    assert kernel.assigned == [(7, -1)]
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert ctypes.sizeof(JobLimits) == 144, "as Windows' headers have it"


@pytest.mark.parametrize("refuses", ["CreateJobObjectW", "SetInformationJobObject", "AssignProcessToJobObject"])
def test_a_windows_that_refuses_a_job_is_no_reason_to_stop(refuses):
    assert not end_what_this_process_starts(Kernel(refuses=refuses))
    assert not end_what_this_process_starts(object())


def test_a_number_is_kept_as_long_as_its_process_may_have_to_be_ended():
    kernel = Kernel(42)
    kept, none = KeptProcess(42, kernel), KeptProcess(43, kernel)
    assert kept.known and not none.known, "a number of a process that is gone may be another's by now"
    assert len(kernel.handles) == 1
    for each in (kept, kept, none):
        each.close()
    assert kernel.handles == {} and not kept.known


@LINUX
@pytest.mark.child
def test_a_child_that_cannot_fork_goes_with_its_parent_and_so_do_its_files(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WITHOUT_POSIX)
    folders = tmp_path / "temporary"
    folders.mkdir()
    code = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(HERE)!r})
        from ASLDenoiseLib.running.runner import Runner
        from ASLDenoiseLib.running.interpreter import child_python
        from running_builders import Sleep, with_tests
        environment = with_tests(child_python().environment)
        environment["PYTHONPATH"] = {str(tmp_path / "site")!r} + ":" + environment["PYTHONPATH"]
        runner = Runner(environment=environment)
        runner.start(Sleep(Path({str(tmp_path / "said")!r})))
        time.sleep(600)
    """
    environment = {**with_tests(child_python().environment), "TMPDIR": str(folders)}
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment)
    other = None
    try:
        worker, other = asleep(tmp_path / "said")
        assert len(list(folders.iterdir())) == 1
        parent.kill()
        parent.wait()
        assert gone(worker)
        until = time.monotonic() + 5
        while list(folders.iterdir()) and time.monotonic() < until:
            time.sleep(0.02)
        assert list(folders.iterdir()) == []
    finally:
        parent.kill()
        parent.wait()
        if other is not None and alive(other):
            os.kill(other, 9)  # a job object of Windows ends it, of which there is none here
