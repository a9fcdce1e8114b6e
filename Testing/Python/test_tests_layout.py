"""The rules on the tests themselves: what they share lies in files of its own, and the harness has no circle."""

from __future__ import annotations

import ast
import graphlib
import re
from pathlib import Path

import pytest
from conftest import APART, LONGEST, SLOW

HERE = Path(__file__).resolve().parent
HARNESS = HERE.parent / "Harness" / "slicer_harness"
# in code, and in code that a test hands to another Python
IMPORTS_A_TEST = re.compile(r"^\s*(?:from|import)\s+(test_\w+)", re.MULTILINE)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.name)
def test_no_file_imports_a_test_file(path):
    assert IMPORTS_A_TEST.findall(path.read_text("utf-8")) == []


def test_files_that_come_first_are_there_and_causes_of_slowness_are_described(pytestconfig):
    assert [name for name in (*LONGEST, *APART) if not (HERE / name).is_file()] == []
    assert set(SLOW) < {line.partition(":")[0] for line in pytestconfig.getini("markers")}


def test_the_harness_imports_itself_without_circles():
    graph = {path: imported_by(path) for path in HARNESS.rglob("*.py") if path.name != "__init__.py"}
    assert len(graph) > 30
    assert list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def imported_by(path: Path) -> set[Path]:
    """The harness's own modules that one of them imports, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            named = [folder.with_suffix(".py"), *(folder / f"{alias.name}.py" for alias in node.names)]
            found |= {file for file in named if file.is_file()}
    return found


def test_the_check_sees_an_import_in_text():
    assert IMPORTS_A_TEST.findall('"""\n  from test_made import thing\n"""') == ["test_made"]
