"""A Python without what POSIX alone has, as Windows' is: modules and test files open, and workers are spawned."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ASLDenoiseLib.participants import task

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "Testing" / "Python"
LIBRARY = ROOT / "ASLDenoiseLib"

# What refuses our own files, and lets libraries, which are of this system, have what they need.
HOOK = """
import builtins, os, signal, sys
LACKED = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "readline"}
real = builtins.__import__

def lacking(name, globals=None, locals=None, fromlist=(), level=0):
    whose = str((globals or {}).get("__file__", ""))
    if level == 0 and name.split(".")[0] in LACKED and whose.startswith(OURS):
        raise ModuleNotFoundError(f"No module named {name!r}, for {whose}", name=name)
    return real(name, globals, locals, fromlist, level)

builtins.__import__ = lacking
"""
# nothing of these may be asked for while a module is loaded
NAMES = """
for name in ("fork", "killpg", "getpgrp", "getsid", "setsid", "geteuid", "getuid", "getgid", "mkfifo", "nice",
             "sched_getaffinity", "waitid", "getloadavg", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCHLD"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def ran(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.child
def test_every_module_opens_without_what_posix_alone_has():
    names = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in LIBRARY.rglob("*.py")
        if path.name != "__main__.py"
    )
    assert len(names) > 250
    libraries = "importlib, torch, multiprocessing.util, monai.networks.blocks"  # of this system, and loaded as such
    code = f"OURS = {str(LIBRARY)!r}\n{HOOK}\nimport {libraries}\n{NAMES}\n"
    ran(code + f"for name in {names!r}:\n    importlib.import_module(name)\n")


def at_once(path: Path) -> list[str]:
    """What only POSIX has of `os` and `signal`, asked for as a test file is loaded: outside of every function."""
    lacked = {name.strip(' "(),') for name in NAMES.split() if name.strip().startswith(('"', '("'))}
    found: list[str] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, (ast.BoolOp, ast.IfExp)) and any(w in ast.unparse(node) for w in ("os.name", "hasattr(os")):
            return  # it asks first
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for each in (*getattr(node, "decorator_list", ()), *ast.iter_child_nodes(node.args)):
                look(each)
            return
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("os", "signal") and node.attr in lacked:
            found.append(f"{path.name}:{node.lineno} {ast.unparse(node)}")
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text("utf-8")))
    return found


def test_no_test_file_asks_for_a_signal_or_a_function_of_posix_as_it_is_loaded():
    assert [each for path in sorted(HERE.glob("*.py")) for each in at_once(path)] == []


def test_the_rule_sees_a_signal_in_a_decorator_and_passes_one_in_a_function(tmp_path):
    lines = ["@mark([signal.SIGKILL])", "def test(): os.kill(1, signal.SIGKILL)", "X = os.name == 'nt' or os.geteuid()"]
    (tmp_path / "x.py").write_text("\n".join(lines), encoding="utf-8")
    assert at_once(tmp_path / "x.py") == ["x.py:1 signal.SIGKILL"]


def test_workers_are_spawned_and_never_forked():
    """A fork would copy threads and a device that are in use; macOS and Windows do not fork."""
    wrong = []
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called, words = ast.unparse(node.func), ast.unparse(node)
                if called.endswith("get_context") and "'spawn'" not in words:
                    wrong.append(f"{path.name}:{node.lineno}")
                if called.endswith("ProcessPoolExecutor") and "get_context" not in words:
                    wrong.append(f"{path.name}:{node.lineno}")
                if called in ("multiprocessing.Process", "multiprocessing.Pool", "os.fork") and path.name != "child.py":
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


def test_the_memory_of_a_scan_is_known_on_windows_too(monkeypatch):
    psutil = pytest.importorskip("psutil", reason="psutil comes with Dask")

    class OfWindows:
        def memory_info(self):
            return type("Info", (), {"peak_wset": 3 * 2**29})()

    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(psutil, "Process", OfWindows)
    assert task.peak_memory() == 1.5
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert task.peak_memory() != task.peak_memory(), "NaN: not known"
