"""What the Extensions Index and its reviewers ask of a repository, as far as files alone can tell it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ASLDenoiseLib

ROOT = Path(__file__).resolve().parents[2]
PASS = {*sys.stdlib_module_names, "slicer", "vtk", "qt", "ctk", "mrml", "SimpleITK", "numpy", "scipy"}
OURS = {"ASLDenoiseLib", "ASLDenoisePanel"}
# bytes of a file that is no weight and no sample: pictures are made again and again, and history keeps each
LARGEST_PICTURE = 1_700_000
KEPT_LARGE = ("Resources/Models/", "Resources/Tissue/", "Resources/Experimental/", "Resources/SampleData/")


def in_git() -> list[str]:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("needs a git checkout")
    return [name for name in told.stdout.split("\0") if name and (ROOT / name).is_file()]


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# --- files ----------------------------------------------------------------------------------------------------------


def test_no_text_of_the_repository_has_a_carriage_return():
    binary = re.compile(r"\.(gz|pt|png)$")
    assert [name for name in in_git() if not binary.search(name) and b"\r" in (ROOT / name).read_bytes()] == []
    assert "* text=auto eol=lf" in text(".gitattributes").splitlines()


def test_the_licence_is_where_the_index_looks_and_is_named_wherever_it_is_asked_for():
    assert "Apache License" in text("LICENSE.txt") and not (ROOT / "LICENSE").exists()
    assert "/LICENSE.txt)" in text("CMakeLists.txt")
    assert 'license-files = ["LICENSE.txt"]' in text("pyproject.toml")
    front = text("README.md").partition("## Two commands")[0]
    assert "[Apache-2.0](LICENSE.txt)" in front
    assert "license: Apache-2.0" in text("CITATION.cff")


def test_the_front_page_has_what_reviewers_ask():
    readme = text("README.md")
    assert "One module, **ASL Denoise**" in readme and "## How to cite" in readme and "(CITATION.cff)" in readme
    assert "![" in readme and "Docs/tutorial.md" in readme and "doi.org" in readme
    assert "## What it sends, fetches and keeps" in readme and "removed by" in readme
    tutorial = text("Docs/tutorial.md")
    assert tutorial.count("![") >= 3 and "Sample Data module" in tutorial


def test_nothing_that_is_made_again_is_kept_large():
    large = [n for n in in_git() if not n.startswith(KEPT_LARGE) and (ROOT / n).stat().st_size > LARGEST_PICTURE]
    assert large == []


# --- version and citation -------------------------------------------------------------------------------------------


def test_the_version_is_semantic_stated_once_and_everywhere_the_same():
    version = ASLDenoiseLib.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version) and tuple(map(int, version.split("."))) >= (1, 0, 0)
    assert re.search(r"^version: (.+)$", text("CITATION.cff"), re.MULTILINE)[1] == version
    headings = re.findall(r"^## \[([\d.]+)\] - (\d{4}-\d\d-\d\d)$", text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0][0] == version
    assert re.search(r'^date-released: "(.+)"$', text("CITATION.cff"), re.MULTILINE)[1] == headings[0][1]
    assert f"version {version}, " in text("README.md").partition("## How to cite")[2]
    assert 'version = { attr = "ASLDenoiseLib.__version__" }' in text("pyproject.toml")


def test_the_citation_has_the_fields_that_its_format_asks():
    lines = text("CITATION.cff").splitlines()
    stated = {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines if re.match(r"[a-z-]+:", line)}
    assert stated["cff-version"] == "1.2.0" and stated["message"] and stated["title"] and stated["type"] == "software"
    assert "  - name: The ASLDenoise contributors" in lines
    assert stated["repository-code"] == "https://github.com/ASLDenoise/SlicerASLDenoise"
    assert "\t" not in "".join(lines)


# --- imports at file scope ------------------------------------------------------------------------------------------


def at_file_scope(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that are done when a module is imported; those for type checkers are not."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from at_file_scope(node.orelse)
        elif isinstance(node, (ast.If, ast.Try, ast.With, ast.For, ast.ClassDef)):
            for part in ("body", "orelse", "finalbody"):
                yield from at_file_scope(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from at_file_scope(handler.body)


def outside(source: str) -> set[str]:
    """Packages that a file imports at file scope, beyond those that pass."""
    names = set()
    for node in at_file_scope(ast.parse(source).body):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif node.level == 0:
            names.add(node.module.split(".")[0])
    return names - PASS - OURS


def test_an_import_at_file_scope_is_seen_and_one_in_a_function_is_not():
    code = "import os\ntry:\n    import torch\nexcept ImportError:\n    import monai\ndef f():\n    import ants\n"
    assert outside(code) == {"torch", "monai"}
    assert outside("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n") == set()


def test_what_slicer_loads_imports_nothing_at_file_scope_but_what_slicer_has():
    """Of the module itself; and of the library, that torch and its like are imported when it is needed, or why not."""
    module = [path for path in in_git() if path.startswith("ASLDenoise/") and path.endswith(".py")]
    assert {path: outside(text(path)) for path in module if outside(text(path))} == {}
    for path in [p for p in in_git() if p.startswith("ASLDenoiseLib/") and p.endswith(".py") and outside(text(p))]:
        assert outside(text(path)) <= {"torch", "monai"}, path
        rooms = (folder / "__init__.py" for folder in (ROOT / path).parents if folder.is_relative_to(ROOT))
        said = [text(path), *(room.read_text("utf-8") for room in rooms if room.is_file())]
        assert any("at file scope" in each for each in said), f"{path} does not say why"


def test_slicers_own_process_never_loads_torch_with_the_panel():
    """Everything that the module's files name of the library, at any place, is loaded without torch and monai."""
    named = set()
    for path in [p for p in in_git() if p.startswith("ASLDenoise/") and p.endswith(".py")]:
        if path.endswith(("/tasks.py", "/selftest.py", "/selftest_series.py")):  # run in the child, or on asking
            continue
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ASLDenoiseLib."):
                named.add(node.module)
    code = f"import importlib, sys\nfor name in {sorted(named)!r}:\n    importlib.import_module(name)\n"
    code += "print(*sorted({'torch', 'monai', 'ants', 'nibabel', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    if "No module named 'slicer'" in done.stderr or "No module named 'vtk" in done.stderr:
        pytest.skip("needs slicer-core")
    assert done.stdout.strip() == "", done.stderr


def test_torch_is_installed_by_slicers_extension_alone():
    required = [line for line in text("Resources/requirements.txt").splitlines() if not line.startswith("#")]
    assert not [line for line in required if line.startswith("torch")]
    for path in [p for p in in_git() if p.startswith(("ASLDenoise/", "ASLDenoiseLib/")) and p.endswith(".py")]:
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "pip_install":
                assert "torch" not in ast.unparse(node).lower(), f"{path}:{node.lineno}"


def test_no_line_of_what_slicer_installs_speaks_to_the_network_itself():
    """What is fetched is so by Slicer's installer, the PyTorch extension, or nilearn when an atlas is named."""
    speaks = {"requests", "urllib.request", "http.client", "ftplib", "smtplib", "urllib3", "httpx", "aiohttp"}
    found = []
    for path in [p for p in in_git() if p.startswith(("ASLDenoise/", "ASLDenoiseLib/")) and p.endswith(".py")]:
        for node in ast.walk(ast.parse(text(path))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found += [f"{path}: {name}" for name in names if name in speaks]
    assert found == []
