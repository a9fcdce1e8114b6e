"""Which Python runs a child, and that this very package is importable in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ASLDenoiseLib
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.interpreter import child_python

SLICER = {
    "PATH": os.pathsep.join(["/slicer/bin", "/usr/bin"]),
    "PYTHONPATH": "/slicer/extension/site-packages",
    "LD_LIBRARY_PATH": "/slicer/lib",
    "PYTHONHOME": "/slicer/lib/Python",
}


def find_in(*folders: str):
    def find(name: str, path: str | None) -> str | None:
        return next((f"{f}/{name}" for f in (path or "").split(os.pathsep) if f in folders), None)

    return find


def test_inside_slicer_the_launcher_on_its_path_is_taken_with_slicer_s_own_environment():
    python = child_python(in_slicer=True, environment=SLICER, find=find_in("/slicer/bin"), package_parent=Path("/here"))
    assert python.command == ("/slicer/bin/PythonSlicer",)
    assert {name: python.environment[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME")} == {
        name: SLICER[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME")
    }
    assert python.environment["PYTHONPATH"].split(os.pathsep) == [str(Path("/here")), SLICER["PYTHONPATH"]]


def test_a_slicer_without_its_python_is_refused_in_words():
    with pytest.raises(InputError, match=r"PythonSlicer.*reinstall Slicer"):
        child_python(in_slicer=True, environment={"PATH": "/usr/bin"}, find=find_in("/slicer/bin"))


def test_outside_slicer_it_is_the_running_interpreter():
    assert child_python().command == (sys.executable,)


def test_what_would_make_a_child_wait_for_somebody_to_type_is_left_out():
    environment = child_python(environment={"PYTHONINSPECT": "1", "HOME": "/home"}).environment
    assert "PYTHONINSPECT" not in environment and environment["HOME"] == "/home"


def test_the_given_environment_is_not_changed():
    given = {"PYTHONPATH": "/x"}
    child_python(environment=given)
    assert given == {"PYTHONPATH": "/x"}


def test_the_child_imports_this_package_from_any_folder_and_speaks_utf_8(tmp_path):
    python = child_python()
    code = "import ASLDenoiseLib, faulthandler; print(ASLDenoiseLib.__file__, faulthandler.is_enabled(), 'µ')"
    said = subprocess.run(
        [*python.command, "-c", code], env=dict(python.environment), cwd=tmp_path, capture_output=True
    )
    assert said.stdout.decode("utf-8").split() == [ASLDenoiseLib.__file__, "True", "µ"]
