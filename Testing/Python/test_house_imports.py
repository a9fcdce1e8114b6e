"""The house's rules on imports: rooms import downwards, the package opens at once, and Slicer stays in its rooms."""

from __future__ import annotations

import ast
import os
import re
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
# networks are nothing but torch, learning trains and adapting tunes them, the scene is Slicer's; each is imported by
# the function that needs it, and the shell imports what a command asks for
MAY_BE_HEAVY = (
    *("networks/", "learning/", "adapting/", "scene/"),
    *("superresolving/pyramid/", "superresolving/scan_network/"),
    *("denoising/guiding.py", "denoising/gaussian_windows.py"),
)
GROUND = "ground"  # the files of the package itself but its faces, `__init__.py` and `__main__.py`
FACE = "face"

# From the ground up: a room stands above all that it may import, so that there is no circle.
ALLOWED = {
    GROUND: set(),
    "spatial": {GROUND},
    "reading": {GROUND, "spatial"},
    "quantifying": {GROUND, "spatial"},
    "preparing": {GROUND, "spatial", "networks"},
    "fitting": {GROUND, "spatial", "quantifying", "preparing"},
    "inspecting": {GROUND, "reading", "quantifying", "preparing"},
    "networks": set(),
    "denoising": {GROUND, "spatial", "preparing", "networks"},
    "superresolving": {GROUND, "spatial", "preparing", "networks", "denoising"},
    "result": {GROUND, "spatial", "preparing"},
    "measuring": {GROUND, "spatial", "result"},
    "auditing": {GROUND, "spatial", "quantifying", "preparing", "fitting", "result", "measuring"},
    "adapting": {GROUND, "spatial", "quantifying", "preparing", "denoising", "measuring", "auditing"},
    "reporting": {GROUND, "spatial", "result", "measuring"},
    "scene": {GROUND, "spatial", "reading", "preparing", "result", "measuring", "reporting"},
    "pipeline": {
        *(GROUND, "spatial", "reading", "quantifying", "preparing", "inspecting", "denoising", "superresolving"),
        *("result", "measuring", "auditing", "reporting", "scene", "running", "fitting", "adapting"),
    },
    "running": {GROUND},
    "group": {GROUND, "spatial", "reading", "preparing", "result", "measuring", "reporting"},
    "participants": {
        *(
            GROUND,
            "reading",
            "preparing",
            "inspecting",
            "denoising",
            "reporting",
            "scene",
            "pipeline",
            "running",
            "group",
        ),
    },
    "sites": {
        *(GROUND, "reading", "preparing", "inspecting", "denoising", "adapting", "result", "reporting", "pipeline"),
    },
    "bold": {GROUND, "reading", "quantifying", "preparing", "networks", "denoising", "measuring", "reporting"},
    "learning": {GROUND, "quantifying", "preparing", "networks", "denoising", "bold", "reporting"},
    "shell": {
        *(GROUND, "reading", "preparing", "inspecting", "denoising", "superresolving", "result", "measuring"),
        *("pipeline", "bold", "learning", "participants", "sites"),
    },
}
_PLACE = re.compile(r"ASLDenoiseLib((?:\.[a-z_0-9]+)+)(?::\w+)?")  # a module named in a string, to be imported later


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


def modules(library: Path = LIBRARY) -> dict[tuple[str, ...], Path]:
    """Every module below the package by its dotted path."""
    found = {}
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        found[parts[:-1] if parts[-1] == "__init__" else parts] = path
    return found


def room(module: tuple[str, ...], library: Path = LIBRARY) -> str:
    """The room that a module lies in."""
    if not module or module == ("__main__",):
        return FACE
    return module[0] if (library / module[0]).is_dir() else GROUND


def arrows(library: Path = LIBRARY) -> Iterator[tuple[str, str, str]]:
    """File, its room and the room that it imports: at the top, in a function, for type checkers, or by a string."""
    known = modules(library)
    for module, path in known.items():
        package = module if path.name == "__init__.py" else module[:-1]
        tree = ast.parse(path.read_text("utf-8"))
        texts = {id(n.body[0].value) for n in ast.walk(tree) if _has_docstring(n)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1] + tuple(filter(None, (node.module or "").split(".")))
                targets = [(*base, a.name) if (*base, a.name) in known else base for a in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ASLDenoiseLib":
                targets = [tuple(node.module.split(".")[1:])]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
                found = _PLACE.fullmatch(node.value)
                targets = [tuple(found[1][1:].split("."))] if found else []
            else:
                continue
            for target in targets:
                yield path.relative_to(library).as_posix(), room(module, library), room(target, library)


def _has_docstring(node: ast.AST) -> bool:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


def test_every_room_imports_only_what_it_may():
    wrong = [
        f"{path} imports {there}"
        for path, here, there in arrows()
        if here not in (FACE, there) and there not in ALLOWED[here]
    ]
    assert wrong == []


def test_every_arrow_that_is_allowed_is_there():
    there = {(here, other) for _, here, other in arrows()}
    spare = {(here, other) for here, others in ALLOWED.items() for other in others if (here, other) not in there}
    assert spare == set()


def test_no_rooms_import_each_other_in_a_circle():
    below = dict(ALLOWED)
    while below:
        free = [name for name, others in below.items() if not others & below.keys()]
        assert free, f"a circle among {sorted(below)}"
        below = {name: others for name, others in below.items() if name not in free}


def test_the_table_names_every_room():
    assert set(ALLOWED) == {room(module) for module in modules()} - {FACE}


def test_an_arrow_upwards_is_found_however_it_is_drawn(tmp_path):
    library = tmp_path / "ASLDenoiseLib"
    (library / "scene").mkdir(parents=True)
    (library / "reading").mkdir()
    (library / "__init__.py").write_text("")
    (library / "scene" / "a.py").write_text("")
    (library / "reading" / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..scene.a import x\n"
        'def f():\n    from ..scene import a\n    return "ASLDenoiseLib.scene.a:Class"\n'
    )
    assert list(arrows(library)) == [("reading/b.py", "reading", "scene")] * 3


def test_the_page_for_developers_shows_the_same_table():
    page = (ROOT / "Docs" / "developing.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \|[^|]*\|([^|]*)\|$", page.partition("| room |")[2], re.MULTILINE)
    shown = {name: set(re.findall(r"`([a-z]+)`", cell)) for name, cell in rows}
    assert shown == {name: others - {GROUND} for name, others in ALLOWED.items() if name != GROUND}
