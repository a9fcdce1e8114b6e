"""The Extensions Index's own checks, loaded from a checkout of it and run on a local clone in the repository's place.

Nothing of the index is kept here: its scripts are read from where they lie. What they would ask of the network is
answered by a stand-in: pictures from the clone, the schema from a folder of Slicer's schemas; all else is refused.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from urllib.parse import urlsplit

from Testing.Packaging.git import git, lines

NAME = "ASLDenoise"
MIB = 1024 * 1024
_RAW = re.compile(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[^/]+/(.+)")
_GROUPS = (
    (r"^Docs/panel/", "pictures of the panel (Docs/panel)"),
    (r"^Docs/demo-overlay\.png$", "the picture of the demo (Docs/demo-overlay.png)"),
    (r"\.pt$", "weights of models"),
    (r"\.(png|svg)$", "other pictures"),
    (r"\.gz$", "sample data"),
)
_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif"}


@dataclass(frozen=True)
class Outcome:
    """One check: its name, ``passed``, ``failed`` or ``not run here``, and what it said or needs."""

    check: str
    verdict: str
    said: str


class NotHere(Exception):
    """What a check would need, which only the public address has."""


class StandIn:
    """`requests` in the index's scripts: files of the clone for addresses of the repository, schemas from a folder."""

    class RequestException(Exception):
        """As of `requests`."""

    def __init__(self, clone: Path, schemas: Path | None) -> None:
        self.clone, self.schemas = clone, schemas

    def get(self, url: str, **_how: object) -> SimpleNamespace:
        """What lies at an address."""
        ours, place = _RAW.fullmatch(url), urlsplit(url).path
        if "/Schemas/" in place:
            if self.schemas is None:
                raise NotHere("a folder of Slicer's schemas (--slicer)")
            path = self.schemas / Path(place).name
        elif ours:
            path = self.clone / ours[1]
        else:
            raise NotHere(f"the network ({url})")
        if not path.is_file():
            raise self.RequestException(f"{path.name} is not there")
        return SimpleNamespace(
            raise_for_status=lambda: None,
            json=lambda: json.loads(path.read_text("utf-8")),
            headers={"Content-Type": _KINDS.get(path.suffix, "text/plain")},
        )


def load(scripts: Path, name: str) -> ModuleType:
    """A script of the index as a module; what it prints while it is loaded is dropped."""
    # the reader of the AI analysis wants an address to send to before it can be read; nothing is sent
    for needed in ("INFERENCE_URL", "INFERENCE_MODEL", "INFERENCE_API_KEY"):
        os.environ.setdefault(needed, "none")
    with contextlib.suppress(ImportError):
        import requests  # noqa: F401
    sys.modules.setdefault("requests", ModuleType("requests"))
    path = scripts / f"{name}.py"
    module = ModuleType(f"index_{name}")
    module.__file__ = str(path)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(_compiled(path.read_text("utf-8"), path), vars(module))
    return module


def _compiled(source: str, path: Path) -> CodeType:
    """The script; before Python 3.12 without those of its functions that only newer ones can read."""
    while True:
        try:
            return compile(source, path, "exec")
        except SyntaxError as error:
            lines = source.split("\n")
            starts = [n for n, line in enumerate(lines) if line[:1].strip() and line[0] not in ")]}"]
            first = max(n for n in starts if n < error.lineno)
            if not lines[first].startswith("def "):
                raise
            last = min(n for n in starts if n >= error.lineno)
            source = "\n".join(["" if first <= n < last else line for n, line in enumerate(lines)])


def description_checks(index: Path, clone: Path, schemas: Path | None) -> Iterator[Outcome]:
    """Each check of ``check_description_files.py``, in its order."""
    checks = load(index / "scripts", "check_description_files")
    checks.requests = StandIn(clone, schemas)
    described = index / f"{NAME}.json"
    metadata = checks.parse_json(described)
    in_clone = {"cloned_repository_folder": clone}
    ordered = (
        ("repository size", checks.check_repository_size, in_clone),
        ("JSON schema", checks.check_json_schema, {}),
        ("JSON file format", checks.check_json_file_format, {"extension_file_path": described}),
        ("extension name", checks.check_extension_name, {}),
        ("category", checks.check_category, {}),
        ("git repository name", checks.check_git_repository_name, {}),
        ("SCM URL syntax", checks.check_scm_url_syntax, {}),
        ("CMakeLists.txt content", checks.check_cmakelists_content, in_clone),
        ("license file", checks.check_license_file, in_clone),
    )
    for name, check, given in ordered:
        if name == "JSON schema" and checks.jsonschema is None:
            yield Outcome(name, "not run here", "needs: the package jsonschema (pip install jsonschema)")
            continue
        called = partial(check, NAME, metadata, **given)
        yield _outcome(name, called, checks.ExtensionCheckError)
    yield Outcome("clone repository", "not run here", "needs: the public address; a local clone stands in for it")
    yield Outcome("git repository topics", "not run here", "needs: the public address, with topic 3d-slicer-extension")
    error = checks.ExtensionDependencyError
    yield _outcome("dependencies", lambda: checks.check_dependencies(index), error)


def _outcome(name: str, check, error: type[Exception]) -> Outcome:
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):
            check()
    except NotHere as needed:
        return Outcome(name, "not run here", f"needs: {needed}")
    except error as failed:
        return Outcome(name, "failed", " ".join(str(failed).split()))
    marked = [line.partition(": ")[2] for line in told.getvalue().splitlines() if ":white_check_mark:" in line]
    lines = [line.removeprefix(":white_check_mark:").strip() for line in marked]
    return Outcome(name, "passed", "; ".join(line.partition("check_mark: ")[2] or line for line in lines if line))


def structure_check(index: Path) -> Outcome:
    """``check_repository_structure.py`` on the index with our description in it."""
    unexpected = load(index / "scripts", "check_repository_structure").check_filenames()
    verdict = "failed" if unexpected else "passed"
    return Outcome("repository structure of the index", verdict, ", ".join(unexpected))


def packaging_check(metadata: Mapping[str, object]) -> Outcome:
    """Whether the workflow ``package-python-extension.yml`` would package it; it leaves out what has dependencies."""
    needs = metadata.get("build_dependencies")
    said = f"the workflow skips an extension with build dependencies ({', '.join(needs or ())})"
    return Outcome("packaging on three systems", "not run here", said if needs else "needs: the index's runners")


def reader(index: Path, clone: Path) -> list[tuple[str, int, int, int]]:
    """What the AI analysis would read: a kind of file, how many, their characters, and the parts it is cut into."""
    analysis = load(index / "scripts", "extension_ai_analysis")
    found = analysis.collect_analyzed_files(clone)
    rows = []
    for kind, files in found.items():
        sizes = [len(text) for text in files.values()]
        parts, held = 1, 0
        for size in sizes:
            parts, held = (parts, held + size) if held + size < analysis.INFERENCE_MAX_CHARACTERS else (parts + 1, size)
        rows.append((kind, len(files), sum(sizes), parts))
    return rows


def questions(index: Path) -> list[str]:
    """What it asks."""
    return [question for question, _kinds in load(index / "scripts", "extension_ai_analysis").QUESTIONS]


def clone_of(source: Path | str, folder: Path, *more: str) -> Path:
    """A clone of one branch, packed as small as git packs it."""
    subprocess.run(["git", "clone", "--quiet", "--single-branch", *more, str(source), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "gc", "--quiet", "--prune=now"], check=True)
    return folder


def earlier_versions(clone: Path) -> list[tuple[str, int, int]]:
    """What history holds beside the last commit: path, versions, bytes as packed; the largest first.

    Files below ``Docs/panel`` count as one, and so do weights of models; the rest of the code and text as another.
    """
    now = {line.split()[2] for line in lines(clone, "ls-tree", "-r", "HEAD")}
    form = "--batch-check=%(objecttype) %(objectname) %(objectsize:disk) %(rest)"
    objects, found = git(clone, "rev-list", "--objects", "HEAD"), defaultdict(list)
    for line in git(clone, "cat-file", form, given=objects).decode("utf-8").splitlines():
        kind, name, size, *rest = line.split(" ", 3)
        if kind != "blob" or name in now:
            continue
        path = rest[0]
        group = next((called for ends, called in _GROUPS if re.search(ends, path)), "code and text")
        found[group].append(int(size))
    rows = [(group, len(sizes), sum(sizes)) for group, sizes in found.items()]
    return sorted(rows, key=lambda row: -row[2])


def bytes_below(folder: Path) -> int:
    """Of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
