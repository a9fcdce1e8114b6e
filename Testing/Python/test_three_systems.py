"""The README's two commands on Linux, Windows and macOS: the Makefile's paths, and the workflow that runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"
MAKE = shutil.which("make")
NEEDS_MAKE = pytest.mark.skipif(MAKE is None or os.name == "nt", reason="it runs make with a pretended Windows")

# A Python that makes an environment as Windows' does, and an interpreter in it that writes down what it is to run.
PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    for folder; do :; done
    mkdir -p "$folder/Scripts"
    cp "{stub}" "$folder/Scripts/python.exe"
fi
"""
STUB = '#!/bin/sh\necho "$0 $*" >> "{log}"\n'


@pytest.fixture
def made(tmp_path):
    """Runs make in a folder with the Makefile alone, a pretended Windows; gives what its Python was to run."""
    log, stub, python, commands = (tmp_path / name for name in ("log", "stub", "python", "commands"))
    commands.mkdir()
    (commands / "sh.exe").symlink_to(shutil.which("sh"))
    (commands / "apt-get").touch()  # not to be run: neither is it on Windows
    stub.write_text(STUB.format(log=log))
    python.write_text(PYTHON.format(stub=stub))
    for each in (stub, python):
        each.chmod(0o755)
    here = tmp_path / "clone"
    here.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, here)

    def make(*words: str) -> tuple[subprocess.CompletedProcess, list[str]]:
        environment = {**os.environ, "OS": "Windows_NT", "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
        command = [MAKE, f"PYTHON={python}", "SCREEN=", *words]
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
        return done, log.read_text("utf-8").splitlines() if log.exists() else []

    return make


@NEEDS_MAKE
def test_on_windows_make_sets_up_and_runs_the_demo_by_the_python_in_scripts(made):
    done, log = made("demo")
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in log} == {".venv/Scripts/python.exe"}
    asked = [line.partition(" ")[2] for line in log]
    assert asked[-1] == "-m ASLDenoiseLib demo"
    assert [line for line in asked if "--editable" in line] == [
        "-m pip install --quiet --editable .[dev]",
        "-m pip install --quiet --editable .[scene]",
    ]
    assert next(n for n, line in enumerate(asked) if "install --quiet torch" in line) < asked.index(
        "-m pip install --quiet --editable .[dev]"
    )


@NEEDS_MAKE
def test_on_windows_make_tests_without_setting_up_again(made):
    made("setup")
    _, before = made("setup")
    done, log = made("test")
    assert done.returncode == 0, done.stderr
    asked = [line.partition(" ")[2] for line in log[len(before) :]]
    assert asked == [
        "-m codespell_lib",
        "-m ruff check .",
        "-m ruff format --check .",
        "-m pytest -n auto --maxprocesses 8",
    ]


@NEEDS_MAKE
def test_elsewhere_make_takes_the_python_in_bin():
    environment = {name: value for name, value in os.environ.items() if name != "OS"}
    command = [MAKE, "-n", "demo", f"PYTHON={sys.executable}", "VENV=none"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "none/bin/python -m ASLDenoiseLib demo" in done.stdout and "Scripts" not in done.stdout


@pytest.fixture
def workflow():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load(WORKFLOW.read_text("utf-8"))


def test_the_workflow_runs_the_readmes_two_commands_on_the_three_systems(workflow):
    (job,) = workflow["jobs"].values()
    systems = {name.partition("-")[0] for name in job["strategy"]["matrix"]["system"]}
    assert systems == {"ubuntu", "windows", "macos"} and not job["strategy"]["fail-fast"]
    readme = (ROOT / "README.md").read_text("utf-8").partition("## Two commands")[2]
    commands = re.findall(r"^    (make \w+) ", readme, re.MULTILINE)[:2]
    assert commands == ["make demo", "make test"]
    assert [step["run"] for step in job["steps"] if str(step.get("run", "")).startswith("make ")] == commands


def test_the_workflow_ends_uses_actions_of_stated_versions_and_has_no_secret(workflow):
    (job,) = workflow["jobs"].values()
    assert 0 < job["timeout-minutes"] <= 360
    assert workflow["concurrency"]["cancel-in-progress"] and workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", each) for each in used)
    assert "secrets" not in WORKFLOW.read_text("utf-8")
    assert True in workflow or "on" in workflow, "YAML 1.1 reads 'on' as true"


def test_the_workflow_takes_a_python_that_the_project_allows(workflow):
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    least = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    (job,) = workflow["jobs"].values()
    (version,) = (step["with"]["python-version"] for step in job["steps"] if "setup-python" in str(step.get("uses")))
    assert tuple(map(int, version.split("."))) >= tuple(map(int, least.removeprefix(">=").split(".")))


def test_each_kind_of_test_that_the_workflow_says_is_skipped_is_a_mark(pytestconfig):
    told = WORKFLOW.read_text("utf-8")
    marks = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    for mark in ("shared", "gpu", "nightly"):
        assert mark in marks and re.search(rf"^#   {mark} ", told, re.MULTILINE)
