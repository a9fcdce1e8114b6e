"""The house's rules on imports: the package opens at once, and Slicer stays in its rooms."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "ASLDenoiseLib"
HEAVY = {
    *("torch", "monai", "ants", "matplotlib", "slicer", "vtk", "SimpleITK", "scipy", "skimage", "nibabel", "nilearn"),
    *("pandas", "sklearn", "mrml"),
}
# networks are nothing but torch, learning trains them, the scene is Slicer's; each is imported by
# the function that needs it, and the shell imports what a command asks for
MAY_BE_HEAVY = (
    *("networks/", "learning/", "scene/"),
    *("superresolving/pyramid/", "superresolving/scan_network/"),
    *("denoising/guiding.py", "denoising/gaussian_windows.py"),
)


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every absolute import below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.split(".")[0]


def places(paths: list[Path], names: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT).as_posix()}:{line} imports {name}"
        for path in paths
        for line, name in imported(ast.parse(path.read_text("utf-8")))
        if name in names
    ]


def run(code: str) -> str:
    """What `code` prints in a fresh interpreter at the root of the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def light_modules() -> list[str]:
    paths = [path.relative_to(ROOT) for path in sources(LIBRARY)]
    inside = {path: path.relative_to(LIBRARY.name).as_posix() for path in paths}
    light = [p for p in paths if not inside[p].startswith(MAY_BE_HEAVY) and p.name != "__main__.py"]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in light]


def test_importing_the_package_loads_nothing_heavy():
    loaded = run(f"import sys, ASLDenoiseLib; print(*sorted({HEAVY!r} & set(sys.modules)))")
    assert loaded == ""


def test_importing_every_module_but_networks_learning_and_scene_loads_nothing_heavy():
    code = f"""
import importlib, sys
for name in {light_modules()!r}:
    before = set(sys.modules)
    importlib.import_module(name)
    for heavy in sorted({HEAVY!r} & (set(sys.modules) - before)):
        print(name, "loads", heavy)
"""
    assert run(code) == ""


def test_slicer_and_vtk_are_imported_in_the_scene_and_the_module_alone():
    outside = [path for path in sources(LIBRARY) if "scene" not in path.relative_to(LIBRARY).parts]
    assert places(outside, {"slicer", "vtk", "mrml", "vtkmodules"}) == []


def test_qt_and_ctk_are_imported_in_the_module_alone():
    assert places(sources(LIBRARY), {"qt", "ctk", "PySide6"}) == []


def test_the_rules_above_would_notice_an_import_inside_a_function(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "x.py").write_text("def f():\n    import slicer.util\n    from vtk.util import numpy_support\n")
    assert places(sources(tmp_path), {"slicer", "vtk"}) == ["x.py:2 imports slicer", "x.py:3 imports vtk"]


def test_the_installed_packages_are_those_of_the_source_tree():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    named = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"])
    there = {".".join(path.relative_to(ROOT).parent.parts) for path in sources(LIBRARY)}
    assert named == there | {"ASLDenoiseLib.Resources"}


def test_what_slicer_installs_is_what_the_project_asks_for_and_leaves_torch_to_its_extension():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    asked = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"])
    lines = (ROOT / "Resources" / "requirements.txt").read_text("utf-8").splitlines()
    in_slicer = {line for line in lines if line and not line.startswith("#")}
    assert in_slicer - asked == set()
    assert {line.split(">=")[0] for line in asked - in_slicer} == {"torch", "SimpleITK", "numpy"}
